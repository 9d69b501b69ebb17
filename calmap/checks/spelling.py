"""What the user may have meant, and names in sentences."""

from __future__ import annotations

from collections.abc import Callable, Collection
from difflib import get_close_matches

_MAX_WORD = 64
_MAX_LISTED = 12


def suggester(known: Collection[str], limit: int = 100) -> Callable[[str], str | None]:
    """A function that finds the known word nearest to another, whatever the case; None if none is near.

    Only so many different words are looked at as is sensible in one file.
    """
    by_case = {item.lower(): item for item in known} if len(known) <= 1000 else {}
    answers: dict[str, str | None] = {}

    def nearest(word: str) -> str | None:
        if word not in answers:
            if len(answers) >= limit or len(word) > _MAX_WORD:
                return None
            near = get_close_matches(word.lower(), by_case, n=1, cutoff=0.75)
            answers[word] = by_case[near[0]] if near else None
        return answers[word]

    return nearest


def quoted(names: Collection[str]) -> str:
    """Names in quotes, as a list in a sentence."""
    words = [f"'{name[:60]}'" for _, name in zip(range(_MAX_LISTED), names, strict=False)]
    if len(names) > _MAX_LISTED:
        words.append("others")
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def times(count: int) -> str:
    """How often something stands in a file, for a hint."""
    return f"it stands in {count} places of this file"
