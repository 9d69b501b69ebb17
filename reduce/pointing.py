"""Where the telescope pointed, by an exposure's keywords, and the world coordinates of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reduce.errors import DataError

if TYPE_CHECKING:
    from astropy.io.fits import Header

ANGLE_KEYWORDS = ("POSANG", "PA", "PA_APER")
"""Where a header has the position angle. PARANG is not among them: it is the parallactic angle."""
SCALE_KEYWORDS = ("SCALE", "P_SCALE")
_LARGEST_SCALE = 1.0


@dataclass(frozen=True, slots=True)
class Pointing:
    """Where an image points.

    Parameters
    ----------
    ra, dec
        What the reference pixel sees, degrees.
    angle
        Position angle of the image's y axis: degrees from north to east. At 0 north is up and east is left.
    scale
        Arcsec a pixel.
    system
        RADESYS.
    equinox
        Year, or None for a system that needs none.
    """

    ra: float
    dec: float
    angle: float
    scale: float
    system: str = "ICRS"
    equinox: float | None = None


def pointing(
    header: Mapping[str, Any], *, angle: float | None = None, scale: float | None = None
) -> Pointing:
    """Where an exposure points, by its keywords.

    RA and DEC are in degrees, or text such as ``14:58:00.0`` with hours in RA. EQUINOX other than 2000 means
    FK5 of that year, unless RADESYS says more. SCALE is in arcsec a pixel.

    Raises
    ------
    DataError
        If one is missing or means nothing.
    """
    turn = number(header, "the position angle", *ANGLE_KEYWORDS) if angle is None else angle
    size = number(header, "the scale", *SCALE_KEYWORDS) if scale is None else scale
    if not 0 < size <= _LARGEST_SCALE:
        raise DataError(
            f"a scale of {size} arcsec a pixel is not one of these instruments",
            "SCALE is in arcsec a pixel: 4 mas are 0.004",
        )
    dec = _angle(header, "DEC", "deg")
    if not -90 <= dec <= 90:
        raise DataError(f"DEC is {dec}; it has to be between -90 and 90 degrees")
    equinox = number(header, "the equinox", "EQUINOX") if "EQUINOX" in header else 2000.0
    named = str(header.get("RADESYS", "")).strip().upper()
    system = named or ("ICRS" if equinox == 2000 else "FK5")
    ra = _angle(header, "RA", "hourangle") % 360
    return Pointing(ra, dec, turn, size, system, None if system == "ICRS" else equinox)


def celestial_cards(pointing: Pointing, reference_pixel: tuple[float, float]) -> Header:
    """Cards of a gnomonic projection (TAN of Calabretta & Greisen 2002, section 5.1.3).

    Parameters
    ----------
    reference_pixel
        x and y, from 1, of the pixel in this image that sees `pointing`.
    """
    from astropy.io.fits import Header

    turn = np.deg2rad(pointing.angle)
    cosine, sine = float(np.cos(turn)), float(np.sin(turn))
    step = pointing.scale / 3600
    cards: list[tuple[str, str | float, str]] = [
        ("WCSAXES", 2, "axes of the world coordinates"),
        ("CTYPE1", "RA---TAN", "right ascension, gnomonic"),
        ("CTYPE2", "DEC--TAN", "declination, gnomonic"),
        ("CRPIX1", float(reference_pixel[0]), "[pixel] reference pixel, from 1"),
        ("CRPIX2", float(reference_pixel[1]), "[pixel] reference pixel, from 1"),
        ("CRVAL1", pointing.ra, "[deg] what the reference pixel sees"),
        ("CRVAL2", pointing.dec, "[deg] what the reference pixel sees"),
        ("CUNIT1", "deg", ""),
        ("CUNIT2", "deg", ""),
        ("CDELT1", -step, "[deg] step along x"),
        ("CDELT2", step, "[deg] step along y"),
        ("PC1_1", cosine, "rotation"),
        ("PC1_2", -sine, "rotation"),
        ("PC2_1", sine, "rotation"),
        ("PC2_2", cosine, "rotation"),
        ("RADESYS", pointing.system, "celestial system"),
    ]
    if pointing.equinox is not None:
        cards.append(("EQUINOX", pointing.equinox, "[yr] equinox of the coordinates"))
    return Header(cards)


def number(header: Mapping[str, Any], what: str, *keywords: str) -> float:
    """The number that the first of some keywords has; `what` is what people call it.

    Raises
    ------
    DataError
        If there is none of them, or it is not a number.
    """
    for keyword in keywords:
        if keyword in header:
            value = header[keyword]
            try:
                found = np.nan if isinstance(value, bool) else float(value)
            except (TypeError, ValueError):
                found = np.nan
            if not np.isfinite(found):
                raise DataError(f"{keyword} is {value!r}, not a number")
            return found
    raise DataError(f"the header has no {' or '.join(keywords)}: {what} is not known")


def _angle(header: Mapping[str, Any], keyword: str, unit: str) -> float:
    """Degrees; text that is not a number is in `unit`, by its parts."""
    from astropy.coordinates import Angle

    value = header.get(keyword)
    if not isinstance(value, str) or (":" not in value and " " not in value.strip()):
        return number(header, "where the telescope points", keyword)
    try:
        return float(Angle(value, unit=unit).degree)
    except ValueError as problem:
        raise DataError(f"{keyword} is {value!r}, not an angle") from problem
