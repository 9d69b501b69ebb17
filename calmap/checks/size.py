"""Selectors with more rules than a look-up takes."""

from __future__ import annotations

from collections.abc import Iterator

from calmap.checks.subject import Subject
from calmap.diagnostics import Diagnostic, Rule
from calmap.syntax.guard import MAX_RULES

TOO_MANY_RULES = Rule(
    "CM214",
    "too-many-rules",
    "A selector has more rules than calmap looks things up in",
    why="The largest selectors of observatories have a few thousand rules. The limit keeps a damaged file "
    "from filling the memory; a mapping above it gives no answers.",
    example=f"A `Match` with {MAX_RULES + 1:,} rules.",
    use_instead="Nest the rules: a `Match` on one keyword with a `Match` on the others below it.",
)
RULES = (TOO_MANY_RULES,)


def sizes(subject: Subject) -> Iterator[Diagnostic]:
    """CM214."""
    for nested in subject.selectors:
        count = len(nested.entries)
        if count > MAX_RULES:
            message = f"this {nested.call.name} selector has {count:,} rules, more than {MAX_RULES:,}"
            yield subject.finding(TOO_MANY_RULES, nested.call.name_span, message)


CHECKS = (sizes,)
