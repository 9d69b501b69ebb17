"""Trying again what may go better the next time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from calmap.cache.remote.trouble import DamagedError, UnreachableError

Result = TypeVar("Result")
_DOWN: Final = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Patience:
    """How often something is tried again.

    Parameters
    ----------
    pauses
        Seconds to wait before each new try.
    """

    pauses: tuple[float, ...] = (0.2, 1.0)
    _down: list[float] = field(default_factory=lambda: [-_DOWN], repr=False)

    def tried(self, ask: Callable[[], Result]) -> Result:
        """What is asked for, tried again if that may help; while a cache is down only once.

        Raises
        ------
        CacheError
            As the last try did.
        """
        pauses = iter(self.pauses)
        while True:
            try:
                found = ask()
            except DamagedError:
                pause = next(pauses, None)
                if pause is None:
                    raise
            except UnreachableError as problem:
                pause = next(pauses, None)
                if not problem.passing or self._is_down():
                    raise
                if pause is None:
                    self._down[0] = time.monotonic()
                    raise
            else:
                self._down[0] = -_DOWN
                return found
            time.sleep(pause)

    def _is_down(self) -> bool:
        return time.monotonic() - self._down[0] < _DOWN
