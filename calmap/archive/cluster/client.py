"""Work on the workers of a dask cluster."""

from __future__ import annotations

import logging
import signal
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from typing import Any, TypeVar
from uuid import uuid4

from distributed import Client, LocalCluster, Security
from distributed.comm.addressing import get_address_host_port, parse_address

from calmap.archive.cluster.places import Shared
from calmap.archive.cluster.tasks import Tasks, in_plain_words
from calmap.archive.cluster.versions import require_same_versions
from calmap.archive.cluster.worker import Sent
from calmap.errors import CacheError, UsageError

Opened = TypeVar("Opened")
Partition = TypeVar("Partition")
Result = TypeVar("Result")

_SILENT = logging.CRITICAL + 1
_LAST_PORT = 0xFFFF
_SECRET = ("tls", "wss")
_AHEAD, _TRIES = 3, 3
_PATIENCE = 5.0
_FRESH = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Cluster:
    """A cluster; see `calmap.archive.cluster.places.Place`.

    Parameters
    ----------
    client
        The connection to it.
    name
        What everything of this work is called there.
    """

    client: Any
    name: str = field(default_factory=lambda: f"calmap-{uuid4().hex}")
    _size: list[tuple[float, int]] = field(default_factory=list)

    @property
    def workers(self) -> int:
        """How many partitions are worked on at once: threads of all workers, as of some seconds ago."""
        now = time.monotonic()
        if not self._size or now - self._size[-1][0] > _FRESH:
            with in_plain_words(self.client):
                self._size[:] = [(now, max(1, sum(self.client.nthreads().values())))]
        return self._size[-1][1]

    def run(
        self,
        function: Callable[[Opened, Partition], Result],
        partitions: Iterable[Partition],
        shared: Shared[Opened],
    ) -> Generator[Result, None, None]:
        """See `calmap.archive.cluster.places.Place.run`.

        A few partitions for each thread are on the cluster at once; more are sent as results are taken.
        """
        with self._sent(shared) as name, Tasks(self.client, name, function) as tasks:
            first = last = 0
            for last, partition in enumerate(partitions, start=1):
                tasks.begin(last, partition)
                if last - first >= _AHEAD * self.workers:
                    first += 1
                    yield tasks.result(first)
            for number in range(first + 1, last + 1):
                yield tasks.result(number)

    def lost(self) -> int:
        """See `calmap.archive.cluster.places.Place.lost`."""
        events: list[dict[str, Any]] = []
        with suppress(OSError, CancelledError):
            events += [event for _, event in self.client.get_events("all")]
        return sum(self._hit(event) for event in events if event.get("action") == "remove-worker")

    def _hit(self, event: dict[str, Any]) -> bool:
        """True if a worker that is gone had anything of this work."""
        keys = (*event.get("processing-tasks", ()), *event.get("lost-computed-tasks", ()))
        return any(self.name in str(key) for key in keys)

    @contextmanager
    def _sent(self, shared: Shared[Any]) -> Iterator[str]:
        """Have something on every worker; gives its name there."""
        name = f"{self.name}-{uuid4().hex[:8]}"
        plugin = Sent(shared.pack(shared.value), shared.unpack)
        try:
            self._send(plugin, name)
            yield name
        finally:
            if self.client.status == "running":
                with suppress(Exception):  # the cluster may be going: what is left there goes with it
                    self.client.unregister_worker_plugin(name)

    def _send(self, plugin: Sent, name: str) -> None:
        """Bring something to every worker; again if one is lost meanwhile."""
        with in_plain_words(self.client):
            for _ in range(_TRIES - 1):
                with suppress(OSError):
                    self.client.register_plugin(plugin, name=name)
                    return
            self.client.register_plugin(plugin, name=name)


@contextmanager
def started(workers: int) -> Iterator[Cluster]:
    """So many processes of this machine, with one thread each; they end afterwards.

    Only this process can give them work: connections stay on this machine, and are protected by keys that
    nobody else has.
    """
    with _quiet(), ExitStack() as stack:
        with _interrupts_held():
            cluster = stack.enter_context(
                LocalCluster(  # type: ignore[no-untyped-call]
                    n_workers=workers,
                    threads_per_worker=1,
                    processes=True,
                    host="127.0.0.1",
                    memory_limit=0,
                    security=Security.temporary(),  # type: ignore[no-untyped-call]
                    silence_logs=_SILENT,
                    scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
                )
            )
        client = stack.enter_context(
            Client(cluster, set_as_default=False)  # type: ignore[no-untyped-call]
        )
        yield Cluster(client)


@contextmanager
def connected(scheduler: str) -> Iterator[Cluster]:
    """A cluster that there is.

    Raises
    ------
    UsageError, CacheError
        See `calmap.archive.cluster.places.open_place`.
    """
    with _quiet(), _client(scheduler) as client:
        try:
            client.wait_for_workers(1, timeout=_PATIENCE)
        except TimeoutError:
            raise CacheError(f"the scheduler at {scheduler} has no workers", "start some") from None
        with in_plain_words(client):
            require_same_versions(client)
        yield Cluster(client)


def _client(scheduler: str) -> Any:
    """A connection to a scheduler."""
    try:
        _require_address(scheduler)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Client(scheduler, timeout=_PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]
    except ValueError as problem:
        raise UsageError(
            f"'{scheduler}' is no address of a scheduler: {problem}", "write it as tcp://host:8786"
        ) from problem
    except (TypeError, RuntimeError, ImportError) as problem:
        raise UsageError(
            f"there can be no connection to {scheduler}: {problem}",
            "keys and certificates are those of distributed.comm.tls in the configuration of dask",
        ) from problem
    except OSError as problem:
        raise CacheError(
            f"the scheduler at {scheduler} can't be reached", "look whether it is running, and at its address"
        ) from problem


def _require_address(scheduler: str) -> None:
    """Refuse an address that leads nowhere before there is a client, which would not end well.

    Raises
    ------
    ValueError
        If it is none.
    RuntimeError
        If keys are needed that are not there, or the configuration of dask wants it to be with keys.
    """
    host, port = get_address_host_port(scheduler)
    if not host:
        raise ValueError("there is no host in it")
    host.encode("idna")
    if not 0 < port <= _LAST_PORT:
        raise ValueError(f"there is no port {port}")
    secret = parse_address(scheduler)[0] in _SECRET
    keys = Security().get_connection_args("client")  # type: ignore[no-untyped-call]
    if secret and keys.get("ssl_context") is None:
        raise RuntimeError("keys and certificates are needed")
    if keys.get("require_encryption") and not secret:
        raise RuntimeError("connections have to be encrypted, such as those of tls://")


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let Ctrl-C wait; processes that are started from here on leave it to this one, also later."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which would end the waiting if it were started later
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave it to the program what is told of workers that come and go.

    A program that is interrupted stays quiet: what could not be closed yet is closed when its process ends.
    """
    loud: tuple[logging.Logger | logging.Handler, ...] = (
        *logging.getLogger("distributed").handlers,
        *logging.getLogger("tornado").handlers,
        logging.getLogger("asyncio"),
    )
    levels = [one.level for one in loud]
    for one in loud:
        one.setLevel(_SILENT)
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        levels = [_SILENT for _ in loud]
        raise
    finally:
        for one, level in zip(loud, levels, strict=True):
            one.setLevel(level)
