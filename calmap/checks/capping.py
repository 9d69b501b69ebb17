"""Leaves a report that can be read of a file with thousands of findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from calmap.diagnostics import Diagnostic

MAX_FINDINGS = 200


def capped(findings: Iterable[Diagnostic], limit: int = MAX_FINDINGS) -> tuple[Diagnostic, ...]:
    """Findings in the order of files and places, of each rule no more than so many in one file.

    The last one that is kept says how many more there are. What is left out is not held in memory.
    """
    kept: dict[tuple[str, str], list[Diagnostic]] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for finding in findings:
        place = (finding.source.name, finding.rule.code)
        counts[place] += 1
        few = kept.setdefault(place, [])
        few.append(finding)
        if len(few) > 2 * limit:
            _cut(few, limit)
    for place, few in kept.items():
        _cut(few, limit)
        if more := counts[place] - len(few):
            few[-1] = replace(few[-1], message=f"{few[-1].message}, and {more:,} more like this")
    return tuple(sorted((item for few in kept.values() for item in few), key=Diagnostic.sort_key))


def _cut(few: list[Diagnostic], limit: int) -> None:
    few.sort(key=Diagnostic.sort_key)
    del few[limit:]
