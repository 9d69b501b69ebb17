"""FITS files as bytes, without dates or versions in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TypeAlias

from astropy.io import fits

Card: TypeAlias = tuple[str, str | int | float | bool] | tuple[str, str | int | float | bool, str]


@dataclass(frozen=True, slots=True)
class Extension:
    """An image or a table with its name and its own cards."""

    name: str
    data: object
    cards: tuple[Card, ...] = ()


def fits_bytes(cards: Sequence[Card], extensions: Sequence[Extension]) -> bytes:
    """The file with these primary cards and extensions."""
    hdus = fits.HDUList([fits.PrimaryHDU()])
    hdus[0].header.extend([fits.Card(*card) for card in cards], end=True)
    for extension in extensions:
        kind = fits.BinTableHDU if isinstance(extension.data, fits.FITS_rec) else fits.ImageHDU
        hdu = kind(extension.data, name=extension.name)
        hdu.header.extend([fits.Card(*card) for card in extension.cards])
        hdus.append(hdu)
    buffer = BytesIO()
    hdus.writeto(buffer, output_verify="exception")
    return buffer.getvalue()
