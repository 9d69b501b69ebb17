"""Steps that correct a frame by another one: dark, flat, sky."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Corrected, Flags, Image
from reduce.calibration import ReferenceFile
from reduce.frame import Frame
from reduce.kernels import dark, flat, sky
from reduce.kernels.acceleration import blocks, in_threads
from reduce.step import FrameStep, Need, NoParameters, References, Skipped
from reduce.steps.units import require_unit

Correction: TypeAlias = Callable[..., Corrected]
_EVERYTHING = slice(None)
_ROWS = 64


def images(reference: ReferenceFile, rows: slice = _EVERYTHING) -> tuple[Image, Image | None, Flags | None]:
    """Image, variance and quality bits of some rows of a reference."""
    data = native(reference.image("SCI", "DATA")[rows])
    error, flags = reference.find("ERR"), reference.flags()
    variance = None
    if error is not None:
        variance = native(error[rows])
        variance = np.where(variance < 0, np.nan, np.square(variance))
    return data, variance, None if flags is None else flags[rows]


def by_rows(frame: Frame, reference: ReferenceFile, correct: Correction) -> Frame:
    """A frame corrected by a reference that is read a few rows at a time, in threads.

    Parameters
    ----------
    frame
        The frame.
    reference
        Has an image of the frame's size.
    correct
        A kernel that takes image, variances and quality bits of the frame, and those of the reference.
    """

    given = frame.variances

    def part(rows: slice) -> Corrected:
        variances = {name: variance[rows] for name, variance in given.items()}
        some = correct(frame.sci[rows], variances, frame.dq[rows], *images(reference, rows))
        changed = {name: plane for name, plane in some.variances.items() if plane is not variances.get(name)}
        return some._replace(variances=changed)

    first, *others = blocks(frame.shape[0], _ROWS)
    like = part(first)
    sci, dq = np.empty(frame.shape, like.sci.dtype), np.empty(frame.shape, np.uint32)
    changed = {name: np.empty(frame.shape, plane.dtype) for name, plane in like.variances.items()}

    def put(rows: slice, some: Corrected) -> None:
        sci[rows], dq[rows] = some.sci, some.dq
        for name, plane in some.variances.items():
            changed[name][rows] = plane

    put(first, like)
    for _ in in_threads(lambda rows: put(rows, part(rows)), others):
        pass
    return frame.corrected(Corrected(sci, {**given, **changed}, dq))


def native(array: NDArray[Any]) -> Image:
    """An image in the machine's byte order."""
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def _dark_sub(frame: Frame, references: References, _: NoParameters) -> Frame:
    require_unit(references["dark"], frame.unit)
    return by_rows(frame, references["dark"], dark.subtract)


def _flat_field(frame: Frame, references: References, _: NoParameters) -> Frame:
    return by_rows(frame, references["flat"], flat.divide)


def _subtract_bkg(frame: Frame, references: References, _: NoParameters) -> Frame | Skipped:
    if "sky" not in references:
        return Skipped("there is no sky frame")
    data, variance, flags = images(references["sky"])
    model = sky.Sky(
        data,
        np.zeros_like(data) if variance is None else variance,
        np.zeros(data.shape, dtype=np.uint32) if flags is None else flags,
        np.zeros(0),
        np.zeros((0, *data.shape), dtype=np.bool_),
    )
    level = sky.sky_scale(frame.sci, np.square(frame.err), frame.dq, model)
    arrays = sky.subtract(frame.sci, frame.variances, frame.dq, model, level=level)
    header = frame.sci_header.copy()
    header["SKYLEVEL"] = (level.value, f"{frame.unit}, sky that was subtracted")
    header["SKYERR"] = (level.error, f"{frame.unit}, standard deviation of SKYLEVEL")
    return replace(frame.corrected(arrays), sci_header=header)


STEPS = (
    FrameStep("dark_sub", "S_DARK", "subtract the dark", (Need("dark"),), apply=_dark_sub),
    FrameStep("flat_field", "S_FLAT", "divide by the flat", (Need("flat"),), apply=_flat_field),
    FrameStep("subtract_bkg", "S_SKYSUB", "subtract the sky", (Need("sky", False),), apply=_subtract_bkg),
)
