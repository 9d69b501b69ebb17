"""What crds refuses to load though it can be read: `calmap check` says so."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from small_rmaps import NA, NOT_FOUND, REFUSED, crds_answers

from calmap.checks import apply_fixes, check_mapping
from calmap.model.mapping import parse_mapping
from calmap.model.placement import misplaced_sections
from calmap.source import Source
from calmap.syntax.parser import parse

NAME = "tobs_tinstr_tfilekind_0001.rmap"
HEADER = """\
header = {
    'derived_from' : 'generated',
    'filekind' : 'tfilekind',
    'instrument' : 'tinstr',
    'mapping' : 'REFERENCE',
    'name' : 'tobs_tinstr_tfilekind_0001.rmap',
    'observatory' : 'tobs',
    'parkey' : (('A',), ('D',)),
    $EXTRA
}"""
SELECTOR = "selector = Match({'X' : UseAfter({'2020-01-01 00:00:00' : 'a.fits'})})"


def rmap(between: str = "\n", selector: str = SELECTOR, extra: str = "", before: str = "") -> str:
    return f"{before}{HEADER.replace('$EXTRA', extra)}{between}{selector}"


REFUSED_TEXTS = [
    # rule, line and column, text
    *[
        ("CM013", place, rmap(between))
        for between, place in ((" ", (10, 3)), ("\n  ", (11, 3)), ("\n\t", (11, 2)), ("\n;", (11, 2)))
    ],
    ("CM013", (1, 2), rmap(before=" ")),
    ("CM013", (1, 7), rmap(before="'doc' ")),
    *[
        ("CM013", (11, 1), rmap(selector=SELECTOR.replace(" = ", equals)))
        for equals in ("\n= ", " =\n", " = # why\n")
    ],
    ("CM013", (11, 1), rmap(selector=SELECTOR.replace("Match", "Match\n"))),
    ("CM213", (11, 12), rmap(selector="selector = Match()")),
    ("CM213", (11, 25), rmap(selector=SELECTOR.replace("{'2020-01-01 00:00:00' : 'a.fits'}", ""))),
    *[
        ("CM117", (9, column), rmap(extra=extra))
        for extra, column in (
            ("'rmap_relevance' : '(B.C == \"X\")'", 26),
            ("'rmap_omit' : '(A == \"X\" and META.INSTRUMENT.NAME == \"X\")'", 34),
            ("'rmap_omit' : '(META.VISIT.TSOVISIT == \"X\")'", 21),
            ("'rmap_omit' : 'B.C == \"X\"', 'extra_keys' : ('B.C',)", 19),
            ("'rmap_omit' : '(b.c == \"X\")', 'extra_keys' : ('B.C',)", 21),
            ("'parkey_relevance' : {'a' : '(B.C == \"X\")'}", 35),
        )
    ],
]
ACCEPTED_TEXTS = [
    rmap(";"),
    rmap("; "),
    rmap(";\n"),
    rmap(" # why; \\\n\n  # not\n"),
    rmap("\r\n"),
    rmap(before="# first\n'''doc\n'''\n"),
    rmap(selector=SELECTOR.replace(" = ", " = \\\n    ")),
    rmap(selector=SELECTOR.replace("Match", "Match \\\n ")),
    rmap(selector=f"{SELECTOR} ;"),
    rmap(selector="selector = Match({},)"),
    rmap(extra="'rmap_relevance' : '(B.C != \"X\")', 'extra_keys' : ('B.C',)"),
    rmap(extra="'rmap_relevance' : '(B.C != \"X\")', 'reffile_switch' : 'b.c'"),
    rmap(extra="'rmap_relevance' : '(A != \"B.C\")'"),
]


class Asked(NamedTuple):
    """A whole rmap, to be asked for one dataset."""

    rmap: str
    name: str = NAME
    header: Mapping[str, str] = MappingProxyType({"A": "X", "D": "2021-01-01"})

    def text(self) -> str:
        return self.rmap


RULES = {"CM013", "CM117", "CM213"}


def found(text: str) -> list[tuple[str, tuple[int, int]]]:
    findings = check_mapping(parse_mapping(Path(NAME), text.encode()))
    return [
        (finding.rule.code, tuple(finding.source.position(finding.span.start)))
        for finding in findings
        if finding.rule.code in RULES
    ]


@pytest.mark.parametrize(("code", "place", "text"), REFUSED_TEXTS)
def test_what_crds_refuses_is_found(code: str, place: tuple[int, int], text: str) -> None:
    assert found(text) == [(code, place)]


@pytest.mark.parametrize("text", ACCEPTED_TEXTS)
def test_what_crds_accepts_is_not_found(text: str) -> None:
    assert parse_mapping(Path(NAME), text.encode()).file is not None
    assert found(text) == []


def test_crds_refuses_these_and_accepts_those() -> None:
    texts = [text for _, _, text in REFUSED_TEXTS] + ACCEPTED_TEXTS

    answers = crds_answers([Asked(text) for text in texts])

    assert answers[: len(REFUSED_TEXTS)] == [REFUSED] * len(REFUSED_TEXTS)
    assert set(answers[len(REFUSED_TEXTS) :]) <= {"a.fits", NOT_FOUND, NA}


def test_an_empty_table_is_added() -> None:
    text = rmap(selector="selector = Match()")

    assert apply_fixes(Path(NAME), text.encode()).text.endswith("\nselector = Match({})")


PIECES = ("\n", "\r\n", "\r", " ", "\t", "\f", ";", "\\\n", "\\\r\n", "# a;b \\\n", "#\n")
GAPS = st.lists(st.sampled_from(PIECES), max_size=4).map("".join)
SMALL_GAPS = st.sampled_from(("", " ", "\t", "\\\n", "\n", " \\\r\n  "))


@settings(max_examples=1000, deadline=None)
@given(st.tuples(GAPS, GAPS), st.tuples(*[SMALL_GAPS] * 4), st.sampled_from(("", ";", "\n", " ;\n", "\n;")))
def test_sections_may_stand_where_python_lets_them(
    gaps: tuple[str, str], around_equals: tuple[str, str, str, str], end: str
) -> None:
    (first, between), (a, b, c, d) = gaps, around_equals
    text = f"{first}header{a}={b}{{}}{between}selector{c}={d}{{}}{end}"
    parsed = parse(Source("x.pmap", text))
    assume(parsed.sections)
    assume("\f" not in text or "\\" not in text)  # versions of Python differ on both in one indentation

    try:
        ast.parse(text)
    except SyntaxError:
        assert list(misplaced_sections(parsed)) != []
    else:
        assert list(misplaced_sections(parsed)) == []
