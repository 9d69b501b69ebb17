"""Made-up Match selectors whose rules get into each other's way, and everything that may be asked of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st
from rule_strategies import NAME, Selector

from calmap.compile.grid import Grid
from calmap.compile.observations import Observations, observations
from calmap.compile.prepare import prepare
from calmap.compile.reference import relevant
from calmap.compile.terms import ReferenceTerms, reference_terms
from calmap.compile.tree import Match, Node, Terminal
from calmap.model.mapping import parse_mapping
from calmap.observatories import Instrument, Observatory

ELEMENTS = (
    *("N/A", "N/A", "*", "X", "X", "Y", "X|Y", "Y|Z", "X|Y|Z", "NOT X", "NOT X|Y", "NOT N/A", "NOT *"),
    *("[XY]*", "NOT X*", "NOT NOT X", "(.*Y)", "#<2 OR >7#"),
    *("X*", "X*|Y", "?Y|Z", "*Y", "(X.*)", "(X|Y)", "{X}", "{x}", "#>1#", "#>=2 AND <9#", "BETWEEN 1 3"),
    *("2", "1|2", "GENERIC", "", "UNDEFINED", "Z|N/A"),
)
VALUES = ("X", "Y", "Z", "XY", "XQ", "QY", "1.0", "2.0", "7.5", "UNDEFINED", "", "ELSE", "GENERIC")
DATES = ("2001-01-01 00:00:00", "2002-01-01", "2003-01-01 12:00:00")
ASKED = ("2000-01-01", "2001-06-01", "2002-06-01", "2003-01-01 12:00:00", "2004-01-01")
VERSIONS = ("1", "1.2", "2.0")
ASKED_VERSIONS = ("0.9", "1.1", "1.2", "3")
FILES = ("a.fits", "b.fits", "c.fits", "N/A", "OMIT")
EXTRAS: dict[str, st.SearchStrategy[Any]] = {
    "merge_overlaps": st.sampled_from((True, False)),
    "parkey_relevance": st.dictionaries(
        st.sampled_from(("A", "B")), st.sampled_from(("(A == 'X')", "(B != 'Y')")), max_size=2
    ),
    "comment_parkeys": st.just(("B",)),
    "substitutions": st.just({"A": {"X": "Z", "Z": "N/A"}}),
}


class Crowd(NamedTuple):
    """The text of an rmap, and the values that the telescope has by parameter."""

    text: str
    listed: dict[str, tuple[str, ...]]


@st.composite
def crowds(draw: st.DrawFn) -> Crowd:
    """An rmap with one Match on two keywords and files, dates or versions below it."""
    kind = draw(st.sampled_from(("UseAfter", "UseAfter", "VersionAfter", "SelectVersion", "")))
    keys = {"UseAfter": DATES, "VersionAfter": VERSIONS, "SelectVersion": ("<2", "default"), "": ()}[kind]
    files = st.sampled_from(FILES)
    choices = files
    if kind:
        rows = st.dictionaries(st.sampled_from(keys), files, max_size=3).map(lambda r: Selector(kind, r))
        choices = st.one_of(rows, rows, rows, files)
    element = st.sampled_from(ELEMENTS)
    rules = draw(st.dictionaries(st.tuples(element, element), choices, min_size=2, max_size=6))
    header = {
        "derived_from": "generated",
        "filekind": "tfilekind",
        "instrument": "tinstr",
        "mapping": "REFERENCE",
        "name": NAME,
        "observatory": "tobs",
        "parkey": (("A", "B"), ("V" if kind in ("VersionAfter", "SelectVersion") else "D",)),
        **(draw(st.fixed_dictionaries({}, optional=EXTRAS)) if draw(st.booleans()) else {}),
    }
    values = st.lists(st.sampled_from(VALUES[:-2]), max_size=4, unique=True).map(tuple)
    listed = draw(st.dictionaries(st.sampled_from(("A", "B")), values)) if draw(st.booleans()) else {}
    return Crowd(f"header = {header!r}\n\nselector = {Selector('Match', rules)!r}\n", listed)


class Crowded(NamedTuple):
    """A crowd that was read."""

    terms: ReferenceTerms
    tree: Node
    known: Observations
    listed: dict[str, tuple[str, ...]]

    @property
    def match(self) -> Match:
        """The rules."""
        assert isinstance(self.tree, Match)
        return self.tree

    @property
    def grid(self) -> Grid:
        """The rules ready to be compared."""
        return Grid(self.match, self.known)

    def headers(self) -> Iterator[dict[str, str]]:
        """All that may be asked, as the rules get it; a keyword may be missing, but is not N/A by itself."""
        values = dict.fromkeys(self.match.parameters, VALUES)
        values |= {name: (*given, "UNDEFINED") for name, given in self.listed.items()}
        below = {name for rule in self.match.rules for name in getattr(rule.choice, "parameters", ())}
        values |= {name: ASKED_VERSIONS if name == "V" else ASKED for name in sorted(below)}
        for chosen in product(*values.values()):
            yield dict(relevant(self.terms, dict(zip(values, chosen, strict=True))))


def crowded(crowd: Crowd) -> Crowded:
    """Read an rmap."""
    observatory = Observatory(
        name="tobs",
        title="Test Observatory",
        origin="",
        instruments={"tinstr": Instrument("tinstr", (), crowd.listed)},
        instrument_keywords=("INSTRUME",),
        keywords={},
    )
    mapping = parse_mapping(Path(NAME), crowd.text.encode())
    assert mapping.file is not None, mapping.diagnostics
    terms = reference_terms(mapping.file, observatory)
    tree = prepare(mapping.file.selector, terms.selector)
    return Crowded(terms, tree, observations(terms, observatory), crowd.listed)


def is_below(node: Node, start: int) -> bool:
    """True if a row stands in a selector."""
    return not isinstance(node, Terminal | Match) and any(row.span.start == start for row in node.rows)
