"""Values that people type, read by the grammar of mappings."""

from __future__ import annotations

import re

from calmap.errors import UsageError
from calmap.source import Source
from calmap.syntax.ast import Plain, plain
from calmap.syntax.parser import parse

_LITERAL = re.compile(r"\s*(?:[uUrR]?['\"]|[(\[{]|-?\.?\d|(?:True|False|None)\s*\Z)")
_NUMBER = re.compile(r"\s*-?\.?\d")


def value_of(text: str) -> Plain:
    """The value that a text means: a literal of the mapping language, or else the text itself as a string.

    Raises
    ------
    UsageError
        If it begins like a literal and is none.
    """
    if not _LITERAL.match(text):
        return text
    parsed = parse(Source("value", f"value = {text}"))
    if len(parsed.sections) != 1 or parsed.diagnostics:
        if _NUMBER.match(text):
            return text
        reason = parsed.diagnostics[0].message if parsed.diagnostics else "it is more than one value"
        hint = "put a text in quotes inside those of the shell"
        raise UsageError(f"the value {text} can't be read: {reason}", hint)
    try:
        return plain(parsed.sections[0].value)
    except TypeError as problem:
        raise UsageError(f"the value {text} can't be used: {problem}") from None
