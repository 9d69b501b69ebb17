"""Where mappings and reference files are kept, and which of them are meant."""
