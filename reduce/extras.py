"""Packages that not every installation has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from reduce.errors import ParameterError

INSTALL = "pip install 'calmap-toolkit[reduce]'"
"""How to get all that the reduction can use."""
_PACKAGES = ("astroscrappy", "drizzle", "photutils", "scipy")


@contextmanager
def needing(what: str) -> Iterator[None]:
    """Tell what a step or a kind of reference lacks, if it is one of the packages that may be missing.

    Raises
    ------
    ParameterError
        In place of the ``ModuleNotFoundError``.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        name = (missing.name or "").partition(".")[0]
        if name not in _PACKAGES:
            raise
        raise ParameterError(f"{what} needs {name}, which is not installed", INSTALL) from missing
