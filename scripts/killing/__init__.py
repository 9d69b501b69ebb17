"""What `scripts/kill` changes a cache with, how it stops that, and how it looks at what is left."""
