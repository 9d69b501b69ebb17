"""Headers without what describes the file they came from."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from astropy.io.fits import Card, Header

_STRUCTURE = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|PCOUNT|GCOUNT|GROUPS|BSCALE|BZERO|BLANK|EXTNAME|EXTVER|EXTLEVEL"
    r"|CHECKSUM|DATASUM|END"
)


def without_structure(header: Header) -> Header:
    """The cards that say something about the data, in order; damaged ones become comments."""
    from astropy.io import fits

    result = fits.Header()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for card in header.cards:
            if not _STRUCTURE.fullmatch(_keyword(card)):
                result.append(_sound(card), end=True)
    return result


def _keyword(card: Card) -> str:
    """The keyword of a card; ``?`` if it has none that could be read."""
    try:
        keyword = str(card.keyword).upper()
    except (ValueError, TypeError, AttributeError):
        return "?"
    return keyword if keyword.isascii() and keyword.isprintable() else "?"


def _sound(card: Card) -> Any:
    from astropy.io import fits

    try:
        card.verify("silentfix+exception")
        sound = fits.Card(card.keyword, card.value, card.comment)
        str(sound)
    except (fits.VerifyError, ValueError, TypeError, KeyError, AttributeError):
        return fits.Card("COMMENT", f"the card {_keyword(card)} could not be read")
    return sound
