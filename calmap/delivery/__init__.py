"""Bringing references and mappings into a cache."""
