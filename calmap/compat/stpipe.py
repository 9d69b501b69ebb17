"""What ``stpipe.crds_client`` has, answered by calmap, and a way to put it in its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from typing import Any

from calmap import __version__
from calmap.compat.contexts import current_name
from calmap.compat.crds import NOT_APPLICABLE, Answer, getreferences
from calmap.compat.errors import CrdsError, CrdsLookupError
from calmap.compat.places import locate_file

__all__ = [
    "CrdsError",
    "check_reference_open",
    "get_context_used",
    "get_multiple_reference_paths",
    "get_override_name",
    "get_reference_file",
    "get_svn_version",
    "patch_stpipe",
    "reference_uri_to_cache_path",
]

_NA = "N/A"
_URI = "crds://"


def patch_stpipe() -> ExitStack:
    """Let stpipe ask calmap for references, from now on or inside a ``with`` block.

    Returns
    -------
    contextlib.ExitStack
        Leaving it, or calling its ``close()``, gives stpipe its own functions back.

    Examples
    --------
    >>> from calmap.compat.stpipe import patch_stpipe
    >>> with patch_stpipe():
    ...     result = step.run(exposure)  # doctest: +SKIP
    """
    from stpipe import crds_client

    undo = ExitStack()
    ours = globals()
    for name in __all__:
        if name != "patch_stpipe":
            undo.callback(setattr, crds_client, name, getattr(crds_client, name))
            setattr(crds_client, name, ours[name])
    return undo


def get_multiple_reference_paths(
    parameters: Mapping[str, Any], reference_file_types: Iterable[str], observatory: str
) -> dict[str, Answer]:
    """Paths of the best references, by type.

    Parameters
    ----------
    parameters
        As the data model's ``get_crds_parameters()`` gives them.
    reference_file_types
        Types to look for; none if empty.
    observatory
        The telescope, where the environment names no context.

    Returns
    -------
    dict
        For each type, as it was written, a path, a tuple of paths, or ``N/A``
        where the type doesn't apply or the rules omit it.

    Raises
    ------
    CrdsError
        As `calmap.compat.crds.getreferences`.
    """
    types = tuple(reference_file_types)
    if not types:
        return {}
    found = getreferences(parameters, reftypes=types, observatory=observatory)
    answers = {reftype: found.get(reftype.lower(), NOT_APPLICABLE) for reftype in types}
    return {reftype: _NA if answer == NOT_APPLICABLE else answer for reftype, answer in answers.items()}


def get_reference_file(parameters: Mapping[str, Any], reference_file_type: str, observatory: str) -> str:
    """Path of the best reference of one type, or ``N/A``.

    Raises
    ------
    CrdsLookupError
        If there is none, or the rules give several files.
    CrdsError
        As `calmap.compat.crds.getreferences`.
    """
    answers = get_multiple_reference_paths(parameters, [reference_file_type], observatory)
    answer = answers[reference_file_type]
    if isinstance(answer, tuple):
        raise CrdsLookupError(
            f"the best reference of type {reference_file_type} is {len(answer)} files: {', '.join(answer)}",
            "ask for them with get_multiple_reference_paths",
        )
    return answer


def check_reference_open(refpath: Any) -> Any:
    """What was given, once it is sure that its files can be read.

    Parameters
    ----------
    refpath
        A path or a tuple of paths. ``N/A``, an empty text and a data model in
        place of a path are not tried.

    Raises
    ------
    OSError
        If a file can't be read.
    """
    for path in refpath if isinstance(refpath, tuple) else (refpath,):
        if isinstance(path, PathLike) or (isinstance(path, str) and path != _NA and path.strip()):
            with Path(path).open("rb"):
                pass
    return refpath


def get_override_name(reference_file_type: str) -> str:
    """Name of the step parameter that overrides a reference type.

    Raises
    ------
    ValueError
        If the type can't be part of a parameter's name.
    """
    if not (reference_file_type.isascii() and reference_file_type.isidentifier()):
        raise ValueError(
            f"'{reference_file_type}' is no name for a reference type: it must be letters, digits and _"
        )
    return f"override_{reference_file_type}"


def get_svn_version() -> str:
    """The software that selects, as products record it."""
    return f"calmap {__version__}"


def reference_uri_to_cache_path(reference_uri: str, observatory: str) -> str:
    """Path in the cache of a file that a product names as ``crds://name``.

    Raises
    ------
    CrdsError
        If it is no such name, or the cache has no such file.
    """
    name = reference_uri.removeprefix(_URI)
    if name == reference_uri or not name or "/" in name:
        raise CrdsError(f"'{reference_uri}' names no reference file", "it must be crds:// and a file name")
    return locate_file(name, observatory)


def get_context_used(observatory: str) -> str:
    """Name of the context that answers.

    Raises
    ------
    CrdsError
        If there is none.
    """
    return current_name(observatory, None)
