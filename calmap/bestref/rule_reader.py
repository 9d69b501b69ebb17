"""Tells what a rule of a reference mapping means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from calmap.bestref.header_words import applies, left_out
from calmap.bestref.meaning import KeyMeaning, Meaning, NamedFile
from calmap.bestref.reaching import Way, header_reaching
from calmap.bestref.rivals import competition
from calmap.bestref.sequels import intervals, other_rows
from calmap.cache.layout import Layout
from calmap.compile.observations import Observations, observations
from calmap.compile.reference import CompiledReference
from calmap.compile.tree import Answer, Match, MatchRule, Node, Ordered, Row, Terminal
from calmap.compile.wording import DOES_NOT_MATTER, either, element_words
from calmap.errors import CalmapError
from calmap.model.values import UNDEFINED
from calmap.observatories.definition import Observatory
from calmap.observatories.keywords import accepted_keywords
from calmap.syntax.ast import Entry, Tuple

_MAX_FILES = 20


@dataclass(frozen=True, slots=True)
class RuleReader:
    """Tells what one rule or row means.

    Parameters
    ----------
    reference, way, entry
        The mapping, the way through its rules, and where that ends in the text.
    observatory, layout
        As for a line.
    """

    reference: CompiledReference
    way: tuple[Way, ...]
    entry: Entry
    observatory: Observatory | None
    layout: Layout | None

    def meaning(self, bare: Meaning) -> Meaning:
        """All of it."""
        known = observations(self.reference.terms, self.observatory)
        found = replace(
            bare,
            sentences=tuple(self._sentences()),
            keys=tuple(self._keys()),
            kind="rule" if isinstance(self.way[-1].line, MatchRule) else "row",
            example=self._example(known),
            files=tuple(self._files()),
            sequel=tuple(self._sequel()),
        )
        position = self.reference.file.source.position
        ordered = self._ordered()
        row = self.way[-1].line if isinstance(self.way[-1].line, Row) else None
        if ordered is not None:
            spans = tuple(intervals(ordered, row, position))
            before = spans[0].start or "" if spans and ordered.kind == "UseAfter" else ""
            found = replace(found, intervals=spans, before=before)
        for match, rule in self.way:
            if isinstance(match, Match) and isinstance(rule, MatchRule):
                rivals, hidden, notes = competition(match, rule, row, known, self.reference.file.source)
                weight = sum(key.words != DOES_NOT_MATTER for key in self._keys_of(match, rule))
                found = replace(
                    found, weight=weight, rivals=rivals, hidden=found.hidden or hidden, notes=notes
                )
        return replace(found, notes=(*found.notes, *self._notes()))

    def _sentences(self) -> Iterator[str]:
        terms = self.reference.terms
        what = f"{terms.instrument.upper()} {terms.filekind}"
        last = self.way[-1]
        matched = any(isinstance(step.selector, Match) for step in self.way)
        if isinstance(last.selector, Match):
            yield f"A rule for the {what} of observations in which:"
            return
        names = either(last.selector.parameters, "and")
        where = ", of a rule for observations in which:" if matched else "."
        yield f"A row for the {what}, chosen by {names}{where}"

    def _ordered(self) -> Ordered | None:
        last = self.way[-1]
        node: Node = last.line.choice if isinstance(last.line, MatchRule) else last.selector
        dated = isinstance(node, Ordered) and node.kind in ("UseAfter", "ClosestTime")
        return node if dated and isinstance(node, Ordered) else None

    def _keys(self) -> Iterator[KeyMeaning]:
        for step in self.way:
            if isinstance(step.selector, Match) and isinstance(step.line, MatchRule):
                yield from self._keys_of(step.selector, step.line)

    def _keys_of(self, match: Match, rule: MatchRule) -> Iterator[KeyMeaning]:
        source = self.reference.file.source
        items = rule.written.items if isinstance(rule.written, Tuple) else (rule.written,)
        for parameter, item, element in zip(match.parameters, items, rule.key, strict=False):
            written = source.slice(item.span)
            yield KeyMeaning(parameter, self._keywords(parameter), written, element_words(element))

    def _keywords(self, parameter: str) -> tuple[str, ...]:
        known = self.observatory
        names = accepted_keywords(known, parameter) if known is not None else ()
        return tuple(name for name in names if name != parameter)

    def _example(self, known: Observations) -> dict[str, str] | None:
        terms = self.reference.terms
        found = header_reaching(self.reference, self.way, self.entry, known)
        if found is None:
            return None
        named = self.observatory.instrument_keywords if self.observatory else ()
        instrument = {named[0]: terms.instrument.upper()} if named else {}
        return {**instrument, **{name: value for name, value in found.items() if value != UNDEFINED}}

    def _files(self) -> Iterator[NamedFile]:
        instrument = self.reference.terms.instrument
        for name in tuple(dict.fromkeys(_names(self.way[-1].line.choice)))[:_MAX_FILES]:
            yield NamedFile(name, self._has(name, instrument))

    def _has(self, name: str, instrument: str) -> bool | None:
        """Whether the cache has a reference file; None if that is not known."""
        if self.layout is None or self.observatory is None:
            return None
        try:
            here = self.layout.has_reference(name, self.observatory.name, instrument)
        except CalmapError:
            return False
        return here or (None if self.layout.origin else False)

    def _sequel(self) -> Iterator[str]:
        last = self.way[-1]
        node = last.line.choice if isinstance(last.line, MatchRule) else last.selector
        if isinstance(node, Ordered) and not node.rows:
            yield f"The {node.kind} selector that follows is empty: there is no answer here."
        elif isinstance(node, Ordered) and node.kind not in ("UseAfter", "ClosestTime"):
            yield from other_rows(node)
        elif isinstance(node, Match) and isinstance(last.line, MatchRule):
            yield f"Below it {len(node.rules):,} more rules look at {either(node.parameters, 'and')}."
        elif isinstance(node, Terminal):
            yield _end(node)

    def _notes(self) -> Iterator[str]:
        terms = self.reference.terms
        for sentence, expression in ((applies, terms.relevance), (left_out, terms.omit)):
            if expression is not None:
                yield sentence(expression)
        if self.reference.terms.precondition or self.reference.terms.fallback:
            yield "A hook changes values before the rules see them, or after they found nothing."


def _end(node: Terminal) -> str:
    if node.answer is Answer.FOUND:
        return f"The answer is {either(node.files, 'and')}, whenever the observation was made."
    if node.answer is Answer.NOT_APPLICABLE:
        return "The answer is N/A: such an observation needs no reference of this type."
    return "The answer is OMIT: the type is left out for such an observation."


def _names(node: Node) -> Iterator[str]:
    if isinstance(node, Terminal):
        yield from node.files
        return
    for line in node.rules if isinstance(node, Match) else node.rows:
        yield from _names(line.choice)
