"""What the lines of a TPN file mean."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from calmap.certify.presence import CODES
from calmap.certify.tpn import TpnLine, Word, is_expression, read_tpn
from calmap.observatories.constraints import CHECKS, Constraint, Presence, Subject, ValueType
from calmap.syntax.constraint import ExpressionError, parse_constraint

_SUBJECTS: Final[Mapping[str, Subject]] = MappingProxyType(
    {
        "H": Subject.KEYWORD,
        "C": Subject.COLUMN,
        "G": Subject.GROUP,
        "A": Subject.ARRAY,
        "D": Subject.ARRAY,
        "X": Subject.CHECK,
    }
)
_TYPES: Final[Mapping[str, ValueType | None]] = MappingProxyType(
    {
        "C": ValueType.TEXT,
        "S": ValueType.EXACT_TEXT,
        "I": ValueType.INTEGER,
        "L": ValueType.LOGICAL,
        "R": ValueType.REAL,
        "D": ValueType.DOUBLE,
        "X": None,
    }
)


def tpn_constraints(path: Path) -> tuple[Constraint, ...]:
    """The constraints of a TPN file.

    Raises
    ------
    ObservatoryError
        If the file can't be read or says something that is not understood.
    """
    return tuple(_constraint(line) for line in read_tpn(path))


def _constraint(line: TpnLine) -> Constraint:
    subject = _one_of(line.keytype, _SUBJECTS, "kind of constraint")
    value_type = _one_of(line.datatype, _TYPES, "type of values")
    presence, condition = _presence(line.presence)
    given: dict[str, Any] = {"presence": presence, "condition": condition}
    if value_type is None:
        subject = Subject.CHECK if subject in (Subject.KEYWORD, Subject.GROUP) else subject
        given |= _demand(line)
    elif subject in (Subject.ARRAY, Subject.CHECK):
        line.datatype.fail(
            f"values of type '{line.datatype.text}' of what is not a keyword or a column", "write X"
        )
    else:
        given |= {"type": str(value_type)} | _values(line, value_type)
    name = line.name.text if subject is Subject.CHECK else line.name.text.upper()
    return Constraint(subject, name, **given, origin=f"{line.name.file}:{line.name.line}")


def _one_of(word: Word, known: Mapping[str, Any], what: str) -> Any:
    if word.text not in known:
        word.fail(f"unknown {what} '{word.text}'", f"known are {', '.join(known)}")
    return known[word.text]


def _presence(word: Word) -> tuple[Presence, str | None]:
    if is_expression(word.text):
        return Presence.REQUIRED, _expression(word)
    known = _one_of(word, CODES, "presence")
    return Presence(known), None


def _expression(word: Word) -> str:
    try:
        parse_constraint(word.text)
    except ExpressionError as problem:
        word.fail(f"'{word.text}' can't be read: {problem.message}", offset=problem.offset)
    return word.text


def _demand(line: TpnLine) -> dict[str, Any]:
    """What a line of type X demands: an expression or a check."""
    if line.values is None:
        line.datatype.fail("type X without an expression", "write it in parentheses after the presence")
    text = line.values.text
    if text.startswith("&"):
        return {"check": _check(line.values)}
    if not is_expression(text):
        line.values.fail(f"'{text}' is no expression", "an expression stands in parentheses")
    return {"expression": _expression(line.values)}


def _check(word: Word) -> str:
    name = word.text[1:].lower()
    if name not in CHECKS:
        near = get_close_matches(name, CHECKS, n=1)
        hint = f"did you mean '&{near[0].upper()}'?" if near else f"known are {', '.join(CHECKS)}"
        word.fail(f"unknown check '{word.text}'", hint)
    return name


def _values(line: TpnLine, value_type: ValueType) -> dict[str, Any]:
    texts = line.value_texts
    if line.values is None:
        return {}
    if len(texts) == 1 and texts[0].startswith("&"):
        return {"check": _check(line.values)}
    if not value_type.is_numeric:
        return {"values": texts}
    if len(texts) == 1 and ":" in texts[0]:
        low, _, high = (part.strip() for part in texts[0].partition(":"))
        if _number(low, line.values) > _number(high, line.values):
            line.values.fail(f"the range '{texts[0]}' is empty", "the lowest value comes first")
        return {"range": (low, high)}
    for text in texts:
        _number(text, line.values)
    return {"values": texts}


def _number(text: str, word: Word) -> float:
    try:
        return float(text)
    except ValueError:
        word.fail(f"'{text}' is no number", "type C has values that are texts")
