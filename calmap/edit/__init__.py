"""Changes of rule files as edits of their text."""
