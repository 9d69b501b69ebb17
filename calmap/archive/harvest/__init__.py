"""The headers of an archive, collected in one table."""
