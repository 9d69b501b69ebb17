"""Keywords that rules look at and no column of a table gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from calmap.bestref.context import Context


def unseen_keywords(
    context: Context, instrument: str, columns: Iterable[str], reftypes: Sequence[str] | None
) -> tuple[str, ...]:
    """Keywords for which there is no column, under any of their names.

    Parameters
    ----------
    context, instrument
        Whose rules.
    columns
        Names of all columns.
    reftypes
        Types that matter; all if None.
    """
    known = {name.upper() for name in columns}
    book = context.rulebook(instrument)
    wanted = None if reftypes is None else tuple(name for name in reftypes if name in book.reftypes)
    own = set(book.own_keys)
    return tuple(
        key
        for key in book.required(wanted)
        if key not in own
        and not any(known.issuperset(source.names) for source in context.observatory.sources(key))
    )
