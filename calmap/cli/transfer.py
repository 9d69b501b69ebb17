"""A progress bar for files that come from elsewhere, with what came in bytes."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

_PATIENCE = 2.0


class Transfer:
    """Shows how far a run has come, on a terminal, once it has taken two seconds.

    Its methods may be called from any thread.
    """

    def __init__(self, console: Console | None) -> None:
        self._console = console if console is not None and console.is_terminal else None
        self._lock = Lock()
        self._start = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._doing, self._total, self._done, self.bytes = "", 0, 0, 0

    def begin(self, doing: str, total: int) -> None:
        """Tell what is done next, and with how many files, 0 if that is not known."""
        with self._lock:
            self._doing, self._total, self._done = doing, total, 0
            self._show()

    def done(self) -> None:
        """Tell of one more file."""
        with self._lock:
            self._done += 1
            self._show()

    def received(self, count: int) -> None:
        """Tell of more bytes."""
        with self._lock:
            self.bytes += count
            self._show()

    def end(self) -> None:
        """Take the bar away."""
        with self._lock:
            if self._bar is not None:
                self._bar.stop()
            self._console = None

    def _show(self) -> None:
        if self._console is None or time.monotonic() - self._start < _PATIENCE:
            return
        if self._bar is None or self._task is None:
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            words = TextColumn("{task.description}")
            amounts = TextColumn("{task.fields[numbers]}")
            columns = words, BarColumn(), amounts, TimeElapsedColumn()
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._task = self._bar.add_task(self._doing, numbers="")
            self._bar.start()
        count = f"{self._done:,} of {self._total:,} files, " if self._total else ""
        numbers = f"{count}{self.bytes / 1e6:,.1f} MB"
        total = self._total or None
        self._bar.update(
            self._task, description=self._doing, completed=self._done, total=total, numbers=numbers
        )
