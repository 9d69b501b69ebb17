"""Answers in the one form in which they are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from calmap.compile.outcome import Outcome
from calmap.compile.tree import Answer as Kind


class CaseError(ValueError):
    """A case that is not of the known form."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The class of an answer and the files it names.

    Parameters
    ----------
    kind
        ``found``, ``na``, ``omit``, ``not_found``, or ``bug`` for an answer of
        crds that is none.
    files
        The names, in the order given; sorted if crds gives them no order.
    ordered
        False for the values of a dictionary.
    """

    kind: str
    files: tuple[str, ...] = ()
    ordered: bool = True

    def agrees(self, other: Answer) -> bool:
        """True if class and file names are the same."""
        if self.ordered and other.ordered:
            return (self.kind, self.files) == (other.kind, other.files)
        return (self.kind, set(self.files)) == (other.kind, set(other.files))

    def __str__(self) -> str:
        words = {"na": "N/A", "omit": "OMIT", "not_found": "not found", "bug": "no answer"}
        if self.kind != "found":
            return words[self.kind]
        runs = ((name, len(list(same))) for name, same in groupby(self.files))
        text = ", ".join(f"`{name}`" + (f" ×{count}" if count > 1 else "") for name, count in runs)
        return text if len(self.files) == 1 else f"({text})"


def expected(result: object) -> Answer:
    """The answer that a case records.

    Raises
    ------
    CaseError
        If it is of an unknown class.
    """
    if not isinstance(result, dict) or len(result) != 1:
        raise CaseError(f"a result must be an object with one member, not {result!r}")
    kind, value = next(iter(result.items()))
    match kind, value:
        case "file", str():
            return Answer("found", (value,))
        case "files", list():
            return Answer("found", tuple(map(str, value)))
        case "files", dict():
            return Answer("found", tuple(sorted(map(str, value.values()))), ordered=False)
        case (("na" | "omit" | "not_found"), _):
            return Answer(kind)
        case "oracle_bug", _:
            return Answer("bug")
    raise CaseError(f"a result of the unknown class {kind!r}")


_KINDS: Mapping[Kind, str] = {
    Kind.FOUND: "found",
    Kind.NOT_APPLICABLE: "na",
    Kind.OMITTED: "omit",
    Kind.NOT_FOUND: "not_found",
}


def given(outcome: Outcome) -> Answer:
    """The answer that a look-up gave."""
    return Answer(_KINDS[outcome.answer], outcome.files)


def required(case: Mapping[str, Any], *names: str) -> tuple[Any, ...]:
    """Members of a case.

    Raises
    ------
    CaseError
        If one is missing.
    """
    for name in names:
        if name not in case:
            raise CaseError(f"a case without {name!r}")
    return tuple(case[name] for name in names)
