"""Drop-in replacements for what pipelines import from CRDS and stpipe."""
