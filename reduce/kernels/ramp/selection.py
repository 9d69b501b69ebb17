"""Which reads of a ramp are fitted: reads or groups taken in bad seeing can be left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reduce.dq import DQ
from reduce.errors import DataError, ParameterError

Which: TypeAlias = "str | Sequence[int] | None"
"""Text for `parse_reads`, indices, or None for all."""

_HINT = "indices count from 0 and from the end with a minus: '0', '-1', '1,3-5' (with 5), '2:', ':-1', '::2'"
_INDEX = re.compile(r"-?\d+", re.ASCII)
_RANGE = re.compile(r"(\d+)-(\d+)", re.ASCII)
_SLICE = re.compile(r"(-?\d+)?:(-?\d+)?(?::(\d+))?", re.ASCII)


class Selection(NamedTuple):
    """What is left of a ramp.

    Parameters
    ----------
    reads
        Shape (ny, nx, ngroups, nreads).
    times
        Seconds from the reset to each read, (ngroups, nreads).
    groupdq
        Bits of each read, the shape of `reads`, uint8; or None.
    """

    reads: NDArray[Any]
    times: NDArray[np.float64]
    groupdq: NDArray[np.uint8] | None


def parse_reads(text: str, n: int) -> tuple[int, ...]:
    """Indices that a text such as ``1,3-5`` names.

    Parts are separated by commas: an index (``4``; ``-1`` is the last), a range with both ends (``3-5``), or
    a slice as Python has it (``2:``, ``:-1``, ``::2``), which may go beyond the end.

    Parameters
    ----------
    text
        The text.
    n
        How many there are to choose from.

    Returns
    -------
    indices
        From 0 to n - 1, increasing, each once.

    Raises
    ------
    ParameterError
        The text is not of that form, names what is not there, or names nothing.
    """
    chosen: set[int] = set()
    for part in text.split(","):
        chosen.update(_part(part.strip(), n))
    return _checked(chosen, n, repr(text))


def select_reads(
    reads: NDArray[Any],
    times: NDArray[np.float64],
    groupdq: NDArray[np.uint8] | None,
    *,
    keep: Which = None,
    groups: Which = None,
) -> Selection:
    """Keep some reads of each group and some groups.

    A jump that ends at a read which is left out lies before the next read that is kept, and what comes after
    a saturated read stays saturated: these bits go on to the next read.

    Parameters
    ----------
    reads
        Shape (ny, nx, ngroups, nreads), any type.
    times
        Seconds from the reset to each read, (ngroups, nreads).
    groupdq
        Bits of each read, the shape of `reads`, or None.
    keep
        Reads of a group: text for `parse_reads` or indices, negative ones count from the end.
    groups
        Groups, as `keep`.

    Returns
    -------
    selection
        Arrays that share memory with those given where that is possible.

    Raises
    ------
    ParameterError
        See `parse_reads`.
    DataError
        Shapes don't go together.
    """
    if reads.ndim != 4 or times.shape != reads.shape[2:]:
        raise DataError(f"a ramp of the shape {reads.shape} can't have times of the shape {times.shape}")
    if groupdq is not None and groupdq.shape != reads.shape:
        raise DataError(f"the reads' DQ has the shape {groupdq.shape}, the reads {reads.shape}")
    of_group = _indices(keep, reads.shape[3])
    some, every = _key(_indices(groups, reads.shape[2])), _key(of_group)
    return Selection(
        reads[:, :, some][..., every],
        times[some][:, every],
        None if groupdq is None else _carried(groupdq[:, :, some], of_group),
    )


def _carried(groupdq: NDArray[np.uint8], kept: tuple[int, ...]) -> NDArray[np.uint8]:
    """Flags of the reads that are kept, with what the reads between them hand on."""
    if len(kept) == groupdq.shape[-1]:
        return groupdq
    result: NDArray[np.uint8] = groupdq[..., list(kept)]
    first = 0
    for place, index in enumerate(kept):
        handed_on = DQ.SATURATED if place == 0 else DQ.SATURATED | DQ.JUMP_DET
        for dropped in range(first, index):
            result[..., place] |= groupdq[..., dropped] & np.uint8(handed_on)
        first = index + 1
    return result


def _key(indices: tuple[int, ...]) -> slice | list[int]:
    """A slice if the indices are evenly spaced."""
    step = indices[1] - indices[0] if len(indices) > 1 else 1
    even = range(indices[0], indices[-1] + 1, step)
    return slice(even.start, even.stop, step) if tuple(even) == indices else list(indices)


def _indices(which: Which, n: int) -> tuple[int, ...]:
    if which is None:
        return tuple(range(n))
    if isinstance(which, str):
        return parse_reads(which, n)
    return _checked({_index(int(number), n, str(number)) for number in which}, n, repr(which))


def _part(part: str, n: int) -> Sequence[int]:
    if _INDEX.fullmatch(part):
        return (_index(int(part), n, part),)
    if match := _RANGE.fullmatch(part):
        first, last = (_index(int(end), n, part) for end in match.groups())
        if first > last:
            raise ParameterError(f"the range {part} runs backwards", _HINT)
        return range(first, last + 1)
    if match := _SLICE.fullmatch(part):
        start, stop, step = (None if number is None else int(number) for number in match.groups())
        if step != 0:
            return range(n)[start:stop:step]
    raise ParameterError(f"{part!r} does not say which reads or groups", _HINT)


def _index(number: int, n: int, text: str) -> int:
    if not -n <= number < n:
        raise ParameterError(f"{text} is beyond the {n} there are", _HINT)
    return number % n


def _checked(chosen: set[int], n: int, text: str) -> tuple[int, ...]:
    if not chosen:
        raise ParameterError(f"{text} leaves none of {n}", _HINT)
    return tuple(sorted(chosen))
