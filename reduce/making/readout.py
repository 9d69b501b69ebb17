"""Raw reads on their way: the steps on reads in DN, and two ways to an image from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from reduce.dq import DQ, flagged
from reduce.errors import DataError
from reduce.frame import Frame, Ramp
from reduce.making.order import Order
from reduce.parameters import option
from reduce.pipeline import Task
from reduce.session import task
from reduce.step import FitStep, Need, NoParameters, Prepared, RampStep, References
from reduce.steps import STEPS

_LASTING: Final = DQ.REFERENCE_PIXEL | DQ.NON_SCIENCE
_SPOILT: Final = DQ.DO_NOT_USE | DQ.SATURATED


def border_option() -> Any:
    """The parameter ``border`` of kinds that are made before there are bad-pixel maps."""
    return option(
        0, "Width of the frame of reference pixels; 0 if a bad-pixel map tells.", least=0, unit="pixel"
    )


@dataclass(frozen=True, slots=True)
class Border:
    """Parameters of what is known before there are bad-pixel maps."""

    border: int = border_option()


def _known_border(ramp: Ramp, references: References, parameters: Border) -> Prepared:
    flags = ramp.pixeldq & np.uint32(_LASTING)
    known = references["dq"].flags() if "dq" in references else None
    if known is not None:
        flags |= known[:] & np.uint32(_LASTING)
    width = parameters.border
    if 2 * width >= min(ramp.shape):
        raise DataError(f"a border of {width} pixels leaves nothing of {ramp.shape[0]}×{ramp.shape[1]}")
    if width:
        inside = np.zeros(ramp.shape, dtype=np.bool_)
        inside[width:-width, width:-width] = True
        flags[~inside] |= np.uint32(DQ.REFERENCE_PIXEL)
    return Prepared(replace(ramp, pixeldq=flags), lambda block: block)


KNOWN_BORDER = RampStep(
    "known_border", "", "flag reference pixels", (Need("dq", False),), Border, prepare=_known_border
)
"""In place of ``dq_init`` where bad pixels are to be found anew."""


@dataclass(frozen=True, slots=True)
class FirstReads:
    """Parameters of ``first_reads``."""

    reads: str = option(
        "first", "Reads that are averaged: the first of each group, or all.", choices=("first", "all")
    )


def _first_reads(ramp: Ramp, _: References, parameters: FirstReads) -> Callable[[Ramp], Frame]:
    some = slice(None, 1) if parameters.reads == "first" else slice(None)

    def fit(block: Ramp) -> Frame:
        values, good = _values(block)
        values, good = values[..., some], good[..., some]
        count = good.sum(axis=(2, 3))
        total = np.sum(values, axis=(2, 3), where=good, dtype=np.float64)
        mean = np.where(count > 0, total / np.maximum(count, 1), 0).astype(np.float32)
        return _frame(block, mean, count == 0)

    return fit


def _last_minus_first(ramp: Ramp, _: References, __: NoParameters) -> Callable[[Ramp], Frame]:
    if ramp.reads.shape[3] < 2:
        raise DataError("there is one read only; a difference takes two")

    def fit(block: Ramp) -> Frame:
        values, good = _values(block)
        difference = values[:, :, 0, -1] - values[:, :, 0, 0]
        return _frame(block, difference.astype(np.float32), ~(good[:, :, 0, -1] & good[:, :, 0, 0]))

    return fit


def _values(block: Ramp) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Reads, and which of them can be used."""
    values = cast(NDArray[Any], block.reads).astype(np.float32, copy=False)
    good = np.isfinite(values)
    if block.groupdq is not None:
        good &= ~flagged(np.asarray(block.groupdq[:]), _SPOILT)
    return np.where(good, values, 0), good


def _frame(block: Ramp, image: NDArray[np.float32], bad: NDArray[np.bool_]) -> Frame:
    flags = block.pixeldq | np.where(bad, np.uint32(DQ.DO_NOT_USE), np.uint32(0))
    return Frame(image, {}, flags, block.header, block.sci_header)


FIRST_READS = FitStep("first_reads", "", "average the first reads", (), FirstReads, prepare=_first_reads)
LAST_MINUS_FIRST = FitStep(
    "last_minus_first", "", "take the first read from the last", prepare=_last_minus_first
)


def tasks(order: Order, names: Sequence[str]) -> tuple[Task, ...]:
    """Steps of the reduction by name, with their parameters."""
    return tuple(task(STEPS[name], order.request.settings, order.request.skip) for name in names)
