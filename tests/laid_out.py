"""Made-up rmaps written as nobody would: odd layouts, comments everywhere."""

import re
from pathlib import Path

from hypothesis import strategies as st
from rule_strategies import NAME, rmaps

from calmap.compile.reference import CompiledReference, compile_reference
from calmap.model.mapping import Mapping, parse_mapping
from calmap.observatories.library import load_observatory

_TOKEN = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[\w.+-]+|[(){}\[\]:,=]")
_BLANKS = ("", " ", "", "\n", "\n    ", "\t", "\n\n")
_COMMENTS = ("  # why\n", "\n# it's 'quoted' {\n", " #\n", "\n    # (one)\n\n    # two\n")


@st.composite
def odd_rmaps(draw: st.DrawFn) -> tuple[Mapping, dict[str, str]]:
    """An rmap in an odd layout, and a header to look up in it."""
    text, header = draw(rmaps())
    return mapping_of(draw(_odd_layouts(text))), header


@st.composite
def alike_rmaps(draw: st.DrawFn) -> tuple[Mapping, dict[str, str]]:
    """An rmap, in an odd layout, with many rules that lead to the same, and a header to look up in it."""
    elements = st.sampled_from(("X", "Y", "Z", "X|Y", "Y|Z|W", "N/A", "X*", "*", "NOT X", 1.0, "2", "N/A|X"))
    dates = st.sampled_from(({"2010-01-01": "a.fits"}, {"2010-01-01": "b.fits", "2012-01-01": "c.fits"}))
    rules = draw(st.dictionaries(st.tuples(elements, elements), dates, min_size=2, max_size=8))
    header = {
        **dict.fromkeys(("derived_from", "filekind", "instrument", "mapping"), "x"),
        "name": NAME,
        "observatory": "tobs",
        "parkey": (("A", "B"), ("D",)),
        "substitutions": draw(st.sampled_from(({}, {"A": {"Y": "N/A"}}, {"B": {"X|Y": "Q"}}))),
    }
    shown = ", ".join(f"{key!r} : UseAfter({value!r})" for key, value in rules.items())
    text = f"header = {header!r}\n\nselector = Match({{{shown}}})\n"
    values = st.sampled_from(("X", "Y", "Z", "W", "XX", "1.0", "2.0", "N/A", "*", "UNDEFINED", "Q"))
    asked = {"A": draw(values), "B": draw(values), "D": draw(st.sampled_from(("2011-01-01", "2013-01-01")))}
    return mapping_of(draw(_odd_layouts(text))), asked


@st.composite
def _odd_layouts(draw: st.DrawFn, text: str) -> str:
    """The same text with other blanks, line ends and comments."""
    tokens = _TOKEN.findall(text)
    chatty = draw(st.booleans())
    gaps = st.sampled_from(_BLANKS + (_COMMENTS if chatty else ()))
    random = draw(st.randoms(use_true_random=False))
    drawn = [draw(gaps) for _ in range(12)]
    pieces = []
    for token, following in zip(tokens, [*tokens[1:], ""], strict=True):
        pieces.append(token)
        if following in ("}", ")") and token not in ("{", "(", ",") and tokens and random.random() < 0.3:
            pieces.append("," if following == "}" else "")
        pieces.append("\n" if token == "}" and following == "selector" else random.choice(drawn))
        if token[-1:].isalnum() and following[:1].isalnum():
            pieces.append(" ")
    text = "".join(pieces) + draw(st.sampled_from(("", "\n", "  # end\n")))
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return text


def mapping_of(text: str) -> Mapping:
    """An rmap of a text."""
    return parse_mapping(Path(NAME), text.encode())


def compiled(mapping: Mapping) -> CompiledReference:
    """It, ready for look-ups."""
    assert mapping.file is not None, mapping.diagnostics
    return compile_reference(mapping.file, load_observatory("tobs"))
