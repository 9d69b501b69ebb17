"""Sees the steps of a reduction, and keeps small images of what they did."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reduce.dq import flagged
from reduce.frame import Frame, Ramp
from reduce.pipeline import Data, Unwatched, Watcher
from reduce.provenance import StepRecord
from reduce.quicklook.views import View, cell_of, small, view
from reduce.step import Step


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What a step did: the data before and after it.

    Parameters
    ----------
    record
        The step.
    before, after
        Of steps on reads the last read of the first group.
    """

    record: StepRecord
    before: View
    after: View


@dataclass(slots=True)
class _Reads:
    """The last read of the first group: one pixel of each cell."""

    values: NDArray[np.float32]
    flags: NDArray[np.uint32]
    unit: str
    given: NDArray[np.uint32]
    """Bits that the pixels had, before any row was worked on."""
    unusable: float


@dataclass(slots=True)
class Collector:
    """Keeps what each step did and passes everything on to another watcher; see `reduce.pipeline.Watcher`.

    It needs about two megabytes a step, whatever the size of the frames.
    """

    other: Watcher = field(default_factory=Unwatched)
    changes: list[Change] = field(default_factory=list)
    _waiting: list[StepRecord] = field(default_factory=list)
    _reads: list[_Reads] = field(default_factory=list)
    _shape: tuple[int, int] = (0, 0)
    _first: int = 0
    _last: View | None = None

    def begun(self, step: Step) -> None:
        """See `reduce.pipeline.Watcher`."""
        self.other.begun(step)

    def rows(self, done: int, total: int) -> None:
        """See `reduce.pipeline.Watcher`."""
        self.other.rows(done, total)

    def worked(self, number: int, before: Ramp, after: Ramp) -> None:
        """Keep some pixels of a block of a ramp."""
        if number == 0:
            self._keep(self._reads[0], before)
        self._keep(self._reads[number + 1], after)
        self.other.worked(number, before, after)

    def ended(self, record: StepRecord, before: Data, after: Data) -> None:
        """Keep what a step on a frame did."""
        if record.status == "COMPLETE":
            if isinstance(after, Ramp):
                self._wait(record, before, after)
            else:
                self._frame(record, before, after)
        self.other.ended(record, before, after)

    def finish(self) -> tuple[Change, ...]:
        """What all steps did, also those of reads that no fit follows."""
        self._flush()
        return tuple(self.changes)

    def _wait(self, record: StepRecord, before: Data, after: Ramp) -> None:
        """Make room for what a step on reads is going to do."""
        self._shape, self._first = after.shape, after.first_row
        self._waiting.append(record)
        if not self._reads and isinstance(before, Ramp):
            self._reads.append(_empty(before))
        self._reads.append(_empty(after))

    def _frame(self, record: StepRecord, before: Data, after: Frame) -> None:
        self._flush()
        earlier = self._last
        if earlier is None:
            earlier = view(before) if isinstance(before, Frame) else _last_read(before)
        self._last = view(after)
        self.changes.append(Change(record, earlier, self._last))

    def _keep(self, kept: _Reads, block: Ramp) -> None:
        every = cell_of(self._shape)
        start = block.first_row - self._first
        first = -(-start // every[0])
        last = min(-(-(start + block.shape[0]) // every[0]), len(kept.values))
        rows = slice(first * every[0] - start, None, every[0])
        values, flags = _pixels(block, rows, every[1])
        kept.values[first:last] = values[: last - first]
        kept.flags[first:last] = flags[: last - first]

    def _flush(self) -> None:
        """The steps on reads, now that all rows have gone through them."""
        views = [
            _view(one, one.flags & ~(self._reads[-1].given & ~one.given), self._shape) for one in self._reads
        ]
        for record, before, after in zip(self._waiting, views, views[1:], strict=False):
            self.changes.append(Change(record, before, after))
        if views:
            self._last = views[-1]
        self._waiting.clear()
        self._reads.clear()


def _empty(ramp: Ramp) -> _Reads:
    every = cell_of(ramp.shape)
    rows, columns = (length // size for length, size in zip(ramp.shape, every, strict=True))
    given = ramp.pixeldq[: rows * every[0] : every[0], : columns * every[1] : every[1]].copy()
    values = np.full((rows, columns), np.nan, dtype=np.float32)
    unusable = float(flagged(ramp.pixeldq).mean())
    return _Reads(values, np.zeros((rows, columns), dtype=np.uint32), ramp.unit, given, unusable)


def _view(reads: _Reads, flags: NDArray[np.uint32], shape: tuple[int, int]) -> View:
    return replace(small(reads.values, flags, shape, reads.unit), unusable=reads.unusable)


def _pixels(block: Ramp, rows: slice, every: int) -> tuple[NDArray[Any], NDArray[np.uint32]]:
    columns = slice(0, block.shape[1] // every * every, every)
    flags = block.pixeldq[rows, columns]
    if block.groupdq is not None:
        flags = flags | np.bitwise_or.reduce(np.asarray(block.groupdq[:])[rows, columns], axis=(2, 3))
    return np.asarray(block.reads[:])[rows, columns, 0, -1], flags


def _last_read(ramp: Ramp) -> View:
    """One pixel of each cell of the last read, if no step has worked on the reads."""
    every = cell_of(ramp.shape)
    kept = _empty(ramp)
    for number in range(len(kept.values)):
        row = ramp.rows(number * every[0], number * every[0] + 1)
        values, flags = _pixels(row, slice(0, 1), every[1])
        kept.values[number], kept.flags[number] = values[0], flags[0]
    return _view(kept, kept.flags, ramp.shape)
