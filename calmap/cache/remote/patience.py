"""Trying again what may go better the next time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from calmap.cache.remote.trouble import DamagedError, UnreachableError

Result = TypeVar("Result")
_DOWN: Final = 10.0
_SILENT: Final = 300.0
_LONG: Final = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Patience:
    """How often something is tried again.

    A cache that did not answer a moment ago is asked only once, and one that no
    connection could be made to is not asked at all for some minutes.

    Parameters
    ----------
    pauses
        Seconds to wait before each new try.
    """

    pauses: tuple[float, ...] = (0.2, 1.0)
    _failed: list[tuple[float, UnreachableError]] = field(default_factory=list, repr=False)

    def __reduce__(self) -> tuple[type[Patience], tuple[tuple[float, ...]]]:
        """Another process has a clock of its own, and finds out for itself."""
        return Patience, (self.pauses,)

    def tried(self, ask: Callable[[], Result]) -> Result:
        """What is asked for, tried again if that may help; while a cache is down only once or never.

        Raises
        ------
        CacheError
            As the last try did.
        """
        self._require_connection()
        pauses = iter(self.pauses)
        while True:
            begun = time.monotonic()
            try:
                found = ask()
            except DamagedError:
                pause = next(pauses, None)
                if pause is None:
                    raise
            except UnreachableError as problem:
                pause = next(pauses, None)
                if not problem.passing:
                    raise
                was_long = problem.silent and time.monotonic() - begun > _LONG
                if pause is None or was_long or (problem.silent and self._failed):
                    self._failed[:] = [(time.monotonic(), problem)]
                    raise
                if self._failed_within(_DOWN):
                    raise
            else:
                self._failed.clear()
                return found
            time.sleep(pause)

    def _require_connection(self) -> None:
        """Say at once what is known: that a moment ago there was no connection."""
        problem = self._failed_within(_SILENT)
        if problem is not None and problem.silent:
            raise UnreachableError(problem.message, problem.hint, silent=True)

    def _failed_within(self, seconds: float) -> UnreachableError | None:
        """The last trouble, if it was not long ago."""
        for when, problem in tuple(self._failed):
            if time.monotonic() - when < seconds:
                return problem
        return None
