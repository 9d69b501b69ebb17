"""Exposures as frames on disk: reduced as far as it takes, read by rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Image
from reduce.dq import DQ, flagged
from reduce.files.reader import open_any
from reduce.files.rows import open_rows
from reduce.files.writer import write_frame
from reduce.frame import Frame, FrameRows
from reduce.kernels.acceleration import blocks
from reduce.making.exposures import Exposure
from reduce.making.order import Order
from reduce.parameters import texts
from reduce.pipeline import Data, Task, run
from reduce.provenance import StepRecord
from reduce.recipe import Level
from reduce.session import planned
from reduce.steps.combination import Combination, combined

Planner = Callable[[Data, Exposure], Sequence[Task]]
_ROWS: Final = 256
_PASSING: Final = (
    DQ.JUMP_DET
    | DQ.OUTLIER
    | DQ.PERSISTENCE
    | DQ.CHARGELOSS
    | DQ.UNRELIABLE_ERROR
    | DQ.UNRELIABLE_SLOPE
    | DQ.NO_SAT_CHECK
    | DQ.NO_LIN_CORR
    | DQ.NO_GAIN_VALUE
)
"""Bits of exposures that say nothing of what a reference is used for."""
_COMMON: Final = "DARK"
"""The part of the variance that frames share: they were corrected by the same dark."""


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A frame that can be combined.

    Parameters
    ----------
    rows
        The frame, read by rows.
    level
        Its typical value, in its unit.
    scale
        What it is multiplied with.
    """

    exposure: Exposure
    rows: FrameRows
    level: float = 0.0
    scale: float = 1.0


def by_recipe(order: Order, last: Level) -> Planner:
    """The steps of the recipe of an exposure up to a level."""
    request = replace(order.request, last=last)
    return lambda data, exposure: planned(data, exposure.path, request).tasks


def brought(
    exposures: Sequence[Exposure],
    order: Order,
    last: Level,
    planner: Planner,
    finish: Callable[[Frame], Frame] | None = None,
) -> tuple[Ready, ...]:
    """Exposures as frames of a level, written to the scratch folder unless they are there already.

    Parameters
    ----------
    planner
        Which steps an exposure goes through.
    finish
        What is done to each frame in the end.
    """
    return tuple(
        Ready(exposure, _brought(number, exposure, order, last, planner, finish))
        for number, exposure in enumerate(exposures)
    )


def _brought(
    number: int,
    exposure: Exposure,
    order: Order,
    last: Level,
    planner: Planner,
    finish: Callable[[Frame], Frame] | None,
) -> FrameRows:
    if exposure.level >= last and finish is None:
        return open_rows(exposure.path)
    data = opened(exposure)
    if exposure.level < last:
        data = run(data, planner(data, exposure), order.library, order.watch(exposure.path))
    assert isinstance(data, Frame)
    data = finish(data) if finish else data
    place = order.scratch / f"{exposure.kind.lower()}_{number:04d}.fits"
    write_frame(replace(data, planes={}), place, overwrite=True)
    return open_rows(place)


def opened(exposure: Exposure) -> Data:
    """The data of an exposure, with its file as their only input."""
    data = open_any(exposure.path)
    return replace(data, provenance=replace(data.provenance, inputs=(exposure.file,)))


def combination(frames: Sequence[Ready], order: Order) -> tuple[Frame, StepRecord, int]:
    """Frames in one, how that was done, and how many good values were left out as outliers.

    The variance of what the frames were all corrected by is not averaged down; it is the part ``DARK``.
    """
    parameters: Combination = order.of("combine_frames")
    own = [replace(frame.rows, variances=_own(frame.rows)) for frame in frames]
    whole = combined(own, parameters, [frame.scale for frame in frames])
    whole = replace(whole, dq=hidden(whole.dq))
    common = _common_variance(frames)
    if common is not None:
        whole = replace(whole, variances={**whole.variances, _COMMON: common})
    record = StepRecord("combine_frames", "S_COMBIN", "COMPLETE", texts(parameters))
    return whole, record, _rejected(frames, whole)


def _own(rows: FrameRows) -> dict[str, Any]:
    """The parts of a variance that are not shared with other frames."""
    parts = {name: part for name, part in rows.variances.items() if name != _COMMON}
    return parts or dict(rows.variances)


