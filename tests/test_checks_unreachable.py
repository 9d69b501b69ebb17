"""What `calmap check` says of rules that are never chosen, and of values that no observation has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from small_rmaps import Question
from test_checks_corpus import Cache

from calmap.checks import NoSurroundings, check_mapping
from calmap.checks.subject import subject
from calmap.checks.unreachable import never_chosen
from calmap.compile.interpreter import choose
from calmap.compile.reference import compile_reference
from calmap.compile.tree import Match, Ordered
from calmap.diagnostics import Diagnostic
from calmap.model.mapping import parse_mapping
from calmap.observatories import Instrument, Observatory

CODES = ("CM118", "CM218", "CM219", "CM313")
PARKEY = (("A", "B"), ("DATE-OBS",))
VALUES = {"A": ("X", "Y", "F160W", "2"), "B": ("X", "Y")}


class Telescope(NoSurroundings):
    """A telescope that says which values there are."""

    def __init__(self) -> None:
        self.observatory = Observatory(
            name="tobs",
            title="Test Observatory",
            origin="",
            instruments={"tinstr": Instrument("tinstr", (), VALUES)},
            instrument_keywords=("INSTRUME",),
            keywords={},
        )


def findings(selector: str, *, listed: bool = False, **extra: object) -> list[Diagnostic]:
    question = Question(selector, PARKEY, {}, extra)
    mapping = parse_mapping(Path(question.name), question.text().encode())
    found = check_mapping(mapping, Telescope() if listed else NoSurroundings())
    return [finding for finding in found if finding.rule.code in CODES]


def rows(*dates: str, name: str = "a.fits") -> str:
    return "UseAfter({" + ", ".join(f"'{date}-01-01 00:00:00' : '{name}'" for date in dates) + "})"


def test_a_rule_that_a_heavier_one_hides() -> None:
    (found,) = findings(f"Match({{\n('X', 'N/A') : {rows('2001')},\n('X', '*') : {rows('2001')},\n}})")
    assert found.rule.code == "CM218"
    assert (
        found.message
        == "no observation gets this rule: the rule in line 5 matches whatever it does and weighs more"
    )
    assert found.source.position(found.span.start).line == 4
    assert [found.source.position(label.span.start).line for label in found.labels] == [5]


def test_a_rule_that_several_hide() -> None:
    heavier = ",\n".join(f"('X', '{element}') : {rows('2000')}" for element in ("NOT Y", "Y|X"))
    (found,) = findings(f"Match({{\n('X', 'N/A') : {rows('2001')},\n{heavier}}})")
    assert found.message == (
        "no observation gets this rule: one of the rules in lines 5, 6 always matches too and weighs more"
    )


def test_rows_that_a_heavier_rule_hides() -> None:
    light = rows("2001", "2003", "2005")
    (found,) = findings(f"Match({{\n('X', 'N/A') : {light},\n('X', '*') : {rows('2002')},\n}})")
    assert found.rule.code == "CM219"
    assert found.message == (
        "'2003-01-01 00:00:00' is never chosen, nor what follows it (1 more):"
        " the rule in line 5 matches whatever it does and weighs more"
    )


def test_a_row_that_an_equal_date_hides() -> None:
    special, general = rows("2001", "2003"), rows("2001", name="b.fits")
    (found,) = findings(f"Match({{\n('X', 'N/A') : {special},\n('X|Y', 'N/A') : {general},\n}})")
    assert found.rule.code == "CM219"
    assert found.message == (
        "'2001-01-01 00:00:00' is never chosen: with equal weight 'b.fits' of line 5 always has the same date"
    )


def test_a_word_that_a_file_wins_over() -> None:
    (found,) = findings("Match({('X', 'Y') : 'N/A', ('X|Y', 'Y') : 'a.fits'})")
    assert found.message == "'N/A' is never the answer: that of the rule in line 3 wins over it"


def test_a_literal_that_no_compared_value_is() -> None:
    (found,) = findings("Match({('{x}', 'Y') : 'a.fits', ('{X}', 'Y') : 'b.fits'})")
    assert found.message == "no observation can have what this rule asks for as 'A'"


def test_what_the_header_makes_n_a_keeps_a_rule() -> None:
    selector = f"Match({{('X', 'N/A') : {rows('2001')}, ('X', '*') : {rows('2001')}}})"
    assert findings(selector)
    assert findings(selector, parkey_relevance={"B": "(A == 'Y')"}) == []
    assert findings(selector, parkey_relevance={"A": "(B == 'Y')"})


@pytest.mark.parametrize(
    ("element", "told"),
    [
        *(
            (element, None)
            for element in ("X", "X|F160W", "F1*", "X|F1??W", "#>1#", "NOT X", "(F.*)", "{X}", "*")
        ),
        *((element, None) for element in ("N/A", "BETWEEN 1 3", "NOT N/A", "2.0", "ANY")),
        ("Q", "'Q' is not among the values of 'A' that the telescope has"),
        ("F?", "'F?' is not among the values of 'A' that the telescope has"),
        ("X|Q", "'Q' is not among the values of 'A' that the telescope has"),
        *(
            (e, f"'{e}' accepts none of the values of 'A' that the telescope has")
            for e in ("G*", "#>5#", "(G.*)")
        ),
        ("NOT X|Y|F160W|2.0", "'NOT X|Y|F160W|2.0' accepts none of the values of 'A' that the telescope has"),
        ("{x}", "'{x}' accepts none of the values of 'A' that the telescope has"),
        ("X|G?", "'G?' accepts none of the values of 'A' that the telescope has"),
    ],
)
def test_values_that_the_telescope_does_not_have(element: str, told: str | None) -> None:
    found = findings(f"Match({{('{element}', 'X') : 'a.fits', ('N/A', 'N/A') : 'b.fits'}})", listed=True)
    assert [(finding.rule.code, finding.message) for finding in found] == ([("CM313", told)] if told else [])


def test_a_substitution_of_what_no_rule_has() -> None:
    swaps = {"A": {"X": "N/A", "Q": "Z"}, "B": {"Y": "Z"}, "NONE": {"X": "Y"}}
    (found,) = findings("Match({('X', 'Y') : 'a.fits'})", substitutions=swaps)
    assert found.rule.code == "CM118"
    assert found.message == "no key has 'Q' for 'A', nothing is substituted"


@pytest.mark.parametrize(("name", "count"), [("hst", 43), ("jwst", 7)])
def test_what_real_rules_never_choose_is_not_chosen(corpus: Path, name: str, count: int) -> None:
    """Headers with the values of the very rule, at the dates of its rows, get other files."""
    cache = Cache(corpus / "crds-cache", name)
    told = 0
    for path in sorted(cache.path.glob("*.rmap")):
        mapping = cache.mapping(path.name)
        assert mapping is not None
        assert mapping.file is not None
        found = [
            finding
            for finding in never_chosen(subject(mapping, mapping.file, cache))
            if finding.rule.code in ("CM218", "CM219")
        ]
        if not found:
            continue
        reference = compile_reference(mapping.file, cache.observatory)
        match = reference.tree
        assert isinstance(match, Match)
        for finding in found:
            told += 1
            (rule,) = (r for r in match.rules if r.written.start <= finding.span.start < r.choice.span.end)
            assert isinstance(rule.choice, Ordered)
            hidden = [
                row for row in rule.choice.rows if finding.rule.code == "CM218" or row.span == finding.span
            ]
            values = [re.split(r"\|", element) for element in rule.key]
            header = {p: v[0].replace("N/A", "OTHER") for p, v in zip(match.parameters, values, strict=True)}
            for row in hidden:
                date = dict(zip(rule.choice.parameters, str(row.key).split(), strict=True))
                outcome = choose(match, header | date, {})
                assert outcome.place is not None
                assert not any(outcome.place == other.choice.span.start for other in hidden)
    assert told == count
