"""Which keywords of headers the rules may look at."""

from __future__ import annotations

from collections.abc import Iterable

from calmap.bestref.context import Context


def needed_keywords(contexts: Iterable[Context], extra: Iterable[str] = ()) -> tuple[str, ...]:
    """Keywords, as headers spell them, that can make a difference to what is selected.

    These are all the places where the telescope's definition lets a keyword of a
    rule be found, whichever a header has, and those that name the instrument.

    Parameters
    ----------
    contexts
        Contexts that the headers shall serve.
    extra
        More keywords.

    Returns
    -------
    tuple
        Upper case, in alphabetical order, each once.

    Raises
    ------
    CalmapError
        If a context can't be used.
    """
    found = {keyword.strip().upper() for keyword in extra}
    for context in contexts:
        observatory = context.observatory
        found.update(observatory.instrument_keywords)
        for parkey in context.required_keywords():
            found.update(name for source in observatory.sources(parkey) for name in source.names)
    return tuple(sorted(found - {""}))
