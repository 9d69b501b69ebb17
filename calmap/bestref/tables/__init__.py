"""Best references for tables of headers."""
