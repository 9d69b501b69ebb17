"""Joins the selection of references with the reduction."""
