"""Division by the flat."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from reduce.arrays import Corrected, Flags, Image, Mask
from reduce.dq import DQ
from reduce.kernels.acceleration import in_blocks
from reduce.kernels.planes import as_flags, flag_unusable, float_type, frame_planes, same_shape

_PART = "FLAT"


def divide(
    sci: Image,
    variances: Mapping[str, Image],
    dq: Flags,
    flat: Image,
    flat_variance: Image | None = None,
    flat_dq: Flags | None = None,
) -> Corrected:
    """Divide by the flat.

    S/F; each part of the variance is divided by F², and (S/F)²·(σ_F/F)² is added to the part ``FLAT``. That
    is the first-order law for a quotient of independent quantities, with the parts kept apart.

    Parameters
    ----------
    sci, variances, dq
        The frame, each plane (ny, nx).
    flat, flat_variance, flat_dq
        The flat, each (ny, nx), without a unit.

    Returns
    -------
    Corrected
        With the flat's bits. A pixel is divided by 1 if the flat can't be used there: it is not a number, not
        above zero, has ``NO_FLAT_FIELD``, or its variance is not one that there can be. Such pixels have
        ``NO_FLAT_FIELD`` and ``DO_NOT_USE``, and nothing is added to their variance. A pixel whose value or
        variance is not a finite number afterwards has ``DO_NOT_USE``.

    Raises
    ------
    DataError
        If shapes differ.
    """
    same_shape(
        sci,
        {
            **frame_planes(variances, dq),
            "flat": flat,
            "flat's variance": flat_variance,
            "flat's DQ": flat_dq,
        },
    )
    kind = float_type(sci)
    result = np.empty(sci.shape, dtype=kind)
    flags = np.empty(sci.shape, dtype=np.uint32)
    parts = {origin: np.empty(sci.shape, dtype=kind) for origin in variances}
    if flat_variance is not None and _PART not in parts:
        parts[_PART] = np.empty(sci.shape, dtype=kind)

    def work(rows: slice) -> None:
        with np.errstate(all="ignore"):
            divisor = flat[rows].astype(kind)
            spread = None if flat_variance is None else flat_variance[rows].astype(kind)
            bits = None if flat_dq is None else as_flags(flat_dq[rows])
            bad = _unusable(divisor, spread, bits)
            divisor[bad] = 1
            flags[rows] = as_flags(dq[rows]) if bits is None else dq[rows] | bits
            flags[rows][bad] |= np.uint32(DQ.NO_FLAT_FIELD | DQ.DO_NOT_USE)
            quotient = result[rows]
            np.divide(sci[rows], divisor, out=quotient)
            np.multiply(divisor, divisor, out=divisor)
            for origin, variance in variances.items():
                np.divide(variance[rows], divisor, out=parts[origin][rows])
            if spread is not None:
                spread[bad] = 0
                spread /= divisor
                spread *= quotient
                spread *= quotient
                if _PART in variances:
                    parts[_PART][rows] += spread
                else:
                    parts[_PART][rows] = spread
            flag_unusable(flags[rows], quotient, (part[rows] for part in parts.values()))

    in_blocks(sci.shape[0], work)
    return Corrected(result, parts, flags)


def _unusable(flat: Image, variance: Image | None, dq: Flags | None) -> Mask:
    """Where there is nothing to divide by."""
    smallest = np.sqrt(np.finfo(flat.dtype).tiny)
    usable: Mask = (flat > smallest) & (flat < 1 / smallest)
    if variance is not None:
        usable &= (variance >= 0) & (variance < np.inf)
    if dq is not None:
        usable &= (dq & np.uint32(DQ.NO_FLAT_FIELD)) == 0
    return ~usable
