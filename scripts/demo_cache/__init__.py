"""The demonstration cache: what is in it and how its simulated files are made."""
