"""Compile CRDS-format calibration rules, and explain every selection made with them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from calmap.version import VERSION

if TYPE_CHECKING:
    from calmap.bestref import BestRef, Cache, Context, Explanation
    from calmap.errors import CalmapError
    from calmap.model.mapping import Mapping, load_mapping

__all__ = ["BestRef", "Cache", "CalmapError", "Context", "Explanation", "Mapping", "load_mapping"]
__version__ = VERSION

_HOMES = (
    ("calmap.bestref", ("BestRef", "Cache", "Context", "Explanation")),
    ("calmap.errors", ("CalmapError",)),
    ("calmap.model.mapping", ("Mapping", "load_mapping")),
)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that small commands start fast."""
    for home, names in _HOMES:
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'calmap' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
