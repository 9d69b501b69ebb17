"""Darks: the mean dark current of several exposures without light, and the pixels that have too much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reduce.arrays import Flags
from reduce.dq import DQ
from reduce.frame import Frame
from reduce.kernels.bad_pixels import DARK_LIMITS, DarkLimits, from_dark, from_darks
from reduce.making.exposures import READOUT, Exposure
from reduce.making.frames import (
    Ready,
    brought,
    by_recipe,
    combination,
    few,
    lasting,
    listing,
    made_record,
    records,
    stacked,
    without_border,
)
from reduce.making.order import Made, Order
from reduce.parameters import option
from reduce.recipe import Level

KINDS = ("DARK",)
_ENOUGH = 3


@dataclass(frozen=True, slots=True)
class DarkMaking:
    """Parameters of darks."""

    warm: float = option(DARK_LIMITS.warm, "A pixel is warm above this.", least=0.1, unit="sigma")
    hot: float = option(DARK_LIMITS.hot, "A pixel is hot above this.", least=0.1, unit="sigma")
    cold: float = option(DARK_LIMITS.cold, "Below others by this it is unreliable.", least=0.1, unit="sigma")
    noisy: float = option(
        DARK_LIMITS.noisy,
        "So is a pixel whose scatter is higher by this.",
        least=0.1,
        unit="sigma",
    )
    box: int = option(64, "Cells in which the slow part of the dark is measured.", least=4, unit="pixel")

    @property
    def limits(self) -> DarkLimits:
        """What the kernels take."""
        return DarkLimits(self.warm, self.hot, self.cold, self.noisy)


def make_dark(exposures: Sequence[Exposure], order: Order) -> tuple[Made, ...]:
    """The dark of some exposures."""
    parameters: DarkMaking = order.parameters
    frames = brought(exposures, order, Level.L1, by_recipe(order, Level.L1))
    whole, record, rejected = combination(frames, order)
    flags = dark_flags(whole, frames, parameters, order)
    arrays = {"SCI": whole.sci, "ERR": whole.err, "DQ": flags, "EXPOSURES": listing(frames)}
    return (
        Made(
            "dark",
            arrays,
            {"SCI": whole.unit, "ERR": whole.unit},
            READOUT,
            {"NREJECT": (rejected, "values left out as outliers")},
            records(frames, record, made_record("dark", parameters)),
            few(frames, "dark"),
        ),
    )


def dark_flags(whole: Frame, frames: Sequence[Ready], parameters: DarkMaking, order: Order) -> Flags:
    """The bits of a mean dark: of its frames, and of hot, warm, cold and unsteady pixels."""
    limits = parameters.limits
    flags = from_dark(whole.sci, np.square(whole.err), whole.dq, limits=limits, box=parameters.box)
    if len(frames) >= _ENOUGH:
        flags = flags | from_darks(*stacked(frames, order, "dark"), limits=limits)
    return without_border(lasting(flags, DQ.UNRELIABLE_DARK))
