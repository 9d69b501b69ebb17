"""Goes through all combinations of values that rules can be asked for, without asking each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import partial
from math import prod
from typing import NamedTuple, TypeAlias

from calmap.compile.candidates import ALWAYS, Candidates, Levels, candidates
from calmap.compile.diagram import Diagrams, Split, TooLargeError, count_boxes
from calmap.compile.domain import Domain
from calmap.compile.reference import CompiledReference
from calmap.compile.relevance import Relevance, Scope, Verdict
from calmap.compile.tree import Answer
from calmap.compile.trials import Trials
from calmap.model.values import NA

MAX_PARTS = 200_000
MAX_TRIALS = 20_000
_FEW_PARTS = 2_000


class Status(StrEnum):
    """What becomes of a combination of values, at a date that is late enough."""

    REFERENCE = "reference"
    NOT_APPLICABLE = "not_applicable"
    OMITTED = "omitted"
    IRRELEVANT = "irrelevant"
    MISSING = "missing"


_STATUS: Mapping[Answer, Status] = {
    Answer.FOUND: Status.REFERENCE,
    Answer.NOT_APPLICABLE: Status.NOT_APPLICABLE,
    Answer.OMITTED: Status.OMITTED,
    Answer.NOT_FOUND: Status.MISSING,
}
_VERDICTS: Mapping[Verdict, Status] = {
    Verdict.IRRELEVANT: Status.IRRELEVANT,
    Verdict.OMITTED: Status.OMITTED,
    Verdict.FAILS: Status.MISSING,
}


class Case(NamedTuple):
    """What becomes of some combinations, and the first date with an answer, empty if it is always."""

    status: Status
    start: str = ALWAYS


Diagram: TypeAlias = "Split[Case] | Case"


class Survey:
    """Goes through the values of all parameters."""

    def __init__(
        self, reference: CompiledReference, fixed: tuple[Domain, ...], free: tuple[Domain, ...]
    ) -> None:
        self.unmatched = Status.IRRELEVANT if reference.terms.unmatched_is_na else Status.MISSING
        self.fixed = fixed
        self.sizes = tuple(len(domain.values) for domain in fixed)
        self.relevance = Relevance(reference.terms)
        swaps = reference.terms.selector.substitutions
        self.quick = candidates(reference.tree, fixed, free, swaps, self.relevance.never)
        self.slow = Trials(reference.tree, swaps, free)
        if not self.quick and prod(self.sizes) * len(self.slow.settings) > MAX_TRIALS:
            raise TooLargeError(f"{prod(self.sizes):,} combinations to try one by one")
        self.first = tuple(i for i, domain in enumerate(fixed) if domain.parameter in self.relevance.names)
        if prod(self.sizes[i] for i in self.first) > MAX_TRIALS:
            raise TooLargeError("expressions of the header that look at too many values")

    def best(self) -> tuple[Diagram, tuple[int, ...]]:
        """The diagram with the fewest boxes without an answer, and its order of parameters."""
        is_hole = partial(has_status, Status.MISSING)
        found: list[tuple[int, Diagram, tuple[int, ...]]] = []
        for order in self._orders():
            making = _Making(self, order, dated=False)
            diagram = making.scoped(0, {})
            found.append((count_boxes(diagram, is_hole), diagram, order))
            if making.diagrams.parts > _FEW_PARTS or not self.quick:
                break
        _, diagram, order = min(found, key=lambda made: made[0])
        return diagram, order

    def dated(self, order: tuple[int, ...]) -> Diagram:
        """A diagram that tells also the first dates."""
        return _Making(self, order, dated=True).scoped(0, {})

    def _orders(self) -> Iterator[tuple[int, ...]]:
        """Orders of parameters to try: as in the rules, the other way round, and each of them first."""
        rest = tuple(i for i in range(len(self.fixed)) if i not in self.first)
        tries = [rest, rest[::-1], *((i, *(j for j in rest if j != i)) for i in rest[1:])]
        yield from dict.fromkeys((*self.first, *order) for order in tries)


class _Making:
    """The making of one diagram, with the parameters in one order, those of expressions first."""

    def __init__(self, survey: Survey, order: tuple[int, ...], *, dated: bool) -> None:
        self.survey = survey
        self.order = tuple((index, survey.fixed[index]) for index in order)
        self.dates = dated
        self.diagrams: Diagrams[Case] = Diagrams(survey.sizes, MAX_PARTS)
        self.known: dict[tuple[int, frozenset[str], Levels], Diagram] = {}

    def scoped(self, at: int, values: Mapping[str, str]) -> Diagram:
        """What follows from the values that the expressions of the header look at."""
        if at < len(self.survey.first):
            return self._each(at, values, self.scoped)
        scope = self.survey.relevance.scope(values)
        if scope.verdict is not Verdict.COUNTS:
            return Case(_VERDICTS[scope.verdict])
        if self.survey.quick is None:
            return self.tried(at, values)
        levels = self.survey.quick.begin(scope.ignored)
        for _, domain in self.order[:at]:
            value = values[domain.parameter]
            levels = _narrowed(self.survey.quick, levels, domain.parameter, value, scope)
        return self.sieved(self.survey.quick, at, scope, levels)

    def sieved(self, quick: Candidates, at: int, scope: Scope, levels: Levels) -> Diagram:
        """What follows for the rules that are left."""
        if at == len(self.order) or not any(levels):
            return self._case(quick.answer(levels), partial(quick.begins, levels))
        index, domain = self.order[at]
        name = domain.parameter
        if name in scope.ignored:
            return self.sieved(quick, at + 1, scope, quick.keep(levels, name, NA))
        key = at, scope.ignored, levels
        if key not in self.known:
            self.known[key] = self.diagrams.split(
                index,
                lambda value: self.sieved(
                    quick, at + 1, scope, quick.keep(levels, name, domain.values[value])
                ),
            )
        return self.known[key]

    def tried(self, at: int, values: Mapping[str, str]) -> Diagram:
        """What the interpreter says."""
        if at < len(self.order):
            return self._each(at, values, self.tried)
        ignored = self.survey.relevance.scope(values).ignored
        header = {**values, **dict.fromkeys(ignored, NA)}
        return self._case(self.survey.slow.answer(header), partial(self.survey.slow.begins, header))

    def _each(
        self, at: int, values: Mapping[str, str], below: Callable[[int, Mapping[str, str]], Diagram]
    ) -> Diagram:
        index, domain = self.order[at]
        return self.diagrams.split(
            index, lambda value: below(at + 1, {**values, domain.parameter: domain.values[value]})
        )

    def _case(self, answer: Answer, begins: Callable[[], str]) -> Case:
        if answer is Answer.NOT_FOUND:
            return Case(self.survey.unmatched)
        return Case(_STATUS[answer], begins() if self.dates else ALWAYS)


def _narrowed(quick: Candidates, levels: Levels, name: str, value: str, scope: Scope) -> Levels:
    return quick.keep(levels, name, NA if name in scope.ignored else value)


def has_status(status: Status, case: Case) -> bool:
    """True for a case of a status."""
    return case.status is status
