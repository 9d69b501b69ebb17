"""What is in reference files, beyond their headers."""
