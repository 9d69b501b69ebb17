"""The corrected reads of a ramp, made when rows of them are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reduce.errors import ParameterError
from reduce.frame import Ramp
from reduce.headers import plain
from reduce.library import Gathered, Library
from reduce.parameters import texts
from reduce.pipeline import Task
from reduce.provenance import StepRecord
from reduce.step import Prepared, RampStep, Skipped
from reduce.windows import region


@dataclass(frozen=True, slots=True, eq=False)
class CorrectedReads:
    """A ramp and the corrections of its rows.

    Parameters
    ----------
    ramp
        The whole ramp; its reads may still be in the file.
    waiting
        What is done to each block of rows, in order.
    records
        The steps.
    """

    ramp: Ramp
    waiting: tuple[Prepared, ...]
    records: tuple[StepRecord, ...]

    def rows(self, first: int, last: int) -> Ramp:
        """Rows from `first` up to `last`, corrected."""
        halo = sum(prepared.halo for prepared in self.waiting)
        low = max(0, first - halo)
        block = self.ramp.rows(low, min(last + halo, self.ramp.shape[0]))
        for prepared in self.waiting:
            block = prepared.work(block)
        return block.rows(first - low, last - low)


def corrected_reads(ramp: Ramp, tasks: Sequence[Task], library: Library) -> CorrectedReads:
    """A ramp after some steps on reads.

    Raises
    ------
    MissingReferenceError
        If a step lacks a reference file.
    DataError
        If a reference file can't be used.
    ParameterError
        If one of the steps is not on reads.
    """
    waiting: list[Prepared] = []
    records: list[StepRecord] = []
    for task in tasks:
        gathered, outcome = _outcome(ramp, task, library)
        if isinstance(outcome, Prepared):
            waiting.append(outcome)
            ramp = outcome.ramp
        records.append(_record(task, gathered, outcome))
    return CorrectedReads(ramp, tuple(waiting), tuple(records))


def _outcome(ramp: Ramp, task: Task, library: Library) -> tuple[Gathered, Prepared | Skipped]:
    if not isinstance(task.step, RampStep):
        raise ParameterError(f"the step {task.step.name} does not work on reads")
    if task.skipped:
        return Gathered({}, ()), Skipped(task.skipped)
    gathered = library.gather(task.step, plain(ramp.header), region(plain(ramp.header), ramp.shape))
    if gathered.lacking:
        return gathered, Skipped(gathered.lacking)
    return gathered, task.step.prepare(ramp, gathered.files, task.parameters)


def _record(task: Task, gathered: Gathered, outcome: Prepared | Skipped) -> StepRecord:
    done = StepRecord(task.step.name, task.step.keyword, "COMPLETE", texts(task.parameters), gathered.uses)
    return replace(done, status="SKIPPED", reason=outcome.reason) if isinstance(outcome, Skipped) else done
