"""Calibration of Liger and IRIS frames with selected reference files."""
