"""Makes reference files from exposures: one module for each kind."""
