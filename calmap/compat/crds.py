"""The functions and exceptions that pipelines import from the package ``crds``.

Nothing is ever downloaded: every answer comes from the cache that
``CALMAP_CACHE`` or ``CRDS_PATH`` names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from numbers import Real
from typing import Any, TypeAlias

from calmap.bestref import BestRef, Context
from calmap.compat.assignment import assign_bestrefs
from calmap.compat.badfiles import refuse_bad_references
from calmap.compat.contexts import current_context, current_layout, current_name
from calmap.compat.errors import (
    CrdsBadReferenceError,
    CrdsConfigError,
    CrdsDownloadError,
    CrdsError,
    CrdsLookupError,
    CrdsUnknownInstrumentError,
    MappingError,
    crds_errors,
)
from calmap.compat.places import locate_file, locate_mapping, reference_path
from calmap.errors import NotInCacheError

__all__ = [
    "CrdsBadReferenceError",
    "CrdsConfigError",
    "CrdsDownloadError",
    "CrdsError",
    "CrdsLookupError",
    "CrdsUnknownInstrumentError",
    "MappingError",
    "assign_bestrefs",
    "get_context_name",
    "get_default_context",
    "getrecommendations",
    "getreferences",
    "list_mappings",
    "locate_file",
    "locate_mapping",
]

Answer: TypeAlias = str | tuple[str, ...]
NOT_APPLICABLE = "NOT FOUND n/a"


def getreferences(
    parameters: Mapping[str, Any],
    reftypes: Iterable[str] | None = None,
    context: str | None = None,
    ignore_cache: bool = False,
    observatory: str = "jwst",
    fast: bool = False,
) -> dict[str, Answer]:
    """Paths of the best references of a dataset.

    Parameters
    ----------
    parameters
        Values by keyword of the rules, in any case, or by FITS keyword. Values
        other than text, numbers and truth values are left out.
    reftypes
        Types to look for; all that the context knows if None or empty.
    context
        The context; by default that of the environment, or the newest of the telescope.
    ignore_cache
        Without effect: nothing is downloaded.
    fast
        If true, references that the cache calls bad are not looked for.
    observatory
        The telescope, where neither `context` nor the environment names a context.

    Returns
    -------
    dict
        For each type a path, a tuple of paths where rules give several files, or
        ``NOT FOUND n/a`` where the type doesn't apply. Omitted types are left out.

    Raises
    ------
    CrdsLookupError
        If there is no reference for a type; the message has all such types, with reasons.
    CrdsDownloadError
        If files are not in the cache; the message has all of them.
    CrdsBadReferenceError
        If the cache calls a reference bad and ``CRDS_ALLOW_BAD_REFERENCES`` is not 1.
    CrdsError
        If the question can't be answered for another reason.
    """
    chosen, header, refs = _answers(parameters, reftypes, context, observatory, fast)
    lost = [f"{ref.reftype}: {ref.reason}" for ref in refs.values() if ref.status == "not_found"]
    if lost:
        raise CrdsLookupError(_list(f"no best reference in {chosen.name} for", lost))
    return _paths(chosen, chosen.instrument(header), refs)


def getrecommendations(
    parameters: Mapping[str, Any],
    reftypes: Iterable[str] | None = None,
    context: str | None = None,
    ignore_cache: bool = False,
    observatory: str = "jwst",
    fast: bool = False,
) -> dict[str, Answer]:
    """Names of the best references of a dataset, whether or not the cache has the files.

    Parameters
    ----------
    parameters, reftypes, context, ignore_cache, observatory, fast
        As for `getreferences`.

    Returns
    -------
    dict
        For each type a file name, a tuple of them, ``NOT FOUND n/a`` where the
        type doesn't apply, or ``NOT FOUND`` with the reason.

    Raises
    ------
    CrdsBadReferenceError
        As `getreferences`.
    CrdsError
        If the question can't be answered.
    """
    _, _, refs = _answers(parameters, reftypes, context, observatory, fast)
    return {reftype: _recommendation(ref) for reftype, ref in refs.items()}


def get_context_name(observatory: str, context: str | None = None) -> str:
    """Name of the context that answers: the one given, that of the environment, or the newest.

    Raises
    ------
    CrdsConfigError
        If there is none, or only a server could tell which one a name such as ``jwst-latest`` means.
    """
    return current_name(observatory, context)


def get_default_context(observatory: str | None = None, state: str | None = None) -> str:
    """Name of the context that answers unless one is named.

    Raises
    ------
    CrdsConfigError
        If there is none, or `state` asks for one that only a server knows.
    """
    if state not in (None, "latest"):
        raise CrdsConfigError(
            f"which context is '{state}' only a server knows", "name a .pmap, in CRDS_CONTEXT for instance"
        )
    return current_name(observatory, None)


def list_mappings(observatory: str | None = None, glob_pattern: str = "*") -> list[str]:
    """Names of a telescope's mappings in the cache that match a pattern, in alphabetical order.

    Raises
    ------
    CrdsError
        If there is no cache, or it has several telescopes and none is named.
    """
    with crds_errors():
        layout, telescope = current_layout(observatory)
        names = {path.name for path in layout.mapping_files(telescope)}
    return sorted(name for name in names if fnmatchcase(name, glob_pattern))


def _answers(
    parameters: Mapping[str, Any],
    reftypes: Iterable[str] | None,
    context: str | None,
    observatory: str,
    fast: bool,
) -> tuple[Context, dict[str, Any], dict[str, BestRef]]:
    header = _header(parameters)
    wanted = _types(reftypes)
    chosen = current_context(observatory, context)
    with crds_errors(f"{chosen.name}: "):
        refs = chosen.bestrefs(header, wanted)
        if not fast:
            refuse_bad_references(chosen, refs)
        return chosen, header, refs


def _header(parameters: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(parameters, Mapping):
        raise TypeError(
            f"parameters must be a mapping of keywords to values, not {type(parameters).__name__}"
        )
    for key in parameters:
        if not isinstance(key, str):
            raise TypeError(f"the parameter {key!r} must be a str, not {type(key).__name__}")
    return {key: value for key, value in parameters.items() if isinstance(value, (str, Real))}


def _types(reftypes: Iterable[str] | None) -> tuple[str, ...] | None:
    if isinstance(reftypes, str):
        raise TypeError(f"reftypes must be a list such as [{reftypes!r}], not a str")
    wanted = tuple(reftypes or ())
    for reftype in wanted:
        if not isinstance(reftype, str):
            raise TypeError(f"the reference type {reftype!r} must be a str, not {type(reftype).__name__}")
    return wanted or None


def _recommendation(ref: BestRef) -> Answer:
    if ref.status == "not_applicable":
        return NOT_APPLICABLE
    if ref.status == "not_found":
        return f"NOT FOUND {ref.reason}"
    return ref.files if len(ref.files) > 1 else ref.files[0]


def _paths(context: Context, instrument: str, refs: Mapping[str, BestRef]) -> dict[str, Answer]:
    found: dict[str, Answer] = {}
    lost = []
    for reftype, ref in refs.items():
        try:
            with crds_errors():
                paths = tuple(reference_path(context.reference_path(name, instrument)) for name in ref.files)
        except NotInCacheError as problem:
            lost.append(f"{reftype}: {problem.message}")
            continue
        found[reftype] = (paths if len(paths) > 1 else paths[0]) if paths else NOT_APPLICABLE
    if lost:
        hint = "copy the files there, or choose another cache with CRDS_PATH"
        raise CrdsDownloadError(_list("no file for the best reference of", lost), hint)
    return found


def _list(heading: str, items: list[str]) -> str:
    return f"{heading} {items[0]}" if len(items) == 1 else "\n  ".join([f"{heading}", *items])
