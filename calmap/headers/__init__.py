"""Headers of datasets: reading them from files, and writing the references chosen into them."""

from calmap.headers.reading import read_header, read_headers
from calmap.headers.update import update_header

__all__ = ["read_header", "read_headers", "update_header"]
