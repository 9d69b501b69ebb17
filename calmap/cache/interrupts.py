"""Signals that have to wait until what must not be broken off is done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


@contextmanager
def deferred() -> Iterator[Callable[[], None]]:
    """Let signals that end a program wait; they come when the context is left.

    Gives a function that raises `KeyboardInterrupt` if one waits, to be called
    where an end does no harm. Threads but the main one get no signals anyway.
    """
    arrived: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        arrived.append(number)

    def check() -> None:
        if arrived:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield check
        return
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    waiting = {number: handler for number, handler in before.items() if handler not in (None, signal.SIG_IGN)}
    try:
        for number in waiting:
            signal.signal(number, note)
        yield check
    finally:
        for number, handler in waiting.items():
            signal.signal(number, handler)
        for number in arrived:
            signal.raise_signal(number)
