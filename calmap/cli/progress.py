"""A progress bar for what takes long."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

Item = TypeVar("Item")
_PATIENCE = 2.0


def track(items: Sequence[Item], doing: str, console: Console | None) -> Iterator[Item]:
    """The items themselves, with a bar on a console once it has taken two seconds.

    Parameters
    ----------
    items
        What is gone through.
    doing
        What is done with them, such as ``Checking``.
    console
        Where to show it, or None to show nothing.
    """
    if console is None or not console.is_terminal:
        yield from items
        return
    from rich.progress import Progress

    bar = Progress(console=console, transient=True)
    task = bar.add_task(doing, total=len(items))
    start = time.monotonic()
    try:
        for item in items:
            if not bar.live.is_started and time.monotonic() - start > _PATIENCE:
                bar.start()
            yield item
            bar.advance(task)
    finally:
        if bar.live.is_started:
            bar.stop()
