"""Is a reference file whole: its structure, checksums, coordinates and values."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from calmap.diagnostics import Severity
from calmap.errors import HeaderError
from calmap.headers import read_headers
from calmap.references.fitsfile import BLOCK, FitsFile, first_line
from calmap.references.hdu import column_type, hdu_name, image_type, kind_of, label
from calmap.references.opening import is_fits, open_fits
from calmap.references.problem import Problem
from calmap.references.wcs import coordinate_problems

__all__ = ["Problem", "integrity"]

_HDU: Final = re.compile(r"HDU (\d+):\Z")
_ABOUT: Final = re.compile(r"Card \d+:\Z|Verification reported errors|Note: ")
_FLOATING: Final = ("float", "complex")


def integrity(path: Path) -> tuple[Problem, ...]:
    """What is wrong with a file in itself, without knowing what it is for.

    For FITS files: deviations from the standard, data that are cut off, bytes
    after the end, wrong checksums, ASDF extensions, impossible coordinates, and
    arrays and columns without one finite value.

    Raises
    ------
    HeaderError
        If the file can't be read at all.
    """
    if not is_fits(path):
        for _ in read_headers(path):
            pass
        return ()
    with open_fits(path, raw=True) as file:
        problems = [*_length_problems(file), *_standard_problems(file)]
        for index, hdu in enumerate(file.hdus):
            place = label(hdu, index)
            problems += (Problem(place, *found) for found in _checksum_problems(file, index))
            if not (hasattr(type(hdu), "section") or hasattr(type(hdu), "columns")):
                message = f"it is of no kind that is known: {hdu.header.get('XTENSION', 'SIMPLE=F')}"
                problems.append(Problem(place, message, Severity.ERROR, "only images and tables are in use"))
            if hdu_name(hdu) == "ASDF":
                message = "a FITS file should not have an ASDF extension"
                hint = "store the keywords in headers, or the whole file as ASDF"
                problems.append(Problem(place, message, Severity.ERROR, hint))
    with open_fits(path) as file:
        for index, hdu in enumerate(file.hdus):
            place = label(hdu, index)
            problems += (Problem(place, *found) for found in coordinate_problems(hdu))
            problems += (Problem(place, *found) for found in _value_problems(file, index))
    return tuple(problems)


_Found = tuple[str, Severity, str | None]


def _length_problems(file: FitsFile) -> Iterator[Problem]:
    for index, hdu in enumerate(file.hdus):
        missing = file.missing(index)
        if missing:
            message = f"{_bytes(missing)} of the data are missing"
            yield Problem(label(hdu, index), message, Severity.ERROR, "the file was cut off: get it again")
            return
    rest = file.length - file.end()
    if rest < 0:
        message = f"the file ends {_bytes(-rest)} early, after the data but before the end of their block"
        hint = f"a FITS file is filled up to a multiple of {BLOCK} bytes: was it cut off?"
        yield Problem("", message, Severity.ERROR, hint)
    elif rest > 0:
        message = f"{_bytes(rest)} after the last HDU can't be read as an HDU"
        yield Problem("", message, Severity.ERROR, "the header of an HDU is damaged, or the file is too long")


def _standard_problems(file: FitsFile) -> Iterator[Problem]:
    """What astropy finds against the FITS standard."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            file.hdus.verify("warn")
        except Exception as error:  # whatever astropy makes of a damaged header
            yield Problem("", f"can't be verified: {first_line(error)}", Severity.ERROR, None)
    place = ""
    hint = "astropy.io.fits can repair some of it: fits.open(file).verify('fix')"
    for text in (str(warning.message).strip() for warning in caught):
        hdu = _HDU.match(text)
        if hdu:
            place = label(file.hdus[int(hdu[1])], int(hdu[1]))
        elif text and not _ABOUT.match(text) and "truncated" not in text:
            yield Problem(place, first_line(text), Severity.ERROR, hint)


def _checksum_problems(file: FitsFile, index: int) -> Iterator[_Found]:
    hdu = file.hdus[index]
    if file.missing(index):
        return
    again = "the data were changed after the checksum was written, or damaged"
    try:
        if hdu.verify_datasum() == 0:
            yield "DATASUM does not agree with the data", Severity.ERROR, again
        elif hdu.verify_checksum() == 0:
            changed = "the header was changed after the checksum was written"
            yield "CHECKSUM does not agree with the header", Severity.ERROR, changed
    except Exception as error:  # a DATASUM that is no number, and whatever else astropy can't use
        yield f"the checksum can't be verified: {first_line(error)}", Severity.ERROR, None


def _value_problems(file: FitsFile, index: int) -> Iterator[_Found]:
    """Images and columns of numbers without one that is finite."""
    hint = "is this the file that was meant?"
    try:
        kind = kind_of(file.hdus[index])
        if file.missing(index):
            return
        if kind == "image" and _lacks_finite_pixels(file, index):
            yield "no pixel has a finite value", Severity.WARNING, hint
        elif kind == "table":
            for name in _columns_without_finite_values(file, index):
                yield f"column {name!r} has no finite value", Severity.WARNING, hint
    except HeaderError as error:
        yield f"the data can't be read: {error.message.rpartition(': ')[2]}", Severity.ERROR, error.hint
    except Exception as error:  # whatever astropy makes of damaged data
        yield f"the data can't be read: {first_line(error)}", Severity.ERROR, None


def _lacks_finite_pixels(file: FitsFile, index: int) -> bool:
    import numpy as np

    if not image_type(file.hdus[index]).startswith(_FLOATING):
        return False
    empty = True
    for pixels in file.slabs(index):
        empty = False
        if np.isfinite(pixels).any():
            return False
    return not empty


def _columns_without_finite_values(file: FitsFile, index: int) -> Iterator[str]:
    import numpy as np

    for column in file.hdus[index].columns:
        if column_type(column).startswith(_FLOATING):
            values: Any = file.column(index, column.name)
            if values.size and not np.isfinite(values).any():
                yield str(column.name)


def _bytes(count: int) -> str:
    return "1 byte" if count == 1 else f"{count} bytes"
