"""One frame minus a multiple of another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from reduce.arrays import Corrected, Flags, Image, Mask
from reduce.dq import DQ
from reduce.errors import ParameterError
from reduce.kernels.acceleration import in_blocks
from reduce.kernels.planes import as_flags, flag_unusable, float_type, frame_planes, same_shape


def subtract(
    sci: Image,
    variances: Mapping[str, Image],
    dq: Flags,
    other: Image,
    other_variance: Image | None = None,
    other_dq: Flags | None = None,
    *,
    factor: float = 1.0,
    factor_error: float = 0.0,
    part: str = "SKY",
    unusable: DQ = DQ.DO_NOT_USE,
) -> Corrected:
    """Subtract a multiple of another frame.

    The result is a − k·b. Its variance is that of a, plus k²·σ_b² + b²·σ_k² in the part that has `part` for a
    name. The error of k is the same for all pixels; sums over pixels have to take that into account.

    Parameters
    ----------
    sci, variances, dq
        The frame a, each plane (ny, nx).
    other, other_variance, other_dq
        The frame b, each (ny, nx), in the same units as `sci` after multiplication by `factor`.
    factor, factor_error
        k and its standard deviation.
    part
        Name of the part of the variance that b adds to.
    unusable
        Bits for pixels where b is not a number or its variance is not one that there can be. Nothing is
        subtracted there. ``DO_NOT_USE`` is always among them.

    Returns
    -------
    Corrected
        The bits of both frames are joined. A pixel whose result or variance is not finite has
        ``DO_NOT_USE``.

    Raises
    ------
    DataError
        If shapes differ.
    ParameterError
        If k or its error is not a number, or the error is negative.
    """
    same_shape(
        sci,
        {
            **frame_planes(variances, dq),
            "image to subtract": other,
            "variance of the image to subtract": other_variance,
            "DQ of the image to subtract": other_dq,
        },
    )
    if not np.isfinite(factor) or not np.isfinite(factor_error) or factor_error < 0:
        raise ParameterError(f"{factor} ± {factor_error} can't be the factor of a subtraction")
    kind = float_type(sci)
    before = variances.get(part)
    adds = other_variance is not None or factor_error > 0
    result = np.empty(sci.shape, dtype=kind)
    added = np.empty(sci.shape, dtype=kind) if adds else None
    parts = dict(variances) if added is None else {**variances, part: added}
    flags = np.empty(sci.shape, dtype=np.uint32)
    bits = np.uint32(unusable | DQ.DO_NOT_USE)

    def work(rows: slice) -> None:
        with np.errstate(all="ignore"):
            values = other[rows].astype(kind)
            spread = None if other_variance is None else other_variance[rows].astype(kind)
            bad = _unusable(values, spread)
            values[bad] = 0
            flags[rows] = as_flags(dq[rows]) if other_dq is None else dq[rows] | as_flags(other_dq[rows])
            flags[rows][bad] |= bits
            if added is not None:
                terms = added[rows]
                terms[...] = 0 if before is None else before[rows]
                if spread is not None:
                    spread[bad] = 0
                    spread *= factor * factor
                    terms += spread
                if factor_error > 0:
                    terms += (factor_error * values) ** 2
            values *= factor
            np.subtract(sci[rows], values, out=result[rows])
            flag_unusable(flags[rows], result[rows], (variance[rows] for variance in parts.values()))

    in_blocks(sci.shape[0], work)
    return Corrected(result, parts, flags)


def _unusable(values: Image, variance: Image | None) -> Mask:
    """Where a value is not finite, or its variance is not finite or negative."""
    usable: Mask = np.isfinite(values)
    if variance is not None:
        usable &= (variance >= 0) & (variance < np.inf)
    return ~usable
