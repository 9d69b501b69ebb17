"""Caches that are elsewhere: their files are fetched into a local folder when they are first needed."""
