"""Maps of bad pixels: hot and unsteady ones from darks, dead and inefficient ones from flats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from reduce.arrays import Flags
from reduce.dq import DQ, flagged
from reduce.frame import Frame
from reduce.kernels import dark
from reduce.kernels.bad_pixels import FLAT_LIMITS, FlatLimits, from_flat
from reduce.making.dark import DarkMaking, dark_flags
from reduce.making.exposures import DETECTOR, Exposure
from reduce.making.flat import scaled
from reduce.making.frames import (
    Planner,
    Ready,
    brought,
    by_recipe,
    combination,
    few,
    listing,
    made_record,
    records,
    without_border,
)
from reduce.making.order import Made, Order
from reduce.making.readout import KNOWN_BORDER, Border, border_option
from reduce.parameters import option
from reduce.pipeline import Task
from reduce.provenance import StepRecord
from reduce.recipe import Level

KINDS = ("DARK", "FLAT")
_LASTING: Final = np.uint32(
    DQ.NON_SCIENCE
    | DQ.DEAD
    | DQ.HOT
    | DQ.WARM
    | DQ.LOW_QE
    | DQ.RC
    | DQ.TELEGRAPH
    | DQ.NONLINEAR
    | DQ.BAD_REF_PIXEL
    | DQ.NO_FLAT_FIELD
    | DQ.UNRELIABLE_DARK
    | DQ.OPEN
    | DQ.ADJ_OPEN
    | DQ.OTHER_BAD_PIXEL
    | DQ.REFERENCE_PIXEL
    | DQ.DO_NOT_USE
)


@dataclass(frozen=True, slots=True)
class BadPixelMaking(DarkMaking):
    """Parameters of maps of bad pixels."""

    dead: float = option(FLAT_LIMITS.dead, "It is dead below this share of those around.", least=0, most=1)
    low: float = option(FLAT_LIMITS.low, "It has a low efficiency below this share.", least=0, most=1)
    border: int = border_option()


def make_badpix(exposures: Sequence[Exposure], order: Order) -> tuple[Made, ...]:
    """The map of bad pixels from darks, flats or both, told apart by IMTYPE.

    What an older map says of bad pixels does not count, only where the reference pixels are.
    """
    parameters: BadPixelMaking = order.parameters
    planner = _anew(order, parameters.border)
    darks = brought([each for each in exposures if each.kind == "DARK"], order, Level.L1, planner)
    found: list[StepRecord] = []
    flags: Flags = np.zeros(exposures[0].shape, dtype=np.uint32)
    whole = None
    if darks:
        whole, record, _ = combination(darks, order)
        found.append(record)
        flags = flags | dark_flags(whole, darks, parameters, order)
    flats = _flats([each for each in exposures if each.kind == "FLAT"], order, planner, whole)
    if flats:
        light, record, _ = combination(flats, order)
        found.append(record)
        limits = FlatLimits(parameters.dead, parameters.low)
        flags = flags | without_border(from_flat(light.sci, light.dq, limits=limits, box=parameters.box))
    flags = explained(flags)
    frames = (*darks, *flats)
    return (
        Made(
            "dq",
            {"DQ": flags, "EXPOSURES": listing(frames)},
            {},
            DETECTOR,
            {"NBAD": (int(flagged(flags).sum()), "pixels that should not be used")},
            records(frames, *found, made_record("badpix", parameters)),
            (*_lacking(darks, flats), *(few(darks, "mean dark") if darks else ())),
        ),
    )


def explained(flags: Flags) -> Flags:
    """The bits that last; a pixel that is bad for a reason that does not last is so for another one.

    Reference pixels may be used, for what they are for.
    """
    kept = flags & _LASTING
    border = flagged(kept, DQ.REFERENCE_PIXEL) & ~flagged(kept, DQ.BAD_REF_PIXEL)
    kept[border] &= ~np.uint32(DQ.DO_NOT_USE | DQ.NON_SCIENCE)
    unexplained = kept == np.uint32(DQ.DO_NOT_USE)
    return np.where(unexplained, kept | np.uint32(DQ.OTHER_BAD_PIXEL), kept).astype(np.uint32)


def _anew(order: Order, border: int) -> Planner:
    """The recipe up to rates, without what is known of bad pixels."""
    plan = by_recipe(order, Level.L1)
    first = Task(KNOWN_BORDER, Border(border))
    return lambda data, exposure: [
        first if task.step.name == "dq_init" else task for task in plan(data, exposure)
    ]


def _flats(
    exposures: Sequence[Exposure], order: Order, planner: Planner, mean: Frame | None
) -> tuple[Ready, ...]:
    """Flats, without the mean dark unless they have been corrected by one."""
    rates = [each for each in exposures if each.level < Level.L2]
    corrected = [each for each in exposures if each.level >= Level.L2]
    frames = brought(rates, order, Level.L1, planner, _subtraction(mean) if mean else None)
    return scaled((*frames, *brought(corrected, order, Level.L2, planner)), "median")


def _subtraction(mean: Frame) -> Callable[[Frame], Frame]:
    variance = np.square(mean.err)

    def subtract(frame: Frame) -> Frame:
        arrays = dark.subtract(frame.sci, frame.variances, frame.dq, mean.sci, variance)
        return frame.corrected(arrays)

    return subtract


def _lacking(darks: Sequence[Ready], flats: Sequence[Ready]) -> tuple[str, ...]:
    if not darks:
        return ("there are no darks: hot and unsteady pixels are not known",)
    if not flats:
        return ("there are no flats: dead and inefficient pixels are not known",)
    return ()
