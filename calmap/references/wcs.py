"""World coordinates of images: can they be what is meant."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Final

from calmap.diagnostics import Severity
from calmap.references.fitsfile import first_line
from calmap.references.hdu import kind_of

_COORDINATE: Final = re.compile(r"(?:CTYPE|CRVAL|CRPIX|CDELT)\d+([A-Z]?)\Z|(?:CD|PC)\d+_\d+([A-Z]?)\Z")
_TYPED: Final = re.compile(r"((?:CTYPE|CUNIT|CRVAL|CRPIX|CDELT)\d+|(?:CD|PC)\d+_\d+)([A-Z]?)\Z")
_DISTORTION: Final = re.compile(r"(?:CPDIS|CQDIS|CPERR|CQERR|DP|DQ|D2IM|D2IMDIS|D2IMARR|D2IMERR)\d")
_SOURCE_PLACE: Final = re.compile(r" *ERROR \d+ in ")


def coordinate_problems(hdu: Any) -> Iterator[tuple[str, Severity, str | None]]:
    """What is wrong with the coordinates of an image, each description (``A`` to ``Z``) by itself."""
    if kind_of(hdu) != "image":
        return
    try:
        keywords = {str(keyword) for keyword in hdu.header if keyword}
        matches = (_COORDINATE.match(keyword) for keyword in keywords)
        versions = sorted({match[1] or match[2] or "" for match in matches if match})
    except Exception as error:  # whatever astropy makes of a damaged header
        yield f"the header can't be read: {first_line(error)}", Severity.ERROR, None
        return
    for version in versions:
        problem = _problem(hdu, keywords, version)
        if problem:
            named = f"coordinates {version!r}" if version else "the coordinates"
            yield f"{named} can't be used: {problem}", Severity.ERROR, "correct the WCS keywords"


def _problem(hdu: Any, keywords: set[str], version: str) -> str | None:
    try:
        wrong = _not_usable(hdu.header, keywords, version)
        return wrong or _refused(hdu.header, version)
    except Exception as error:  # what wcslib refuses, and whatever astropy makes of damaged cards
        return _words(error)


def _not_usable(header: Any, keywords: set[str], version: str) -> str | None:
    for keyword in sorted(keywords):
        match = _TYPED.match(keyword)
        if match is None or match[2] != version:
            continue
        value = header[keyword]
        if keyword.startswith(("CTYPE", "CUNIT")):
            if not isinstance(value, str):
                return f"{keyword} is {value!r}, expected text"
        elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return f"{keyword} is {value!r}, expected a finite number"
    return None


def _refused(header: Any, version: str) -> str | None:
    """What numpy finds; what wcslib has against the description is raised."""
    import numpy as np
    from astropy.wcs import WCS

    wcs = WCS(_coordinate_cards(header), key=version or " ", fix=False)
    if not wcs.naxis:
        return None
    wcs.wcs.set()
    matrix = np.abs(wcs.pixel_scale_matrix)
    largest = matrix.max(axis=1, keepdims=True)
    if not largest.all() or np.linalg.matrix_rank(wcs.pixel_scale_matrix / largest) < wcs.naxis:
        return "linear transformation matrix is singular"
    return None


def _coordinate_cards(header: Any) -> Any:
    """A header without references to tables of distortions, which stand elsewhere in the file."""
    copy = header.copy()
    for keyword in {str(keyword) for keyword in copy if _DISTORTION.match(str(keyword))}:
        copy.remove(keyword, ignore_missing=True, remove_all=True)
    return copy


def _words(error: Exception) -> str:
    """What an error says, without the places in the source of wcslib."""
    lines = [line for line in str(error).splitlines() if not _SOURCE_PLACE.match(line)]
    text = first_line(lines[0] if lines else error)
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
