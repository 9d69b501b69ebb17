"""Frames as astropy's CCDData, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from reduce.arrays import Flags, Image
from reduce.dq import DQ, flagged
from reduce.errors import DataError
from reduce.files.cards import without_structure
from reduce.files.layouts import OTHER
from reduce.frame import Frame

if TYPE_CHECKING:
    from astropy.io.fits import Card, Header
    from astropy.nddata import CCDData

_UNITLESS: Final = ("", "none", "unitless")
_UNITS: Final = MappingProxyType({"e-": "electron", "e-/s": "electron / s", "counts": "count"})
_COMMENTARY: Final = frozenset({"", "COMMENT", "HISTORY"})
_COORDINATES: Final = re.compile(
    r"BUNIT|(CTYPE|CRVAL|CRPIX|CDELT|CUNIT|CROTA)\d+|(PC|CD|PV|PS)\d+_\d+|[AB]P?_(ORDER|DMAX|\d_\d)"
    r"|LONPOLE|LATPOLE|RADESYS|EQUINOX|WCSAXES|WCSNAME|MJDREF|DATEREF"
)


def to_ccddata(frame: Frame) -> CCDData:
    """A CCDData with the image, its unit, standard deviation, mask, flags, world coordinates and header.

    The mask is where DO_NOT_USE is set; all quality bits are in ``flags``. The parts of the variance and
    other planes have no place in a CCDData and are left out. The arrays are copies.

    Raises
    ------
    DataError
        If astropy does not know the unit.
    """
    from astropy.nddata import CCDData, StdDevUncertainty

    header = frame.header.copy()
    header.update({card.keyword: (card.value, card.comment) for card in _plain_cards(frame.sci_header)})
    return CCDData(
        frame.sci.copy(),
        unit=_unit(frame.unit),
        uncertainty=StdDevUncertainty(frame.err) if frame.variances else None,
        mask=flagged(frame.dq),
        flags=frame.dq.copy(),
        wcs=frame.wcs,
        meta=header,
    )


def from_ccddata(ccd: CCDData) -> Frame:
    """A frame of a CCDData.

    Its uncertainty, of whatever kind, becomes the part OTHER of the variance. Quality bits are taken from
    ``flags`` if these are whole numbers. Masked pixels get DO_NOT_USE, and so do those whose value or
    uncertainty is not a number.

    Raises
    ------
    DataError
        If it is not an image, or parts do not fit together.
    """
    sci = np.array(ccd.data, copy=True)
    if sci.dtype.kind != "f":
        sci = sci.astype(np.float32 if sci.dtype.itemsize < 4 else np.float64)
    if sci.ndim != 2:
        raise DataError(f"a frame has two axes; this CCDData has the shape {sci.shape}")
    variances = _variances(ccd, sci)
    header = _header(ccd)
    return Frame(
        sci=sci.astype(sci.dtype.newbyteorder("="), copy=False),
        variances=variances,
        dq=_flags(ccd, sci, variances),
        header=header,
        sci_header=_sci_header(ccd, header),
    )


def _plain_cards(header: Header) -> Iterator[Card]:
    """Cards that are neither the unit nor world coordinates, which a CCDData has elsewhere."""
    for card in header.cards:
        if card.keyword not in _COMMENTARY and not _COORDINATES.fullmatch(card.keyword):
            yield card


def _unit(text: str) -> Any:
    from astropy import units

    text = _UNITS.get(text.replace(" ", ""), text)
    if text.lower() in _UNITLESS:
        return units.dimensionless_unscaled
    try:
        return units.Unit(text)
    except ValueError as problem:
        raise DataError(f"the unit {text!r} is not known to astropy: {problem}") from problem


def _variances(ccd: CCDData, sci: Image) -> dict[str, Image]:
    from astropy.nddata import VarianceUncertainty

    if ccd.uncertainty is None:
        return {}
    if ccd.uncertainty.uncertainty_type == "unknown":
        raise DataError(
            "the kind of the uncertainty is not known", "give it as a standard deviation or variance"
        )
    variance = ccd.uncertainty.represent_as(VarianceUncertainty).array
    return {OTHER: np.array(variance, dtype=sci.dtype)}


def _flags(ccd: CCDData, sci: Image, variances: dict[str, Image]) -> Flags:
    flags: Flags = np.zeros(sci.shape, dtype=np.uint32)
    given = np.asarray(ccd.flags) if ccd.flags is not None else None
    if given is not None and given.shape == sci.shape and given.dtype.kind in "iu":
        flags |= given.astype(np.uint32)
    bad = ~np.isfinite(sci)
    if ccd.mask is not None:
        bad |= np.broadcast_to(np.asarray(ccd.mask, dtype=bool), sci.shape)
    for variance in variances.values():
        bad |= ~(np.isfinite(variance) & (variance >= 0))
    flags[bad] |= np.uint32(DQ.DO_NOT_USE)
    return flags


def _header(ccd: CCDData) -> Header:
    from astropy.io import fits

    if isinstance(ccd.meta, fits.Header):
        return without_structure(ccd.meta)
    header = fits.Header()
    for keyword, value in ccd.meta.items():
        if isinstance(value, (str, int, float, bool)):
            header[keyword if len(keyword) <= 8 else f"HIERARCH {keyword}"] = value
    return header


def _sci_header(ccd: CCDData, header: Header) -> Header:
    from astropy.io import fits

    result = fits.Header()
    if ccd.wcs is not None:
        result.update(without_structure(ccd.wcs.to_header(relax=True)))
    unit = ccd.unit.to_string()
    if unit:
        result["BUNIT"] = unit
    header.remove("BUNIT", ignore_missing=True)
    return result
