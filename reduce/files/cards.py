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
            if not _STRUCTURE.fullmatch(card.keyword.upper()):
                result.append(_sound(card), end=True)
    return result


def _sound(card: Card) -> Any:
    from astropy.io import fits

    try:
        card.verify("silentfix+exception")
        sound = fits.Card(card.keyword, card.value, card.comment)
        str(sound)
    except (fits.VerifyError, ValueError, TypeError, KeyError, AttributeError):
        return fits.Card("COMMENT", "unreadable card: " + _ascii(card.image)[:54])
    return sound


def _ascii(text: str) -> str:
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in text).rstrip()
