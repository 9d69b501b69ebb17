"""The type of each key of a header."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from calmap.syntax.ast import Constant, List, MappingKind, Number, String, Table, Tuple, Value


def _is_text(value: Value) -> bool:
    return isinstance(value, String)


def _is_texts(value: Value) -> bool:
    return isinstance(value, Tuple | List) and all(map(_is_text, value.items))


def _is_parkey(value: Value) -> bool:
    return isinstance(value, Tuple) and all(map(_is_text, value.items))


def _is_single(value: Value) -> bool:
    return _is_parkey(value) and isinstance(value, Tuple) and len(value.items) == 1


def _is_levels(value: Value) -> bool:
    return isinstance(value, Tuple) and all(map(_is_parkey, value.items))


def _is_text_table(value: Value) -> bool:
    return isinstance(value, Table) and all(_is_text(e.key) and _is_text(e.value) for e in value.entries)


def _is_row_keys(value: Value) -> bool:
    return _is_texts(value) or (isinstance(value, Constant) and value.value is None)


def _is_truth(value: Value) -> bool:
    return isinstance(value, String | Number | Constant)


def _is_replacement(value: Value) -> bool:
    return isinstance(value, String | Number) or (
        isinstance(value, Tuple | List) and all(isinstance(item, String | Number) for item in value.items)
    )


def _is_substitutions(value: Value) -> bool:
    return isinstance(value, Table) and all(
        _is_text(outer.key)
        and isinstance(outer.value, Table)
        and all(_is_replacement(inner.key) and _is_replacement(inner.value) for inner in outer.value.entries)
        for outer in value.entries
    )


_TEXT = (_is_text, "a string")
_TEXTS = (_is_texts, "a tuple of strings such as ('A', 'B') or ('A',)")
_TABLE = (_is_text_table, "a dictionary of strings")
TYPES: Mapping[str, tuple[Callable[[Value], bool], str]] = MappingProxyType({
    **dict.fromkeys((
        "mapping", "observatory", "instrument", "filekind", "name", "derived_from", "sha1sum", "description",
        "reffile_required", "reffile_switch", "reffile_format", "text_descr", "suffix", "filetype",
        "file_ext", "tpn", "ld_tpn", "extra_info", "rmap_relevance", "rmap_omit", "schema_uri",
        "asdf_standard_requirement",
    ), _TEXT),
    **dict.fromkeys(("classes", "extra_keys", "comment_parkeys"), _TEXTS),
    **dict.fromkeys(("unique_rowkeys", "row_keys"), (_is_row_keys, "a tuple of strings or None")),
    **dict.fromkeys(("parkey_relevance", "reference_to_dataset", "hooks"), _TABLE),
    "parkey": (_is_single, "a tuple of one string such as ('INSTRUME',)"),
    "merge_overlaps": (_is_truth, "True or False"),
    "substitutions": (_is_substitutions, "dictionaries such as {'SUBARRAY' : {'GENERIC' : 'N/A'}}"),
})  # fmt: skip
_LEVELS = (
    _is_levels,
    "a tuple of tuples of strings, one for each level, such as (('DETECTOR',), ('DATE-OBS',))",
)


def wanted_type(kind: MappingKind, name: str, value: Value) -> str | None:
    """The type that a header value should have but has not, in words; None if all is well."""
    levels = name == "parkey" and kind is MappingKind.REFERENCE
    accepts, words = _LEVELS if levels else TYPES.get(name, (None, ""))
    return words if accepts is not None and not accepts(value) else None
