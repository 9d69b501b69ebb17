"""Combination of frames, a few rows of all of them at a time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Flags, Image, Rows
from reduce.dq import DQ
from reduce.errors import DataError, ParameterError
from reduce.kernels.acceleration import available, blocks, in_blocks
from reduce.kernels.combine_reference import Block, combined
from reduce.kernels.rejection import (
    NONE,
    REJECTIONS,
    Numbers,
    Rule,
    Tables,
    checked_threshold,
    tables,
    truncated_variance,
)

Method: TypeAlias = Literal["mean", "wmean", "median", "wmedian"]
Rejection: TypeAlias = Literal["none", "sigma", "biweight", "minmax", "variance"]
ErrorKind: TypeAlias = Literal["propagate", "measure"]

METHODS = ("mean", "wmean", "median", "wmedian")
ERRORS = ("propagate", "measure")

_CACHE = 4e6
"""Bytes of a stack that a thread works on at once."""
_COMPILED, _NUMPY = 1, 40


class Source(NamedTuple):
    """A frame to combine: arrays, or what gives rows when it is sliced.

    Parameters
    ----------
    sci
        The image, shape (ny, nx).
    variances
        Parts of its variance, each (ny, nx); they are added up. Empty if the variance is not known.
    dq
        Data-quality bits, (ny, nx); None if all pixels are good.
    """

    sci: Rows
    variances: Sequence[Rows] = ()
    dq: Rows | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """Frames in one.

    Parameters
    ----------
    sci
        The image, shape (ny, nx); 0 where no frame has a number.
    variance
        Its variance; 0 where it is not known, which ``UNRELIABLE_ERROR`` or ``DO_NOT_USE`` tells.
    dq
        Data-quality bits, (ny, nx), uint32.
    count
        How many good values each pixel rests on, (ny, nx), uint16; 0 where all were bad.
    """

    sci: Image
    variance: Image
    dq: Flags
    count: NDArray[np.uint16]


def combine(
    frames: Sequence[Source],
    *,
    method: Method = "mean",
    reject: Rejection = "sigma",
    low: float | None = 4.0,
    high: float | None = 4.0,
    minmax: tuple[int, int] = (1, 1),
    error: ErrorKind = "propagate",
    scales: Sequence[float] | None = None,
    weights: Sequence[float] | None = None,
    memory: float = 1e9,
) -> Combined:
    """Combine frames pixel by pixel.

    A pixel takes part if ``DO_NOT_USE`` is not set and its value and variance are numbers, the variance
    above 0. A bit of the result is set if all the values have it that were used; that some were left out is
    told by `Combined.count` alone. Where every frame is bad, the least bad values are combined without
    rejection and the result keeps all their bits and ``DO_NOT_USE``: first those that are only doubtful,
    then wrong ones (``SATURATED``, ``DEAD``, ``NO_FLAT_FIELD``, …), then those that were not measured
    (``DROPOUT``, ``NON_SCIENCE``, ``REFERENCE_PIXEL``).

    Clipping compares each value with the median of its stack (the biweight location for ``biweight``). The
    value farthest outside goes, then the rest is looked at again, as long as a majority stays; a stack that
    has none, such as two values far apart, is kept whole, gets ``OUTLIER`` and ``UNRELIABLE_ERROR``, and an
    error that covers its scatter. With few frames only the known variances tell an outlier from noise, so a
    threshold is never less than `low` or `high` times the value's own σ; it is more where the frames differ
    by more than their noise, such as in the cores of stars. Without variances it rests on the scatter alone,
    is widened by 1 + 12/(n − 3) to keep good values (by simulation: it then loses less than 0.5 % of the
    pixels' stacks a value at 4 σ), and nothing is clipped below four values.

    The propagated variances, of n values x_i with σ_i and weights w_i, are: mean and ``wmean``
    Σw²σ²/(Σw)²; medians c_n n Σw²/(Σ w/σ)², where c_n is the exact variance of the median of n unit Gaussians
    (→ π/2n; the rest is the asymptotic variance of a weighted median); after ``minmax`` each is multiplied by
    the exact variance of the trimmed mean or median over that of a whole sample of as many. A measured
    variance is the propagated one times the measured scatter over the expected one (for the mean: s²/n),
    corrected for the tails that were cut off.

    Parameters
    ----------
    frames
        At least one, all of one shape.
    method
        ``wmean`` weights by 1/σ² and ``wmedian`` by 1/σ unless `weights` are given. If σ contains the pixel's
        own photon noise, low values weigh more and the result is low by about 1 unit of charge; `weights`
        avoid that.
    reject
        ``none``; ``sigma``: from the median by the median absolute deviation; ``biweight``: by the biweight
        scale (Beers, Flynn & Gebhardt 1990, AJ 100, 32); ``variance``: by the known variances alone;
        ``minmax``: as many of the lowest and highest values as `minmax` says, if more than those are there.
    low, high
        Thresholds in σ; None leaves that side alone.
    minmax
        How many of the lowest and of the highest values ``minmax`` leaves out. Different numbers bias the
        result.
    error
        ``propagate`` from the variances, or ``measure`` from the scatter; the latter falls back to the former
        below three values, and must be chosen if variances are not known.
    scales
        Factors that the frames are multiplied with, their variances with the square.
    weights
        One positive number a frame, for ``wmean`` and ``wmedian``.
    memory
        Bytes of scratch space at most, as long as one row of all frames fits; the result does not depend on
        it.

    Raises
    ------
    DataError
        No frames, or frames of different shapes.
    ParameterError
        A value that is not allowed.
    """
    shape = _checked_shape(frames)
    known = all(len(frame.variances) > 0 for frame in frames)
    rule = _rule(method, reject, low, high, minmax, error, known=known, own_weights=weights is not None)
    factors = _per_frame(scales, len(frames), "scales")
    given = _per_frame(weights, len(frames), "weights")
    table = tables(len(frames), rule)
    dtype = _working_dtype(frames)
    result = Combined(
        np.empty(shape, dtype), np.empty(shape, dtype), np.empty(shape, np.uint32), np.empty(shape, np.uint16)
    )
    outer, inner = _rows_at_a_time(frames, dtype.itemsize, memory)
    rooms: list[_Room] = []
    for rows in blocks(shape[0], outer):
        parts = [_part(frame, rows) for frame in frames]

        def work(some: slice, parts: list[Source] = parts, first: int = rows.start) -> None:
            room = rooms.pop() if rooms else _Room.of(len(frames) * inner * shape[1], dtype)
            block = _stacked(parts, some, factors, given, room, known=known)
            into = slice(first + some.start, first + some.stop)
            _combine_block(block, rule, table, result, into)
            rooms.append(room)

        in_blocks(rows.stop - rows.start, work, size=inner)
    return result


def _checked_shape(frames: Sequence[Source]) -> tuple[int, int]:
    if not frames:
        raise DataError("there are no frames to combine")
    shape = frames[0].sci.shape
    if len(shape) != 2:
        raise DataError(f"frames have two axes; the first has the shape {shape}")
    for number, frame in enumerate(frames, 1):
        for array in (frame.sci, *frame.variances, *([] if frame.dq is None else [frame.dq])):
            if array.shape != shape:
                raise DataError(f"frame {number} of {len(frames)} has the shape {array.shape}, not {shape}")
    return shape[0], shape[1]


def _rule(
    method: str,
    reject: str,
    low: float | None,
    high: float | None,
    minmax: tuple[int, int],
    error: str,
    *,
    known: bool,
    own_weights: bool,
) -> Rule:
    for value, allowed, name in (
        (method, METHODS, "method"),
        (reject, REJECTIONS, "reject"),
        (error, ERRORS, "error"),
    ):
        if value not in allowed:
            raise ParameterError(f"{name} is {value!r}, not one of {', '.join(allowed)}")
    weighted = method in ("wmean", "wmedian")
    if min(minmax) < 0:
        raise ParameterError(f"minmax is {minmax}; numbers of values are not negative")
    if not known:
        if error == "propagate":
            raise ParameterError("a frame has no variance", "choose error=measure")
        if reject == "variance":
            raise ParameterError("a frame has no variance to clip by", "choose reject=sigma")
        if weighted and not own_weights:
            raise ParameterError("a frame has no variance to weight by", "give weights or choose the mean")
    code = REJECTIONS.index(reject)
    lower, upper = checked_threshold(low, "low"), checked_threshold(high, "high")
    clips = reject not in ("none", "minmax")
    return Rule(
        weighted,
        method in ("median", "wmedian"),
        code if code == NONE or max(minmax) > 0 or reject != "minmax" else NONE,
        lower,
        upper,
        int(minmax[0]),
        int(minmax[1]),
        known,
        own_weights,
        error == "measure",
        truncated_variance(lower, upper) if clips else 1.0,
    )


def _per_frame(values: Sequence[float] | None, frames: int, name: str) -> Numbers:
    if values is None:
        return np.ones(frames)
    numbers = np.array(values, dtype=np.float64)
    if numbers.shape != (frames,):
        raise ParameterError(f"{len(numbers)} {name} for {frames} frames")
    if not (np.isfinite(numbers) & (numbers > 0)).all():
        raise ParameterError(f"{name} must be positive numbers; they are {list(values)}")
    return numbers


def _working_dtype(frames: Sequence[Source]) -> np.dtype[np.floating[Any]]:
    types = [array.dtype for frame in frames for array in (frame.sci, *frame.variances)]
    return np.result_type(np.float32, *types).newbyteorder("=")


def _rows_at_a_time(frames: Sequence[Source], itemsize: int, memory: float) -> tuple[int, int]:
    """Rows to read of all the frames, and rows of them that a thread takes at once."""
    columns = max(frames[0].sci.shape[1], 1)
    arrays = [
        array for frame in frames for array in (frame.sci, *frame.variances, frame.dq) if array is not None
    ]
    read = 2 * columns * sum(array.dtype.itemsize for array in arrays)
    stacked = columns * len(frames) * (2 * itemsize + 4) * (_COMPILED if available() else _NUMPY)
    threads = os.cpu_count() or 1
    inner = min(_CACHE, memory / 2 / threads) / stacked
    return max(1, int(memory / 2 / read)), max(1, int(inner))


def _part(frame: Source, rows: slice) -> Source:
    """Rows of a frame in memory."""
    variances = tuple(variance[rows] for variance in frame.variances)
    return Source(frame.sci[rows], variances, None if frame.dq is None else frame.dq[rows])


class _Room(NamedTuple):
    """Memory for a stack, used again and again as getting it is slow."""

    sci: NDArray[np.floating[Any]]
    variance: NDArray[np.floating[Any]]
    dq: Flags

    @classmethod
    def of(cls, size: int, dtype: np.dtype[np.floating[Any]]) -> _Room:
        return cls(np.empty(size, dtype), np.empty(size, dtype), np.empty(size, np.uint32))


def _stacked(
    parts: Sequence[Source], rows: slice, scales: Numbers, weights: Numbers, room: _Room, *, known: bool
) -> Block:
    shape = (len(parts), rows.stop - rows.start, parts[0].sci.shape[1])
    size = shape[0] * shape[1] * shape[2]
    sci, variance, dq = (array[:size].reshape(shape) for array in room)
    dq[...] = 0
    for number, part in enumerate(parts):
        sci[number] = part.sci[rows]
        if part.dq is not None:
            dq[number] = part.dq[rows]
        if known:
            variance[number] = part.variances[0][rows]
            with np.errstate(over="ignore", invalid="ignore"):
                for more in part.variances[1:]:
                    variance[number] += more[rows]
    return Block(sci, variance if known else variance[:0], dq, scales, weights)


def _combine_block(block: Block, rule: Rule, table: Tables, result: Combined, rows: slice) -> None:
    """Fill rows of the result."""
    into = result.sci[rows], result.variance[rows], result.dq[rows], result.count[rows]
    if available():
        from reduce.kernels.combine_fast import combine_block

        combine_block(block, rule, table, *into)
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            into[0][...], into[1][...], into[2][...], into[3][...] = combined(block, rule, table)
    _flag_beyond(*into)


def _flag_beyond(sci: Image, variance: Image, dq: Flags, count: NDArray[np.uint16]) -> None:
    """Flag what the result's type is too small for."""
    if not (np.isfinite(sci) & np.isfinite(variance)).all():
        lost = ~(np.isfinite(sci) & np.isfinite(variance))
        sci[lost] = variance[lost] = count[lost] = 0
        dq[lost] |= np.uint32(DQ.DO_NOT_USE)
    if not variance.all():
        dq[(variance == 0) & (count > 0)] |= np.uint32(DQ.UNRELIABLE_ERROR)
