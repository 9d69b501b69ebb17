"""A local cache brought in line with one that is elsewhere."""
