"""Values of a mapping's header that people may set, and those that they may not."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from difflib import get_close_matches
from types import MappingProxyType

from calmap.edit.header import delete_header, set_header
from calmap.edit.refactoring import applied
from calmap.errors import RefusedError
from calmap.model.mapping import Mapping
from calmap.syntax.ast import Plain, String

_SAYS_WHAT = "it says what the file is, and its name and folder say so too"
_KEPT: MappingType[str, str] = MappingProxyType(
    {
        "parkey": "use calmap refactor set-parkey, add-parameter or drop-parameter",
        "substitutions": "use calmap refactor set-substitution",
        "sha1sum": "calmap keeps it right; see calmap update-checksums",
        "name": "a new name comes with a new serial number",
        "derived_from": "it comes with a new serial number",
        "classes": "the rules say which selectors they are",
        "mapping": _SAYS_WHAT,
        "observatory": _SAYS_WHAT,
        "instrument": _SAYS_WHAT,
        "filekind": _SAYS_WHAT,
    }
)


def set_key(mapping: Mapping, key: str, value: Plain) -> Mapping:
    """A mapping with another value of a header key.

    Raises
    ------
    RefusedError
        If the key is not for people to set.
    """
    _require_free(mapping, key, "set")
    if mapping.file is None:
        return mapping
    return applied(mapping, set_header(mapping.file, key, value))


def delete_key(mapping: Mapping, key: str) -> Mapping:
    """A mapping without a header key.

    Raises
    ------
    RefusedError
        If the key is not for people to delete, or not there.
    """
    _require_free(mapping, key, "deleted")
    if mapping.file is None:
        return mapping
    words = [entry.key.value for entry in mapping.file.header.entries if isinstance(entry.key, String)]
    if key not in words:
        near = get_close_matches(key, words, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(words)}"
        raise RefusedError(f"{mapping.path}: the header has no {key!r}", hint)
    return applied(mapping, delete_header(mapping.file, key))


def has_key(mapping: Mapping, key: str) -> bool:
    """True if the header of a mapping has a key."""
    entries = mapping.header.entries if mapping.header is not None else ()
    return any(isinstance(entry.key, String) and entry.key.value == key for entry in entries)


def _require_free(mapping: Mapping, key: str, done: str) -> None:
    if key in _KEPT:
        raise RefusedError(f"{mapping.path}: {key!r} can't be {done} like this", _KEPT[key])
    if not key.strip():
        raise RefusedError(f"{mapping.path}: a header key can't be empty", "name the key")
