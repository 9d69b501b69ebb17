"""World coordinates: read from a header, made from where the telescope pointed, moved with a cut.

Pixels are counted as in astropy: the centre of the first pixel is at 0, 0. In headers (CRPIX) it is at 1, 1.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reduce.errors import DataError, ParameterError
from reduce.pointing import celestial_cards, number, pointing
from reduce.windows import is_full, region

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

_INVERSE_TOLERANCE = 1e-9
_LINEAR = re.compile(r"(CD|PC)\d_\d|CDELT\d|CROTA\d")
_SIP = re.compile(r"[AB]P?_(ORDER|DMAX|\d_\d)")


@dataclass(frozen=True, slots=True)
class Distortion:
    """Polynomials of the SIP convention (Shupe et al. 2005, ASPC 347, 491).

    Parameters
    ----------
    a, b
        Coefficients by (p, q): the pixel (u, v) from the reference pixel moves by ``Σ a[p, q]·u^p·v^q`` in x
        and ``Σ b[p, q]·u^p·v^q`` in y, before the linear part.
    """

    a: Mapping[tuple[int, int], float] = field(default_factory=dict)
    b: Mapping[tuple[int, int], float] = field(default_factory=dict)


def celestial(header: Header) -> WCS | None:
    """The celestial coordinates that an image's header has.

    Parameters
    ----------
    header
        Of the image. It is read as FITS defines it (Greisen & Calabretta 2002, A&A 395, 1061; Calabretta &
        Greisen 2002, A&A 395, 1077), with PC, CD and SIP.

    Returns
    -------
    WCS or None
        None if no axis is a celestial one.

    Raises
    ------
    DataError
        If the header says that there are such coordinates but they can't be used.
    """
    axes = [axis for axis in range(1, _axes(header) + 1) if _is_celestial(header, axis)]
    if not axes:
        return None
    if len(axes) != 2:
        raise DataError(f"CTYPE{axes[0]} is a celestial axis; there have to be two of them")
    _check_cards(header, axes)
    return _parsed(header)


def sky_of(wcs: WCS, positions: ArrayLike) -> NDArray[np.float64]:
    """Right ascension and declination of pixels, degrees; x and y, the result: (n, 2)."""
    places = _pairs(positions)
    return np.asarray(wcs.all_pix2world(places, 0), dtype=np.float64) if len(places) else places


def pixels_of(wcs: WCS, sky: ArrayLike) -> NDArray[np.float64]:
    """x and y of places on the sky, the inverse of `sky_of` to better than 1e-6 pixel.

    Parameters
    ----------
    sky
        Right ascension and declination, degrees, (n, 2).

    Raises
    ------
    DataError
        If the distortion can't be inverted for one of them.
    """
    from astropy.wcs import NoConvergence

    places = _pairs(sky)
    if not len(places):
        return places
    try:
        found = wcs.all_world2pix(places, 0, tolerance=_INVERSE_TOLERANCE, maxiter=50)
    except NoConvergence as problem:
        raise DataError("the distortion in the header can't be inverted for all of these places") from problem
    return np.asarray(found, dtype=np.float64)


def assign(
    header: Mapping[str, Any],
    sci_header: Header,
    shape: tuple[int, int],
    *,
    angle: float | None = None,
    scale: float | None = None,
    reference_pixel: tuple[float, float] | None = None,
    distortion: Distortion | None = None,
) -> Header:
    """An image's header with world coordinates.

    Parameters
    ----------
    header
        Of the exposure; its keywords tell where it points if the image's header has no celestial CTYPE.
    sci_header
        Of the image. Celestial coordinates that it has are checked and kept.
    shape
        Rows and columns of the image.
    angle, scale
        Instead of the header's, see `reduce.pointing.Pointing`.
    reference_pixel
        x and y, from 1, of the full detector's pixel that sees RA and DEC. By default CRPIX of the image's
        header, or the middle of the detector, which is of DETXSIZE × DETYSIZE pixels or this full frame.
    distortion
        Added if the header has none.

    Raises
    ------
    DataError
        If a keyword is missing or means nothing, or the image's header is broken.
    """
    result = sci_header.copy()
    if celestial(sci_header) is None:
        pixel = _reference_pixel(header, sci_header, shape, reference_pixel)
        for keyword in [key for key in result if _LINEAR.fullmatch(key)]:
            del result[keyword]
        result.update(celestial_cards(pointing(header, angle=angle, scale=scale), pixel))
    if distortion is not None and "A_ORDER" not in result:
        result = with_distortion(result, distortion)
    return result


def with_distortion(header: Header, distortion: Distortion) -> Header:
    """A header with a SIP distortion about its reference pixel, in place of the one it has."""
    result = header.copy()
    for keyword in [keyword for keyword in result if _SIP.fullmatch(keyword)]:
        del result[keyword]
    for axis in (1, 2):
        kind = str(result[f"CTYPE{axis}"])
        result[f"CTYPE{axis}"] = kind if kind.endswith("-SIP") else f"{kind}-SIP"
    orders = [p + q for terms in (distortion.a, distortion.b) for p, q in terms]
    for letter, terms in (("A", distortion.a), ("B", distortion.b)):
        result[f"{letter}_ORDER"] = (max([2, *orders]), "degree of the distortion")
        for (p, q), value in sorted(terms.items()):
            if min(p, q) < 0 or p + q > 9:
                raise ParameterError(f"a distortion has no term {p}, {q}: the degree is from 0 to 9")
            result[f"{letter}_{p}_{q}"] = float(value)
    return result


def shifted(header: Header, columns: float, rows: float) -> Header:
    """The header of an image whose first pixel is another one of this image.

    Parameters
    ----------
    columns, rows
        How many are cut off at the left and at the bottom; negative if some are put before.
    """
    result = header.copy()
    for keyword, by in (("CRPIX1", columns), ("CRPIX2", rows)):
        if keyword in result:
            result[keyword] = result[keyword] - by
    return result


def _axes(header: Header) -> int:
    return max(2, *(int(header[key]) for key in ("WCSAXES", "NAXIS") if isinstance(header.get(key), int)), 2)


def _is_celestial(header: Header, axis: int) -> bool:
    kind = str(header.get(f"CTYPE{axis}", "")).strip().upper()
    name = kind.split("-")[0]
    return name in ("RA", "DEC") or name.endswith(("LON", "LAT"))


def _check_cards(header: Header, axes: list[int]) -> None:
    """Refuse what astropy would fill with a default."""
    matrix = [[header.get(f"CD{i}_{j}") for j in axes] for i in axes]
    has_matrix = any(value is not None for row in matrix for value in row)
    wanted = [f"{name}{axis}" for name in ("CRPIX", "CRVAL") for axis in axes]
    wanted += [] if has_matrix else [f"CDELT{axis}" for axis in axes]
    missing = [keyword for keyword in wanted if keyword not in header]
    if missing:
        raise DataError(f"the world coordinates lack {', '.join(missing)}")
    for keyword in wanted:
        number(header, "a number", keyword)
    if has_matrix and np.linalg.det(np.array([[float(value or 0) for value in row] for row in matrix])) == 0:
        raise DataError("the CD matrix of the world coordinates is singular")
    sip = "A_ORDER" in header or "B_ORDER" in header
    if sip and not any(str(header[f"CTYPE{axis}"]).strip().endswith("-SIP") for axis in axes):
        raise DataError(
            "the header has coefficients of a SIP distortion but its CTYPE doesn't end in -SIP",
            "add -SIP to CTYPE1 and CTYPE2, or remove A_* and B_* if the image is corrected",
        )


def _parsed(header: Header) -> WCS:
    from astropy.wcs import WCS, FITSFixedWarning

    broken = "the world coordinates are broken"
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            wcs = WCS(header).celestial
            wcs.wcs.set()
    except (ValueError, KeyError, TypeError, AssertionError, MemoryError) as problem:
        raise DataError(f"{broken}: {' '.join(str(problem).split())}") from problem
    told = [" ".join(str(one.message).split()) for one in caught if one.category is FITSFixedWarning]
    for message in told:
        if "value was expected" in message or ("celfix" in message and "Success" not in message):
            raise DataError(f"{broken}: {message}")
    return wcs


def _pairs(values: ArrayLike) -> NDArray[np.float64]:
    pairs = np.asarray(values, dtype=np.float64)
    if pairs.size and (pairs.ndim != 2 or pairs.shape[1] != 2):
        raise DataError(f"positions have the shape (n, 2), not {pairs.shape}")
    return pairs.reshape(-1, 2)


def _reference_pixel(
    header: Mapping[str, Any], sci_header: Header, shape: tuple[int, int], given: tuple[float, float] | None
) -> tuple[float, float]:
    if given is None and "CRPIX1" in sci_header and "CRPIX2" in sci_header:
        x, y = (number(sci_header, "the reference pixel", f"CRPIX{axis}") for axis in (1, 2))
        return x, y
    part = region(header, shape)
    if given is None:
        height, width = map(float, shape)
        if not is_full(header):
            width, height = (number(header, "the detector's size", key) for key in ("DETXSIZE", "DETYSIZE"))
        given = ((width + 1) / 2, (height + 1) / 2)
    return given[0] - part.column, given[1] - part.row
