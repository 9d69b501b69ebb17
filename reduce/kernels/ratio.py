"""One factor between two sets of measurements, with outliers left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Mask
from reduce.errors import DataError
from reduce.kernels.medians import MAD_TO_SIGMA

_ITERATIONS = 20
_CONVERGED = 1e-10


class Ratio(NamedTuple):
    """A factor and how well it is known.

    Parameters
    ----------
    value, error
        The factor and one standard deviation of it.
    used
        Which of the measurements were used, (n,).
    chi2
        χ² a degree of freedom of those; 1 for a single one.
    """

    value: float
    error: float
    used: Mask
    chi2: float


def ratio(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    variance: Callable[[float], NDArray[np.float64]],
    *,
    clip: float = 4.0,
) -> Ratio:
    """The factor q of y = q·x, by least squares.

    q = Σ(x·y/v) / Σ(x²/v) with v = var(y − q·x), and 1/√Σ(x²/v) is its error. Where the scatter is larger
    than the errors say, the error grows with it (Birge 1932, Phys. Rev. 40, 207).

    Parameters
    ----------
    x, y
        The measurements, (n,). Pairs that are not finite, or whose x is not positive, are left out.
    variance
        Gives v, (n,), for a q.
    clip
        A pair is left out if its residual is larger than so many standard deviations; than so many times
        the scatter of all residuals (by the median of their sizes) where that is more.

    Raises
    ------
    DataError
        If nothing is left.
    """
    usable = np.isfinite(x) & np.isfinite(y) & (x > 0)
    if not usable.any():
        raise DataError("there is nothing to compare: no star has a usable measurement")
    value, used = float(np.median(y[usable] / x[usable])), usable
    for _ in range(_ITERATIONS):
        v = variance(value)
        usable = usable & (v > 0)
        residual = np.full(x.shape, np.inf)
        residual[usable] = np.abs(y[usable] - value * x[usable]) / np.sqrt(v[usable])
        spread = max(1.0, MAD_TO_SIGMA * float(np.median(residual[usable]))) if usable.any() else 1.0
        kept = usable & (residual <= clip * spread)
        if not kept.any():
            raise DataError("there is nothing to compare: no star agrees with the others")
        weight = float(np.sum(x[kept] ** 2 / v[kept]))
        before, value = value, float(np.sum(x[kept] * y[kept] / v[kept])) / weight
        same, used = np.array_equal(kept, used), kept
        if same and abs(value - before) <= _CONVERGED * abs(value):
            break
    freedom = int(used.sum()) - 1
    chi2 = float(np.sum((y[used] - value * x[used]) ** 2 / v[used])) / freedom if freedom else 1.0
    return Ratio(value, max(1.0, chi2) ** 0.5 / weight**0.5, used, chi2)
