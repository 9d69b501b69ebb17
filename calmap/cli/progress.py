"""A progress bar for what takes long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

Item = TypeVar("Item")
_PATIENCE = 2.0


def track(
    items: Iterable[Item],
    doing: str,
    console: Console | None,
    *,
    total: int | None = None,
    size: Callable[[Item], int] = lambda _: 1,
) -> Iterator[Item]:
    """The items themselves, with a bar on a console once it has taken two seconds.

    Parameters
    ----------
    items
        What is gone through; the bar counts towards an end if they have a length.
    doing
        What is done with them, such as ``Checking``.
    console
        Where to show it, or None to show nothing.
    total, size
        How much there is in all, where that is no number of items, and how much of it an item is.
    """
    if console is None or not console.is_terminal:
        yield from items
        return
    if total is None and isinstance(items, Sized):
        total = len(items)
    bar = _bar(console, counts=total is None)
    task = bar.add_task(doing, total=total)
    start = time.monotonic()
    try:
        for item in items:
            if not bar.live.is_started and time.monotonic() - start > _PATIENCE:
                bar.start()
            yield item
            bar.advance(task, size(item))
    finally:
        if bar.live.is_started:
            bar.stop()


def _bar(console: Console, *, counts: bool) -> Progress:
    """A bar that fills, or for what has no known end a number and the time it has taken."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    if not counts:
        return Progress(console=console, transient=True)
    words = TextColumn("{task.description}")
    number = TextColumn("{task.completed:.0f}")
    return Progress(words, BarColumn(), number, TimeElapsedColumn(), console=console, transient=True)
