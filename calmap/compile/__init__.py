"""From AST to selectors that answer fast, beside a plain interpreter that answers slowly."""
