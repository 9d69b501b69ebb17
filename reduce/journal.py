"""The log of a reduction: what was done, with what, and what came out, a line each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from reduce.dq import DQ, flagged
from reduce.files.atomic import new_file, write_all
from reduce.frame import Frame, Ramp
from reduce.pipeline import Data, Watcher
from reduce.products import LOG
from reduce.provenance import StepRecord, software_version
from reduce.recipe import Level, Recipe
from reduce.session import Plan
from reduce.step import Step

_SAMPLE = 1_000_000


@dataclass(frozen=True, slots=True)
class Journal:
    """Keeps the lines of a log and passes everything on to another watcher.

    There are no times in it: the same reduction has the same log.
    """

    other: Watcher
    lines: list[str] = field(default_factory=list)

    def told(self, plan: Plan) -> None:
        """What is going to be done to an exposure."""
        self._told([plan.path], plan.recipe, plan.first, plan.last)

    def told_of_all(self, paths: Sequence[Path], recipe: Recipe) -> None:
        """That frames are going to be combined."""
        self._told(paths, recipe, Level.L2, Level.L3)

    def _told(self, paths: Sequence[Path], recipe: Recipe, first: Level, last: Level) -> None:
        self.lines.append(f"calmap {software_version()}")
        self.lines.extend(f"input      {path}" for path in paths)
        self.lines.append(f"recipe     {recipe.name}, {first.name} to {last.name}")

    def begun(self, step: Step) -> None:
        """See `reduce.pipeline.Watcher`."""
        self.other.begun(step)

    def rows(self, done: int, total: int) -> None:
        """See `reduce.pipeline.Watcher`."""
        self.other.rows(done, total)

    def worked(self, number: int, before: Ramp, after: Ramp) -> None:
        """See `reduce.pipeline.Watcher`."""
        self.other.worked(number, before, after)

    def ended(self, record: StepRecord, before: Data, after: Data) -> None:
        """See `reduce.pipeline.Watcher`."""
        changed = after is not before and record.status == "COMPLETE"
        self.noted(record, after if changed and isinstance(after, Frame) else None)
        self.other.ended(record, before, after)

    def noted(self, record: StepRecord, made: Frame | None) -> None:
        """A step, and the frame that it made, if it did."""
        self.lines.append(f"{record.step:<18} {record.status}{': ' + record.reason if record.reason else ''}")
        for name, value in record.parameters.items():
            self.lines.append(f"    {name} = {value}")
        for use in record.references:
            reference = use.reference
            chosen = reference.rule or reference.origin
            self.lines.append(f"    {reference.reftype}: {reference.keyword_value} ({chosen})")
        if made is not None:
            self.lines.append(f"    {summary(made)}")

    def write(self, product: Path, *, overwrite: bool) -> None:
        """Write the log beside a product."""
        text = "".join(f"{_printable(line)}\n" for line in self.lines)
        with new_file(product.with_suffix(LOG), overwrite=overwrite) as stream:
            write_all(stream, text.encode("utf-8", "backslashreplace"))


def _printable(line: str) -> str:
    """A line that stays one, whatever is in the names of files."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line)


def summary(frame: Frame) -> str:
    """The good pixels of a frame in a line; of a large one a regular sample."""
    every = max(1, round((frame.sci.size / _SAMPLE) ** 0.5))
    sci, dq = frame.sci[::every, ::every], frame.dq[::every, ::every]
    good = ~flagged(dq, DQ.DO_NOT_USE)
    share = good.mean()
    if not good.any():
        return "no good pixels"
    median = float(np.median(sci[good]))
    return f"{share:.2%} good pixels, median {median:.6g} {frame.unit}".rstrip()
