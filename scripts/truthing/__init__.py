"""What scripts/truth is made of: stars of a reduced frame against the catalogue they were made from."""
