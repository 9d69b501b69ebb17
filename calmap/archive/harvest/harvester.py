"""Headers of very many files as one table.

What is read is kept at once beside the output, in parts. A run that was broken
off, and one that comes back later to the same files and more, takes over the rows
of every file that has the size and the time of change that it had, and reads the
others. The output depends on the files alone, not on how they were read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pyarrow as pa

from calmap.archive.harvest.groups import DamagedError, count_others, other_rows
from calmap.archive.harvest.known import Known, KnownRows
from calmap.archive.harvest.merging import Merger
from calmap.archive.harvest.names import NameSet
from calmap.archive.harvest.parts import Parts, opened_parts
from calmap.archive.harvest.reading import Reading, Seen, read_files, read_large
from calmap.archive.harvest.table import Output, harvest_schema, name_key, table_of
from calmap.archive.harvest.tally import Tally
from calmap.archive.harvest.target import earlier_table
from calmap.archive.harvest.workers import Task, read_tasks
from calmap.errors import CacheError, UsageError
from calmap.headers.datasets import dataset_files

_BLOCK = 20_000
_TASK = 200


@dataclass(frozen=True, slots=True)
class Harvester:
    """How headers are harvested.

    Parameters
    ----------
    keywords
        What is wanted of each header, as headers spell it, in upper case.
    jobs
        Number of processes that read.
    fresh
        Read everything, whatever is known from before.
    add
        Keep rows of an earlier table whose files are not named.
    trouble
        Told of each file that can't be read, and why.
    watch
        Told how it goes, every now and then.
    """

    keywords: tuple[str, ...]
    jobs: int = 1
    fresh: bool = False
    add: bool = False
    trouble: Callable[[str, str], None] = lambda _name, _reason: None
    watch: Callable[[Tally], None] = lambda _tally: None

    def harvest(self, names: Sequence[str], output: Path, cwd: Path) -> Tally:
        """Write the table of some files.

        Parameters
        ----------
        names
            Files, folders and lists, as in `dataset_files`.
        output
            A ``.parquet`` or ``.csv`` file. It takes its place as a whole at the end.
        cwd
            Folder that relative names start from.

        Raises
        ------
        UsageError
            If `output` is a file of another kind, no file is named, or what was
            harvested before does not go with what is asked for.
        CacheError
            If no file can be read or the output can't be written; what was read is
            kept.
        """
        target = Path(os.path.realpath(cwd / output))
        keywords = tuple(sorted(set(self.keywords)))
        earlier = earlier_table(target, keywords, fresh=self.fresh, add=self.add)
        schema = harvest_schema(keywords)
        with opened_parts(target, schema) as parts:
            if self.fresh:
                parts.begin_anew()
            else:
                parts.refuse_others(keywords)
            if parts.is_fresh:
                earlier = None
            known = KnownRows((*parts.paths(), *((earlier,) if earlier else ())), schema)
            try:
                with parts.output(target) as table:
                    run = _Run(self, keywords, schema, known, parts, table)
                    run.take_named(names, cwd)
                    run.take_others(earlier, target)
            except BaseException:
                with suppress(CacheError):
                    parts.finish()
                raise
            parts.remove()
        return run.tally


@dataclass(slots=True)
class _Run:
    """A harvest under way."""

    how: Harvester
    keywords: tuple[str, ...]
    schema: pa.Schema
    known: KnownRows
    parts: Parts
    table: Output
    named: NameSet = field(default_factory=NameSet)
    tally: Tally = field(default_factory=Tally)

    def take_named(self, names: Sequence[str], cwd: Path) -> None:
        """Take the rows of the files named, in their order."""
        with closing(read_tasks(self._tasks(names, cwd), self.keywords, self.how.jobs)) as done:
            for task, reading in done:
                self._take(task, reading)
                self.how.watch(self.tally)
        if not self.tally.files:
            raise UsageError("no dataset is named", "name files, or folders with datasets below them")
        if not self.tally.rows:
            raise CacheError(f"none of the {self.tally.files} files can be read", "no table was written")

    def take_others(self, earlier: Path | None, target: Path) -> None:
        """Take rows of an earlier table too, or count those that are left out."""
        if earlier is None:
            return
        if self.how.add:
            for rows in other_rows(earlier, self.schema, self.named):
                self.tally.kept += rows.num_rows
                self._write(rows)
            return
        with suppress(DamagedError):
            others, every = count_others(earlier, self.named)
            self.tally.left_out = others
            if others and others == every:
                raise UsageError(
                    f"none of the files in {target} is named now",
                    "keep them with --add, replace them with --fresh, or name another output",
                )

    def _tasks(self, names: Sequence[str], cwd: Path) -> Iterator[Task[Known]]:
        files = map(str, dataset_files(names, cwd, self._report_folder))
        while block := list(islice(files, _BLOCK)):
            new = self.named.add([name_key(name) for name in block])
            self.tally.repeated += new.count(False)
            known = self.known.find([name for name, is_new in zip(block, new, strict=True) if is_new])
            for start in range(0, len(known.files), _TASK):
                part = known.part(start, start + _TASK)
                yield Task(part.files, part)

    def _take(self, task: Task[Known], reading: Reading) -> None:
        """Take the rows of a task, in the order of its files."""
        known = task.note
        read = [
            (file.name, seen.stamp, seen.rows)
            for file, seen in zip(task.files, reading.files, strict=True)
            if seen.state == "read"
        ]
        new = table_of(self.schema, read, reading.datasets, reading.columns)
        if new.num_rows:
            self.parts.add(new)
        rows = Merger(known.table, new)
        for number, (file, seen) in enumerate(zip(task.files, reading.files, strict=True)):
            if seen.state == "same":
                rows.take_known(*known.spans[number])
            elif seen.state == "read":
                rows.take_new(seen.rows)
            else:
                self._write(rows.taken())
                if seen.state == "large":
                    seen = self._take_large(file.name)
                else:
                    alone = known.part(number, number + 1)
                    self._take(Task((file,), alone), read_files((file,), self.keywords))
                    continue
            self._count(file.name, seen)
        self._write(rows.taken())

    def _take_large(self, name: str) -> Seen:
        """Take the rows of a file with so many that they are not remembered for the next time."""
        problem, count = "", 0
        for rows, reason in read_large(name, self.keywords):
            problem, count = reason, count + len(rows)
            self._write(table_of(self.schema, [(name, None, len(rows))], rows.datasets, rows.columns))
        return Seen("read", None, count, problem)

    def _count(self, name: str, seen: Seen) -> None:
        self.tally.files += 1
        if seen.state == "same":
            self.tally.unchanged += 1
        elif seen.problem:
            self._report(name, seen.problem)
        else:
            self.tally.read += 1

    def _write(self, rows: pa.Table) -> None:
        if rows.num_rows:
            self.tally.rows += rows.num_rows
            self.table.write(rows)

    def _report_folder(self, folder: Path, reason: str) -> None:
        self._report(str(folder), f"{folder}: {reason}")

    def _report(self, name: str, reason: str) -> None:
        self.tally.unreadable += 1
        self.how.trouble(name, reason)
