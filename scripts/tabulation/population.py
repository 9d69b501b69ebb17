"""Headers of whole datasets, drawn from all the rules of a context so that many types find a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from random import Random

from equivalence.headers import ODD, Headers

from calmap.bestref import Context
from calmap.compile.tree import Node, Ordered, Terminal
from calmap.model.dates import DateError, parse_date
from calmap.model.values import ANY, NA, UNDEFINED
from tabulation.moments import draw_moment, written

Values = Mapping[str, tuple[str, ...]]
JUNK_INSTRUMENTS = ("NO_SUCH_INSTRUMENT", "N/A", "", " ", UNDEFINED, "ACS|COS", "1.0")
_SHARE_JUNK_INSTRUMENT = 0.01
_TRIES = 40
_SHARE_UNTOUCHED, _SHARE_WILD, _SHARE_DATED = 0.6, 0.15, 0.75
_CHANGED, _CHANGED_WILD = 0.06, 0.35
_ANYTHING = frozenset({NA, ANY})


@dataclass(frozen=True, slots=True)
class Source:
    """The rules of one type: the values of each key, and the moments at which its rules begin.

    Parameters
    ----------
    keys
        Values by keyword for each rule, without the date; none for a keyword that may have any value.
    turns
        For each of these, the moments at which its files begin to hold.
    """

    keys: tuple[Values, ...]
    turns: tuple[tuple[datetime, ...], ...]

    def fitting(self, header: Mapping[str, str], rng: Random) -> int | None:
        """One of the rules that agree with a header so far."""
        tried = rng.sample(range(len(self.keys)), min(_TRIES, len(self.keys)))
        if rng.random() < _SHARE_DATED:
            tried.sort(key=lambda number: not self.turns[number])
        for number in tried:
            known = self.keys[number]
            if all(header[name] in values for name, values in known.items() if name in header):
                return number
        return None


@dataclass(frozen=True, slots=True)
class InstrumentHeaders:
    """Headers of one instrument.

    Parameters
    ----------
    sources
        The rules of its types.
    known
        All values that rules name, by keyword.
    dates
        The keywords that together are the date, for each way in which rules name it.
    """

    sources: tuple[Source, ...]
    known: Mapping[str, tuple[str, ...]]
    dates: tuple[tuple[str, ...], ...]

    def configuration(self, rng: Random) -> tuple[dict[str, str], list[datetime]]:
        """Values without a date that suit rules of as many types as can be, and when these rules begin."""
        header: dict[str, str] = {}
        turns: list[datetime] = []
        for source in rng.sample(self.sources, len(self.sources)):
            number = source.fitting(header, rng)
            if number is not None:
                turns += source.turns[number]
                for name, values in source.keys[number].items():
                    header.setdefault(name, rng.choice(values))
        dated = {name for names in self.dates for name in names}
        for name, values in self.known.items():
            if name not in header and name not in dated:
                header[name] = rng.choice(values) if values else rng.choice(ODD)
        return header, turns

    def draw(self, rng: Random) -> dict[str, str]:
        """One header."""
        header, turns = self.configuration(rng)
        kind = rng.random()
        if kind >= _SHARE_UNTOUCHED:
            chance = _CHANGED_WILD if kind >= 1 - _SHARE_WILD else _CHANGED
            for name in list(header):
                if rng.random() < chance:
                    self._change(header, name, rng)
        for names in self.dates:
            if rng.random() > _CHANGED / 4:
                header.update(written(rng, draw_moment(rng, turns), names))
        return header

    def _change(self, header: dict[str, str], name: str, rng: Random) -> None:
        chance = rng.random()
        if chance < 0.2:
            del header[name]
        elif chance < 0.4:
            header[name] = rng.choice(ODD)
        elif chance < 0.6:
            header[name] = _near(header[name], rng)
        elif self.known[name]:
            header[name] = rng.choice(self.known[name])


class Population:
    """A source of headers of a context.

    Parameters
    ----------
    context
        Whose rules the headers are for.
    instruments
        Those to draw from; all if None.
    """

    def __init__(self, context: Context, instruments: Sequence[str] | None = None) -> None:
        self.instruments = {
            name: _instrument(context, name)
            for name in (context.instruments() if instruments is None else instruments)
        }
        self._keyword = context.observatory.instrument_keywords[0]

    def draw(self, rng: Random) -> dict[str, str]:
        """One header, in the words of the rules."""
        name = rng.choice(sorted(self.instruments))
        header = self.instruments[name].draw(rng)
        header[self._keyword] = name.upper()
        if rng.random() < _SHARE_JUNK_INSTRUMENT:
            header[self._keyword] = rng.choice(JUNK_INSTRUMENTS)
        return header


def rules_of(context: Context) -> int:
    """How many rules of a context end in a file or a word."""
    references = [
        context.type_rules(name, reftype).reference
        for name in context.instruments()
        for reftype in context.reftypes(name)
    ]
    return sum(len(Headers(reference).leaves) for reference in references if reference is not None)


def _instrument(context: Context, name: str) -> InstrumentHeaders:
    sources: list[Source] = []
    known: dict[str, set[str]] = {}
    dates: dict[tuple[str, ...], None] = {}
    for reftype in context.reftypes(name):
        reference = context.type_rules(name, reftype).reference
        if reference is None:
            continue
        headers = Headers(reference)
        here = tuple(dict.fromkeys(_dates(reference.tree)))
        dates.update(dict.fromkeys(here))
        for keyword, values in headers.values.items():
            known.setdefault(keyword, set()).update(values)
        sources.append(_source(headers.leaves, here))
    return InstrumentHeaders(
        tuple(source for source in sources if source.keys),
        {keyword: tuple(sorted(values)) for keyword, values in sorted(known.items())},
        tuple(dates),
    )


def _source(leaves: Sequence[Values], dates: Sequence[tuple[str, ...]]) -> Source:
    dated = {name for names in dates for name in names}
    turns: dict[tuple[tuple[str, tuple[str, ...]], ...], set[datetime]] = {}
    for leaf in leaves:
        key = tuple(
            (name, values)
            for name, values in leaf.items()
            if name not in dated and not _ANYTHING.intersection(values)
        )
        found = turns.setdefault(key, set())
        for names in dates:
            with suppress(DateError, KeyError):
                found.add(parse_date(" ".join(leaf[name][0] for name in names)))
    return Source(tuple(map(dict, turns)), tuple(tuple(sorted(found)) for found in turns.values()))


def _dates(node: Node) -> list[tuple[str, ...]]:
    """Keywords by which selectors choose a date."""
    if isinstance(node, Terminal):
        return []
    if isinstance(node, Ordered):
        below = [names for row in node.rows for names in _dates(row.choice)]
        return [node.parameters, *below] if node.kind in ("UseAfter", "ClosestTime") else below
    return [names for rule in node.rules for names in _dates(rule.choice)]


def _near(value: str, rng: Random) -> str:
    """Another number near by, or part of a word."""
    try:
        return str(float(value) + rng.choice((-1, -0.1, -1e-9, 1e-9, 0.1, 1)))
    except ValueError:
        return value[:-1] if rng.random() < 0.5 else f"{value}X"
