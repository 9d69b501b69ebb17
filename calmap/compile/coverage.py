"""Which combinations of values a reference mapping has no answer for, and from when on it has one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from math import prod
from typing import NamedTuple

from calmap.compile.candidates import ALWAYS
from calmap.compile.diagram import Box, boxes, count, count_boxes, merged
from calmap.compile.domain import Domain, domains
from calmap.compile.reference import CompiledReference
from calmap.compile.relevance import Relevance
from calmap.compile.survey import Case, Status, Survey, has_status

MAX_BOXES = 5_000


class Region(NamedTuple):
    """Combinations of values: for each parameter some of its labels, or None for all of them."""

    labels: tuple[tuple[str, ...] | None, ...]
    combinations: int
    start: str = ALWAYS


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a reference mapping has answers for.

    Parameters
    ----------
    domains
        The parameters that are gone through, with their values.
    free
        Parameters of numbers without a list, of which any one number will do.
    counts
        How many combinations there are of each status.
    holes
        Combinations without an answer, in boxes that don't overlap.
    starts
        For combinations with an answer the first date that has one, in boxes.
    holes_left_out, starts_left_out
        How many boxes there are more, if not all are here.
    """

    domains: tuple[Domain, ...]
    free: tuple[Domain, ...]
    counts: Mapping[Status, int]
    holes: tuple[Region, ...]
    starts: tuple[Region, ...]
    holes_left_out: int
    starts_left_out: int

    @property
    def combinations(self) -> int:
        """How many combinations of values there are."""
        return sum(self.counts.values())

    @property
    def missing(self) -> int:
        """How many of them need a reference and have none."""
        return self.counts.get(Status.MISSING, 0)

    @property
    def needed(self) -> int:
        """How many of them need a reference: all but those to which the type does not apply."""
        return self.counts.get(Status.REFERENCE, 0) + self.missing


def cover(
    reference: CompiledReference,
    named: Mapping[str, Iterable[str]],
    allowed: Mapping[str, tuple[str, ...]],
) -> Coverage:
    """Find out which combinations of values a reference mapping has answers for.

    Hooks are not taken into account.

    Parameters
    ----------
    reference
        The mapping.
    named
        For each parameter the values that rules name, of this mapping and of others that have the parameter.
    allowed
        For each parameter the values that the telescope allows, where it has a list.

    Raises
    ------
    TooLargeError
        If there is too much to go through.
    """
    never = Relevance(reference.terms).never
    found = tuple(d for d in domains(reference.tree, named, allowed) if d.parameter not in never)
    fixed = tuple(domain for domain in found if not domain.free)
    free = tuple(domain for domain in found if domain.free)
    sizes = tuple(len(domain.values) for domain in fixed)
    survey = Survey(reference, fixed, free)
    best, order = survey.best()
    is_hole = partial(has_status, Status.MISSING)
    holes = merged([box for box, _ in islice(boxes(best, len(sizes), is_hole), MAX_BOXES)], sizes)
    counts = {status: count(best, sizes, partial(has_status, status)) for status in Status}
    dated = survey.dated(order)
    begins = [(box, case.start) for box, case in islice(boxes(dated, len(sizes), _is_answer), MAX_BOXES)]
    return Coverage(
        fixed,
        free,
        {status: number for status, number in counts.items() if number},
        tuple(sorted((_region(fixed, box) for box in holes), key=_largest)),
        tuple(_starts(fixed, begins, sizes)),
        max(0, count_boxes(best, is_hole) - MAX_BOXES),
        max(0, count_boxes(dated, _is_answer) - MAX_BOXES),
    )


def _is_answer(case: Case) -> bool:
    return case.status in (Status.REFERENCE, Status.NOT_APPLICABLE)


def _region(fixed: tuple[Domain, ...], box: Box, start: str = ALWAYS) -> Region:
    labels = tuple(
        None if values is None else tuple(domain.labels[value] for value in sorted(values))
        for domain, values in zip(fixed, box, strict=True)
    )
    sizes = (len(d.labels) if values is None else len(values) for d, values in zip(fixed, box, strict=True))
    return Region(labels, prod(sizes), start)


def _starts(
    fixed: tuple[Domain, ...], begins: list[tuple[Box, str]], sizes: tuple[int, ...]
) -> Iterator[Region]:
    by_date: dict[str, list[Box]] = {}
    for box, start in begins:
        by_date.setdefault(start, []).append(box)
    for start, found in sorted(by_date.items()):
        yield from sorted((_region(fixed, box, start) for box in merged(found, sizes)), key=_largest)


def _largest(region: Region) -> tuple[int, tuple[tuple[str, ...], ...]]:
    return -region.combinations, tuple(labels or () for labels in region.labels)
