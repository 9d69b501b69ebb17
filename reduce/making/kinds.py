"""The kinds of reference files that can be made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from reduce.making import badpix, bias, dark, flat, gain, linearity, sky
from reduce.making.exposures import DETECTOR, LIGHT, READOUT, Exposure
from reduce.making.order import Made, Order

Maker: TypeAlias = Callable[[Sequence[Exposure], Order], tuple[Made, ...]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of reference file.

    Parameters
    ----------
    name
        What people call it.
    reftypes
        The types of the files that are made.
    takes
        Values of IMTYPE of the exposures.
    alike
        Keywords that are the same in all of them.
    parameters
        A dataclass of `reduce.parameters.option` fields.
    make
        Makes it.
    """

    name: str
    reftypes: tuple[str, ...]
    takes: tuple[str, ...]
    alike: tuple[str, ...]
    parameters: type
    make: Maker


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind("dark", ("dark",), dark.KINDS, READOUT, dark.DarkMaking, dark.make_dark),
            Kind("flat", ("flat",), flat.KINDS, LIGHT, flat.FlatMaking, flat.make_flat),
            Kind("bias", ("bias",), bias.KINDS, READOUT, bias.BiasMaking, bias.make_bias),
            Kind("badpix", ("dq",), badpix.KINDS, DETECTOR, badpix.BadPixelMaking, badpix.make_badpix),
            Kind("sky", ("sky",), sky.KINDS, LIGHT, sky.SkyMaking, sky.make_sky),
            Kind(
                "linearity",
                ("nonlincoeff", "saturation"),
                linearity.KINDS,
                READOUT,
                linearity.LinearityMaking,
                linearity.make_linearity,
            ),
            Kind("gain", ("gain", "readnoise"), gain.KINDS, READOUT, gain.GainMaking, gain.make_gain),
        )
    }
)
"""By name."""
