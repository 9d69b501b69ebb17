"""Quality bits by what they mean to somebody who looks at a picture."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from reduce.arrays import Flags, Mask
from reduce.dq import DQ


class Group(NamedTuple):
    """Some bits that are shown in one colour.

    Parameters
    ----------
    name
        What they have in common.
    color
        Of the palette of Okabe and Ito, which people with any kind of colour vision can tell apart.
    bits
        The bits; those of the last group are all others.
    unusable
        Whether they are shown only on pixels that may not be used, as bits that often all pixels have.
    """

    name: str
    color: str
    bits: DQ
    unusable: bool = False


GROUPS: Final = (
    Group("saturated", "#e69f00", DQ.SATURATED),
    Group("jump or outlier", "#56b4e9", DQ.JUMP_DET | DQ.OUTLIER),
    Group("hot or unstable", "#d55e00", DQ.HOT | DQ.WARM | DQ.TELEGRAPH | DQ.RC | DQ.PERSISTENCE),
    Group("dead, dim or open", "#0072b2", DQ.DEAD | DQ.LOW_QE | DQ.OPEN | DQ.ADJ_OPEN),
    Group("not calibrated", "#cc79a7", DQ.NO_FLAT_FIELD | DQ.NO_GAIN_VALUE | DQ.NO_LIN_CORR, unusable=True),
    Group("not for science", "#009e73", DQ.REFERENCE_PIXEL | DQ.NON_SCIENCE | DQ.BAD_REF_PIXEL),
    Group("unusable, other", "#f0e442", DQ.DO_NOT_USE),
)
_NAMED: Final = DQ(sum(group.bits for group in GROUPS[:-1]))


def members(flags: Flags, group: Group) -> Mask:
    """Pixels that are shown as those of a group."""
    unusable: Mask = (flags & np.uint32(DQ.DO_NOT_USE)) != 0
    if group is GROUPS[-1]:
        other: Mask = unusable & ((flags & np.uint32(_NAMED)) == 0)
        return other
    mask: Mask = (flags & np.uint32(group.bits)) != 0
    return mask & unusable if group.unusable else mask
