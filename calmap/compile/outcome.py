"""What a look-up in one reference mapping came to."""

from __future__ import annotations

from typing import NamedTuple

from calmap.compile.tree import Answer, Terminal
from calmap.model.values import UNDEFINED


class Outcome(NamedTuple):
    """An answer, or the reason why there is none.

    Parameters
    ----------
    answer
        What kind of answer.
    files
        The files found.
    reason
        Why nothing was found, or why the type does not apply; empty if a rule says so.
    final
        For an answer that nothing was found: no rule of lower weight is tried after it.
    place
        Offset of the answer in the text of the mapping.
    parameter
        The parameter whose value is missing or refused, if that is why nothing was found.
    """

    answer: Answer
    files: tuple[str, ...] = ()
    reason: str = ""
    final: bool = False
    place: int | None = None
    parameter: str = ""


NO_MATCH = Outcome(Answer.NOT_FOUND, reason="no rule matches")


def missed(reason: str) -> Outcome:
    """Nothing found here; a rule of lower weight may do."""
    return Outcome(Answer.NOT_FOUND, (), reason)


def failed(reason: str, parameter: str = "") -> Outcome:
    """Nothing found, whatever other rules say."""
    return Outcome(Answer.NOT_FOUND, (), reason, True, None, parameter)


def refusal(parameter: str, value: str) -> Outcome:
    """Nothing found because no rule names a value of the header."""
    if value == UNDEFINED:
        return failed(f"{parameter} is missing", parameter)
    return failed(f"{parameter}={value!r} is in no rule", parameter)


def reached(terminal: Terminal) -> Outcome:
    """The answer that stands at the end of a rule."""
    return Outcome(terminal.answer, terminal.files, "", False, terminal.value.start)


def joined(outcomes: list[Outcome], merged: Outcome | None) -> Outcome:
    """The answer of several rules of equal weight, some of which lead to rows that were merged.

    Files win over words: a real file is taken whatever other rules of the same
    weight say, then N/A, then OMIT. (CRDS hands out tuples such as
    ``('N/A', 'x.fits')`` here, or fails.)
    """
    if merged is not None:
        if merged.final:
            return merged
        outcomes = [*outcomes, merged]
    for answer in (Answer.FOUND, Answer.NOT_APPLICABLE, Answer.OMITTED):
        same = [outcome for outcome in outcomes if outcome.answer is answer]
        if same:
            names = tuple(name for outcome in same for name in outcome.files)
            files = names if merged is None else tuple(dict.fromkeys(names))
            return Outcome(answer, files, "", False, same[0].place)
    return outcomes[-1]
