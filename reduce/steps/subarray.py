"""Steps for exposures that read parts of the detector apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from reduce.errors import DataError
from reduce.frame import Frame, FrameRows
from reduce.headers import plain
from reduce.kernels import subarrays
from reduce.step import FramesStep, FrameStep, NoParameters, References, Skipped

MAP = "SUBARR_MAP"


def _parse_subarrays(frame: Frame, _: References, __: NoParameters) -> Frame | Skipped:
    if MAP not in frame.planes:
        return Skipped("the exposure has no map of subarrays")
    numbers = frame.planes[MAP]
    windows = subarrays.parse_map(numbers)
    header = frame.header.copy()
    header["NSUBARR"] = (len(windows), "number of subarrays in SUBARR_MAP")
    return replace(frame, dq=subarrays.flag_holes(frame.dq, numbers), header=header)


def _merge_subarrays(frames: Sequence[FrameRows], _: References, __: NoParameters) -> Frame:
    wholes = [frame for frame in frames if _number(frame) == 0]
    if len(wholes) != 1:
        raise DataError(f"subarrays are merged into one full frame, SUBARRID 0; there are {len(wholes)}")
    whole = wholes[0].loaded()
    parts = {_number(frame): frame.loaded() for frame in frames if _number(frame)}
    numbers = whole.planes.get(MAP)
    if numbers is None:
        raise DataError(f"{wholes[0].name} has no {MAP}, which says where subarrays lie")
    return replace(
        whole,
        sci=subarrays.merge(whole.sci, {number: part.sci for number, part in parts.items()}, numbers),
        variances={
            name: subarrays.merge(
                plane, {number: _part(part, name) for number, part in parts.items()}, numbers
            )
            for name, plane in whole.variances.items()
        },
        dq=subarrays.merge(whole.dq, {number: part.dq for number, part in parts.items()}, numbers),
        planes={MAP: numbers},
    )


def _part(frame: Frame, name: str) -> np.ndarray:
    if name not in frame.variances:
        raise DataError(
            f"a subarray has no VAR_{name}, and the full frame has", "reduce both by the same steps"
        )
    return frame.variances[name]


def _number(frame: FrameRows) -> int:
    value = plain(frame.header).get("SUBARRID", 0)
    if not isinstance(value, int):
        raise DataError(f"{frame.name}: SUBARRID is {value!r}; it has to be a whole number")
    return value


STEPS = (
    FrameStep("parse_subarrays", "S_PARSSA", "find subarrays in the map", apply=_parse_subarrays),
    FramesStep("merge_subarrays", "S_MERGSA", "put subarrays back", apply=_merge_subarrays),
)
