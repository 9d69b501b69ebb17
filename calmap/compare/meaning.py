"""What keys and files of rules mean, however they are written."""

from __future__ import annotations

from functools import lru_cache

from calmap.compare.rows import Step
from calmap.model.dates import DateError, normal_date
from calmap.model.names import is_na, is_omit
from calmap.model.values import alternatives, condition_element
from calmap.syntax.ast import String, Tuple, Value, plain

_DATED = frozenset({"UseAfter", "ClosestTime"})
_VERSIONED = frozenset({"VersionAfter", "SelectVersion"})


def key_meaning(step: Step) -> tuple[str, ...]:
    """The elements of a key in the one form that all ways to write them share."""
    if step.selector in _DATED:
        return tuple(map(_date, step.key))
    if step.selector in _VERSIONED:
        return tuple(element.strip() for element in step.key)
    if not step.selector:
        return tuple(element.lower() for element in step.key)
    written = step.written
    if written is None:
        return tuple(map(element_meaning, step.key))
    items = written.items if isinstance(written, Tuple) else (written,)
    return tuple(_element(item, text) for item, text in zip(items, step.key, strict=True))


def element_meaning(element: object) -> str:
    """An element of a match key, conditioned; the members of an or-glob are sorted and stand once."""
    return _remembered(element) if isinstance(element, str) else _meaning(element)


@lru_cache(maxsize=4096)
def _remembered(element: str) -> str:
    return _meaning(element)


def _meaning(element: object) -> str:
    text = condition_element(element)
    parts = alternatives(text)
    return text if len(parts) == 1 else "|".join(dict.fromkeys(parts))


def file_meaning(file: str) -> str:
    """What stands at the end of a rule; words such as N/A in upper case."""
    return file.upper() if is_word(file) else file


def is_word(file: str) -> bool:
    """True for N/A and OMIT, which are no files."""
    return is_na(file) or is_omit(file)


def _element(item: Value, text: str) -> str:
    if isinstance(item, String):
        return element_meaning(item.value)
    try:
        return element_meaning(plain(item))
    except TypeError:
        return text


def _date(text: str) -> str:
    try:
        return normal_date(text)
    except DateError:
        return text.strip()
