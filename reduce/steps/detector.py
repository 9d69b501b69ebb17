"""Steps on the reads of a detector, up to electrons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Flags, Image, Rows
from reduce.dq import DQ, flagged
from reduce.errors import DataError
from reduce.frame import Ramp
from reduce.headers import plain
from reduce.kernels.bias import subtract_bias
from reduce.kernels.dq_init import initialize_dq
from reduce.kernels.gain import to_electrons
from reduce.kernels.linearity import Convention, linearize, noise_factor
from reduce.kernels.rampdata import RampArrays
from reduce.kernels.reference_pixels import reference_level, subtract_reference
from reduce.kernels.saturation import flag_saturation
from reduce.parameters import option
from reduce.step import Need, NoParameters, Prepared, RampStep, References, Skipped
from reduce.steps.units import ELECTRON, require_unit, same_unit

CHANNEL_COLUMNS = 64
"""Columns that a channel reads; of the detectors of Liger and IRIS."""


def rows_of(block: Ramp) -> slice:
    """Where the rows of a block are in the whole ramp."""
    return slice(block.first_row, block.first_row + block.shape[0])


def with_arrays(ramp: Ramp, arrays: RampArrays) -> Ramp:
    """A ramp with other arrays."""
    return replace(ramp, reads=arrays.reads, groupdq=arrays.groupdq, pixeldq=arrays.pixeldq)


def plane(rows: Rows | None, block: Ramp) -> NDArray[Any] | None:
    """The rows of a reference image for a block."""
    return None if rows is None else rows[rows_of(block)]


def _reads(block: Ramp) -> tuple[NDArray[Any], NDArray[np.uint8] | None, Flags]:
    return cast(NDArray[Any], block.reads), cast("NDArray[np.uint8] | None", block.groupdq), block.pixeldq


def _dq_init(ramp: Ramp, references: References, _: NoParameters) -> Prepared:
    flags = references["dq"].flags()
    known = None if flags is None else flags[:]
    pixeldq = ramp.pixeldq if known is None else ramp.pixeldq | known
    return Prepared(
        replace(ramp, pixeldq=pixeldq), lambda block: with_arrays(block, initialize_dq(*_reads(block)))
    )


@dataclass(frozen=True, slots=True)
class Saturation:
    """Parameters of ``saturation``."""

    level: float = option(65535.0, "Saturation level where there is no reference.", least=1, unit="DN")
    grow: int = option(1, "By how many pixels the flag grows in each direction.", least=0, most=2)


def _saturation(ramp: Ramp, references: References, parameters: Saturation) -> Prepared:
    reference = references.get("saturation")
    if reference:
        require_unit(reference, ramp.unit)
    level = reference.image("SCI", "DATA") if reference else None
    flags = reference.flags() if reference else None

    def work(block: Ramp) -> Ramp:
        here = plane(level, block)
        return with_arrays(
            block,
            flag_saturation(
                *_reads(block),
                level=parameters.level if here is None else here,
                level_dq=plane(flags, block),
                grow=parameters.grow,
            ),
        )

    return Prepared(ramp, work, halo=parameters.grow)


@dataclass(frozen=True, slots=True)
class ReferencePixels:
    """Parameters of ``refpix``."""

    channels: int | None = option(
        None,
        "Channels that read the detector out; none is NOUTPUTS of the header, or of 64 columns each.",
        least=1,
    )
    odd_even: bool = option(True, "Odd and even columns have levels of their own.")
    sides: bool = option(True, "Follow the drift along the rows with the columns at the sides.")
    side_window: int = option(11, "Rows over which that drift is smoothed.", least=1, unit="pixel")


def _refpix(ramp: Ramp, references: References, parameters: ReferencePixels) -> Prepared | Skipped:
    border = _border(ramp.pixeldq)
    if border == 0:
        return Skipped("no border of reference pixels is flagged")
    levels = reference_level(
        ramp.reads,
        ramp.pixeldq,
        bias=_pedestal(ramp, references, border),
        border=border,
        channels=parameters.channels or _channels(ramp),
        odd_even=parameters.odd_even,
        sides=parameters.sides,
        side_window=parameters.side_window,
    )

    def work(block: Ramp) -> Ramp:
        return with_arrays(
            block, subtract_reference(*_reads(block), levels=levels, first_row=block.first_row)
        )

    return Prepared(ramp, work)


def _channels(ramp: Ramp) -> int:
    """How many channels the header says, or as many as the detectors of Liger and IRIS have for the width."""
    return int(header_number(ramp, "NOUTPUTS") or max(1, ramp.shape[1] // CHANNEL_COLUMNS))


def _pedestal(ramp: Ramp, references: References, border: int) -> Image | float:
    """What reference pixels have without drift: the bias, or else what they have in the first read.

    So the zero point of the reads stays for the bias to be subtracted, or as it is without one.
    """
    if "bias" in references:
        require_unit(references["bias"], ramp.unit)
        return cast(Image, references["bias"].image("SCI", "DATA")[:])
    first = ramp.reads[slice(0, border)][:, :, 0, 0]
    return float(np.median(first))


def _border(pixeldq: Flags) -> int:
    """Width of the frame of pixels that are all flagged as reference pixels."""
    reference = flagged(pixeldq, DQ.REFERENCE_PIXEL)
    width = 0
    while 2 * width < min(reference.shape) and all(
        edge.all()
        for edge in (reference[width], reference[-1 - width], reference[:, width], reference[:, -1 - width])
    ):
        width += 1
    return width


def _bias(ramp: Ramp, references: References, _: NoParameters) -> Prepared | Skipped:
    if "bias" not in references:
        return Skipped("there are no rules for bias frames")
    require_unit(references["bias"], ramp.unit)
    bias, flags = references["bias"].image("SCI", "DATA"), references["bias"].flags()

    def work(block: Ramp) -> Ramp:
        arrays = subtract_bias(*_reads(block), bias=bias[rows_of(block)], bias_dq=plane(flags, block))
        return with_arrays(block, arrays)

    return Prepared(ramp, work)


@dataclass(frozen=True, slots=True)
class Linearity:
    """Parameters of ``nonlin_corr``."""

    convention: str = option(
        "sum",
        "What the coefficients c of a count x mean: sum is Σ c_k x^k, factor is (1 + Σ c_k x^k) x.",
        choices=("sum", "factor"),
    )


def _nonlin_corr(ramp: Ramp, references: References, parameters: Linearity) -> Prepared:
    coefficients = references["nonlincoeff"].image("COEFFS", axes=3)
    flags = references["nonlincoeff"].flags()
    convention = cast(Convention, parameters.convention)

    def work(block: Ramp) -> Ramp:
        some, bits = coefficients[rows_of(block)], plane(flags, block)
        arrays = linearize(*_reads(block), coefficients=some, convention=convention, coefficients_dq=bits)
        reads, groupdq, _ = _reads(block)
        factor = noise_factor(reads, groupdq, coefficients=some, convention=convention, coefficients_dq=bits)
        return replace(with_arrays(block, arrays), noise_factor=factor)

    return Prepared(ramp, work)


@dataclass(frozen=True, slots=True)
class Gain:
    """Parameters of ``gain_scale``."""

    gain: float | None = option(
        None,
        "Where there is no reference; none is GAIN of the header, or 1.",
        least=1e-3,
        unit="electron / DN",
    )


def _gain_scale(ramp: Ramp, references: References, parameters: Gain) -> Prepared | Skipped:
    if same_unit(ramp.unit, ELECTRON):
        return Skipped("the reads are in electrons")
    if ramp.unit and not same_unit(ramp.unit, "DN"):
        raise DataError(
            f"the reads are in {ramp.unit}, and DN or electron are expected", "correct BUNIT of the image"
        )
    reference = references.get("gain")
    if reference:
        require_unit(reference, "electron / DN")
    image = reference.image("SCI", "DATA") if reference else None
    flags = reference.flags() if reference else None
    value = parameters.gain or header_number(ramp, "GAIN") or 1.0

    def work(block: Ramp) -> Ramp:
        here = plane(image, block)
        gain = value if here is None else here
        return with_arrays(block, to_electrons(*_reads(block), gain=gain, gain_dq=plane(flags, block)))

    header = ramp.sci_header.copy()
    header["BUNIT"] = "electron"
    return Prepared(replace(ramp, sci_header=header), work)


def header_number(ramp: Ramp, keyword: str) -> float | None:
    """A positive number of the header, or None."""
    value = plain(ramp.header).get(keyword)
    return float(value) if isinstance(value, (int, float)) and value > 0 else None


STEPS = (
    RampStep("dq_init", "S_DQINIT", "flag known bad pixels", (Need("dq"),), prepare=_dq_init),
    RampStep(
        "saturation",
        "S_SATURA",
        "flag saturated reads",
        (Need("saturation", False),),
        Saturation,
        prepare=_saturation,
    ),
    RampStep(
        "refpix",
        "S_REFPIX",
        "subtract the drift seen by reference pixels",
        (Need("bias", False),),
        ReferencePixels,
        prepare=_refpix,
    ),
    RampStep("bias", "S_BIAS", "subtract the bias", (Need("bias", False),), prepare=_bias),
    RampStep(
        "nonlin_corr",
        "S_NLCORR",
        "correct nonlinearity",
        (Need("nonlincoeff"),),
        Linearity,
        prepare=_nonlin_corr,
    ),
    RampStep(
        "gain_scale", "S_GANSCL", "convert to electrons", (Need("gain", False),), Gain, prepare=_gain_scale
    ),
)
