"""Made-up rmaps and headers for property tests: every selector and matcher, small enough to collide often."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

NAME = "tobs_tinstr_tfilekind_0001.rmap"
_MATCHED = ("A", "B", "SUBARRAY")
_VALUES = ("X", "Y", "Z", "XY", "1.0", "2.0", "3.0", "T", "N/A", "*", "UNDEFINED", "", "GENERIC")
_ELEMENTS: tuple[Any, ...] = (
    *("X", "Y", "Z", "y", " x ", "N/A", "N/A", "*", "ANY", "", "GENERIC", "T", "UNDEFINED"),
    *("X|Y", "Y|X|1.0", "Z|N/A", "X|", "X*", "?|Z", "[XZ]|Q", "X*|2.0", "FULL|GENERIC"),
    *("(X.*)", "(X|Y)", "{X}", "{x}", "#>1 AND <3#", "#<2 OR >=3#", "#>1#", "#X#", "# >1 #", ">1", "<= 2"),
    *("BETWEEN 1 3", "between 1 2", "NOT X", "NOT X|Y", "not BETWEEN 1 2", "NOT N/A", "NOT *"),
    *(1, 2.0, True, None, ("X", "Y"), ("X", "N/A"), ("NOT X", "Y")),
)
_DATES = (
    *("2010-01-01 00:00:00", "2011-06-15 12:30:00", "2012-01-01 00:00:00", "2012-01-01 00:00:00.5"),
    *("2013/03/04", "05/06/2013", "2014-01-01T00:00:00", "Jul 04 2014", "1999-12-31"),
)
_NUMBERS = (0, 1, 2.5, 3, 7.25, -4, 100)
_VERSIONS = ("1", "1.2", "1.10", "2.0.1", "2.0rc1", "10")
_RELATIONS = ("<1", "<=1", "=1", "1", "<2.5", "=3", "<7", "default")
_FILES = ("a.fits", "b.fits", "c.fits", "d.fits", "e.fits")
_KEYS: Mapping[str, tuple[Any, ...]] = {
    "UseAfter": _DATES,
    "ClosestTime": _DATES,
    "VersionAfter": _VERSIONS,
    "SelectVersion": _RELATIONS,
    "GeometricallyNearest": _NUMBERS,
    "Bracket": _NUMBERS,
}
_ASKED: Mapping[str, tuple[str, ...]] = {
    "D": (
        *_DATES,
        "2011-06-15 12:29:59",
        "2012-01-01 00:00:00.25",
        "UNDEFINED",
        "N/A",
        "nonsense",
        "2050-01-01",
    ),
    "N": ("0.0", "1.0", "1.75", "2.5", "3.0", "6.0", "99.0", "1E3", "UNDEFINED", "N/A", "X"),
    "V": ("1", "1.1", "1.2", "1.9.9", "2", "2.0.1b", "11", "0.1", "UNDEFINED", "X"),
}
_PARAMETER = {"UseAfter": "D", "ClosestTime": "D", "VersionAfter": "V"}


@dataclass(frozen=True)
class Selector:
    """A selector whose ``repr`` is what a file says."""

    kind: str
    rows: Mapping[Any, Any]

    def __repr__(self) -> str:
        return f"{self.kind}({self.rows!r})"


def terminals() -> st.SearchStrategy[Any]:
    """What stands at the end of a rule."""
    files = st.sampled_from(_FILES)
    words = st.sampled_from(("N/A", "OMIT", "n/a", "TEMP_OMIT", "TEMP_N/A"))
    groups = st.lists(files, min_size=1, max_size=3)
    tables = st.dictionaries(st.sampled_from(("p", "q")), files, min_size=1)
    return st.one_of(files, files, files, words, groups.map(tuple), tables)


@st.composite
def _selectors(draw: st.DrawFn, levels: tuple[tuple[str, int], ...]) -> Any:
    (kind, width), below = levels[0], levels[1:]
    choices = st.one_of(_selectors(below), _selectors(below), terminals()) if below else terminals()
    element = st.sampled_from(_ELEMENTS)
    keys = st.tuples(*[element] * width) if kind == "Match" else st.sampled_from(_KEYS[kind])
    return Selector(kind, draw(st.dictionaries(keys, choices, max_size=6)))


_EXPRESSIONS = (
    "(A == 'X')",
    "(A != 'X' and SWITCH != 'OMIT')",
    "(B in ('X', '1.0'))",
    "(FOO == 'X')",
    "(not A > 'X')",
)
_EXTRAS: Mapping[str, st.SearchStrategy[Any]] = {
    "merge_overlaps": st.sampled_from(("False", "True", False, True)),
    "reffile_required": st.sampled_from(("YES", "NO", "NONE", "no")),
    "rmap_relevance": st.sampled_from((*_EXPRESSIONS, "always", "(True)")),
    "rmap_omit": st.sampled_from((*_EXPRESSIONS, "True")),
    "parkey_relevance": st.dictionaries(
        st.sampled_from(("A", "B", "b")), st.sampled_from(_EXPRESSIONS), max_size=2
    ),
    "substitutions": st.dictionaries(
        st.sampled_from(_MATCHED),
        st.dictionaries(
            st.sampled_from(("X", "Y", "GENERIC", "X|Y")),
            st.sampled_from(("Z", "N/A", "X|Z", "NOT X", ("X", "Z"))),
            max_size=2,
        ),
        max_size=2,
    ),
    "extra_keys": st.just(("EXTRA",)),
    "comment_parkeys": st.just(("B",)),
}


@st.composite
def rmaps(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """The text of an rmap, and a header to look up in it."""
    names = list(draw(st.permutations(_MATCHED)))
    levels: list[tuple[str, tuple[str, ...]]] = []
    for _ in range(draw(st.integers(0, 2))):
        if names:
            width = draw(st.integers(1, len(names)))
            levels.append(("Match", tuple(names[:width])))
            del names[:width]
    ordered = draw(
        st.lists(st.sampled_from(tuple(_KEYS)), min_size=not levels, max_size=1 + (draw(st.booleans())))
    )
    levels += [(kind, (_PARAMETER.get(kind, "N"),)) for kind in ordered]
    selector = draw(_selectors(tuple((kind, len(parameters)) for kind, parameters in levels)))
    extras = draw(st.fixed_dictionaries({}, optional=_EXTRAS)) if draw(st.booleans()) else {}
    header = {
        "derived_from": "generated",
        "filekind": "tfilekind",
        "instrument": "tinstr",
        "mapping": "REFERENCE",
        "name": NAME,
        "observatory": "tobs",
        "reffile_switch": "SWITCH",
        "parkey": tuple(parameters for _, parameters in levels),
        **extras,
    }
    asked = {name: draw(st.sampled_from(_VALUES)) for name in (*_MATCHED, "EXTRA", "SWITCH")}
    asked |= {name: draw(st.sampled_from(values)) for name, values in _ASKED.items()}
    return f"header = {header!r}\n\nselector = {selector!r}\n", asked
