"""Which rules ``--select`` and ``--ignore`` leave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from calmap.diagnostics import Rule
from calmap.errors import UsageError


def chosen_codes(rules: Mapping[str, Rule], select: Iterable[str], ignore: Iterable[str]) -> frozenset[str]:
    """Codes of the rules that are selected, or all, without those that are ignored.

    Parameters
    ----------
    rules
        All rules by code.
    select, ignore
        Codes, beginnings of codes and names, also several separated by commas.

    Raises
    ------
    UsageError
        If one of them is none of these.
    """
    wanted, unwanted = _codes(rules, select), _codes(rules, ignore)
    return (wanted or frozenset(rules)) - unwanted


def _codes(rules: Mapping[str, Rule], texts: Iterable[str]) -> frozenset[str]:
    words = [word.strip() for text in texts for word in text.split(",") if word.strip()]
    return frozenset(code for word in words for code in _matching(rules, word))


def _matching(rules: Mapping[str, Rule], word: str) -> frozenset[str]:
    code, name = word.upper(), word.lower()
    found = {rule.code for rule in rules.values() if rule.code.startswith(code) or rule.name == name}
    if found:
        return frozenset(found)
    names = [*rules, *(rule.name for rule in rules.values())]
    near = get_close_matches(word.upper(), names, n=1) or get_close_matches(word.lower(), names, n=1)
    hint = f"did you mean '{near[0]}'?" if near else "give a code, the beginning of one, or a name"
    raise UsageError(f"no rule is called '{word}'", hint=hint)
