"""Runs steps on a ramp or a frame, and records each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Rows
from reduce.errors import DataError, ParameterError
from reduce.extras import needing
from reduce.frame import Frame, FrameRows, Ramp
from reduce.headers import plain
from reduce.kernels.acceleration import blocks, in_threads
from reduce.library import Gathered, Library
from reduce.parameters import texts
from reduce.provenance import ReferenceUse, StepRecord
from reduce.step import FitStep, FramesStep, FrameStep, Prepared, RampStep, Skipped, Step
from reduce.windows import region

Data: TypeAlias = Ramp | Frame
FitWork: TypeAlias = Callable[[Ramp], Frame]
Outcome: TypeAlias = Skipped | Prepared | Frame | FitWork
LEFT_OUT = "left out on request"
"""Why a step is skipped that somebody did not want."""
_BLOCK_BYTES = 24_000_000
"""Size of the reads of a block, as float32, at most."""
_BLOCK_ROWS = 32


@dataclass(frozen=True, slots=True)
class Task:
    """A step to be run, with its parameters; or left out because somebody said so.

    Parameters
    ----------
    skipped
        Why it is left out; empty if it is run.
    uses
        Where its parameters come from, if that is a reference.
    """

    step: Step
    parameters: object
    skipped: str = ""
    uses: tuple[ReferenceUse, ...] = ()


class Watcher(Protocol):
    """Sees what happens to a frame."""

    def begun(self, step: Step) -> None:
        """A step begins."""

    def rows(self, done: int, total: int) -> None:
        """So many rows of a ramp are fitted."""

    def worked(self, number: int, before: Ramp, after: Ramp) -> None:
        """A step on reads, counted from 0, has worked on some rows; several threads may tell at once."""

    def ended(self, record: StepRecord, before: Data, after: Data) -> None:
        """A step has ended; a ramp is as it was before all its steps."""


class Unwatched:
    """Sees nothing."""

    def begun(self, step: Step) -> None:
        """See `Watcher.begun`."""

    def rows(self, done: int, total: int) -> None:
        """See `Watcher.rows`."""

    def worked(self, number: int, before: Ramp, after: Ramp) -> None:
        """See `Watcher.worked`."""

    def ended(self, record: StepRecord, before: Data, after: Data) -> None:
        """See `Watcher.ended`."""


def run(data: Data, tasks: Sequence[Task], library: Library, watcher: Watcher | None = None) -> Data:
    """The data after some steps.

    Parameters
    ----------
    data
        A ramp, which is read by blocks of rows, or a frame.
    tasks
        The steps, in order: those on ramps, the fit, those on frames.

    Raises
    ------
    MissingReferenceError
        If a step lacks a reference file.
    DataError
        If data or a reference file can't be used.
    ParameterError
        If a step does not go with the data.
    """
    watcher = watcher or Unwatched()
    data, waiting = _after(data, tasks, library, watcher)
    return _worked(data, waiting, watcher) if isinstance(data, Ramp) else data


def _after(
    data: Data, tasks: Sequence[Task], library: Library, watcher: Watcher
) -> tuple[Data, list[Prepared]]:
    """The data after some steps, and what is still to be done to blocks of a ramp."""
    waiting: list[Prepared] = []
    library.hash_ahead([task.step for task in tasks if not task.skipped], plain(data.header))
    for task in tasks:
        watcher.begun(task.step)
        gathered = _gathered(task, library, data)
        outcome: Outcome = Skipped(gathered.lacking) if gathered.lacking else _outcome(task, gathered, data)
        record = _record(task, gathered, outcome)
        before, data = data, _advanced(data, outcome, waiting, watcher)
        data = replace(data, provenance=data.provenance.after(record))
        watcher.ended(record, before, data)
        del before, outcome  # a frame of 4096² pixels is 400 MB
    return data, waiting


@dataclass(frozen=True, slots=True, eq=False)
class CorrectedReads:
    """A ramp whose rows are corrected when they are asked for; its reads may still be in the file."""

    ramp: Ramp
    waiting: Sequence[Prepared]

    def rows(self, first: int, last: int) -> Ramp:
        """Rows from `first` up to `last`, corrected."""
        return _block(self.ramp, self.waiting, slice(first, last), Unwatched())


def corrected_reads(ramp: Ramp, tasks: Sequence[Task], library: Library) -> CorrectedReads:
    """A ramp after steps on reads; see `run` for what is raised."""
    after, waiting = _after(ramp, tasks, library, Unwatched())
    if not isinstance(after, Ramp):
        raise ParameterError(f"{tasks[-1].step.name} leaves no reads")
    return CorrectedReads(after, waiting)


def combine(
    frames: Sequence[FrameRows], task: Task, library: Library, watcher: Watcher | None = None
) -> Frame:
    """One frame of several, by a step that does that; its header begins as that of the first.

    The watcher is told that it begins; what it ends with is the last record of the frame's provenance.
    """
    if not frames:
        raise DataError(f"{task.step.name} needs frames, and there is none")
    if not isinstance(task.step, FramesStep):
        raise ParameterError(f"the step {task.step.name} does not combine frames")
    (watcher or Unwatched()).begun(task.step)
    gathered = _gathered(task, library, frames[0])
    if gathered.lacking:
        raise DataError(f"{task.step.name} can't be skipped: {gathered.lacking}")
    with needing(task.step.name):
        frame = task.step.apply(frames, gathered.files, task.parameters)
    return replace(frame, provenance=frame.provenance.after(_record(task, gathered, frame)))


def _gathered(task: Task, library: Library, data: Data | FrameRows) -> Gathered:
    if task.skipped:
        return Gathered({}, (), task.skipped)
    return library.gather(task.step, plain(data.header), region(data.header, data.shape))


def _outcome(task: Task, gathered: Gathered, data: Data) -> Outcome:
    match task.step, data:
        case RampStep() | FitStep(), Ramp():
            return task.step.prepare(data, gathered.files, task.parameters)
        case FrameStep(), Frame():
            with needing(task.step.name):
                return task.step.apply(data, gathered.files, task.parameters)
    have = "raw reads" if isinstance(data, Ramp) else "a frame"
    raise ParameterError(
        f"the step {task.step.name} can't be run on {have}",
        "steps on reads come first, then ramp_fit, then those on frames; and --from says where the data are",
    )


def _advanced(data: Data, outcome: Outcome, waiting: list[Prepared], watcher: Watcher) -> Data:
    if isinstance(outcome, Skipped):
        return data
    if isinstance(outcome, Prepared):
        waiting.append(outcome)
        return outcome.ramp
    if isinstance(outcome, Frame):
        return outcome
    assert isinstance(data, Ramp)
    return _fitted(data, waiting, outcome, watcher)


def _record(task: Task, gathered: Gathered, outcome: Outcome) -> StepRecord:
    skipped = isinstance(outcome, Skipped)
    return StepRecord(
        task.step.name,
        task.step.keyword,
        "SKIPPED" if skipped else "COMPLETE",
        texts(task.parameters),
        (*gathered.uses, *task.uses),
        outcome.reason if isinstance(outcome, Skipped) else "",
    )


def _blocks(ramp: Ramp) -> Iterator[slice]:
    """Rows that are worked on together: few, so that they stay close to the processor."""
    total = ramp.shape[0]
    size = _BLOCK_BYTES * total // (4 * prod(ramp.reads.shape))
    return blocks(total, max(1, min(size, _BLOCK_ROWS)))


def _block(ramp: Ramp, waiting: Sequence[Prepared], rows: slice, watcher: Watcher) -> Ramp:
    """Rows after the steps that wait for them."""
    halo = sum(prepared.halo for prepared in waiting)
    low = max(0, rows.start - halo)
    block = ramp.rows(low, min(rows.stop + halo, ramp.shape[0]))
    own = rows.start - low, rows.stop - low
    for number, prepared in enumerate(waiting):
        before, block = block, prepared.work(block)
        watcher.worked(number, before.rows(*own), block.rows(*own))
    return block.rows(*own)


def _fitted(ramp: Ramp, waiting: Sequence[Prepared], fit: FitWork, watcher: Watcher) -> Frame:
    """The frame of a whole ramp; each thread takes a block through all steps."""
    total = ramp.shape[0]
    watcher.rows(0, total)
    first, *others = _blocks(ramp)
    like = fit(_block(ramp, waiting, first, watcher))
    whole = {name: np.empty((total, *array.shape[1:]), array.dtype) for name, array in _named(like).items()}

    def put(part: Frame, rows: slice) -> int:
        for name, array in _named(part).items():
            whole[name][rows] = array
        return int(rows.stop)

    watcher.rows(put(like, first), total)
    for done in in_threads(lambda rows: put(fit(_block(ramp, waiting, rows, watcher)), rows), others):
        watcher.rows(done, total)
    return _assembled(like, whole, ramp)


def _named(frame: Frame) -> dict[str, NDArray[Any]]:
    """Every array of a frame, under names that tell them apart."""
    variances = {f"VAR {name}": array for name, array in frame.variances.items()}
    planes = {f"PLANE {name}": array for name, array in frame.planes.items()}
    return {"SCI": frame.sci, "DQ": frame.dq, **variances, **planes}


def _assembled(like: Frame, whole: Mapping[str, NDArray[Any]], ramp: Ramp) -> Frame:
    return replace(
        like,
        sci=whole["SCI"],
        dq=whole["DQ"],
        variances={name: whole[f"VAR {name}"] for name in like.variances},
        planes={**ramp.planes, **{name: whole[f"PLANE {name}"] for name in like.planes}},
        provenance=ramp.provenance,
    )


def _worked(ramp: Ramp, waiting: Sequence[Prepared], watcher: Watcher) -> Ramp:
    """The whole ramp in memory, after steps that no fit follows."""
    if not waiting:
        return ramp
    parts = tuple(in_threads(lambda rows: _block(ramp, waiting, rows, watcher), _blocks(ramp)))
    return replace(
        parts[0],
        reads=np.concatenate([np.asarray(part.reads[:]) for part in parts]),
        groupdq=_joined([part.groupdq for part in parts]),
        pixeldq=np.concatenate([part.pixeldq for part in parts]),
        noise_factor=_joined([part.noise_factor for part in parts]),
        first_row=ramp.first_row,
        planes=ramp.planes,
        provenance=ramp.provenance,
    )


def _joined(parts: Sequence[Rows | None]) -> NDArray[Any] | None:
    """Rows below each other, or None if there are none in any part."""
    some = [np.asarray(part[:]) for part in parts if part is not None]
    return np.concatenate(some) if some else None
