"""What a line of a mapping means, as values to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

LineKind: TypeAlias = Literal["rule", "row", "header", "link", "comment", "blank", "structure"]
Rank: TypeAlias = Literal["heavier", "equal"]


@dataclass(frozen=True, slots=True)
class KeyMeaning:
    """What a rule wants of one keyword.

    Parameters
    ----------
    parameter
        The keyword, as the rules call it.
    keywords
        Where in a header it is looked for.
    written
        What the rule says.
    words
        The same in words.
    """

    parameter: str
    keywords: tuple[str, ...]
    written: str
    words: str


@dataclass(frozen=True, slots=True)
class Interval:
    """When a reference is chosen; a start or an end is None where there is none, a date has normal form.

    Parameters
    ----------
    start, end
        The first moment, and the first moment after it.
    text
        The file or files, or N/A or OMIT.
    line
        Where it stands.
    here
        True if it is what the line asked for says.
    """

    start: str | None
    end: str | None
    text: str
    line: int
    here: bool = False


@dataclass(frozen=True, slots=True)
class Rival:
    """Another rule that some of a rule's observations match."""

    line: int
    written: str
    weight: int
    rank: Rank
    example: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that a line names, and whether the cache has it; None if that can't be told."""

    name: str
    present: bool | None


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a line means.

    Parameters
    ----------
    file, line
        Where it is.
    written
        The line itself.
    kind
        What it belongs to.
    sentences
        What there is to say, in order.
    keys
        What a rule wants of each keyword.
    weight
        How many of them count, for a rule.
    before
        What happens before the first interval, for a rule that has a first date.
    intervals
        What follows from the rule, in order of time.
    sequel
        What follows, in sentences, where it does not depend on the time.
    rivals
        Rules that take some of its observations first, or with it.
    hidden
        Why no observation comes to it, or to some rows of it, in a sentence; empty if some do.
    example
        A header that comes to this line.
    files
        The files it names.
    notes
        What can't be told, or goes with all this.
    """

    file: str
    line: int
    written: str
    kind: LineKind
    sentences: tuple[str, ...]
    keys: tuple[KeyMeaning, ...] = ()
    weight: int | None = None
    before: str = ""
    intervals: tuple[Interval, ...] = ()
    sequel: tuple[str, ...] = ()
    rivals: tuple[Rival, ...] = ()
    hidden: str = ""
    example: Mapping[str, str] | None = None
    files: tuple[NamedFile, ...] = ()
    notes: tuple[str, ...] = ()
