"""What the `substitutions` of a header put in the place of elements of keys."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import TypeAlias

from calmap.checks.examples import header, selector
from calmap.checks.keys import elements, identity, is_key, shown
from calmap.checks.subject import Subject
from calmap.diagnostics import Diagnostic, Rule, Severity
from calmap.syntax.ast import List, String, Table, Tuple, Value

UNKNOWN_SUBSTITUTED = Rule(
    "CM113",
    "unknown-substitution-parameter",
    "`substitutions` are given for a keyword that is not in `parkey`",
    Severity.WARNING,
    why="They have no effect.",
    example="'substitutions' : {\n    'SUBARRAY' : {\n        'ALL' : 'N/A',\n    },\n},",
    use_instead="'substitutions' : {\n    'DETECTOR' : {\n        'ALL' : 'N/A',\n    },\n},",
)
SUBSTITUTION_COLLISION = Rule(
    "CM114",
    "substitution-collision",
    "Two keys become the same by `substitutions`",
    why="One of the two rules is silently lost, with everything below it. For the keywords SUBARRAY and "
    "META.SUBARRAY.NAME, GENERIC stands for `N/A` even if the header does not say so.",
    example=header(parkey="(('SUBARRAY',),)")
    + "\n\nselector = Match({\n    ('GENERIC',) : 'one.fits',\n    ('N/A',) : 'two.fits',\n})",
    use_instead=header(parkey="(('SUBARRAY',),)")
    + "\n\nselector = Match({\n    ('FULL',) : 'one.fits',\n    ('GENERIC',) : 'two.fits',\n})",
)
UNUSED_SUBSTITUTION = Rule(
    "CM118",
    "unused-substitution",
    "`substitutions` has an element that no key has",
    Severity.INFO,
    why="Substitutions replace elements of keys, not values of datasets, so that this one has no effect: it "
    "may be left over, or spelt in another way than the rules. Elements are compared as they are written, "
    "and `A|B` is one element. GENERIC for SUBARRAY and META.SUBARRAY.NAME is not told of.",
    example="'substitutions' : {\n    'DETECTOR' : {\n        'ALL' : 'N/A',\n    },\n},",
    use_instead=header(substitutions="{'DETECTOR' : {'ALL' : 'N/A'}}") + "\n\n" + selector(key="('ALL',)"),
)
RULES = (UNKNOWN_SUBSTITUTED, SUBSTITUTION_COLLISION, UNUSED_SUBSTITUTION)

Swaps: TypeAlias = Mapping[str, Mapping[Hashable, Value]]
ALWAYS_SUBSTITUTED = ("SUBARRAY", "META.SUBARRAY.NAME")
GENERIC = "GENERIC"


def substitutions(subject: Subject) -> Swaps:
    """What the header, or else CRDS, substitutes for elements of keys, by keyword and element."""
    swaps: dict[str, Mapping[Hashable, Value]] = {
        name: {GENERIC: String(0, 0, "N/A")} for name in ALWAYS_SUBSTITUTED
    }
    for entry in subject.table("substitutions"):
        if isinstance(entry.key, String) and isinstance(entry.value, Table):
            swaps[entry.key.value] = {
                identity(row.key): value for row in entry.value.entries if is_key(value := _as_key(row.value))
            }
    return swaps


def _as_key(value: Value) -> Value:
    return Tuple(value.start, value.end, value.items) if isinstance(value, List) else value


def substitute(key: Value, parameters: tuple[str, ...] | None, swaps: Swaps) -> tuple[Value, ...]:
    """Elements of a key after substitution."""
    parts = list(elements(key))
    for index, (part, parameter) in enumerate(zip(tuple(parts), parameters or (), strict=False)):
        if (table := swaps.get(parameter)) and (value := table.get(identity(part))):
            parts[index] = value
    return tuple(parts)


def unknown_substituted(subject: Subject) -> Iterator[Diagnostic]:
    """CM113."""
    if subject.levels is None:
        return
    known = set(subject.parameters())
    for entry in subject.table("substitutions"):
        if isinstance(entry.key, String) and entry.key.value not in known:
            message = f"'{entry.key.value[:60]}' in 'substitutions' is not in 'parkey'"
            yield subject.finding(UNKNOWN_SUBSTITUTED, entry.key.span, message, hint="remove the entry")


def unused_substitutions(subject: Subject) -> Iterator[Diagnostic]:
    """CM118."""
    tables = [entry for entry in subject.table("substitutions") if isinstance(entry.key, String)]
    if not tables or subject.levels is None:
        return
    found: dict[str, set[Hashable]] = {}
    for nested in subject.selectors:
        for entry in nested.entries:
            for part, parameter in zip(elements(entry.key), nested.parameters or (), strict=False):
                found.setdefault(parameter, set()).add(identity(part))
    for entry in tables:
        parameter = entry.key.value if isinstance(entry.key, String) else ""
        rows = entry.value.entries if isinstance(entry.value, Table) and parameter in found else ()
        usual = {GENERIC} if parameter in ALWAYS_SUBSTITUTED else set()
        for row in rows:
            if identity(row.key) not in found[parameter] | usual:
                message = f"no key has {shown(row.key)} for '{parameter[:60]}', nothing is substituted"
                yield subject.finding(UNUSED_SUBSTITUTION, row.key.span, message)


CHECKS = (unknown_substituted, unused_substitutions)
