"""Keys that are given twice, or that come to the same."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from calmap.checks.examples import nested as rule_text
from calmap.checks.examples import selector
from calmap.checks.keys import conditioned, identity, is_key, shown
from calmap.checks.subject import Nested, Subject
from calmap.checks.substitutions import SUBSTITUTION_COLLISION, Swaps, substitute, substitutions
from calmap.diagnostics import Diagnostic, Fix, Rule, TextEdit
from calmap.source import Span
from calmap.syntax.ast import Entry, List, MappingKind, SelectorCall, Set, String, Table, Tuple, Value

DUPLICATE_KEY = Rule(
    "CM201",
    "duplicate-key",
    "A key is given twice in one table",
    why="The last entry silently replaces the others, with everything below them. As in Python, 1, 1.0 and "
    "True are one key.",
    example=selector("'2020-01-01 00:00:00' : 'first.fits'", "'2020-01-01 00:00:00' : 'second.fits'"),
    use_instead=selector("'2020-01-01 00:00:00' : 'first.fits'", "'2020-01-02 00:00:00' : 'second.fits'"),
    fixable=True,
)
EQUAL_KEYS = Rule(
    "CM202",
    "equal-keys",
    "Two keys are written differently and mean the same",
    why="Keys are compared after conditioning: in upper case, numbers as real numbers, `A|B` and `B|A` "
    "alike. CRDS refuses to load an rmap with two equal keys, and of two equal keys of a pmap or imap "
    "it drops one.",
    example="selector = Match({\n" + rule_text(key="('A|B',)") + "\n" + rule_text(key="('b|a',)") + "\n})",
    use_instead="selector = Match({\n" + rule_text(key="('A',)") + "\n" + rule_text(key="('b',)") + "\n})",
)
RULES = (DUPLICATE_KEY, EQUAL_KEYS)

_MAX_BLANKS = 1_000


def duplicate_keys(subject: Subject) -> Iterator[Diagnostic]:
    """CM201."""
    for table in _tables(subject.file.header, subject.file.selector):
        first: dict[Hashable, Entry] = {}
        for entry in table.entries:
            same = identity(entry.key)
            if same in first:
                yield _duplicate(subject, table, first[same], entry)
            first[same] = entry


def _duplicate(subject: Subject, table: Table, earlier: Entry, entry: Entry) -> Diagnostic:
    alike = identity(earlier.value) == identity(entry.value)
    label = subject.label(earlier.key.span, "first given here")
    message = f"{shown(entry.key)} is already a key of this table"
    hint = "both entries say the same, remove one" if alike else "CRDS keeps the last one only"
    fix = _removal(subject, earlier) if alike else None
    return subject.finding(DUPLICATE_KEY, entry.key.span, message, labels=(label,), hint=hint, fix=fix)


def _removal(subject: Subject, entry: Entry) -> Fix | None:
    """Remove an entry that has whole lines for itself, with little before and after it."""
    source = subject.source
    first, last = source.position(entry.start), source.position(entry.end)
    if last.line == len(source.line_starts):
        return None
    start, end = entry.start - first.column + 1, source.line_starts[last.line]
    if max(entry.start - start, end - entry.end) > _MAX_BLANKS:
        return None
    if source.text[start : entry.start].strip() or source.text[entry.end : end].strip() != ",":
        return None
    return Fix("remove the first of two equal entries", (TextEdit(Span(start, end), ""),))


def _tables(*values: Value) -> Iterator[Table]:
    waiting = list(reversed(values))
    while waiting:
        value = waiting.pop()
        match value:
            case Table():
                yield value
                for entry in reversed(value.entries):
                    if not isinstance(entry.value, String):
                        waiting.append(entry.value)
                    if not isinstance(entry.key, String):
                        waiting.append(entry.key)
            case SelectorCall():
                waiting.append(value.table)
            case Tuple(_, items) | List(_, items) | Set(_, items):
                waiting.extend(item for item in reversed(items) if not isinstance(item, String))


def equal_keys(subject: Subject) -> Iterator[Diagnostic]:
    """CM202 and CM114 in rmaps, CM202 in pmaps and imaps."""
    if subject.kind is not MappingKind.REFERENCE:
        yield from _equal_context_keys(subject)
        return
    swaps = substitutions(subject)
    for nested in subject.selectors:
        if nested.call.name == "Match":
            yield from _equal_rules(subject, nested, swaps)
        elif nested.call.name in ("GeometricallyNearest", "Bracket"):
            yield from _equal_rules(subject, nested, {})


def _equal_context_keys(subject: Subject) -> Iterator[Diagnostic]:
    first: dict[str, Entry] = {}
    entries = subject.file.selector.entries if isinstance(subject.file.selector, Table) else ()
    for entry in entries:
        if not isinstance(entry.key, String):
            continue
        earlier = first.setdefault(entry.key.value.lower(), entry)
        if identity(earlier.key) != identity(entry.key):
            yield _equal(subject, EQUAL_KEYS, earlier, entry, "but for the case of letters")


def _equal_rules(subject: Subject, nested: Nested, swaps: Swaps) -> Iterator[Diagnostic]:
    written: set[Hashable] = set()
    substituted: dict[Hashable, Entry] = {}
    final: dict[tuple[str, ...], Entry] = {}
    for entry in nested.entries:
        same = identity(entry.key)
        if same in written or not is_key(entry.key):
            continue
        written.add(same)
        parts = substitute(entry.key, nested.parameters, swaps)
        swapped = tuple(identity(part) for part in parts)
        if len(parts) == 1 and not isinstance(entry.key, Tuple):
            swapped = (None, swapped)
        earlier = substituted.setdefault(swapped, entry)
        if earlier is not entry:
            yield _equal(
                subject, SUBSTITUTION_COLLISION, earlier, entry, "after the substitutions of the header"
            )
            continue
        key = tuple(conditioned(part) for part in parts if is_key(part))
        earlier = final.setdefault(key, entry)
        if earlier is not entry:
            yield _equal(subject, EQUAL_KEYS, earlier, entry, "after conditioning")


def _equal(subject: Subject, rule: Rule, earlier: Entry, entry: Entry, how: str) -> Diagnostic:
    label = subject.label(earlier.key.span, "the same is given here")
    message = f"{shown(entry.key)} is the same as {shown(earlier.key)} {how}"
    return subject.finding(rule, entry.key.span, message, labels=(label,), hint="join the two rules")


CHECKS = (duplicate_keys, equal_keys)
