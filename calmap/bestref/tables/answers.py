"""Answers of one reference type by number."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calmap.compile.outcome import Outcome
from calmap.compile.tree import Answer

NONE, NOT_APPLICABLE, NOT_FOUND, BAD_HEADER, FOUND = range(5)
STATUSES: Final = ("found", "not_applicable", "not_found", "bad_header")
"""What a status column says; the first for all numbers from FOUND on, the others by number."""
_NUMBERS: Final = {
    Answer.OMITTED: NONE,
    Answer.NOT_APPLICABLE: NOT_APPLICABLE,
    Answer.NOT_FOUND: NOT_FOUND,
}


_WIDTHS: Final = ((2**7, np.int8), (2**15, np.int16), (2**31, np.int32))


class Answers:
    """Answers by number: first those without a file, then files in the order in which they came up."""

    __slots__ = ("_numbers", "files")

    def __init__(self) -> None:
        self.files: list[str] = []
        self._numbers: dict[tuple[str, ...], int] = {}

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return FOUND + len(self.files)

    def said(self, number: int) -> tuple[str, str]:
        """What a number from NOT_APPLICABLE on means: the status, and the files or nothing."""
        return (STATUSES[0], self.files[number - FOUND]) if number >= FOUND else (STATUSES[number], "")

    def number(self, outcome: Outcome) -> int:
        """The number of an answer."""
        if outcome.answer is not Answer.FOUND:
            return _NUMBERS[outcome.answer]
        found = self._numbers.get(outcome.files)
        if found is None:
            found = self._numbers[outcome.files] = self.size
            self.files.append(", ".join(outcome.files))
        return found


def width_of(count: int) -> Any:
    """Type of the smallest numbers that will do for so many."""
    return next(kind for limit, kind in _WIDTHS if count <= limit)


def narrow(codes: NDArray[Any], answers: Answers) -> NDArray[Any]:
    """Numbers of answers in as few bytes as will do."""
    return codes.astype(width_of(answers.size), copy=False)
