"""Why a reference was chosen, or was not, as values to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

KeyOutcome: TypeAlias = Literal["match", "any", "no"]


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """One element of a rule's key, held against the header.

    Parameters
    ----------
    parameter
        The keyword.
    value
        What the header has, conditioned.
    wanted
        What the rule says, as written.
    outcome
        Whether it matches, does not matter, or fails.
    note
        Anything more to know.
    """

    parameter: str
    value: str
    wanted: str
    outcome: KeyOutcome
    note: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way from the context to the answer."""

    text: str
    file: str
    line: int
    keys: tuple[KeyCheck, ...] = ()


@dataclass(frozen=True, slots=True)
class NearRule:
    """A rule that almost matched."""

    file: str
    line: int
    keys: tuple[KeyCheck, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole way to an answer.

    Parameters
    ----------
    reftype, status, files, reason
        The answer.
    mapping
        The mapping that gave it.
    steps
        The way there.
    nearest
        For "not_found", the rules that came closest, the closest first.
    """

    reftype: str
    status: str
    files: tuple[str, ...]
    reason: str
    mapping: str
    steps: tuple[Step, ...]
    nearest: tuple[NearRule, ...] = ()
