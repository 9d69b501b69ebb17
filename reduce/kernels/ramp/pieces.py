"""Weights of reads: how each linear method makes a slope of the reads that can be used.

A group's reads between two jumps are a piece. Each piece is fitted alone, because the charge between pieces
is not known; their slopes are independent and are combined at one common rate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reduce.kernels.ramp.covariance import variance_parts

Weigh: TypeAlias = Callable[[NDArray[np.float64], int], NDArray[np.float64]]
Vector: TypeAlias = NDArray[np.float64]


def ols_weights(times: Vector, coadd: int = 1) -> Vector:
    """Weights of the least-squares slope, all reads alike: (tᵢ - t̄) / Σ (t - t̄)².

    Parameters
    ----------
    times
        Time of each read, s, shape (n,), n at least 2.
    coadd
        Has no meaning here.

    Returns
    -------
    weights
        1/s, shape (n,); they sum to 0.
    """
    centred = times - times.mean()
    weights: Vector = centred / (centred @ centred)
    return weights


def mcds_weights(times: Vector, coadd: int) -> Vector:
    """Weights of the last reads' mean less the first ones', divided by the time between (Fowler sampling).

    Parameters
    ----------
    times
        Time of each read, s, shape (n,), n at least 2.
    coadd
        Reads averaged at either end; at most half of them are.

    Returns
    -------
    weights
        1/s, shape (n,); they sum to 0.

    Notes
    -----
    Fowler & Gatley 1990, ApJ 353, L33; Garnett & Forrest 1993, Proc. SPIE 1946, 395.
    """
    some = min(coadd, times.size // 2)
    weights = np.zeros(times.size)
    weights[:some], weights[-some:] = -1.0, 1.0
    weights /= weights @ times
    return weights


def cds_weights(times: Vector, coadd: int = 1) -> Vector:
    """Weights of the last read less the first one, divided by the time between.

    Parameters
    ----------
    times
        Time of each read, s, shape (n,), n at least 2.
    coadd
        Has no meaning here.

    Returns
    -------
    weights
        1/s, shape (n,); they sum to 0.
    """
    return mcds_weights(times, 1)


WEIGHTS: Mapping[str, Weigh] = MappingProxyType(
    {"ols": ols_weights, "utr": ols_weights, "mcds": mcds_weights, "cds": cds_weights}
)
_LEAST_SQUARES = frozenset({"ols", "utr"})


class Method(NamedTuple):
    """A linear method and what it has to know of the reads; see `reduce.kernels.ramp.linear.fit_linear`."""

    name: str
    times: NDArray[np.float64]
    frames: NDArray[np.float64]
    frame_time: float
    coadd: int


class Pieces(NamedTuple):
    """What the slope of a pixel is made of.

    Parameters
    ----------
    reads, weights
        Of each piece: the reads it rests on, counted through all groups, and their weights in 1/s.
    read, poisson
        Variance of each piece's slope, see `reduce.kernels.ramp.covariance.Parts`; shape (npieces, 1).
    """

    reads: tuple[NDArray[np.intp], ...]
    weights: tuple[Vector, ...]
    read: NDArray[np.float64]
    poisson: NDArray[np.float64]

    @property
    def used(self) -> int:
        """How many reads the slope rests on."""
        return sum(reads.size for reads in self.reads)


class Slopes(NamedTuple):
    """Slopes of some pixels and the parts of their variance, each of shape (n,)."""

    rate: Vector
    var_poisson: Vector
    var_rnoise: Vector


def pieces(labels: NDArray[np.integer[Any]], method: Method) -> Pieces:
    """Pieces of a pixel.

    Parameters
    ----------
    labels
        Of each read, (ngroups, nreads): 0 if it can't be used, else the number of its piece in the group.
    method
        OLS takes all pieces of two or more reads; CDS and MCDS take of each group the one that lasts longest.
    """
    reads, weights, variances = [], [], []
    for group, of_group in enumerate(labels):
        times = method.times[group]
        for piece in _of_group(of_group, times, method):
            each = WEIGHTS[method.name](times[piece], method.coadd)
            rests_on = (each != 0) | (method.name in _LEAST_SQUARES)
            reads.append(group * times.size + piece[rests_on])
            weights.append(each[rests_on])
            variances.append(
                variance_parts(each, times[piece], frames=method.frames[piece], frame_time=method.frame_time)
            )
    read, poisson = np.array(variances, dtype=np.float64).reshape(-1, 2).T[:, :, None]
    return Pieces(tuple(reads), tuple(weights), read, poisson)


def _of_group(labels: NDArray[np.integer[Any]], times: Vector, method: Method) -> list[NDArray[np.intp]]:
    """Reads of each piece of a group that the method takes."""
    found = [np.flatnonzero(labels == label) for label in np.unique(labels[labels > 0])]
    found = [piece for piece in found if piece.size > 1]
    if found and method.name not in _LEAST_SQUARES:
        return [max(found, key=lambda piece: times[piece[-1]] - times[piece[0]])]
    return found


def slopes(values: NDArray[Any], some: Pieces, *, noise: Vector) -> Slopes:
    """Slopes of pixels that are made of the same pieces.

    Parameters
    ----------
    values
        Reads of each pixel, e-, shape (n, ngroups * nreads).
    some
        At least one piece.
    noise
        Square of each pixel's read noise, e-² of one frame, shape (n,), positive.
    """
    rates = np.zeros((len(some.reads), len(values)))
    for rate, reads, weights in zip(rates, some.reads, some.weights, strict=True):
        for read, weight in zip(reads, weights, strict=True):
            rate += np.multiply(values[:, read], weight, dtype=np.float64)
    return combined(rates, read=some.read, poisson=some.poisson, noise=noise)


def combined(
    rates: NDArray[np.float64],
    *,
    read: NDArray[np.float64],
    poisson: NDArray[np.float64],
    noise: Vector,
) -> Slopes:
    """Independent slopes of the same pixels as one.

    Each has the inverse of the variance it would have at the common rate as its weight. So a slope that is
    low by chance does not get more weight, and the mean is not biased; the common rate is found in two
    rounds that start with the weights of the read noise alone.

    Parameters
    ----------
    rates
        e-/s, shape (k, n).
    read, poisson
        Variance of each for a read noise of 1 e- and for a rate of 1 e-/s, shape (k, 1).
    noise
        Square of each pixel's read noise, e-², shape (n,), positive.
    """
    alike = bool(np.all(read == read[0]) and np.all(poisson == poisson[0]))
    rate = rates[0] if len(rates) == 1 else np.zeros(rates.shape[1])
    weights = np.ones((1, 1))
    for _ in range(0 if len(rates) == 1 else 1 if alike else 3):
        weights = 1.0 / (noise * read + np.maximum(rate, 0.0) * poisson)
        weights /= weights.sum(axis=0)
        rate = (weights * rates).sum(axis=0)
    squares = weights**2
    return Slopes(
        rate,
        np.maximum(rate, 0.0) * (squares * poisson).sum(axis=0),
        noise * (squares * read).sum(axis=0),
    )
