"""Types that an instrument had no rules for, and instruments that a context had no types of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from calmap.cache.rulesets import Rules
from calmap.delivery.links import relink, relinked
from calmap.delivery.revision import MappingChange, NewType, Revision, next_name, revise
from calmap.delivery.templates import (
    RuleTerms,
    empty_context,
    empty_instrument,
    empty_rules,
    first_name,
    instrument_keyword,
    rules_like,
)
from calmap.delivery.vocabulary import refuse_unknown_keywords, refuse_unknown_names
from calmap.errors import RefusedError, UsageError
from calmap.model.mapping import Mapping as MappingText
from calmap.model.names import mapping_kind
from calmap.syntax.ast import MappingKind, header_text

NOT_APPLICABLE = "N/A"


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

    @property
    def is_fixed(self) -> bool:
        """True if it has no rmap."""
        return self.target == NOT_APPLICABLE


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
    refuse_unknown_names(rules, instrument, reftype)
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
            keyword = instrument_keyword(self.rules.observatory)
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
