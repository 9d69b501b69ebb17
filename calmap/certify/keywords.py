"""Keywords and arrays of one reference file, under every name that constraints have for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from calmap.certify.arrays import array_of, is_array_word
from calmap.model.values import UNDEFINED
from calmap.observatories.definition import KeywordSource, Observatory
from calmap.observatories.keywords import KeywordResolver, accepted_keywords, missing_keyword_hint
from calmap.references.contents import Contents
from calmap.references.opening import is_fits

_INTEGER: Final = re.compile(r"[+-]?\d{1,300}", re.ASCII)
_REAL: Final = re.compile(r"[+-]?(?:\d{1,300}(?:\.\d{0,300})?|\.\d{1,300})(?:[eE][+-]?\d{1,4})?", re.ASCII)


class FileNames:
    """What the names in constraints stand for in one file.

    Parameters
    ----------
    observatory
        Says what else a keyword may be called.
    contents
        The file.
    """

    def __init__(self, observatory: Observatory, contents: Contents) -> None:
        self._observatory = observatory
        self._contents = contents
        self._header: Mapping[str, str] = contents.header
        self._found: dict[str, str | None] = {}

    def text(self, keyword: str) -> str | None:
        """Value of a keyword as it is written, or None if it has none.

        What says which values a reference serves, such as ``P_DETECT``, comes before the keyword itself.
        """
        upper = keyword.upper()
        if upper not in self._found:
            pattern = self.pattern(upper)
            self._found[upper] = self._header[pattern] if pattern else self._look_up(upper)
        return self._found[upper]

    def source(self, keyword: str) -> str | None:
        """Another name that the header has for a keyword, such as ``P_DETECT`` or ``TELESCOP``, or None."""
        pattern = self.pattern(keyword)
        if pattern or _has_value(self._header.get(keyword.upper())):
            return pattern
        names = accepted_keywords(self._observatory, keyword)
        return next((name for name in names if _has_value(self._header.get(name))), None)

    def missing_hint(self, keyword: str) -> str:
        """What to set when a keyword has no value; FITS headers have no keywords with dots."""
        return missing_keyword_hint(self._observatory, keyword, in_fits=is_fits(self._contents.path))

    def pattern(self, keyword: str) -> str | None:
        """What the header says in place of a keyword, such as ``P_DETECT``, or None."""
        patterns = self._observatory.reference_headers.patterns
        for name in (keyword.upper(), *self._called.get(keyword.upper(), ())):
            for source in patterns.get(name, ()):
                if _has_value(self._header.get(source)):
                    return source
        return None

    def value(self, name: str) -> Any:
        """Value of a name in an expression: a number where it looks like one, an array, or UNDEFINED."""
        if is_array_word(name):
            info = array_of(self._contents, name)
            if info is not None:
                return info
        text = self.text(name)
        if text is None:
            text = self.text(self._spelt.get(name.upper(), ""))
        return UNDEFINED if text is None else number_or_text(text)

    def _look_up(self, keyword: str) -> str | None:
        text = (
            KeywordResolver(self._observatory, (keyword,), upper_keys=True).resolve(self._header).get(keyword)
        )
        if text is None:
            longer = (self._header.get(name) for name in self._called.get(keyword, ()))
            text = next((value for value in longer if value is not None), None)
        return text if _has_value(text) else None

    @cached_property
    def _called(self) -> Mapping[str, tuple[str, ...]]:
        """Keywords of rules by the one keyword that headers have for them."""
        found: dict[str, tuple[str, ...]] = {}
        for name, sources in self._observatory.keywords.items():
            for source in sources:
                plain = source == KeywordSource(source.names)
                if plain and len(source.names) == 1:
                    found[source.names[0]] = (*found.get(source.names[0], ()), name)
        return found

    @cached_property
    def _spelt(self) -> Mapping[str, str]:
        """Keywords by how an expression has to spell them, with ``_`` for ``.`` and ``-``."""
        names = [*self._observatory.keywords, *self._header]
        return {re.sub(r"[.-]", "_", name): name for name in names}


class RowNames:
    """What names stand for in an expression on a value of a column: ``VALUE``, and what the file has."""

    def __init__(self, names: FileNames, value: Any) -> None:
        self._names = names
        self._value = value

    def value(self, name: str) -> Any:
        """Value of a name."""
        return self._value if name == "VALUE" else self._names.value(name)


def _has_value(text: str | None) -> bool:
    return text is not None and text.strip() not in ("", UNDEFINED)


def number_or_text(text: str) -> Any:
    """A number if a text is one, or else the text without blanks around it."""
    stripped = text.strip()
    if _INTEGER.fullmatch(stripped):
        return int(stripped)
    return float(stripped) if _REAL.fullmatch(stripped) else stripped
