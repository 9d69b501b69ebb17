"""FITS files: reading older and newer layouts, writing ours."""
