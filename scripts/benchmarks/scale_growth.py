"""How the time for a table grows with its rows, and falls with the number of workers."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import calmap
from benchmarks.measuring import process
from benchmarks.processes import calmap_program
from benchmarks.scale_data import Archive
from benchmarks.scale_tasks import HST, INSTRUMENT

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
COMMAND = f"calmap bestref --table rows-N.parquet -o answers.parquet --context {HST} [--workers N]"
_TOLERANCE = 1.15


class Growth(NamedTuple):
    """What a whole run of the program took.

    Parameters
    ----------
    rows, workers
        Of the table, and how many processes were started for it; 0 if it was done by one alone.
    seconds, processor, megabytes
        Of the run, of all processors together, and the most memory of its first process.
    """

    rows: int
    workers: int
    seconds: float
    processor: float
    megabytes: float

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


def grow(cache: Path, scratch: Path, store: Path, most: int, workers: Sequence[int]) -> Iterator[Growth]:
    """Look up larger and larger tables, the largest also with workers."""
    archive = Archive(calmap.Cache(cache).context(HST), INSTRUMENT)
    sizes = [size for size in SIZES if size <= most] or [most]
    for size in sizes:
        yield _run(cache, archive.write(scratch / f"rows-{size}.parquet", size), store, size, 0)
    if _has_workers():
        for number in workers:
            yield _run(cache, scratch / f"rows-{sizes[-1]}.parquet", store, sizes[-1], number)


def is_linear(found: Sequence[Growth]) -> bool:
    """True if ten times the rows take ten times as long at the most, within the noise of a shared machine."""
    alone = [growth for growth in found if not growth.workers]
    return all(
        larger.seconds <= _TOLERANCE * smaller.seconds * larger.rows / smaller.rows
        for smaller, larger in itertools.pairwise(alone)
    )


def _run(cache: Path, path: Path, store: Path, rows: int, workers: int) -> Growth:
    out = path.with_name("answers.parquet")
    words = [calmap_program(), "bestref", "--table", str(path), "-o", str(out), "--cache", str(cache)]
    words += ["--context", HST, "--quiet", *(["--workers", str(workers)] if workers else [])]
    sample = process(words, {"CALMAP_STORE": str(store)}, done=(0, 1))()
    out.unlink()
    return Growth(rows, workers, *sample)


def _has_workers() -> bool:
    done = subprocess.run(
        [calmap_program(), "bestref", "--help"], capture_output=True, text=True, env=os.environ
    )
    return "--workers" in done.stdout
