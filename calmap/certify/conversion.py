"""Constraints as the text of a telescope's definition."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from calmap.certify.tpn_constraints import tpn_constraints
from calmap.observatories.constraints import Constraint, Presence, Subject

_PLAIN: Final = re.compile(r"-?[A-Za-z0-9_.+/][A-Za-z0-9_.+/-]*\Z", re.ASCII)
_WORDS_OF_YAML: Final = frozenset({"null", "~", "true", "false", "yes", "no", "on", "off", "="})
_WORD: Final = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^\s"])+\s*')
_WIDTH: Final = 100


def converted(paths: Iterable[Path]) -> str:
    """The section ``certify`` of a definition that says what TPN files say.

    The name of a file tells which references it is for: ``miri_flat.tpn`` for the flats of MIRI,
    ``all_flat.tpn`` for all flats, ``miri_all.tpn`` for everything of MIRI.

    Raises
    ------
    ObservatoryError
        If a file can't be understood.
    """
    found: dict[tuple[str, ...], list[Constraint]] = {}
    names = []
    for path in paths:
        found.setdefault(scope_of(path.name), []).extend(tpn_constraints(path))
        names.append(path.name)
    lines = [f"# from {name}" for name in names] + ["certify:"]
    above: tuple[str, ...] = ()
    for scope, constraints in sorted(found.items(), key=lambda item: _rank(item[0])):
        lines += _headings(scope, above)
        lines += section_lines(dict.fromkeys(constraints), "  " * (len(scope) + 1)) if constraints else ()
        lines[-1] += "" if constraints else " {}"
        above = scope
    return "\n".join(lines) + "\n"


def scope_of(name: str) -> tuple[str, ...]:
    """Keys of a definition under which the constraints of a TPN file belong, by the file's name."""
    instrument, _, reftype = name.lower().removesuffix(".tpn").partition("_")
    lead = () if instrument == "all" or not reftype else ("instruments", instrument)
    return (*lead, "all") if reftype in ("all", "") else (*lead, "types", reftype)


def _rank(scope: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    order = ("all", "types", "instruments")
    return tuple((order.index(key), "") if key in order else (0, key) for key in scope)


def _headings(scope: tuple[str, ...], above: tuple[str, ...]) -> Iterator[str]:
    """Lines of the keys that lead to a scope, those left out that stand above it already."""
    shared = 0
    while shared < len(scope) and scope[: shared + 1] == above[: shared + 1]:
        shared += 1
    for depth in range(shared, len(scope)):
        yield f"{'  ' * (depth + 1)}{_scalar(scope[depth])}:"


def section_lines(constraints: Iterable[Constraint], indent: str) -> Iterator[str]:
    """Lines of the sections for keywords, columns, arrays and so on."""
    order = tuple(Subject)
    ordered = sorted(constraints, key=lambda item: order.index(item.subject))
    for subject, group in groupby(ordered, key=lambda item: item.subject):
        yield f"{indent}{subject}:"
        named: dict[str, list[Constraint]] = {}
        for constraint in group:
            named.setdefault(constraint.name, []).append(constraint)
        for name, items in named.items():
            yield from _entry(name, items, indent + "  ")


def _entry(name: str, items: Sequence[Constraint], indent: str) -> Iterator[str]:
    if len(items) == 1:
        yield from _wrapped(f"{indent}{_scalar(name)}: ", _fields(items[0]))
        return
    yield f"{indent}{_scalar(name)}:"
    for item in items:
        yield from _wrapped(f"{indent}  - ", _fields(item))


def _fields(constraint: Constraint) -> tuple[str, ...]:
    """The keys of a constraint and their values."""
    fields: list[str] = []
    if constraint.condition is not None and constraint.presence is Presence.REQUIRED:
        fields.append(f"presence: {{if: {_scalar(constraint.condition)}}}")
    else:
        fields.append(f"presence: {constraint.presence}")
        fields += _given("if", constraint.condition)
    fields += _given("kind", constraint.kind)
    fields += _given("type", constraint.type)
    fields += _listed("ndim", constraint.ndim)
    fields += _listed("shape", tuple("*" if length is None else length for length in constraint.shape))
    fields += _listed("columns", constraint.columns)
    fields += _listed("values", constraint.values)
    if constraint.range is not None:
        fields.append(f"range: {_scalar(':'.join(constraint.range))}")
    fields += _given("check", constraint.check)
    fields += _given("expression", constraint.expression)
    return tuple(fields)


def _given(key: str, value: str | None) -> list[str]:
    return [] if value is None else [f"{key}: {_scalar(value)}"]


def _listed(key: str, values: Sequence[object]) -> list[str]:
    return [f"{key}: [{', '.join(_scalar(str(value)) for value in values)}]"] if values else []


def _wrapped(lead: str, fields: Sequence[str]) -> Iterator[str]:
    """A table in braces, or with a line for each key where that is too long."""
    line = f"{lead}{{{', '.join(fields)}}}"
    if len(line) <= _WIDTH:
        yield line
        return
    item = lead.endswith("- ")
    margin = " " * (len(lead) if item else len(lead) - len(lead.lstrip()) + 2)
    if not item:
        yield lead.rstrip()
    for number, field in enumerate(fields):
        first, *rest = _folded(margin, field)
        yield lead + first.lstrip() if item and not number else first
        yield from rest


def _folded(margin: str, text: str) -> Iterator[str]:
    """A field on as many lines as its list needs; texts in quotes stay whole."""
    line = margin
    for word in _WORD.findall(text):
        if len(line) + len(word.rstrip()) > _WIDTH and line.strip():
            yield line.rstrip()
            line = margin + "  "
        line += word
    yield line.rstrip()


def _scalar(text: str) -> str:
    """A text as YAML has it, in quotes where it would mean something else without."""
    if _PLAIN.match(text) and text.lower() not in _WORDS_OF_YAML:
        return text
    escaped = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in escaped)
