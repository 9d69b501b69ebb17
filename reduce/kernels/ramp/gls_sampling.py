"""When the charge of each read was sampled, and what that makes of the covariance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reduce.errors import DataError
from reduce.kernels.ramp.covariance import checked_frames, shortening

Floats = NDArray[np.float64]


class Sampling(NamedTuple):
    """What the covariance of resultants depends on, one element for each read of each group.

    With charge gathered at the rate *a* since the reset and a noise of σ in each frame, Brandt (2024a,
    arXiv:2309.08753, §2) has

    - variance of a resultant: σ²/N + a τ;
    - covariance of two of the same group: a t̄ of the earlier.

    For frames at equal steps τ = t̄ − `blur`, so differences of resultants need `blur` alone.

    Parameters
    ----------
    times
        t̄, the mean time of the frames since the reset, in s, shape (reads,).
    blur
        t̄ − τ in s, (reads,); 0 for single frames.
    share
        1/N, (reads,).
    group
        Number of the group, (reads,).
    """

    times: Floats
    blur: Floats
    share: Floats
    group: NDArray[np.int64]


class Differences(NamedTuple):
    """Covariance of the differences of reads where all can be used, one element each.

    The covariance is tridiagonal: σ² `noise` + a `photons` on the diagonal, σ² `noise_link` +
    a `photons_link` between a difference and the one before it.

    Parameters
    ----------
    last
        The read that ends the difference.
    span
        Seconds from read to read.
    noise, photons, noise_link, photons_link
        See above.
    linked
        True if the difference begins with the read that ends the one before it.
    """

    last: NDArray[np.int64]
    span: Floats
    noise: Floats
    photons: Floats
    noise_link: Floats
    photons_link: Floats
    linked: NDArray[np.bool_]


def sampling(times: ArrayLike, *, frames: ArrayLike = 1, frame_time: float = 0.0) -> Sampling:
    """Samples from the times of resultants.

    Parameters
    ----------
    times
        Mean times since the reset in s, (ngroups, nreads), increasing along a group.
    frames
        Frames averaged to a read, a number or (nreads,).
    frame_time
        Seconds between them.

    Raises
    ------
    DataError
        If the times don't increase.
    ParameterError
        If a number of frames is not positive or frames of two reads overlap.
    """
    seconds = np.asarray(times, dtype=np.float64)
    groups, reads = seconds.shape
    if not (np.isfinite(seconds).all() and (np.diff(seconds, axis=1) > 0).all()):
        raise DataError("the times of the reads have to be finite and increase within each group")
    number = np.broadcast_to(checked_frames(seconds, frames=frames, frame_time=frame_time), (groups, reads))
    return Sampling(
        times=seconds.ravel(),
        blur=shortening(number, frame_time).ravel(),
        share=(1 / number).ravel(),
        group=np.repeat(np.arange(groups), reads),
    )


def differences(samples: Sampling) -> Differences:
    """All differences of successive reads of a group."""
    last = np.flatnonzero(np.diff(samples.group, prepend=-1) == 0)
    first = last - 1
    linked = np.diff(last, prepend=-1) == 1
    linked[:1] = False
    return Differences(
        last=last,
        span=samples.times[last] - samples.times[first],
        noise=samples.share[last] + samples.share[first],
        photons=samples.times[last] - samples.times[first] - samples.blur[last] - samples.blur[first],
        noise_link=np.where(linked, -samples.share[first], 0.0),
        photons_link=np.where(linked, samples.blur[first], 0.0),
        linked=linked,
    )
