"""Tables in files: Parquet, CSV, ECSV, FITS and Arrow, read and written batch by batch."""
