"""The sky from several frames, and how bright it is in one of them.

A frame is L·s + sources + noise: s is the sky per unit of its level, the same in all frames, and L is the
frame's level. Frames are divided by their levels before they are combined.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Corrected, Flags, Image, Mask
from reduce.dq import flagged
from reduce.errors import DataError, ParameterError
from reduce.kernels import subtraction
from reduce.kernels.acceleration import in_threads
from reduce.kernels.planes import float_type, same_shape
from reduce.kernels.sky_level import Exposure, Level, Model, measured, model_of
from reduce.kernels.sky_stack import Method, Stack, combined
from reduce.kernels.source_mask import SEARCH, Search

_ENOUGH_FOR_A_MEDIAN = 3
_STEP = 4


class Sky(NamedTuple):
    """The sky per unit of its level.

    Parameters
    ----------
    sci
        s, shape (ny, nx), without a unit; its mean over the good pixels is 1.
    variance
        Of `sci`, (ny, nx), from the frames' noise; not how much the sky varies.
    dq
        ``DO_NOT_USE`` where no frame had anything; there `sci` is 1. Otherwise the bits that all frames have.
    levels
        L of each frame, (n,), in the frames' unit.
    masks
        Where the sources are, (n, ny, nx).
    """

    sci: Image
    variance: Image
    dq: Flags
    levels: NDArray[np.float64]
    masks: Mask


def make_sky(
    sci: Image,
    variance: Image,
    dq: Flags,
    *,
    method: Method = "mean",
    clip: float = 3.0,
    box: int = 64,
    rounds: int = 2,
    search: Search = SEARCH,
) -> Sky:
    """The sky from several frames that see different sources.

    Levels, source masks and the sky are found in turns, each from the last of the others. With three or more
    frames the first sky is their median, so that what all of them have is no source.

    Parameters
    ----------
    sci, variance, dq
        The frames, each (n, ny, nx); the variance is the total one.
    method
        ``mean``, weighted by L²/(typical variance) of each frame, or ``median``; both without values that lie
        `clip` standard deviations off the median.
    clip
        Standard deviations: the larger of the value's own and that of the values of its pixel.
    box
        Width of the cells in which backgrounds are measured, in pixels.
    rounds
        How many turns.
    search
        What a source is.

    Returns
    -------
    Sky
        The variance is Σ w_i²·σ_i²/L_i² / (Σ w_i)² for a mean; for a median that of the median of as many
        Gaussian values.

    Raises
    ------
    DataError
        If shapes differ, a frame has no good pixels, or a level is not above zero.
    ParameterError
        If a parameter's value is not allowed.
    """
    _check(sci, variance, dq, method, clip)
    if rounds < 1:
        raise ParameterError(f"{rounds} rounds can't make a sky; it takes 1 or more")
    masks = np.zeros(sci.shape, dtype=np.bool_)
    sky, sky_dq = np.ones(sci.shape[1:], dtype=float_type(sci)), np.zeros(sci.shape[1:], dtype=np.uint32)
    levels = np.zeros(len(sci))
    rough = len(sci) >= _ENOUGH_FOR_A_MEDIAN
    for turn in range(-1 if rough else 0, rounds):
        model = model_of(sky, sky_dq, box)
        stack = Stack(sci, variance, dq, masks, levels)
        for index, (level, found) in enumerate(_measured(stack, model, box, search if turn >= 0 else None)):
            levels[index] = _above_zero(level, f"frame {index + 1}").value
            masks[index] = found
        sky, sky_variance, sky_dq, unit = _normalized(stack, method if turn >= 0 else "median", clip)
        levels *= unit
    return Sky(sky, sky_variance, sky_dq, levels, masks)


def _measured(stack: Stack, model: Model, box: int, search: Search | None) -> Iterator[tuple[Level, Mask]]:
    """Level and sources of each frame, some frames at once."""

    def one(index: int) -> tuple[Level, Mask]:
        frame = Exposure(stack.sci[index], stack.variance[index], stack.dq[index], stack.masks[index])
        return measured(frame, model, stack.levels[index], box, search)

    return in_threads(one, range(len(stack.sci)))


def running_sky(
    sci: Image,
    variance: Image,
    dq: Flags,
    sky: Sky,
    *,
    index: int,
    width: int | None = None,
    own: bool = False,
    method: Method = "mean",
    clip: float = 3.0,
) -> Sky:
    """The sky for one of the frames, from its neighbours.

    A sky without the frame itself has errors that are independent of the frame's.

    Parameters
    ----------
    sci, variance, dq
        The frames that `sky` was made from, in the order of time, each (n, ny, nx).
    sky
        What `make_sky` found, for its levels and masks.
    index
        Which frame, from 0.
    width
        How many frames to use, the nearest first and the earlier of two; None for all.
    own
        True to use the frame itself too.
    method, clip
        See `make_sky`.

    Returns
    -------
    Sky
        Of all frames' levels and masks, in units of this sky.

    Raises
    ------
    DataError
        If shapes differ or no frame is left.
    ParameterError
        If there is no such frame, or a parameter's value is not allowed.
    """
    _check(sci, variance, dq, method, clip)
    if not 0 <= index < len(sci):
        raise ParameterError(f"there is no frame {index} among {len(sci)}")
    if width is not None and width < 1:
        raise ParameterError(f"a sky can't be made of {width} frames")
    near = sorted(range(len(sci)), key=lambda other: (abs(other - index), other))
    used = sorted([other for other in near if own or other != index][:width])
    if not used:
        raise DataError("there is no other frame to make a sky of")
    stack = Stack(sci, variance, dq, sky.masks, sky.levels, tuple(used))
    image, image_variance, image_dq, unit = _normalized(stack, method, clip)
    return Sky(image, image_variance, image_dq, sky.levels * unit, sky.masks)


def sky_scale(
    sci: Image,
    variance: Image,
    dq: Flags,
    sky: Sky,
    *,
    mask: Mask | None = None,
    box: int = 64,
    rounds: int = 1,
    search: Search = SEARCH,
) -> Level:
    """How bright the sky is in a frame.

    With a first guess L₀, each cell gives L₀ + median(S − L₀·s)/median(s), medians clipped; the level is the
    mean of the cells without outliers, and the error is from their scatter. Unlike S/s, this is unbiased
    however large the noise.

    Parameters
    ----------
    sci, variance, dq
        The frame, each (ny, nx); the variance is the total one.
    sky
        The sky per unit of its level.
    mask
        Where the sources are, if that is known; otherwise they are searched for in so many `rounds`.
    box, search
        See `make_sky`.

    Raises
    ------
    DataError
        If shapes differ or the frame has too few good pixels.
    """
    same_shape(sci, {"variance": variance, "DQ": dq, "sky": sky.sci, "mask": mask})
    model = model_of(sky.sci, sky.dq, box)
    sources = np.zeros(sci.shape, dtype=np.bool_) if mask is None else mask
    guess = _first_guess(sci, dq, sky)
    for _ in range(rounds if mask is None else 1):
        frame = Exposure(sci, variance, dq, sources)
        level, sources = measured(frame, model, guess, box, search if mask is None else None)
        guess = level.value
    return measured(Exposure(sci, variance, dq, sources), model, guess, box, None)[0]


def subtract(sci: Image, variances: Mapping[str, Image], dq: Flags, sky: Sky, *, level: Level) -> Corrected:
    """Subtract the sky at a frame's own level.

    S − L·s; the variance L²·σ_s² + s²·σ_L² goes to the part ``SKY``. It takes the sky's errors for
    independent of the frame's: make the sky without the frame (see `running_sky`).

    Parameters
    ----------
    sci, variances, dq
        The frame, each plane (ny, nx).
    sky
        The sky per unit of its level.
    level
        L, see `sky_scale`.

    Returns
    -------
    Corrected
        With the sky's bits: ``DO_NOT_USE`` where there is no sky.

    Raises
    ------
    DataError
        If shapes differ.
    """
    return subtraction.subtract(
        sci, variances, dq, sky.sci, sky.variance, sky.dq, factor=level.value, factor_error=level.error
    )


def _first_guess(sci: Image, dq: Flags, sky: Sky) -> float:
    """The level from a part of the pixels, sources and all."""
    some = (slice(None, None, _STEP), slice(None, None, _STEP))
    good = np.isfinite(sci[some]) & ~flagged(dq[some]) & ~flagged(sky.dq[some])
    if not good.any():
        return 0.0
    unit = float(np.median(sky.sci[some][good]))
    return float(np.median(sci[some][good])) / unit if unit > 0 else 0.0


def _check(sci: Image, variance: Image, dq: Flags, method: Method, clip: float) -> None:
    """Refuse what no sky can be made of."""
    if sci.ndim != 3 or 0 in sci.shape:
        raise DataError(f"a sky is made of a stack of frames (n, ny, nx), not of the shape {sci.shape}")
    same_shape(sci, {"variance": variance, "DQ": dq})
    if method not in get_args(Method):
        raise ParameterError(
            f"{method!r} is not a way to combine a sky", f"one of {', '.join(get_args(Method))}"
        )
    if not clip > 0:
        raise ParameterError(f"values can't be clipped at {clip} standard deviations")


def _above_zero(level: Level, frame: str) -> Level:
    """A level that frames can be divided by."""
    if not level.value > 0:
        raise DataError(
            f"the sky in {frame} has the level {level.value:g}; only what is above zero can be scaled",
            "leave the frame out, or subtract its dark or bias first",
        )
    return level


def _normalized(stack: Stack, method: Method, clip: float) -> tuple[Image, Image, Flags, float]:
    """The sky with the mean 1 over its good pixels, its variance and DQ, and its mean before that."""
    image, variance, dq = combined(stack, method, clip)
    good = ~flagged(dq)
    unit = float(np.mean(image, where=good, dtype=np.float64)) if good.any() else 0.0
    if not unit > 0:
        raise DataError("no pixel is good in any frame; there is no sky")
    kind = image.dtype.type
    image = np.where(good, image / kind(unit), kind(1))
    return image, variance / kind(unit) / kind(unit), dq, unit
