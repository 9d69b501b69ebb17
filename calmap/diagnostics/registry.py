"""Every rule by its code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from calmap.diagnostics.model import Rule


def registry(rules: Iterable[Rule]) -> Mapping[str, Rule]:
    """Index rules by code.

    Raises
    ------
    ValueError
        If a code or a name is given twice.
    """
    by_code: dict[str, Rule] = {}
    names: set[str] = set()
    for rule in rules:
        if rule.code in by_code or rule.name in names:
            raise ValueError(f"rule {rule.code} ({rule.name}) is defined twice")
        by_code[rule.code] = rule
        names.add(rule.name)
    return MappingProxyType(dict(sorted(by_code.items())))
