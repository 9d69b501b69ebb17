"""What a telescope demands of its reference files, as immutable values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

CHECKS: Final = (
    *("anydate", "jwstdate", "slashdate", "sybdate", "useafter", "pedigree", "jwstpedigree"),
    *(
        "flagged",
        "kernelunity",
        "isomorphicfitsver",
        "isomorphicfitsver1",
        "isomorphicfitsver2",
        "isomorphicfitsver4",
    ),
    *("fileexists", "synphot_graph", "synphot_lookup", "synphot_thermal", "synphot_throughput"),
)
"""Names of the checks that are more than a list of values."""


class Subject(StrEnum):
    """What a constraint is about; the value is the name of its section in a definition."""

    KEYWORD = "keywords"
    COLUMN = "columns"
    ARRAY = "arrays"
    GROUP = "groups"
    CHECK = "checks"


class Presence(StrEnum):
    """Whether the subject has to be there, and when the constraint counts."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    WARN = "warn"
    EXCLUDED = "excluded"
    FULL_FRAME = "full-frame"
    SUBARRAY = "subarray"
    ANY_SUBARRAY = "any-subarray"


class ValueType(StrEnum):
    """How the values of a keyword or a column are read."""

    TEXT = "text"
    EXACT_TEXT = "exact-text"
    INTEGER = "integer"
    REAL = "real"
    DOUBLE = "double"
    LOGICAL = "logical"

    @property
    def is_numeric(self) -> bool:
        """True for numbers."""
        return self in (ValueType.INTEGER, ValueType.REAL, ValueType.DOUBLE)


@dataclass(frozen=True, slots=True)
class Constraint:
    """One demand.

    Parameters
    ----------
    subject
        What it is about.
    name
        Keyword, column, array or, for people, the check; upper case but for a check.
    presence
        Whether it has to be there.
    condition
        Expression that says when the constraint counts; it may have the last word on presence.
    type
        Type of the values, or of the elements of an array.
    values
        The values allowed; none stands for any.
    range
        Lowest and highest value, as they are written.
    check
        Name of a check, one of `CHECKS`.
    expression
        What has to be true.
    kind
        ``image`` or ``table``, for arrays.
    ndim, shape
        Dimensions of an array; a length of None may be any.
    columns
        Columns that a table must have.
    origin
        Where the constraint stands, for messages.
    """

    subject: Subject
    name: str
    presence: Presence = Presence.REQUIRED
    condition: str | None = None
    type: str | None = None
    values: tuple[str, ...] = ()
    range: tuple[str, str] | None = None
    check: str | None = None
    expression: str | None = None
    kind: str | None = None
    ndim: tuple[int, ...] = ()
    shape: tuple[int | None, ...] = ()
    columns: tuple[str, ...] = ()
    origin: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Demands:
    """Constraints of one type of file.

    Parameters
    ----------
    constraints
        In the order of the definition.
    rows
        Columns that tell the rows of its tables apart.
    """

    constraints: tuple[Constraint, ...] = ()
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemandsByType:
    """Constraints of one instrument, or of all: those of every type, and those of single ones."""

    all: Demands = Demands()
    types: Mapping[str, Demands] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, reftype: str) -> Iterator[Demands]:
        """Demands on a type, the general ones last; ``pars`` also counts for ``pars-step``."""
        if reftype in self.types:
            yield self.types[reftype]
        parts = reftype.split("-")
        for count in range(len(parts) - 1, 0, -1):
            shorter = "-".join(parts[:count])
            if shorter in self.types:
                yield self.types[shorter]
        yield self.all


@dataclass(frozen=True, slots=True)
class Certification:
    """All that a telescope demands of its reference files.

    Parameters
    ----------
    every
        Demands whatever the instrument.
    instruments
        Further ones by instrument, lower case.
    """

    every: DemandsByType = DemandsByType()
    instruments: Mapping[str, DemandsByType] = field(default_factory=lambda: MappingProxyType({}))

    def demands(self, instrument: str, reftype: str) -> Demands:
        """Everything demanded of a type of an instrument."""
        own = self.instruments.get(instrument.lower(), DemandsByType())
        found = (*own.of(reftype.lower()), *self.every.of(reftype.lower()))
        rows = next((demands.rows for demands in found if demands.rows), ())
        constraints = dict.fromkeys(item for demands in found for item in demands.constraints)
        return Demands(tuple(constraints), rows)

    def every_constraint(self) -> Iterator[Constraint]:
        """All constraints of all types."""
        for scope in (self.every, *self.instruments.values()):
            for demands in (scope.all, *scope.types.values()):
                yield from demands.constraints
