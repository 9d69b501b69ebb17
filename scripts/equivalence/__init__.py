"""Refactorings that claim not to change answers, and headers to hold them to it."""
