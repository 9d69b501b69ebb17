"""Pixels that are bad in darks or flats."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reduce.arrays import Flags, Image, Mask
from reduce.dq import DQ, flagged
from reduce.errors import DataError, ParameterError
from reduce.kernels.acceleration import in_blocks
from reduce.kernels.medians import MAD_TO_SIGMA
from reduce.kernels.mesh import slow_part
from reduce.kernels.planes import as_flags, float_type, same_shape

USELESS = DQ.HOT | DQ.DEAD | DQ.OPEN | DQ.NO_FLAT_FIELD | DQ.TELEGRAPH | DQ.UNRELIABLE_DARK
"""Bits that come with ``DO_NOT_USE``; warm or inefficient pixels and neighbours of open ones can be used."""

_FEWEST = 3
_FEWEST_FOR_LEVELS = 6
_TWO_LEVELS = 0.9


class DarkLimits(NamedTuple):
    """What a dark may look like, in robust standard deviations.

    Parameters
    ----------
    warm, hot
        A rate above its surroundings.
    cold
        A rate below its surroundings.
    noisy
        A scatter from frame to frame above the typical one.
    """

    warm: float = 6.0
    hot: float = 50.0
    cold: float = 6.0
    noisy: float = 6.0


class FlatLimits(NamedTuple):
    """What a flat may look like, as a ratio to its surroundings.

    Parameters
    ----------
    dead, low
        Below this a pixel is dead, or has a low efficiency.
    open_neighbour
        If the four neighbours of an inefficient pixel are above this on average, it is open: its charge went
        to them.
    """

    dead: float = 0.05
    low: float = 0.5
    open_neighbour: float = 1.05


DARK_LIMITS = DarkLimits()
FLAT_LIMITS = FlatLimits()


def from_dark(
    dark: Image,
    dark_variance: Image | None = None,
    dark_dq: Flags | None = None,
    *,
    limits: DarkLimits = DARK_LIMITS,
    box: int = 64,
) -> Flags:
    """Pixels with an unusual dark current.

    The slowly varying part of the dark is taken off; the unit of the limits is 1.4826 times the median of
    the absolute deviations of what is left, or the pixel's own error if that is larger.

    Parameters
    ----------
    dark, dark_variance, dark_dq
        The mean dark, each (ny, nx).
    limits
        See `DarkLimits`.
    box
        Width of the cells in which the slow part is measured, in pixels.

    Returns
    -------
    numpy.ndarray
        (ny, nx): ``HOT`` (with ``DO_NOT_USE``) or ``WARM``; ``UNRELIABLE_DARK`` with ``DO_NOT_USE`` for a
        cold pixel or one that is not a number; and the bits of `dark_dq`.

    Raises
    ------
    DataError
        If shapes differ or too few pixels are good.
    ParameterError
        If a limit is not above zero, or that for hot pixels is below that for warm ones.
    """
    same_shape(dark, {"dark's variance": dark_variance, "dark's DQ": dark_dq})
    if not (0 < limits.warm <= limits.hot and limits.cold > 0 and limits.noisy > 0):
        raise ParameterError(f"the limits of a dark must be above zero, with warm below hot: {limits}")
    known = np.isfinite(dark) if dark_dq is None else np.isfinite(dark) & ~flagged(dark_dq)
    excess = np.subtract(dark, slow_part(dark, ~known, box=box).image, dtype=float_type(dark))
    unit = np.full(dark.shape, _spread(excess[known]), dtype=excess.dtype)
    if dark_variance is not None:
        known &= (dark_variance >= 0) & (dark_variance < np.inf)
        unit = np.maximum(unit, np.sqrt(np.where(known, dark_variance, 0)))
    flags = np.zeros(dark.shape, dtype=np.uint32) if dark_dq is None else as_flags(dark_dq).copy()
    hot = known & (excess > limits.hot * unit)
    flags[hot] |= np.uint32(DQ.HOT)
    flags[known & ~hot & (excess > limits.warm * unit)] |= np.uint32(DQ.WARM)
    unreliable = ~np.isfinite(dark) | (known & (excess < -limits.cold * unit))
    if dark_variance is not None:
        unreliable |= ~((dark_variance >= 0) & (dark_variance < np.inf))
    flags[unreliable] |= np.uint32(DQ.UNRELIABLE_DARK)
    return _with_useless(flags)


def from_darks(darks: Image, dq: Flags | None = None, *, limits: DarkLimits = DARK_LIMITS) -> Flags:
    """Pixels whose dark current varies from frame to frame.

    The scatter is that without the value furthest from the median, which may be a cosmic ray.

    Parameters
    ----------
    darks, dq
        Darks of the same kind, each (n, ny, nx), n at least 3.
    limits
        See `DarkLimits`; only `noisy` is used.

    Returns
    -------
    numpy.ndarray
        (ny, nx): ``UNRELIABLE_DARK`` for a noisy pixel or one with fewer than three good values, and also
        ``TELEGRAPH`` for a noisy one of six or more values that lie around two levels: the best split in
        two takes away 90 % of their variance, and each side has two or more. All with ``DO_NOT_USE``.

    Raises
    ------
    DataError
        If shapes differ or there are fewer than three frames.
    ParameterError
        If the limit is not above zero.
    """
    if darks.ndim != 3 or len(darks) < _FEWEST:
        raise DataError(f"the scatter of darks takes {_FEWEST} frames or more (n, ny, nx), not {darks.shape}")
    same_shape(darks, {"DQ": dq})
    if not limits.noisy > 0:
        raise ParameterError(f"the limit for a noisy pixel must be above zero, not {limits.noisy}")
    scatter = np.empty(darks.shape[1:], dtype=np.float32)
    levels = np.empty(darks.shape[1:], dtype=np.bool_)

    def work(rows: slice) -> None:
        values = darks[:, rows].astype(np.float64)
        if dq is not None:
            values[flagged(dq[:, rows])] = np.nan
        values[np.isinf(values)] = np.nan
        with np.errstate(over="ignore", invalid="ignore"):
            scatter[rows], levels[rows] = _scatter(values)

    in_blocks(darks.shape[1], work, size=16)
    known = np.isfinite(scatter)
    if not known.any():
        raise DataError("no pixel has three good darks")
    typical = np.median(scatter[known])
    noisy = known & (scatter > typical + limits.noisy * _spread(scatter[known]))
    flags = np.zeros(scatter.shape, dtype=np.uint32)
    flags[noisy | ~known] |= np.uint32(DQ.UNRELIABLE_DARK)
    flags[noisy & levels] |= np.uint32(DQ.TELEGRAPH)
    return _with_useless(flags)


def from_flat(
    flat: Image, flat_dq: Flags | None = None, *, limits: FlatLimits = FLAT_LIMITS, box: int = 64
) -> Flags:
    """Pixels with an unusual response.

    Parameters
    ----------
    flat, flat_dq
        The flat or a mean of illuminated frames, each (ny, nx); its slowly varying part is divided out.
    limits
        See `FlatLimits`.
    box
        Width of the cells in which the slow part is measured, in pixels.

    Returns
    -------
    numpy.ndarray
        (ny, nx): ``NO_FLAT_FIELD`` where the flat or its slow part is not a number above zero; ``DEAD``;
        ``OPEN`` and, for its four neighbours, ``ADJ_OPEN``; ``LOW_QE``; and the bits of `flat_dq`.
        ``DO_NOT_USE`` comes with the first three.

    Raises
    ------
    DataError
        If shapes differ, too few pixels are good, or the flat is nowhere above zero.
    ParameterError
        If the limits are not in order.
    """
    same_shape(flat, {"flat's DQ": flat_dq})
    if not 0 <= limits.dead < limits.low < 1 <= limits.open_neighbour:
        raise ParameterError(f"the limits of a flat must be dead < low < 1 ≤ open_neighbour: {limits}")
    finite = np.isfinite(flat)
    hidden = ~finite if flat_dq is None else ~finite | flagged(flat_dq)
    around = slow_part(flat, hidden, box=box).image
    if not (around[~hidden] > 0).any():
        raise DataError("the flat is nowhere above zero; bad pixels can't be told from it")
    ratio = np.full(flat.shape, np.nan, dtype=float_type(flat))
    np.divide(flat, around, out=ratio, where=finite & (around > 0), casting="same_kind")
    flags = np.zeros(flat.shape, dtype=np.uint32) if flat_dq is None else as_flags(flat_dq).copy()
    dead = ratio < limits.dead
    low = (ratio < limits.low) & ~dead
    is_open = low & (_neighbour_mean(ratio) > limits.open_neighbour)
    flags[~(flat > 0) | ~(around > 0) | ~finite] |= np.uint32(DQ.NO_FLAT_FIELD)
    flags[dead] |= np.uint32(DQ.DEAD)
    flags[is_open] |= np.uint32(DQ.OPEN)
    flags[low & ~is_open] |= np.uint32(DQ.LOW_QE)
    flags[_neighbours(is_open) & ~is_open] |= np.uint32(DQ.ADJ_OPEN)
    return _with_useless(flags)


def _with_useless(flags: Flags) -> Flags:
    """With ``DO_NOT_USE`` for what can't be calibrated."""
    flags[flagged(flags, USELESS)] |= np.uint32(DQ.DO_NOT_USE)
    return flags