def _common_variance(frames: Sequence[Ready]) -> Image | None:
    """The variance of a mean of frames with the same error: the square of its mean."""
    if not all(len(frame.rows.variances) > 1 and _COMMON in frame.rows.variances for frame in frames):
        return None
    shape = frames[0].rows.shape
    result = np.zeros(shape, dtype=np.float32)
    for rows in blocks(shape[0], _ROWS):
        for frame in frames:
            result[rows] += frame.scale * np.sqrt(np.maximum(frame.rows.variances[_COMMON][rows], 0))
    result /= len(frames)
    return np.square(result, out=result)


def _rejected(frames: Sequence[Ready], whole: Frame) -> int:
    """How many good values of pixels that have any are not in the result."""
    there = 0
    for rows in blocks(whole.shape[0], _ROWS):
        usable = ~flagged(whole.dq[rows])
        there += sum(int((~flagged(frame.rows.dq[rows]) & usable).sum()) for frame in frames)
    used = int(whole.planes["NFRAMES"][~flagged(whole.dq)].sum(dtype=np.int64))
    return max(there - used, 0)


def stacked(frames: Sequence[Ready], order: Order, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """All frames' images and quality bits, (n, ny, nx), in files of the scratch folder."""
    shape = (len(frames), *frames[0].rows.shape)
    images, flags = (
        np.lib.format.open_memmap(order.scratch / f"{name}_{part}.npy", "w+", kind, shape)
        for part, kind in (("sci", np.float32), ("dq", np.uint32))
    )
    for place, frame in enumerate(frames):
        for rows in blocks(shape[1], _ROWS):
            images[place, rows] = frame.rows.sci[rows]
            flags[place, rows] = frame.rows.dq[rows]
    return images, flags


def made_record(kind: str, parameters: object) -> StepRecord:
    """That a reference was made, with the parameters of its kind."""
    return StepRecord(f"make_{kind}", "", "COMPLETE", texts(parameters))


def records(frames: Sequence[Ready], *more: StepRecord) -> tuple[StepRecord, ...]:
    """Every step of some frames once, and more."""
    return unique([record for frame in frames for record in frame.rows.provenance.steps], *more)


def unique(found: Sequence[StepRecord], *more: StepRecord) -> tuple[StepRecord, ...]:
    """Every record once, in order, and more."""
    kept: list[StepRecord] = []
    for record in (*found, *more):
        if record not in kept:
            kept.append(record)
    return tuple(kept)


def few(frames: Sequence[Any], what: str) -> tuple[str, ...]:
    """A note where there are too few frames to find outliers."""
    if len(frames) >= 3:
        return ()
    number = "one exposure" if len(frames) == 1 else "two exposures"
    return (f"the {what} is made of {number}: cosmic rays and other outliers are not left out",)


def hidden(flags: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """With ``DO_NOT_USE`` on reference pixels, where there is nothing to be measured."""
    outside = flagged(flags, DQ.REFERENCE_PIXEL | DQ.NON_SCIENCE)
    return np.where(outside, flags | np.uint32(DQ.DO_NOT_USE), flags).astype(np.uint32)


def lasting(flags: NDArray[np.uint32], unreliable: DQ) -> NDArray[np.uint32]:
    """The bits that have a meaning in a reference: values that don't agree make a pixel unreliable there."""
    doubtful = flagged(flags, DQ.OUTLIER | DQ.UNRELIABLE_ERROR | DQ.UNRELIABLE_SLOPE)
    kept = flags & ~np.uint32(_PASSING)
    return np.where(doubtful, kept | np.uint32(unreliable), kept).astype(np.uint32)


def without_border(flags: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Reference pixels see no light and have no dark current; they are not bad for that."""
    border = flagged(flags, DQ.REFERENCE_PIXEL)
    kept = np.uint32(DQ.REFERENCE_PIXEL | DQ.BAD_REF_PIXEL | DQ.NON_SCIENCE | DQ.DO_NOT_USE)
    return np.where(border, flags & kept, flags).astype(np.uint32)


def listing(frames: Sequence[Ready]) -> NDArray[Any]:
    """A table of the exposures: file, start, exposure time, typical value and scale."""
    rows = [
        (
            frame.exposure.path.name.encode("ascii", "backslashreplace"),
            frame.exposure.said("DATE-BEG").encode(),
            float(frame.exposure.said("EXPTIME") or 0),
            frame.level,
            frame.scale,
        )
        for frame in frames
    ]
    name, start = (max(1, *(len(row[column]) for row in rows)) for column in (0, 1))  # type: ignore[arg-type]
    types = [
        ("FILE", f"S{name}"),
        ("START", f"S{start}"),
        ("EXPTIME", "f8"),
        ("LEVEL", "f8"),
        ("SCALE", "f8"),
    ]
    return np.array(rows, dtype=types)
