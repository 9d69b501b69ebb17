"""The rules of a mapping as rows: one for each file that a selector leads to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from calmap.source import Span
from calmap.syntax.ast import SelectorCall, String, Table, Tuple, Value, plain


class Step(NamedTuple):
    """One key on the way to a file.

    Parameters
    ----------
    selector
        Name of the selector that has the key; empty for the table of a pmap or an imap.
    key
        Elements of the key as written, as text.
    span
        Where the key stands.
    written
        The key itself, if known.
    """

    selector: str
    key: tuple[str, ...]
    span: Span
    written: Value | None = None


class RuleRow(NamedTuple):
    """A file and the keys that lead to it.

    Parameters
    ----------
    steps
        From the outermost selector inwards; empty if the selector itself is a file.
    file
        What stands at the end, as text: a file's name, ``N/A``, or several files.
    span
        Where that stands.
    """

    steps: tuple[Step, ...]
    file: str
    span: Span

    @property
    def keys(self) -> tuple[tuple[str, ...], ...]:
        """The keys alone."""
        return tuple(step.key for step in self.steps)


def rows(selector: Value, *, empty: bool = False) -> Iterator[RuleRow]:
    """Rows of a selector in the order of the text; doubled keys are kept.

    Parameters
    ----------
    selector
        The selector section of a mapping, or a part of it.
    empty
        Whether a selector without any rule, inside another, is a row as well.
    """
    return _rows(selector, (), empty)


def by_keyword(row: RuleRow, parkey: Sequence[tuple[str, ...]]) -> tuple[tuple[str, str], ...]:
    """Keywords and what the keys of a row say of them, outermost first; the parts of a date together."""
    pairs: list[tuple[str, str]] = []
    for step, parameters in zip(row.steps, parkey, strict=False):
        if len(parameters) == len(step.key):
            pairs += zip(parameters, step.key, strict=True)
        else:
            pairs.append((" and ".join(parameters), " ".join(step.key)))
    return tuple(pairs)


def key_elements(key: Value) -> tuple[str, ...]:
    """The elements of a key as written, as text."""
    items = key.items if isinstance(key, Tuple) else (key,)
    return tuple(_text(item) for item in items)


def _rows(value: Value, steps: tuple[Step, ...], empty: bool) -> Iterator[RuleRow]:
    if not isinstance(value, SelectorCall | Table) or (steps and isinstance(value, Table)):
        yield RuleRow(steps, _text(value), value.span)
        return
    name, table = (value.name, value.table) if isinstance(value, SelectorCall) else ("", value)
    if empty and steps and not table.entries:
        yield RuleRow(steps, f"no rules ({name})", value.span)
    for entry in table.entries:
        step = Step(name, key_elements(entry.key), entry.key.span, entry.key)
        yield from _rows(entry.value, (*steps, step), empty)


def _text(value: Value) -> str:
    if isinstance(value, String):
        return value.value
    if isinstance(value, SelectorCall):
        return value.name
    try:
        return str(plain(value))
    except TypeError:
        return "a selector"
