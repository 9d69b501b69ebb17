"""What `scripts/fuzz` feeds to calmap, and how it watches it."""
