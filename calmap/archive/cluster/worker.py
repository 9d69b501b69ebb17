"""What is done on a worker of a cluster."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

from distributed import Worker, WorkerPlugin, get_worker

from calmap.errors import CalmapError

Result = TypeVar("Result")


class Sent(WorkerPlugin):
    """Something that all partitions need: on every worker, also on those that come later.

    Parameters
    ----------
    packed
        What was sent.
    unpack
        Opens it.
    """

    def __init__(self, packed: Any, unpack: Callable[[Any], Any]) -> None:
        self.packed = packed
        self.unpack = unpack

    def setup(self, worker: Worker) -> None:
        """Called when it has come to a worker."""
        self.lock = Lock()
        self.known: list[Any] = []

    def call(self, function: Callable[[Any, Any], Result], partition: Any) -> Result:
        """Call a function with the thing itself, which is opened for the first one.

        Another thread waits: what remembers things between partitions need not know of threads.
        """
        with self.lock:
            if not self.known:
                self.known.append(self.unpack(self.packed))
                self.packed = None
            return function(self.known[0], partition)


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """What came out for a partition."""

    result: Result

    def get(self) -> Result:
        """The result."""
        return self.result


@dataclass(frozen=True, slots=True)
class Raised:
    """What the work on a partition raised.

    It is handed over as a value: for dask a task that ends with an exception is one to be told about.
    """

    problem: Exception

    def get(self) -> Any:
        """Raises it here."""
        raise self.problem


def answer(function: Callable[[Any, Any], Result], partition: Any, name: str) -> Done[Result] | Raised:
    """What comes out for a partition.

    Parameters
    ----------
    name
        Of the plugin with what all partitions need.
    """
    try:
        sent: Any = get_worker().plugins[name]
        return Done(sent.call(function, partition))
    except Exception as problem:
        if not isinstance(problem, (CalmapError, OSError)):
            problem.add_note("on a worker:\n" + "".join(traceback.format_exception(problem)))
        return Raised(problem)
