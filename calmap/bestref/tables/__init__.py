"""Best references for tables of headers."""

from calmap.bestref.tables.selector import TableSelector
from calmap.bestref.tables.table import bestrefs_table

__all__ = ["TableSelector", "bestrefs_table"]
