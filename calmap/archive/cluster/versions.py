"""Whether a cluster has the same software as this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from calmap.errors import CacheError

_NAMES = ("calmap-toolkit", "calmap")
"""Names under which versions of dask know this package: that of the distribution, or of the module."""
_LISTED = 3


class Software(NamedTuple):
    """What has to be the same everywhere for the results to be."""

    calmap: str
    python: str

    def __str__(self) -> str:
        return f"calmap {self.calmap} with Python {self.python}" if self.calmap else "no calmap"


def require_same_versions(client: Any) -> None:
    """Refuse a cluster where another version of calmap or of Python is.

    The scheduler has to have them too: dask opens there what is sent to workers.

    Raises
    ------
    CacheError
        If a worker or the scheduler has another one.
    """
    found = client.get_versions(packages=list(_NAMES))
    own = _software(found["client"])
    others = [("the scheduler", found["scheduler"]), *sorted(found["workers"].items())]
    wrong = [f"{name} has {_software(one)}" for name, one in others if _software(one) != own]
    if wrong:
        more = f" and {len(wrong) - _LISTED} more" if len(wrong) > _LISTED else ""
        raise CacheError(
            f"the cluster would not do the same: here is {own}, but {', '.join(wrong[:_LISTED])}{more}",
            "install the same versions everywhere",
        )


def _software(versions: Mapping[str, Any]) -> Software:
    """What a process of a cluster told of itself."""
    packages = versions["packages"]
    calmap = next((str(packages[name]) for name in _NAMES if packages.get(name)), "")
    return Software(calmap, ".".join(str(versions["host"]["python"]).split(".")[:2]))
