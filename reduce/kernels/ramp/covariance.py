"""How the reads of a ramp scatter together: read noise, and photons that later reads share with earlier ones.

A read may be the mean of m frames; its time is the mean time of them. Two reads i < j share the photons that
came before i, so their Poisson covariance per unit of rate is the time tᵢ of the earlier one. A mean of
frames that are τ apart has the variance t - τ (m² - 1) / (6 m), which is less than its time, because its
frames did not all see the same photons. The read noise of a mean is σ²/m and is not shared.

Sources: Rauscher et al. 2007, PASP 119, 768, section 3; Brandt 2024, PASP 136, 045004, section 2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reduce.errors import ParameterError


class Parts(NamedTuple):
    """Parts of the variance of a sum of weighted reads.

    Parameters
    ----------
    read
        Variance for frames with a read noise of 1 e-.
    poisson
        Variance for a rate of 1 e-/s.
    """

    read: float
    poisson: float


def poisson_covariance(
    times: ArrayLike, *, frames: ArrayLike = 1, frame_time: float = 0.0
) -> NDArray[np.float64]:
    """Covariance of reads by photons, for a rate of 1 e-/s.

    Parameters
    ----------
    times
        Mean time of each read's frames since the reset, s, shape (n,), increasing.
    frames
        Frames that were averaged for a read, a number or (n,).
    frame_time
        Seconds from one of these frames to the next.

    Returns
    -------
    covariance
        e-² for each e-/s, shape (n, n).

    Raises
    ------
    ParameterError
        The frames of two reads overlap, or one of the values is not allowed.
    """
    seconds = np.asarray(times, dtype=np.float64)
    number = checked_frames(seconds, frames=frames, frame_time=frame_time)
    shared: NDArray[np.float64] = np.minimum.outer(seconds, seconds)
    return shared - np.diag(shortening(number, frame_time))


def covariance(
    times: ArrayLike, *, rate: float, read_noise: float, frames: ArrayLike = 1, frame_time: float = 0.0
) -> NDArray[np.float64]:
    """Covariance of the reads of a ramp.

    Parameters
    ----------
    times, frames, frame_time
        See `poisson_covariance`.
    rate
        e-/s.
    read_noise
        e- of one frame.

    Returns
    -------
    covariance
        e-², shape (n, n).

    Raises
    ------
    ParameterError
        See `poisson_covariance`.
    """
    photons = poisson_covariance(times, frames=frames, frame_time=frame_time)
    return rate * photons + np.diag(np.broadcast_to(read_noise**2 / np.asarray(frames), len(photons)))


def variance_parts(
    weights: NDArray[np.float64],
    times: NDArray[np.float64],
    *,
    frames: ArrayLike = 1,
    frame_time: float = 0.0,
) -> Parts:
    """Parts of wᵀ C w, without building C.

    The charge that comes between reads k-1 and k is in read k and all later ones, so it counts with the sum
    of their weights: Σ (tₖ - tₖ₋₁) (Σ_{j ≥ k} wⱼ)².

    Parameters
    ----------
    weights
        Weight of each read, shape (n,). If they sum to 0, neither pedestal nor the time of the reset matters.
    times, frames, frame_time
        See `poisson_covariance`; they are taken as they are.
    """
    number = np.asarray(frames, dtype=np.float64)
    squares = weights**2
    later = np.cumsum(weights[::-1])[::-1]
    photons = np.diff(times, prepend=0.0) @ later**2 - (squares * shortening(number, frame_time)).sum()
    return Parts(float((squares / number).sum()), float(photons))


def checked_frames(
    times: NDArray[np.float64], *, frames: ArrayLike, frame_time: float
) -> NDArray[np.float64]:
    """Frames of each read, if reads can be means of such frames.

    Parameters
    ----------
    times
        Mean time of each read's frames, s; the last axis runs over the reads of a group.
    frames, frame_time
        See `poisson_covariance`.

    Returns
    -------
    number
        Shape (n,).

    Raises
    ------
    ParameterError
        The frames of two reads overlap, or one of the values is not allowed.
    """
    number = np.asarray(frames, dtype=np.float64)
    n = times.shape[-1]
    if number.shape not in ((), (n,)) or not (np.isfinite(number) & (number >= 1)).all():
        raise ParameterError(
            f"frames is {frames!r}: not a number of at least 1, or one for each of {n} reads"
        )
    if not (np.isfinite(frame_time) and frame_time >= 0):
        raise ParameterError(f"the time between frames is a number of seconds, not {frame_time}")
    number = np.broadcast_to(number, n)
    half = (number - 1) / 2 * frame_time
    if (np.diff(times) < half[1:] + half[:-1]).any():
        raise ParameterError(
            f"the frames of a read overlap those of the next one if they are {frame_time:g} s apart",
            "give the time between the frames of one read, not that between reads",
        )
    return number


def shortening(frames: NDArray[np.float64], frame_time: float) -> NDArray[np.float64]:
    """By how much the variance of a mean of frames is less than its time, in s; see the module."""
    less: NDArray[np.float64] = frame_time * (frames**2 - 1) / (6 * frames)
    return less
