"""Types that an instrument had no rules for, and instruments that a context had no types of."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from calmap.cache.rulesets import Rules
from calmap.compile.terms import header_data
from calmap.delivery.contexts import relink, relinked
from calmap.delivery.revision import MappingChange, NewType, Revision, next_name, revise
from calmap.delivery.templates import (
    RuleTerms,
    empty_context,
    empty_instrument,
    empty_rules,
    first_name,
    rules_like,
)
from calmap.errors import CalmapError, RefusedError, UsageError
from calmap.model.mapping import Mapping as MappingText
from calmap.model.names import mapping_kind
from calmap.syntax.ast import MappingKind, header_text

NOT_APPLICABLE = "N/A"
_INSTRUMENT = re.compile(r"[a-z][a-z0-9]{0,31}")
_TYPE = re.compile(r"[a-z][a-z0-9-]{0,31}")
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Addition:
    """A type that a context gets.

    Parameters
    ----------
    instrument, reftype
        Lower case.
    target
        Name of its rmap, or N/A.
    old
        What the type led to before; None if it was not there.
    revision
        The mappings to be made.
    """

    instrument: str
    reftype: str
    target: str
    old: str | None
    revision: Revision


def plan_addition(
    rules: Rules,
    context: str | None,
    instrument: str,
    reftype: str,
    template: RuleTerms | MappingText | None,
    *,
    in_place: bool = False,
) -> Addition:
    """An rmap without rules for a type that has none, in a context; nothing is written.

    Parameters
    ----------
    rules, context
        The mappings of the cache and the pmap to start from; None makes the first one.
    instrument, reftype
        The type; case does not matter.
    template
        By what the rules select, an rmap to do it like, or None to say that the
        type does not apply.
    in_place
        Keep the names of the imap and the context.

    Raises
    ------
    UsageError
        If the telescope has no such instrument, type or keyword.
    RefusedError
        If the type has rules already.
    """
    instrument, reftype = instrument.lower(), reftype.lower()
    _refuse_unknown(rules, instrument, reftype)
    if context is not None and mapping_kind(context) is not MappingKind.PIPELINE:
        raise UsageError(f"{context} is no context", "name a .pmap with --context")
    place = _Place(rules, context, instrument)
    old = place.types().get(reftype)
    _refuse_known(old, place, reftype, template)
    if isinstance(template, RuleTerms):
        refuse_unknown_keywords(rules, context, instrument, template.keywords)
    if template is None:
        return Addition(instrument, reftype, NOT_APPLICABLE, old, place.revision(reftype, None, in_place))
    new = _rules(place, reftype, template)
    return Addition(instrument, reftype, new.name, old, place.revision(reftype, new, in_place))


def known_keywords(rules: Rules, context: str | None, instrument: str) -> frozenset[str]:
    """Keywords that rules of an instrument may select by, in upper case.

    They are those of the telescope's definition and of the rules of a context.
    """
    observatory = rules.observatory
    known = {*observatory.keywords, *observatory.extra_keys}
    described = observatory.instruments.get(instrument)
    known.update(described.values if described else ())
    known.update(*_parkeys(rules, context) if context else ())
    return frozenset(keyword.upper() for keyword in known)


def refuse_unknown_keywords(
    rules: Rules, context: str | None, instrument: str, keywords: Sequence[str]
) -> None:
    """Refuse keywords that the telescope does not have.

    Raises
    ------
    UsageError
        If there is one, or one is given twice.
    """
    for keyword in keywords:
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


class _Place:
    """Where a new type goes.

    Parameters
    ----------
    rules, context, instrument
        As `plan_addition` has them.
    """

    def __init__(self, rules: Rules, context: str | None, instrument: str) -> None:
        self.rules = rules
        self.context = context
        self.instrument = instrument
        self.telescope = rules.observatory.name
        links = rules.links(context).links if context else {}
        found = links.get(instrument)
        self.imap = found.target if found and mapping_kind(found.target) is MappingKind.INSTRUMENT else None
        self.taken = {path.name for path in rules.layout.mapping_files(self.telescope)}

    @property
    def folder(self) -> Path:
        """Where mappings of the telescope are."""
        if self.context:
            return self.rules.mapping(self.context).path.parent
        return self.rules.layout.mappings / self.telescope

    def types(self) -> dict[str, str]:
        """What the types of the instrument lead to."""
        if self.imap is None:
            return {}
        return {key: found.target for key, found in self.rules.links(self.imap).links.items()}

    def name(self) -> str:
        """The instrument as mappings write it."""
        written = header_text(self.rules.file(self.imap).header, "instrument") if self.imap else None
        return written or self.instrument.upper()

    def path(self, *parts: str, kind: str) -> Path:
        """Path of the next mapping of a series."""
        return self.folder / next_name(first_name(self.telescope, *parts, kind=kind), self.taken)

    def revision(self, reftype: str, new: MappingText | None, in_place: bool) -> Revision:
        """All mappings that change when the type leads to a new rmap, or to N/A."""
        if self.imap is None or self.context is None:
            return self._instrument(reftype, new, in_place)
        if new is None:
            targets = {(self.instrument, reftype): NOT_APPLICABLE}
            return relink(self.rules, self.context, targets, in_place=in_place)
        added = NewType(self.name(), reftype, new)
        return revise(self.rules, self.context, {}, added=(added,), in_place=in_place)

    def _instrument(self, reftype: str, new: MappingText | None, in_place: bool) -> Revision:
        """All mappings that change when an instrument gets its first imap."""
        links = {reftype.upper(): new.name if new else NOT_APPLICABLE}
        path = self.path(self.instrument, kind="imap")
        below = [*([new] if new else []), empty_instrument(path, self.telescope, self.name(), links)]
        if self.context is None:
            path_above = self.path(kind="pmap")
            keyword = self.rules.observatory.instrument_keywords[0]
            below.append(empty_context(path_above, self.telescope, keyword, {self.name(): path.name}))
            return Revision(path_above.name, tuple(MappingChange(None, mapping) for mapping in below))
        top = relinked(self.rules.mapping(self.context), {self.instrument: path.name})
        revision = revise(self.rules, self.context, {self.context: top}, in_place=in_place)
        made = tuple(MappingChange(None, mapping) for mapping in below)
        return Revision(revision.context, (*made, *revision.changes))


def _rules(place: _Place, reftype: str, template: RuleTerms | MappingText) -> MappingText:
    path = place.path(place.instrument, reftype, kind="rmap")
    if isinstance(template, RuleTerms):
        return empty_rules(path, place.telescope, place.name(), reftype, template)
    return rules_like(template, path, place.name(), reftype)


def _refuse_unknown(rules: Rules, instrument: str, reftype: str) -> None:
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
    own = rules.layout.config / rules.observatory.name / "observatory.yaml"
    origin = rules.observatory.origin
    return str(own) if Path(origin) == own else f"{own}, a copy of {origin}"


def _refuse_known(
    old: str | None, place: _Place, reftype: str, template: RuleTerms | MappingText | None
) -> None:
    """Refuse a type that has rules already, or that does not apply already."""
    if old is None:
        return
    if mapping_kind(old):
        subject = f"{place.instrument}.{reftype}"
        hint = "calmap insert-reference adds files to it"
        if template is None:
            hint = f"calmap new-context {subject}=N/A takes them out of the context"
        raise RefusedError(f"{place.instrument} has rules for {reftype} already: {old}", hint)
    if template is None and old.upper() == NOT_APPLICABLE:
        raise RefusedError(f"{reftype} of {place.instrument} is N/A already in {place.imap}")


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
