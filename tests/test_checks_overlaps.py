"""What `calmap check` says of rules of equal weight."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from small_rmaps import Question
from test_checks_corpus import Cache

from calmap.checks import NoSurroundings, check_mapping
from calmap.checks.grids import compared
from calmap.checks.overlaps import overlapping, written
from calmap.checks.subject import subject
from calmap.compile.interpreter import choose
from calmap.compile.overlap import overlaps
from calmap.diagnostics import Diagnostic, Severity
from calmap.model.mapping import Mapping, parse_mapping

PARKEY = (("A", "B"), ("DATE-OBS",))
CODES = ("CM215", "CM216", "CM217", "CM220")


def parsed(selector: str, parkey: tuple[tuple[str, ...], ...] = PARKEY, **extra: object) -> Mapping:
    question = Question(selector, parkey, {}, extra)
    return parse_mapping(Path(question.name), question.text().encode())


def findings(mapping: Mapping) -> list[Diagnostic]:
    return [finding for finding in check_mapping(mapping) if finding.rule.code in CODES]


def rows(*dates: str, name: str = "a.fits", kind: str = "UseAfter") -> str:
    return f"{kind}({{" + ", ".join(f"'{date}-01-01 00:00:00' : '{name}'" for date in dates) + "})"


def two(first: str, second: str) -> str:
    return f"Match({{\n('X|Y', 'N/A') : {first},\n('Y|Z', 'N/A') : {second},\n}})"


@pytest.mark.parametrize(
    ("first", "second", "extra", "code"),
    [
        (rows("2001"), rows("2002"), {}, "CM217"),
        (rows("2001"), rows("2002"), {"merge_overlaps": "True"}, "CM217"),
        (rows("2001"), rows("2002"), {"merge_overlaps": False}, "CM215"),
        ("'a.fits'", "'b.fits'", {}, "CM216"),
        ("'a.fits'", "'b.fits'", {"merge_overlaps": False}, "CM215"),
        ("'a.fits'", rows("2001"), {}, "CM216"),
        ("'N/A'", rows("2001"), {}, "CM217"),
        ("'N/A'", "'a.fits'", {}, "CM217"),
        ("'N/A'", "'OMIT'", {}, "CM217"),
        ("'N/A'", "'n/a'", {}, None),
        (rows("2001"), rows(), {}, None),
        (rows("2001"), rows("2001", kind="ClosestTime"), {}, "CM215"),
        (rows("2001", kind="ClosestTime"), rows("2001", kind="ClosestTime"), {}, "CM217"),
        ("SelectVersion({'<2' : 'a.fits'})", "SelectVersion({'default' : 'b.fits'})", {}, "CM215"),
        ("Match({('X',) : 'a.fits'})", "'b.fits'", {}, "CM215"),
        (rows("2001"), rows("2002"), {"rmap_relevance": "(A == 'Q')"}, None),
        (rows("2001"), rows("2002"), {"parkey_relevance": {"B": "(A == 'X')"}}, "CM217"),
    ],
)
def test_what_comes_of_two_rules(first: str, second: str, extra: dict[str, object], code: str | None) -> None:
    assert [finding.rule.code for finding in findings(parsed(two(first, second), PARKEY, **extra))] == (
        [code] if code else []
    )


def test_the_finding_names_the_other_rule_and_an_observation() -> None:
    (found,) = findings(parsed(two(rows("2001"), rows("2002", name="b.fits"))))
    assert found.source.position(found.span.start).line == 5
    assert found.message == (
        "an observation can match this rule and the one in line 4 with equal weight 1,"
        " and their rows are merged"
    )
    assert found.hint == "for example A='Y', DATE-OBS='2002-01-01 00:00:00', which gets 'b.fits' of line 5"
    assert [found.source.position(label.span.start).line for label in found.labels] == [4]


def test_a_rule_that_is_as_heavy_only_where_keywords_count_is_not_told() -> None:
    selector = f"Match({{('X', 'N/A') : {rows('2001')}, ('N/A', 'Z') : {rows('2002')}}})"
    assert [f.rule.code for f in findings(parsed(selector))] == ["CM217"]
    assert findings(parsed(selector, parkey_relevance={"B": "(A != 'X')"})) == []
    assert findings(parsed(selector, comment_parkeys=("B",))) == []


def test_a_column_of_comments_makes_rules_equal() -> None:
    selector = f"Match({{('X', 'one') : {rows('2001')}, ('X', 'two') : {rows('2002')}}})"
    assert findings(parsed(selector)) == []
    assert [f.rule.code for f in findings(parsed(selector, comment_parkeys=("B",)))] == ["CM217"]


def test_many_merged_rules_are_told_of_in_few_words() -> None:
    rules = ", ".join(f"('V{number}|SAME', 'N/A') : {rows('2001')}" for number in range(40))
    found = findings(parsed(f"Match({{{rules}}})"))
    assert len(found) == 10
    assert "; so have 29 more rules of this selector" in found[-1].message
    assert "in line 3 and 9 more with equal weight" in found[-1].message


def test_an_rmap_that_can_t_be_used_has_no_overlaps() -> None:
    assert (
        findings(parsed("Match({('X',) : 'a.fits', ('X', 'Y') : 'b.fits', ('X|Y', 'Y') : 'c.fits'})")) == []
    )


def test_too_many_rules_are_not_compared_and_that_is_told() -> None:
    rules = ", ".join(f"('#>{number}#', 'N/A') : 'a{number}.fits'" for number in range(2000))
    start = time.perf_counter()
    found = findings(parsed(f"Match({{{rules}}})"))
    assert time.perf_counter() - start < 20
    assert [finding.rule.code for finding in found] == ["CM220"]
    assert found[0].source.text[found[0].span.start : found[0].span.end] == "Match"


def test_n_a_asked_for_by_its_name_is_not_compared_where_the_header_may_make_it() -> None:
    selector = f"Match({{('X', '{{N/A}}') : {rows('2001')}, ('X', 'N/A') : {rows('2002')}}})"
    assert findings(parsed(selector)) == []
    (found,) = findings(parsed(selector, comment_parkeys=("B",)))
    assert found.rule.code == "CM220"
    assert "'{N/A}' asks for N/A itself, which B may be" in found.message


def test_overlaps_beyond_number_come_to_an_end() -> None:
    rules = ", ".join(f"('SAME|V{number}', 'N/A') : 'a{number}.fits'" for number in range(2000))
    start = time.perf_counter()
    found = findings(parsed(f"Match({{{rules}}})"))
    assert time.perf_counter() - start < 20
    assert {finding.rule.code for finding in found} >= {"CM216"}


@pytest.mark.parametrize("name", ["hst", "jwst", "roman", "tobs"])
def test_the_words_of_a_finding_are_true(corpus: Path, name: str) -> None:
    cache = Cache(corpus / "crds-cache", name)
    for path in sorted(cache.path.glob("*.rmap")):
        mapping = cache.mapping(path.name)
        assert mapping is not None
        assert mapping.file is not None
        told = list(overlapping(subject(mapping, mapping.file, cache)))
        if not told:
            continue
        (item,) = compared(subject(mapping, mapping.file, NoSurroundings()))
        every = list(overlaps(item.grid))
        for finding in told:
            assert finding.severity is Severity.INFO
            line = int(re.search(r"the one in line (\d+)", finding.message)[1])  # type: ignore[index]
            hint = re.fullmatch(r"for example (.*), which gets '(.*)' of line (\d+)", finding.hint or "")
            assert hint is not None
            shown = [found for found in every if written(found.example) == hint[1]]
            places = [mapping.source.position(found.first.span.start).line for found in shown]
            assert line in places
            outcome = choose(item.match, shown[0].example, item.substitutions)
            assert outcome.files == (hint[2],)
            assert hint[2] in mapping.source.line(int(hint[3]))
