"""Options for work in many processes, of this machine or of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

import click

from calmap.cli.trouble import say
from calmap.errors import UsageError

if TYPE_CHECKING:
    from calmap.archive.cluster.places import Place

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
Given = TypeVar("Given")


def place_options(function: Decorated) -> Decorated:
    """``--workers`` and ``--scheduler``."""
    decorators = (
        click.option(
            "--workers",
            type=click.IntRange(min=1),
            metavar="N",
            callback=_require_cluster,
            help="Share the work among N processes of this machine.",
        ),
        click.option(
            "--scheduler",
            metavar="ADDRESS",
            callback=_require_cluster,
            help="Share the work among the workers of a dask cluster, such as tcp://host:8786.",
        ),
    )
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def _require_cluster(_ctx: click.Context, _param: click.Parameter, value: Given) -> Given:
    """Refuse an option at once where what it needs is not installed; that is more than tables need."""
    if value is None:
        return value
    try:
        there = find_spec("distributed") is not None
    except ValueError:
        there = False
    if not there:
        raise UsageError(
            "work on a cluster needs dask's distributed, which is not installed",
            "pip install 'calmap-toolkit[cluster]'",
        )
    return value


@contextmanager
def place_to_run(scheduler: str | None, workers: int | None) -> Iterator[Place]:
    """Where the options of `place_options` say that work is done; this process without them.

    Workers that were lost are told of in the end.

    Raises
    ------
    UsageError, CacheError
        See `calmap.archive.cluster.places.open_place`.
    """
    from calmap.archive.cluster.places import open_place

    with open_place(scheduler, workers) as place:
        yield place
        if lost := place.lost():
            many = "worker was" if lost == 1 else "workers were"
            say(f"note: {lost} {many} lost, and what they had was done again")
