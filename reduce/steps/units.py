"""Units of frames and references, as files spell them."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

from reduce.calibration import ReferenceFile
from reduce.errors import DataError

ELECTRON: Final = "electron"
_NAMES: Final = MappingProxyType(
    {
        **dict.fromkeys(("electrons", "e-", "e"), "electron"),
        **dict.fromkeys(("adu", "count", "counts", "ct"), "dn"),
    }
)


def same_unit(one: str, other: str) -> bool:
    """True if two BUNITs mean the same."""
    return _spelled(one) == _spelled(other)


def require_unit(reference: ReferenceFile, unit: str) -> None:
    """Refuse a reference in another unit than the one that is needed.

    Raises
    ------
    DataError
        If the reference says its unit, and that is not `unit`; an empty one is not known.
    """
    if reference.unit and unit and not same_unit(reference.unit, unit):
        raise DataError(
            f"{reference.path} is in {reference.unit}, and {unit} is needed",
            f"convert it and set its BUNIT, or name another {reference.reference.reftype} with --override",
        )


def _spelled(unit: str) -> str:
    text = unit.lower().replace(" ", "").replace("**", "").replace("s-1", "/s").replace("./", "/")
    return re.sub(r"[a-z]+(-(?!\d))?", lambda name: _NAMES.get(name[0], name[0]), text)
