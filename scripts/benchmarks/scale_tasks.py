"""What calmap and crds are compared in at the scale of an archive."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import calmap
from benchmarks import workloads
from benchmarks.processes import calmap_program, process
from benchmarks.reference import Reference
from benchmarks.scale_data import Archive, exposures, sample
from benchmarks.timing import Task, seconds_of
from benchmarks.workloads import CONTEXTS, compile_all, forget

HST, JWST = CONTEXTS
INSTRUMENT = "acs"
NAMES = ("open", "ready", "hst", "jwst", "first-hst", "first-jwst", "table", "hard", "program")
_FIRST_TIME = 2000
_OF_CRDS = 300
_HARD_ROWS = 100_000
_CHILD = Path(__file__).with_name("scale_child.py")


@dataclass(slots=True)
class Bench:
    """Where things are.

    Parameters
    ----------
    corpus, scratch, store
        The corpus, a folder for tables, and the folder of compiled mappings.
    crds
        The package.
    rows
        Of the tables that are compared with crds.
    looked_up
        What each process said that looked a table up, by the task's name.
    """

    corpus: Path
    scratch: Path
    store: Path
    crds: Reference
    rows: int
    looked_up: dict[str, list[Mapping[str, float]]] = field(default_factory=dict)

    @property
    def cache(self) -> Path:
        """The cache of the corpus."""
        return self.corpus / "crds-cache"

    def tasks(self, names: Collection[str] = NAMES) -> Iterator[Task]:
        """The tasks named, each prepared when it is reached."""
        makers: Mapping[str, Callable[[], Task]] = {
            "open": self._opening,
            "ready": self._ready,
            "hst": lambda: self._again("hst", 20.0),
            "jwst": lambda: self._again("jwst", 20.0),
            "first-hst": lambda: self._first("first-hst", HST),
            "first-jwst": lambda: self._first("first-jwst", JWST),
            "table": lambda: self._table("table", 500.0, independent=False),
            "hard": lambda: self._table("hard", None, independent=True),
            "program": lambda: replace(
                self._again("program", 3.5),
                calmap=self._program(),
                what="bestref of one FITS file, whole process, warm store",
            ),
        }
        return (makers[name]() for name in NAMES if name in names)

    def warm(self) -> None:
        """Put all that is measured into the store."""
        for name in CONTEXTS:
            compile_all(calmap.Cache(self.cache), name)

    def _again(self, name: str, bar: float) -> Task:
        """A task that is measured elsewhere too, with another bar."""
        (task,) = workloads.tasks(self.corpus, self.crds, self.scratch, [name])
        return replace(task, bar=bar)

    def _opening(self) -> Task:
        def opened() -> float:
            forget()
            return seconds_of(lambda: compile_all(calmap.Cache(self.cache), HST))

        what = f"open all of {HST} from the compiled store"
        return Task("open", what, 50.0, opened, lambda: seconds_of(lambda: self.crds.load_all(HST)))

    def _ready(self) -> Task:
        """The same and one look-up of every type."""
        headers = {
            header["INSTRUME"]: header
            for header in exposures(calmap.Cache(self.cache).context(HST), 500, "ready")
        }

        def ours() -> None:
            cache = calmap.Cache(self.cache)
            compile_all(cache, HST)
            for header in headers.values():
                cache.context(HST).bestrefs(header)

        def theirs() -> None:
            context = self.crds.load_all(HST)
            for header in headers.values():
                self.crds.look_up(context, header)()

        def opened() -> float:
            forget()
            return seconds_of(ours)

        return Task(
            "ready", "the same, and one look-up of every type", None, opened, lambda: seconds_of(theirs)
        )

    def _first(self, name: str, context: str) -> Task:
        """Headers of which none was seen before."""
        opened, reference = calmap.Cache(self.cache).context(context), self.crds.load_all(context)
        runs = {who: count() for who in ("calmap", "crds")}
        opened.bestrefs(exposures(opened, 1, "warm")[0])

        def headers(who: str) -> list[dict[str, str]]:
            return exposures(opened, _FIRST_TIME, f"{context}/{next(runs[who])}")

        def ours() -> float:
            new = headers("calmap")
            return seconds_of(lambda: deque((opened.bestrefs(header) for header in new), 0)) / len(new)

        def theirs() -> float:
            works = [self.crds.look_up(reference, header) for header in headers("crds")[:_OF_CRDS]]
            return seconds_of(lambda: deque((work() for work in works), 0)) / len(works)

        what = f"one header, all types, {context} (mean of {_FIRST_TIME} headers never seen before)"
        return Task(name, what, 20.0, ours, theirs)

    def _table(self, name: str, bar: float | None, *, independent: bool) -> Task:
        opened, reference = calmap.Cache(self.cache).context(HST), self.crds.load_all(HST)
        rows = min(self.rows, _HARD_ROWS) if independent else self.rows
        path = Archive(opened, INSTRUMENT, independent=independent).write(
            self.scratch / f"{name}.parquet", rows
        )
        works = [self.crds.look_up(reference, header) for header in sample(path, _OF_CRDS)]
        said = self.looked_up.setdefault(name, [])

        def ours() -> float:
            said.append(look_up(self.cache, HST, INSTRUMENT, path, self.store))
            return said[-1]["seconds"] / said[-1]["rows"]

        kind = "each keyword at random" if independent else "5000 configurations"
        what = f"a header of a table of {rows:,} rows, all types of ACS, {kind}, one processor"
        return Task(
            name, what, bar, ours, lambda: seconds_of(lambda: [work() for work in works]) / len(works)
        )

    def _program(self) -> Callable[[], float]:
        command = [
            calmap_program(),
            "bestref",
            str(self.corpus / workloads.FRAME),
            "--cache",
            str(self.cache),
        ]
        return process([*command, "--context", HST], CALMAP_STORE=str(self.store))


def look_up(cache: Path, context: str, instrument: str, path: Path, store: Path) -> Mapping[str, float]:
    """Look a table up in a process of its own, on one processor.

    Raises
    ------
    RuntimeError
        If it fails.
    """
    threads = dict.fromkeys(("OMP_NUM_THREADS", "ARROW_IO_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, str(_CHILD), str(cache), context, instrument, str(path)],
        env=os.environ | threads | {"CALMAP_STORE": str(store)},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{_CHILD.name} failed:\n{done.stderr[-2000:]}")
    said: dict[str, Any] = json.loads(done.stdout)
    return said
