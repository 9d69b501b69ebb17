"""The words that a telescope has: instruments, types and keywords."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

from calmap.cache.rulesets import Rules
from calmap.compile.terms import header_data
from calmap.errors import CalmapError, UsageError
from calmap.model.names import mapping_kind
from calmap.observatories.library import FILE_NAME

_INSTRUMENT = re.compile(r"[a-z][a-z0-9]{0,31}")
_TYPE = re.compile(r"[a-z][a-z0-9-]{0,31}")
_KEYWORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,79}")
_SHOWN = 12


def refuse_unknown_names(rules: Rules, instrument: str, reftype: str) -> None:
    """Refuse an instrument or a type that the telescope does not have.

    Raises
    ------
    UsageError
        If the telescope's definition lists others only, or a mapping can't be named after it.
    """
    for word, pattern, what in ((instrument, _INSTRUMENT, "an instrument"), (reftype, _TYPE, "a type")):
        if not pattern.fullmatch(word):
            hint = "letters and digits, a letter first, at most 32"
            raise UsageError(f"'{word[:60]}' can't be the name of {what}", hint)
    observatory = rules.observatory
    _refuse_unlisted(
        instrument, observatory.instruments, f"instrument of {observatory.title}", "instruments", rules
    )
    known = observatory.reftypes(instrument)
    _refuse_unlisted(reftype, known, f"reference type of {instrument}", f"the types of {instrument}", rules)


def known_keywords(rules: Rules, context: str | None, instrument: str) -> frozenset[str]:
    """Keywords that rules of an instrument may select by, in upper case; empty if nothing tells.

    They are those of the telescope's definition and of the rules of a context.
    """
    observatory = rules.observatory
    known = {*observatory.keywords}
    known.update(*_parkeys(rules, context) if context else ())
    if not known:
        return frozenset()
    described = observatory.instruments.get(instrument)
    known.update(observatory.extra_keys, described.values if described else ())
    return frozenset(keyword.upper() for keyword in known)


def refuse_unknown_keywords(
    rules: Rules, context: str | None, instrument: str, keywords: Sequence[str]
) -> None:
    """Refuse keywords that the telescope does not have.

    Raises
    ------
    UsageError
        If there is one, one is given twice, or one can't be a keyword.
    """
    for keyword in keywords:
        if not _KEYWORD.fullmatch(keyword):
            raise UsageError(f"'{keyword[:60]}' can't be a keyword", "letters, digits, '.', '-' and '_'")
        if keywords.count(keyword) > 1:
            raise UsageError(f"the keyword '{keyword}' is given twice")
    declared = {name.upper() for name in rules.observatory.keywords}
    if {keyword.upper() for keyword in keywords} <= declared:
        return
    known = known_keywords(rules, context, instrument)
    for keyword in keywords:
        if known and keyword.upper() not in known:
            shown = sorted(known) if len(known) <= _SHOWN else ()
            advice = _nearest(keyword.upper(), known, shown)
            where = f"a new one goes under 'keywords' in {_definition(rules)}"
            raise UsageError(f"'{keyword}' is no keyword of {rules.observatory.title}", f"{advice}{where}")


def _refuse_unlisted(word: str, known: Collection[str], what: str, where: str, rules: Rules) -> None:
    if known and word not in known:
        advice = _nearest(word, known, sorted(known))
        raise UsageError(
            f"'{word}' is no {what}", f"{advice}a new one goes under {where} in {_definition(rules)}"
        )


def _nearest(word: str, known: Collection[str], shown: Collection[str]) -> str:
    near = get_close_matches(word, sorted(known), n=1)
    if near:
        return f"did you mean '{near[0]}'? "
    return f"known are {', '.join(shown)}; " if shown else ""


def _definition(rules: Rules) -> str:
    """The file that describes the telescope, and how to come by one that may be changed."""
    own = rules.layout.config / rules.observatory.name / FILE_NAME
    origin = rules.observatory.origin
    return str(own) if Path(origin) == own else f"{own}, a copy of {origin}"


def _parkeys(rules: Rules, context: str) -> Iterator[list[str]]:
    """Keywords of all rules of a context; of mappings that can't be used, none."""
    for instrument in rules.links(context).links.values():
        try:
            types = rules.links(instrument.target).links.values() if mapping_kind(instrument.target) else ()
        except CalmapError:
            continue
        for found in types:
            if mapping_kind(found.target):
                try:
                    parkey = header_data(rules.file(found.target)).get("parkey", ())
                except CalmapError:
                    continue
                yield [str(word) for level in parkey if isinstance(level, tuple) for word in level]
