"""Slopes of non-destructive reads."""
