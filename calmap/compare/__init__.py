"""What differs between mappings, as values."""
