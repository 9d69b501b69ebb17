"""Which telescope a reference file is of, where nobody said it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from calmap.errors import CalmapError, HeaderError
from calmap.observatories.definition import Observatory
from calmap.observatories.keywords import instrument_of
from calmap.observatories.library import bundled_observatories, load_observatory

_TELESCOPE_KEYWORDS = ("META.TELESCOPE", "ROMAN.META.TELESCOPE", "TELESCOP")


def telescope_of(header: Mapping[str, str], known: Iterable[str], config: Path | None) -> Observatory:
    """The telescope that a reference is of: the only one with its instrument, or the one it names.

    Parameters
    ----------
    header
        The reference's header.
    known
        Telescopes to choose from; those that calmap brings along if there are none.
    config
        The ``config`` directory of a cache.

    Raises
    ------
    HeaderError
        If that can't be told.
    """
    candidates = tuple(known) or bundled_observatories()
    definitions = [load_observatory(name, config) for name in candidates]
    found = [definition for definition in definitions if _has_instrument(definition, header)]
    if len(found) == 1:
        return found[0]
    named = {str(header.get(keyword, "")).strip().lower() for keyword in _TELESCOPE_KEYWORDS}
    by_name = [definition for definition in definitions if definition.name in named]
    if not found and len(by_name) == 1:
        return by_name[0]
    choice = ", ".join(definition.name for definition in found or definitions)
    raise HeaderError("which telescope is it of?", hint=f"name one with --observatory: {choice}")


def _has_instrument(definition: Observatory, header: Mapping[str, str]) -> bool:
    try:
        instrument_of(definition, header)
    except CalmapError:
        return False
    return True
