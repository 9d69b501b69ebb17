"""References that a cache calls bad: a server marks files that must no longer be used."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from calmap.bestref import BestRef, Context
from calmap.cache.settings import process_variables
from calmap.compat.errors import CrdsBadReferenceError, CrdsError

_LIST = "bad_files.txt"
_ALLOW = "CRDS_ALLOW_BAD_REFERENCES"


def bad_references(context: Context, refs: Mapping[str, BestRef]) -> list[str]:
    """Those of some best references that the cache calls bad, each with its type.

    Raises
    ------
    CrdsError
        If the list of the cache can't be read.
    """
    path = context.rules.layout.config_of(context.observatory.name) / _LIST
    try:
        state = path.stat()
        bad = _names(path, state.st_mtime_ns, state.st_size)
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as problem:
        raise CrdsError(f"{path} can't be read: {problem}") from problem
    return [f"{reftype}: {name}" for reftype, ref in refs.items() for name in ref.files if name in bad]


def refuse_bad_references(context: Context, refs: Mapping[str, BestRef]) -> None:
    """Let no bad reference pass, or only with a warning if the environment wants it so.

    Raises
    ------
    CrdsBadReferenceError
        If there is one.
    """
    bad = bad_references(context, refs)
    if not bad:
        return
    message = f"{context.name} chooses files that the cache calls bad, in {_LIST}: {', '.join(bad)}"
    if not allows_bad_references():
        raise CrdsBadReferenceError(message, f"to use them all the same, set {_ALLOW}=1")
    logging.getLogger("calmap").warning("%s", message)


def allows_bad_references() -> bool:
    """True if the environment lets references be used that the cache calls bad."""
    return process_variables().get(_ALLOW, "").strip().lower() in {"1", "t", "true"}


@lru_cache(maxsize=8)
def _names(path: Path, changed: int, size: int) -> frozenset[str]:
    return frozenset(path.read_text("utf-8").split())
