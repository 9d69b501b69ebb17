"""Work that is shared among processes of this machine or the workers of a dask cluster."""
