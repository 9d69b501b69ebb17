"""Headers as tables, and whether answers to tables are the answers to headers."""
