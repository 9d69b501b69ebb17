"""Rules in the form in which they are looked up: keys conditioned, substituted and sorted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from calmap.model.patterns import Pattern
from calmap.source import Span
from calmap.syntax.ast import String, Value

RowKey: TypeAlias = "str | float | tuple[int, int, int] | tuple[float, str] | datetime | None"


class Answer(StrEnum):
    """What a look-up came to."""

    FOUND = "found"
    NOT_APPLICABLE = "not_applicable"
    OMITTED = "omitted"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class Terminal:
    """The end of a rule: one file, several, or a word such as N/A."""

    value: Value
    answer: Answer
    files: tuple[str, ...]

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.value.span

    @property
    def written(self) -> str:
        """What stands there."""
        return self.value.value if isinstance(self.value, String) else repr(self.files)


@dataclass(frozen=True, slots=True)
class MatchRule:
    """One line of a Match selector.

    Parameters
    ----------
    written
        The key as it stands in the file.
    key
        The key after substitution and conditioning, one element a parameter.
    patterns
        What each element accepts.
    choice
        What follows.
    """

    written: Value
    key: tuple[str, ...]
    patterns: tuple[Pattern, ...]
    choice: Node

    @property
    def span(self) -> Span:
        """Where the key stands."""
        return self.written.span


@dataclass(frozen=True, slots=True)
class Match:
    """Rules that a header's values are matched against.

    Parameters
    ----------
    allowed
        For each parameter, the values that CRDS would let through to the
        rules, or None where it lets any through.
    """

    span: Span
    parameters: tuple[str, ...]
    rules: tuple[MatchRule, ...]
    allowed: tuple[frozenset[str] | None, ...]
    merge_overlaps: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a selector that is ordered by date, version or number.

    Parameters
    ----------
    place
        The key as it stands in the file.
    written
        What it says; a substitution may have changed it.
    key
        What it means.
    choice
        What follows.
    """

    place: Value
    written: str
    key: RowKey
    choice: Node

    @property
    def span(self) -> Span:
        """Where the key stands."""
        return self.place.span


@dataclass(frozen=True, slots=True)
class Ordered:
    """A selector whose rows are in order: UseAfter, ClosestTime, VersionAfter, and the like."""

    span: Span
    kind: str
    parameters: tuple[str, ...]
    rows: tuple[Row, ...]


Node: TypeAlias = Terminal | Match | Ordered
