"""Reference files that code names itself, before those that the rules choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from calmap.reduction.memory import held_reference, is_reference
from reduce.errors import ParameterError
from reduce.references import NOT_APPLICABLE, Reference, Resolver, Value

EMPTY = ""
"""As an override: no reference, and nothing is recorded."""


def named_reference(reftype: str, value: object) -> Reference | None:
    """The reference that somebody gave: a path, N/A, or data; None for an empty text.

    Raises
    ------
    ParameterError
        If it is something else.
    OSError
        If it is a file that can't be read.
    """
    if is_reference(value):
        return held_reference(reftype, value)
    if not isinstance(value, (str, Path)):
        raise ParameterError(
            f"the override of {reftype} is a {type(value).__name__}",
            "give a file, a Frame, a CCDData, arrays by extension, or N/A",
        )
    text = str(value).strip()
    if not text:
        return None
    if text.upper() == NOT_APPLICABLE:
        return Reference(reftype, None, "override", reason="named by the user")
    path = Path(text).expanduser().absolute()
    with path.open("rb"):
        pass
    return Reference(reftype, path, "override", reason="named by the user")


@dataclass(frozen=True, slots=True)
class Named:
    """References that somebody gave, before what another resolver finds; see `Resolver`."""

    references: Mapping[str, Reference]
    others: Resolver

    def find(self, header: Mapping[str, Value], reftype: str) -> Reference | None:
        """See `reduce.references.Resolver.find`."""
        return self.references.get(reftype) or self.others.find(header, reftype)
