"""Compile CRDS-format calibration rules, and explain every selection made with them."""

from calmap.bestref import BestRef, Cache, Context, Explanation
from calmap.errors import CalmapError
from calmap.model.mapping import Mapping, load_mapping

__all__ = ["BestRef", "Cache", "CalmapError", "Context", "Explanation", "Mapping", "load_mapping"]
__version__ = "0.1.0"
