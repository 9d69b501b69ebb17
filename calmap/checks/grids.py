"""The Match selectors of an rmap, ready to be compared rule by rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from calmap.checks.subject import Subject
from calmap.compile.grid import Grid, TooComplexError
from calmap.compile.interpreter import outcomes
from calmap.compile.observations import Observations, observations
from calmap.compile.outcome import Outcome
from calmap.compile.overlap import Overlap
from calmap.compile.prepare import Substitutions, prepare
from calmap.compile.reference import look_up
from calmap.compile.terms import ReferenceTerms, reference_terms
from calmap.compile.tree import Answer, Match, Node, Terminal
from calmap.errors import MappingError
from calmap.model.patterns import MATCH, NO_MATCH
from calmap.model.values import UNDEFINED
from calmap.source import Span
from calmap.syntax.ast import MappingKind, SelectorCall


class Compared(NamedTuple):
    """A Match selector with its grid, or with the reason why it has none."""

    match: Match
    grid: Grid | None
    terms: ReferenceTerms
    known: Observations
    is_outermost: bool
    problem: str = ""

    @property
    def substitutions(self) -> Substitutions:
        """Those of the mapping's header."""
        return self.terms.selector.substitutions

    @property
    def name_span(self) -> Span:
        """Where the name of the selector stands."""
        return Span(self.match.span.start, self.match.span.start + len("Match"))

    def is_met(self, found: Overlap) -> bool:
        """True if the rules match with equal weight also when the header of the mapping had its say.

        It can make values ``N/A`` or others, or the type one that does not apply.
        """
        if not self.is_outermost:
            return True
        seen: list[Mapping[str, str]] = []

        def select(values: Mapping[str, str]) -> Outcome:
            seen.append(values)
            return Outcome(Answer.OMITTED)

        look_up(self.terms, dict.fromkeys(self.terms.required, UNDEFINED) | found.example, select)
        if not seen:
            return False
        names = self.match.parameters
        first, second = outcomes(found.first, names, seen[0]), outcomes(found.second, names, seen[0])
        return NO_MATCH not in first + second and first.count(MATCH) == second.count(MATCH)


def compared(subject: Subject) -> Iterator[Compared]:
    """Every Match selector; none of an rmap that can't be used."""
    if subject.kind is not MappingKind.REFERENCE or not isinstance(subject.file.selector, SelectorCall):
        return
    observatory = subject.surroundings.observatory
    try:
        terms = reference_terms(subject.file, observatory)
        tree = prepare(subject.file.selector, terms.selector)
    except MappingError:
        return
    known = observations(terms, observatory)
    for match in _matches(tree):
        try:
            grid = Grid(match, known)
        except TooComplexError as problem:
            yield Compared(match, None, terms, known, match is tree, str(problem))
        else:
            yield Compared(match, grid, terms, known, match is tree)


def _matches(node: Node) -> Iterator[Match]:
    if isinstance(node, Terminal):
        return
    if isinstance(node, Match):
        yield node
    below = node.rules if isinstance(node, Match) else node.rows
    for item in below:
        yield from _matches(item.choice)
