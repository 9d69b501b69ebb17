"""Nested data as a flat header: ``META.INSTRUMENT.NAME`` for ``{meta: {instrument: {name: …}}}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from calmap.yamltree import YamlList, YamlNode, YamlTable, YamlText

MAX_VALUES: Final = 100_000
MAX_DEPTH: Final = 100
_Text: TypeAlias = "str | tuple[_Text, ...]"


class TooMuchError(Exception):
    """Data too deep or too plentiful for a header."""


class Flattener:
    """Collects the values of nested data under dotted names in upper case.

    Nulls are left out: a keyword set to nothing is as good as missing. A list
    becomes the text of a tuple, as it does in CRDS.
    """

    def __init__(self) -> None:
        self.header: dict[str, str] = {}
        self._left = MAX_VALUES

    def add(self, value: object, path: str = "", depth: int = 0) -> None:
        """Add a value and everything in it.

        Raises
        ------
        TooMuchError
            If there is more than a header may have.
        """
        self._count(depth)
        if isinstance(value, YamlTable):
            value = {key.value: child for key, child in value.entries}
        if isinstance(value, Mapping):
            for key, child in value.items():
                if isinstance(key, str):
                    self.add(child, f"{path}.{key.upper()}" if path else key.upper(), depth + 1)
            return
        text = self._text(value, depth)
        if text is not None and path:
            self.header[path] = text if isinstance(text, str) else str(text)

    def _text(self, value: object, depth: int) -> _Text | None:
        if isinstance(value, YamlText):
            return value.value
        if value is None:
            return None
        if isinstance(value, YamlList):
            value = value.items
        if isinstance(value, list | tuple):
            return tuple(self._item(item, depth + 1) for item in value)
        if isinstance(value, Mapping | YamlTable):
            return "{...}"
        return str(value)

    def _item(self, value: object, depth: int) -> _Text:
        self._count(depth)
        text = self._text(value, depth)
        return "None" if text is None else text

    def _count(self, depth: int) -> None:
        self._left -= 1
        if self._left < 0:
            raise TooMuchError(f"more than {MAX_VALUES} values")
        if depth > MAX_DEPTH:
            raise TooMuchError(f"nested more than {MAX_DEPTH} deep")


def flat_header(data: Mapping[str, object] | YamlNode) -> dict[str, str]:
    """A flat header of nested data.

    Raises
    ------
    TooMuchError
        If there is more than a header may have.
    """
    flattener = Flattener()
    flattener.add(data)
    return flattener.header
