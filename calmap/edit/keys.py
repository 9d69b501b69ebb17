"""Keys of rules made from the values of a header."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from calmap.compile.terms import header_data
from calmap.errors import MappingError
from calmap.model.dates import DateError, normal_date
from calmap.model.values import alternatives, condition_element, condition_value
from calmap.model.versions import VersionError, version_parts
from calmap.syntax.ast import MappingFile, Plain, SelectorCall, Value, plain_key

DEFAULT_CLASSES = ("Match", "UseAfter")
_NUMERIC = frozenset({"GeometricallyNearest", "Bracket"})
_DATED = frozenset({"UseAfter", "ClosestTime"})


class Level(NamedTuple):
    """One level of selectors and the values that a header has for it.

    Parameters
    ----------
    selector
        The selector that new rules of this level have.
    parameters
        Keywords, as `parkey` names them.
    values
        Their values, ``A|B`` sorted and without blanks.
    comments
        For each keyword, whether rules have it as a comment only.
    """

    selector: str
    parameters: tuple[str, ...]
    values: tuple[str, ...]
    comments: tuple[bool, ...]

    def elements(self, selector: str) -> tuple[str | float, ...]:
        """Elements of the key in a selector.

        Raises
        ------
        MappingError
            If the selector wants a number and the header has none.
        """
        if selector == "Match":
            return self.values
        if selector in _NUMERIC:
            return (_number(self.values[0], self.parameters[0]),)
        between = " " if selector in _DATED else "."
        return (between.join(self.values),)

    def key(self, selector: str) -> Plain:
        """The key in a selector as plain data."""
        elements = self.elements(selector)
        return elements[0] if len(elements) == 1 else elements


def levels_of(file: MappingFile, header: Mapping[str, str]) -> tuple[Level, ...]:
    """The levels of an rmap with a header's values.

    Raises
    ------
    MappingError
        If `parkey` and `classes` don't fit each other, or the header lacks a keyword.
    """
    data = header_data(file)
    parkey, name = data["parkey"], file.source.name
    if not isinstance(parkey, tuple) or not parkey or not all(_are_words(level) for level in parkey):
        raise MappingError(f"{name}: parkey must be a tuple with one tuple of keywords for each selector")
    classes = selectors_of(file, data)
    if len(classes) != len(parkey):
        message = f"{name}: classes names {len(classes)} selectors, and parkey has {len(parkey)} levels"
        raise MappingError(message, "both must have one for each level of the rules")
    comments = data.get("comment_parkeys", ())
    comments = {str(word).upper() for word in comments} if isinstance(comments, tuple) else set()
    return tuple(
        Level(
            selector,
            level,
            tuple(_value(file, header, keyword) for keyword in level),
            tuple(keyword.upper() in comments for keyword in level),
        )
        for selector, level in zip(classes, parkey, strict=True)
    )


def selectors_of(file: MappingFile, data: Mapping[Any, Any]) -> tuple[str, ...]:
    """Selectors of the levels of an rmap: those that `classes` names, else those there are.

    Raises
    ------
    MappingError
        If `classes` is no tuple of names.
    """
    classes = data.get("classes")
    if classes is not None:
        if not _are_words(classes):
            raise MappingError(f"{file.source.name}: classes must be a tuple of names of selectors")
        return tuple(classes)
    depth = len(data["parkey"]) if isinstance(data["parkey"], tuple) else 0
    first = file.selector.name if isinstance(file.selector, SelectorCall) else DEFAULT_CLASSES[0]
    return (first, *DEFAULT_CLASSES[1:])[:depth]


def same_key(written: Value, key: Plain, selector: str, level: Level) -> bool:
    """True if a key of a selector means the same as another one; comments in it don't count."""
    try:
        other = plain_key(written)
    except TypeError:
        return False
    if selector != "Match":
        return bool(key_meaning(selector, other) == key_meaning(selector, key))
    ours, theirs = _conditioned(key), _conditioned(other)
    if len(ours) != len(theirs):
        return False
    comments = (*level.comments, *(False for _ in ours))
    return all(comment or a == b for a, b, comment in zip(ours, theirs, comments, strict=False))


def _conditioned(key: Plain) -> tuple[str, ...]:
    return tuple(condition_element(part) for part in (key if isinstance(key, tuple) else (key,)))


def key_meaning(selector: str, key: Plain) -> Any:
    """What a key of a selector other than `Match` means: keys for which it is the same are the same."""
    try:
        if selector in _DATED and isinstance(key, str):
            return normal_date(key)
        if selector == "VersionAfter" and isinstance(key, str):
            return version_parts(key)
    except (DateError, VersionError):
        return key
    return condition_value(key) if selector in _NUMERIC else key


def _value(file: MappingFile, header: Mapping[str, str], keyword: str) -> str:
    value = header.get(keyword)
    if value is None:
        raise MappingError(f"{file.source.name}: the header of the reference lacks {keyword}")
    return "|".join(alternatives(value))


def _number(value: str, keyword: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise MappingError(f"{keyword} = {value!r} must be a number") from None


def _are_words(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(word, str) for word in value)
