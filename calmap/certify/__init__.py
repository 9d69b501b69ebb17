"""What a telescope demands of its reference files."""
