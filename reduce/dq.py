"""Data quality: 32 bits a pixel, and what each of them means.

The bits are those of JWST, which the Liger/IRIS pipeline took over. Its documentation gives some of them
other meanings; so every product has a table DQ_DEF, and `translated` reads flags by the names in one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntFlag
from functools import reduce
from operator import or_
from typing import NamedTuple

import numpy as np

from reduce.arrays import Counts, Flags, Mask


class DQ(IntFlag):
    """Data-quality bits."""

    GOOD = 0
    DO_NOT_USE = 1 << 0
    SATURATED = 1 << 1
    JUMP_DET = 1 << 2
    DROPOUT = 1 << 3
    OUTLIER = 1 << 4
    PERSISTENCE = 1 << 5
    AD_FLOOR = 1 << 6
    CHARGELOSS = 1 << 7
    UNRELIABLE_ERROR = 1 << 8
    NON_SCIENCE = 1 << 9
    DEAD = 1 << 10
    HOT = 1 << 11
    WARM = 1 << 12
    LOW_QE = 1 << 13
    RC = 1 << 14
    TELEGRAPH = 1 << 15
    NONLINEAR = 1 << 16
    BAD_REF_PIXEL = 1 << 17
    NO_FLAT_FIELD = 1 << 18
    NO_GAIN_VALUE = 1 << 19
    NO_LIN_CORR = 1 << 20
    NO_SAT_CHECK = 1 << 21
    UNRELIABLE_BIAS = 1 << 22
    UNRELIABLE_DARK = 1 << 23
    UNRELIABLE_SLOPE = 1 << 24
    UNRELIABLE_FLAT = 1 << 25
    OPEN = 1 << 26
    ADJ_OPEN = 1 << 27
    FLUX_ESTIMATED = 1 << 28
    MSA_FAILED_OPEN = 1 << 29
    OTHER_BAD_PIXEL = 1 << 30
    REFERENCE_PIXEL = 1 << 31


class Definition(NamedTuple):
    """A row of the table DQ_DEF."""

    bit: int
    value: int
    name: str
    description: str


_DESCRIPTIONS = {
    DQ.DO_NOT_USE: "Bad for any use",
    DQ.SATURATED: "Saturated in at least one read",
    DQ.JUMP_DET: "A jump was found in the ramp",
    DQ.DROPOUT: "Data were lost on the way",
    DQ.OUTLIER: "Differs from other frames",
    DQ.PERSISTENCE: "Holds charge of an earlier exposure",
    DQ.AD_FLOOR: "Below the lowest count of the converter",
    DQ.CHARGELOSS: "Lost charge to its neighbours",
    DQ.UNRELIABLE_ERROR: "The error is not reliable",
    DQ.NON_SCIENCE: "Outside the part for science",
    DQ.DEAD: "Does not respond to light",
    DQ.HOT: "Very high dark current",
    DQ.WARM: "High dark current",
    DQ.LOW_QE: "Low quantum efficiency",
    DQ.RC: "Has a resistor-capacitor tail",
    DQ.TELEGRAPH: "Switches between levels",
    DQ.NONLINEAR: "Highly nonlinear",
    DQ.BAD_REF_PIXEL: "A reference pixel that can't be used",
    DQ.NO_FLAT_FIELD: "The flat can't be measured",
    DQ.NO_GAIN_VALUE: "The gain can't be measured",
    DQ.NO_LIN_CORR: "The linearity correction is not known",
    DQ.NO_SAT_CHECK: "The saturation level is not known",
    DQ.UNRELIABLE_BIAS: "The bias varies",
    DQ.UNRELIABLE_DARK: "The dark current varies",
    DQ.UNRELIABLE_SLOPE: "The slope varies",
    DQ.UNRELIABLE_FLAT: "The flat varies",
    DQ.OPEN: "Open: its charge goes to its neighbours",
    DQ.ADJ_OPEN: "Next to an open pixel",
    DQ.FLUX_ESTIMATED: "The value was estimated",
    DQ.MSA_FAILED_OPEN: "Sees light of a shutter that failed open",
    DQ.OTHER_BAD_PIXEL: "Bad for another reason",
    DQ.REFERENCE_PIXEL: "A reference pixel",
}

DEFINITIONS = tuple(
    Definition(flag.bit_length() - 1, int(flag), str(flag.name), description)
    for flag, description in _DESCRIPTIONS.items()
)
"""Every bit, the lowest first."""


def flagged(dq: Flags, flags: DQ = DQ.DO_NOT_USE) -> Mask:
    """Where one of some bits is set."""
    mask: Mask = (dq & np.uint32(flags)) != 0
    return mask


def names(value: int) -> tuple[str, ...]:
    """Names of the bits that are set in a value."""
    return tuple(definition.name for definition in DEFINITIONS if value & definition.value)


def as_bits(dq: Counts) -> Flags:
    """Flags as 32 bits without a sign: a negative number is the highest bit of its own type."""
    unsigned = dq.view(dq.dtype.str.replace("i", "u")) if dq.dtype.kind == "i" else dq
    return unsigned.astype(np.uint32, copy=False)


def translated(dq: Counts, values: Mapping[str, int]) -> Flags:
    """Flags in our bits.

    Parameters
    ----------
    dq
        Flags as a file has them, of any type of whole numbers; see `as_bits`.
    values
        What the file's DQ_DEF says: name and value of each bit. A name that we don't have is taken as
        ``OTHER_BAD_PIXEL``; bits without a definition are kept.
    """
    wide = as_bits(dq)
    present = int(np.bitwise_or.reduce(wide, axis=None))
    meanings = [
        (value, int(DQ.__members__.get(name, DQ.OTHER_BAD_PIXEL)))
        for name, value in values.items()
        if value & present
    ]
    moved = [(value, ours) for value, ours in meanings if value != ours]
    if not moved:
        return wide
    kept = reduce(or_, (ours for value, ours in meanings if value == ours), 0)
    replaced = reduce(or_, (value for value, _ in moved), 0) & ~kept
    result: Flags = wide & np.uint32(0xFFFFFFFF & ~replaced)
    for value, ours in moved:
        result |= np.where((wide & np.uint32(value)) != 0, np.uint32(ours), np.uint32(0))
    return result
