"""How far a harvest is, how fast it goes and how long it will take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from calmap.errors import CalmapError
from calmap.headers.datasets import dataset_files

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from calmap.archive.harvest.tally import Tally

_PATIENCE = 2.0


@contextmanager
def watched(console: Console | None, names: Sequence[str], cwd: Path) -> Iterator[Callable[[Tally], None]]:
    """A function to be told how it goes; there is a bar on a terminal once it has taken two seconds.

    Files are counted meanwhile, so that it becomes known how many there are.

    Parameters
    ----------
    console
        Where to show it, or None to show nothing.
    names, cwd
        What is read, as for `dataset_files`.
    """
    if console is None or not console.is_terminal:
        yield lambda _tally: None
        return
    bar = _bar(console)
    task = bar.add_task("Reading headers", total=None, rate="")
    start = time.monotonic()
    stop = Event()

    def count() -> None:
        with suppress(CalmapError, OSError):
            number = 0
            for _ in dataset_files(names, cwd, lambda _folder, _reason: None):
                number += 1
                if stop.is_set():
                    return
            bar.update(task, total=number)

    def show(tally: Tally) -> None:
        passed = time.monotonic() - start
        done = tally.files + tally.repeated
        bar.update(task, completed=done, rate=f"{done / max(passed, 1e-3):,.0f} files/s")
        if not bar.live.is_started and passed > _PATIENCE:
            bar.start()

    counter = Thread(target=count, daemon=True)
    counter.start()
    try:
        yield show
    finally:
        stop.set()
        if bar.live.is_started:
            bar.stop()
        counter.join()


def _bar(console: Console) -> Progress:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} files"),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
        transient=True,
    )
