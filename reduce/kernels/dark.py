"""Subtraction of the dark."""

from __future__ import annotations

from collections.abc import Mapping

from reduce.arrays import Corrected, Flags, Image
from reduce.dq import DQ
from reduce.kernels import subtraction


def subtract(
    sci: Image,
    variances: Mapping[str, Image],
    dq: Flags,
    dark: Image,
    dark_variance: Image | None = None,
    dark_dq: Flags | None = None,
    *,
    scale: float = 1.0,
) -> Corrected:
    """Subtract the dark.

    S − k·D with the variance k²·σ_D² added to the part ``DARK``.

    Parameters
    ----------
    sci, variances, dq
        The frame, each plane (ny, nx).
    dark, dark_variance, dark_dq
        The dark, each (ny, nx).
    scale
        k: 1 if both are rates; the ratio of exposure times if both are counts.

    Returns
    -------
    Corrected
        With the dark's bits. Nothing is subtracted where the dark is not a number; such pixels have
        ``UNRELIABLE_DARK`` and ``DO_NOT_USE``.

    Raises
    ------
    DataError
        If shapes differ.
    ParameterError
        If the scale is not a number.
    """
    return subtraction.subtract(
        sci,
        variances,
        dq,
        dark,
        dark_variance,
        dark_dq,
        factor=scale,
        part="DARK",
        unusable=DQ.UNRELIABLE_DARK | DQ.DO_NOT_USE,
    )
