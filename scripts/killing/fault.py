#!/usr/bin/env python3
"""Run a program that kills itself at one of its calls of the system: fault.py CACHE CALL SIDE LOG PROGRAM...

CALL counts those that concern the cache, from one on; with 0 the program runs to its end and their number is
written to LOG. SIDE is "before" or "after".
"""

from __future__ import annotations

import io
import os
import runpy
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

CALLS = (
    *("open", "fdopen", "write", "fsync", "replace", "rename", "link"),
    *("unlink", "mkdir", "rmdir", "truncate", "ftruncate"),
)


class Counter:
    """Counts calls, and ends the process at one of them."""

    def __init__(self, cache: str, call: int, side: str) -> None:
        self.count = 0
        self._cache, self._call, self._side = cache, call, side

    def patch(self, module: Any, name: str) -> None:
        """Have a function counted."""
        function: Callable[..., Any] = getattr(module, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            if not arguments or not self._concerns(arguments[0]):
                return function(*arguments, **options)
            self.count += 1
            if self.count == self._call and self._side == "after":
                function(*arguments, **options)
            if self.count == self._call:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        setattr(module, name, counted)

    def _concerns(self, what: Any) -> bool:
        return isinstance(what, int) or os.fspath(what).startswith(self._cache)


def main() -> None:
    cache, call, side, log, program, *arguments = sys.argv[1:]
    counter = Counter(cache, int(call), side)
    for name in CALLS:
        counter.patch(os, name)
    counter.patch(io, "open")
    sys.argv = [program, *arguments]
    sys.path[0] = str(Path(program).parent)
    try:
        runpy.run_path(program, run_name="__main__")
    finally:
        if not int(call):
            Path(log).write_text(str(counter.count))


if __name__ == "__main__":
    main()
