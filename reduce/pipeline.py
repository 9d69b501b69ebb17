"""Runs steps on a ramp or a frame, and records each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reduce.errors import DataError, ParameterError
from reduce.frame import Frame, FrameRows, Ramp
from reduce.headers import plain
from reduce.library import Gathered, Library
from reduce.parameters import texts
from reduce.provenance import StepRecord
from reduce.step import FitStep, FramesStep, FrameStep, Prepared, RampStep, Skipped, Step
from reduce.windows import region

Data: TypeAlias = Ramp | Frame
FitWork: TypeAlias = Callable[[Ramp], Frame]
Outcome: TypeAlias = Skipped | Prepared | Frame | FitWork
LEFT_OUT = "left out on request"
"""Why a step is skipped that somebody did not want."""
_BLOCK_BYTES = 48_000_000
"""Size of the reads of a block, as float32."""


@dataclass(frozen=True, slots=True)
class Task:
    """A step to be run, with its parameters; or left out because somebody said so."""

    step: Step
    parameters: object
    skipped: str = ""


class Watcher(Protocol):
    """Sees what happens to a frame."""

    def begun(self, step: Step) -> None:
        """A step begins."""

    def rows(self, done: int, total: int) -> None:
        """So many rows of a ramp are fitted."""

    def ended(self, record: StepRecord, before: Data, after: Data) -> None:
        """A step has ended; a ramp is as it was before all its steps."""


class Unwatched:
    """Sees nothing."""

    def begun(self, step: Step) -> None:
        """See `Watcher.begun`."""

    def rows(self, done: int, total: int) -> None:
        """See `Watcher.rows`."""

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
    waiting: list[Prepared] = []
    for task in tasks:
        watcher.begun(task.step)
        gathered = _gathered(task, library, data)
        outcome: Outcome = Skipped(gathered.lacking) if gathered.lacking else _outcome(task, gathered, data)
        record = _record(task, gathered, outcome)
        before, data = data, _advanced(data, outcome, waiting, watcher)
        data = replace(data, provenance=data.provenance.after(record))
        watcher.ended(record, before, data)
        del before, outcome  # a frame of 4096² pixels is 400 MB
    return _worked(data, waiting) if isinstance(data, Ramp) else data


def combine(frames: Sequence[FrameRows], task: Task, library: Library) -> Frame:
    """One frame of several, by a step that does that; its header begins as that of the first."""
    if not frames:
        raise DataError(f"{task.step.name} needs frames, and there is none")
    if not isinstance(task.step, FramesStep):
        raise ParameterError(f"the step {task.step.name} does not combine frames")
    gathered = _gathered(task, library, frames[0])
    if gathered.lacking:
        raise DataError(f"{task.step.name} can't be skipped: {gathered.lacking}")
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
        gathered.uses,
        outcome.reason if isinstance(outcome, Skipped) else "",
    )


def _blocks(ramp: Ramp, waiting: Sequence[Prepared]) -> Iterator[Ramp]:
    """Blocks of rows after the steps that wait for them."""
    total = ramp.shape[0]
    size = max(1, _BLOCK_BYTES * total // (4 * prod(ramp.reads.shape)))
    halo = sum(prepared.halo for prepared in waiting)
    for first in range(0, total, size):
        last = min(first + size, total)
        low = max(0, first - halo)
        block = ramp.rows(low, min(last + halo, total))
        for prepared in waiting:
            block = prepared.work(block)
        yield block.rows(first - low, last - low)


def _fitted(ramp: Ramp, waiting: Sequence[Prepared], fit: FitWork, watcher: Watcher) -> Frame:
    """The frame of a whole ramp."""
    total = ramp.shape[0]
    watcher.rows(0, total)
    whole: dict[str, NDArray[Any]] = {}
    for block in _blocks(ramp, waiting):
        part = fit(block)
        rows = slice(block.first_row - ramp.first_row, block.first_row - ramp.first_row + part.shape[0])
        for name, array in _named(part).items():
            whole.setdefault(name, np.empty((total, *array.shape[1:]), array.dtype))[rows] = array
        watcher.rows(rows.stop, total)
    return _assembled(part, whole, ramp)


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
        planes={name: whole[f"PLANE {name}"] for name in like.planes},
        provenance=ramp.provenance,
    )


def _worked(ramp: Ramp, waiting: Sequence[Prepared]) -> Ramp:
    """The whole ramp in memory, after steps that no fit follows."""
    if not waiting:
        return ramp
    blocks = tuple(_blocks(ramp, waiting))
    reads = np.concatenate([np.asarray(block.reads[:]) for block in blocks])
    flags = [block.groupdq for block in blocks]
    groupdq = (
        None
        if flags[0] is None
        else np.concatenate([np.asarray(each[:]) for each in flags if each is not None])
    )
    pixeldq = np.concatenate([block.pixeldq for block in blocks])
    return replace(
        blocks[0],
        reads=reads,
        groupdq=groupdq,
        pixeldq=pixeldq,
        first_row=ramp.first_row,
        provenance=ramp.provenance,
    )
