"""Skies: what the sky looks like on the detector, from exposures that see different stars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reduce.making.exposures import LIGHT, Exposure
from reduce.making.frames import brought, by_recipe, few, listing, made_record, records
from reduce.making.order import Made, Order
from reduce.pipeline import combine
from reduce.recipe import Level
from reduce.session import task
from reduce.steps import STEPS

KINDS = ("SKY",)
_STEP = "calc_bkg_imager"


@dataclass(frozen=True, slots=True)
class SkyMaking:
    """Skies have the parameters of ``calc_bkg_imager`` alone."""


def make_sky(exposures: Sequence[Exposure], order: Order) -> tuple[Made, ...]:
    """The sky of some exposures, per unit of its level."""
    frames = brought(exposures, order, Level.L2, by_recipe(order, Level.L2))
    whole = combine(
        [frame.rows for frame in frames], task(STEPS[_STEP], order.request.settings), order.library
    )
    level = float(whole.sci_header["SKYLEVEL"])
    return (
        Made(
            "sky",
            {"SCI": whole.sci, "ERR": whole.err, "DQ": whole.dq, "EXPOSURES": listing(frames)},
            {},
            LIGHT,
            {"SKYLEVEL": (level, f"{frames[0].rows.unit}, mean level of the sky")},
            records(frames, *whole.provenance.steps, made_record("sky", order.parameters)),
            few(frames, "sky"),
        ),
    )
