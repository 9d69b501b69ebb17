"""Makes a product again from what it says about itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from reduce.errors import DataError
from reduce.files.reader import open_any
from reduce.files.rows import open_rows
from reduce.frame import Frame
from reduce.library import Library
from reduce.parameters import build, unknown
from reduce.pipeline import LEFT_OUT, Data, Task, Watcher, combine, run
from reduce.provenance import Provenance, ReferenceUse, StepRecord, software_version
from reduce.references import Reference, Value, sha256
from reduce.step import FramesStep, Step
from reduce.steps import STEPS


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds files that a product names, and makes sure that they are the same ones.

    Parameters
    ----------
    folders
        Where to look for files that are not where they were.
    """

    folders: tuple[Path, ...] = ()

    def find(self, path: Path, digest: str, what: str) -> Path:
        """Where a file is now.

        Raises
        ------
        DataError
            If it is nowhere, or has other bytes.
        """
        places = [place for place in self._places(path) if place.is_file()]
        for place in places:
            if sha256(place) == digest:
                return place
        if places:
            raise DataError(f"{what} {places[0]} is not the file that was used: its sha256 is another one")
        raise DataError(f"{what} {path} is not there", "name the folder where it is with --search")

    def _places(self, path: Path) -> Iterator[Path]:
        """Where it was; seen from each folder, as names may have been relative to one; in each folder."""
        yield path
        for folder in self.folders:
            yield folder / path
            yield folder / path.name


def finder_for(product: Path, folders: Sequence[Path] = ()) -> Finder:
    """Looks in some folders, then in that of a product and in those above it."""
    return Finder((*folders, *product.absolute().parents))


@dataclass(frozen=True, slots=True)
class Recorded:
    """The references that a product says it used; see `reduce.references.Resolver`."""

    uses: Mapping[str, ReferenceUse]
    finder: Finder

    def find(self, header: Mapping[str, Value], reftype: str) -> Reference | None:
        """The recorded reference of a type, or None if none was used."""
        use = self.uses.get(reftype)
        if use is None:
            return None
        reference = use.reference
        if reference.path is None:
            return reference
        if reference.origin == "memory":
            raise DataError(f"the reference of type {reftype} was given as data, which are in no file")
        return replace(reference, path=self.finder.find(reference.path, use.sha256, "the reference"))


def replayed(product: Data, path: Path, finder: Finder, watcher: Watcher | None = None) -> Data:
    """A product made again.

    Parameters
    ----------
    product
        The product; its provenance says how it was made.
    path
        Its file, for messages.
    finder
        Finds the files that it was made from.

    Raises
    ------
    DataError
        If it does not say how it was made, or a file that was used is not there or is another one.
    """
    provenance = product.provenance
    if not provenance.steps or not provenance.inputs:
        raise DataError(f"{path} does not say how it was made: it has no tables STEPS and INPUTS")
    inputs = [finder.find(Path(one.path), one.sha256, "the input") for one in provenance.inputs]
    last = _step(provenance.steps[-1], path)
    if isinstance(last, FramesStep):
        _require_references([_task(last, provenance.steps[-1])], provenance.steps[-1:], path)
        made: Data = _combined(provenance, inputs, last, finder)
    else:
        made = _reduced(provenance, inputs[0], path, finder, watcher)
    told = replace(
        made.provenance,
        inputs=provenance.inputs,
        recipe=provenance.recipe,
        version=software_version() if provenance.version else "",
    )
    return replace(made, header=product.header, provenance=told)


def _combined(provenance: Provenance, inputs: Sequence[Path], step: FramesStep, finder: Finder) -> Frame:
    record = provenance.steps[-1]
    library = Library(Recorded(_uses(provenance.steps[-1:]), finder))
    frame = combine([open_rows(path) for path in inputs], _task(step, record), library)
    return replace(
        frame,
        provenance=replace(frame.provenance, steps=(*provenance.steps[:-1], frame.provenance.steps[-1])),
    )


def _reduced(
    provenance: Provenance, source: Path, path: Path, finder: Finder, watcher: Watcher | None
) -> Data:
    data = open_any(source)
    before = data.provenance.steps
    if provenance.steps[: len(before)] != before:
        raise DataError(f"{path} was not made from {source}: that has gone through other steps")
    records = provenance.steps[len(before) :]
    tasks = [_task(_step(record, path), record) for record in records]
    _require_references(tasks, records, path)
    return run(data, tasks, Library(Recorded(_uses(records), finder)), watcher)


def _require_references(tasks: Sequence[Task], records: Sequence[StepRecord], path: Path) -> None:
    """Refuse a product that does not say which references its steps used."""
    for task, record in zip(tasks, records, strict=True):
        said = {use.reference.reftype for use in record.references}
        for need in task.step.needs:
            if need.required and need.reftype not in said and not task.skipped:
                raise DataError(
                    f"{path} does not say how it was made: its table PROVENANCE has no {need.reftype} for the"
                    f" step {record.step}",
                    "get the product again as it was written",
                )


def _uses(records: Sequence[StepRecord]) -> dict[str, ReferenceUse]:
    return {use.reference.reftype: use for record in records for use in record.references}


def _step(record: StepRecord, path: Path) -> Step:
    if record.step not in STEPS:
        raise unknown("step", record.step, list(STEPS))
    return STEPS[record.step]


def _task(step: Step, record: StepRecord) -> Task:
    skipped = LEFT_OUT if record.status == "SKIPPED" and record.reason == LEFT_OUT else ""
    known = {need.reftype for need in step.needs}
    others = tuple(use for use in record.references if use.reference.reftype not in known)
    return Task(step, build(step.parameters, record.parameters, step.name), skipped, others)


def differences(one: Data, other: Data) -> tuple[str, ...]:
    """Names of the arrays in which two frames differ; not-a-numbers are equal."""
    if not isinstance(one, Frame) or not isinstance(other, Frame):
        return () if type(one) is type(other) else ("SCI",)
    arrays = ({"SCI": f.sci, "DQ": f.dq, **f.variances, **f.planes} for f in (one, other))
    first, second = arrays
    names = sorted(first.keys() | second.keys())
    return tuple(
        name
        for name in names
        if name not in first
        or name not in second
        or not np.array_equal(first[name], second[name], equal_nan=first[name].dtype.kind == "f")
    )