def _spread(values: Image) -> float:
    """A robust standard deviation."""
    return MAD_TO_SIGMA * float(np.median(np.abs(values - np.median(values))))


def _scatter(values: Image) -> tuple[Image, Mask]:
    """Standard deviation of each pixel without its furthest value, and whether it has two levels."""
    ordered = np.sort(values, axis=0)
    count = np.count_nonzero(np.isfinite(ordered), axis=0)
    place = np.arange(len(ordered))[:, None, None]
    middle = np.take_along_axis(ordered, np.maximum(count - 1, 0)[None] // 2, axis=0)
    distance = np.where(place < count, np.abs(ordered - middle), -1)
    furthest = np.argmax(distance, axis=0)
    kept = (place < count) & ((place != furthest) | (count == _FEWEST))
    number = np.maximum(np.count_nonzero(kept, axis=0), 1)
    mean = np.sum(ordered, axis=0, where=kept) / number
    square = np.sum((ordered - mean) ** 2, axis=0, where=kept)
    scatter = np.where(count < _FEWEST, np.nan, np.sqrt(square / np.maximum(number - 1, 1)))
    return scatter, _two_levels(ordered, count)


def _two_levels(ordered: Image, count: Flags) -> Mask:
    """Whether the best split of sorted values in two explains most of their variance."""
    place = np.arange(len(ordered))[:, None, None]
    values = np.where(place < count, ordered, 0)
    number = np.maximum(count, 1)
    mean = values.sum(axis=0) / number
    values = np.where(place < count, ordered - mean, 0)
    total = (values**2).sum(axis=0)
    left = np.arange(1, len(ordered) + 1)[:, None, None]
    right = number - left
    between = np.cumsum(values, axis=0) ** 2 * number / (left * np.maximum(right, 1))
    best = np.max(np.where((left >= 2) & (right >= 2), between, 0), axis=0)
    found: Mask = (count >= _FEWEST_FOR_LEVELS) & (total > 0) & (best > _TWO_LEVELS * total)
    return found


def _shifted(plane: Image) -> list[Image]:
    """The four neighbours of each pixel; NaN beyond the edge."""
    wide = np.pad(plane, 1, constant_values=np.nan)
    return [wide[:-2, 1:-1], wide[2:, 1:-1], wide[1:-1, :-2], wide[1:-1, 2:]]


def _neighbour_mean(ratio: Image) -> Image:
    """The mean of the four neighbours that there are; 0 without any."""
    total, number = np.zeros_like(ratio), np.zeros(ratio.shape, dtype=np.uint8)
    for neighbour in _shifted(ratio):
        known = np.isfinite(neighbour)
        np.add(total, neighbour, out=total, where=known)
        number += known
    return total / np.maximum(number, 1)


def _neighbours(mask: Mask) -> Mask:
    """Next to a pixel of a mask, by a side."""
    wide = np.pad(mask, 1)
    found: Mask = wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]
    return found
