"""Headers as plain mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reduce.references import Value

if TYPE_CHECKING:
    from astropy.io.fits import Header


def plain(header: Header) -> dict[str, Value]:
    """Keywords and values of a header, without comments, history and cards that have no value."""
    values: dict[str, Value] = {}
    for card in header.cards:
        if card.keyword and isinstance(card.value, (str, int, float, bool)):
            values.setdefault(card.keyword, card.value)
    return values
