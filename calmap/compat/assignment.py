"""Recording the best references in the headers of FITS files."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from os import PathLike, fspath
from pathlib import Path

from calmap import __version__
from calmap.bestref import Context
from calmap.bestref.record import header_updates
from calmap.compat.badfiles import allows_bad_references, bad_references
from calmap.compat.contexts import current_context
from calmap.errors import CalmapError
from calmap.headers import read_header, update_header


def assign_bestrefs(
    filepaths: Iterable[str | PathLike[str]],
    context: str | None = None,
    reftypes: Iterable[str] = (),
    sync_references: bool = False,
    verbosity: int = -1,
) -> int:
    """Write the best references of FITS files into their primary headers.

    A type that doesn't apply, or that no rule matches, is recorded as ``N/A``,
    as CRDS does. A type whose look-up fails, because a keyword is missing or no
    rule knows its value, keeps what the header says and counts as an error. A
    reference that the cache calls bad is written and counts as an error, as in
    CRDS, unless ``CRDS_ALLOW_BAD_REFERENCES`` is 1.

    Parameters
    ----------
    filepaths
        The files; each is replaced as a whole or not at all.
    context
        The context; by default that of the environment, or the newest.
    reftypes
        Types to assign; all if empty.
    sync_references, verbosity
        Without effect: nothing is downloaded, and problems go to the logger ``calmap``.

    Returns
    -------
    int
        Number of errors.

    Raises
    ------
    CrdsError
        If there is no cache or no such context.
    """
    chosen = current_context(None, context)
    return sum(_assign(chosen, Path(fspath(path)), tuple(reftypes) or None) for path in filepaths)


def _assign(context: Context, path: Path, reftypes: tuple[str, ...] | None) -> int:
    log = logging.getLogger("calmap")
    try:
        header = read_header(path)
        instrument = context.instrument(header)
        refs = context.bestrefs(header, reftypes)
        updates = header_updates(context, instrument, refs, f"calmap {__version__}")
        bad = [] if allows_bad_references() else bad_references(context, refs)
        failed = [ref for ref in refs.values() if ref.status == "not_found" and not ref.unmatched]
        update_header(path, updates)
    except CalmapError as problem:
        log.error("%s: %s", path, problem)
        return 1
    for ref in failed:
        log.error("%s: no best reference of type %s: %s", path, ref.reftype, ref.reason)
    for name in bad:
        log.error("%s: the cache calls the best reference bad, of type %s", path, name)
    return len(failed) + len(bad)
