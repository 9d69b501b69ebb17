"""What the user may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_MAX_WORD = 64


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known word that is nearest, or None if none is near; case does not count."""
    if len(word) > _MAX_WORD:
        return None
    by_case = {item.lower(): item for item in known}
    near = get_close_matches(word.lower(), by_case, n=1, cutoff=0.75)
    return by_case[near[0]] if near else None


def quoted(names: Iterable[str]) -> str:
    """Names in quotes, as a list in a sentence."""
    words = [f"'{name}'" for name in names]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def times(count: int) -> str:
    """How often something stands in a file, for a hint."""
    return f"it stands in {count} places of this file"
