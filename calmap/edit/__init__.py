"""Changes of rules as edits of their text."""
