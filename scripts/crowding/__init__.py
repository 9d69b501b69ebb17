"""Many processes that insert references into one cache at once."""
