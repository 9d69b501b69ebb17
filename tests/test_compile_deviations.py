"""Where calmap does not answer as crds does: every entry of docs/compatibility.md that is about answers."""

import re

import pytest
from small_rmaps import NA, NOT_FOUND, OMIT, REFUSED, Question, answer, compiled, crds_answers

from calmap.compile.prepare import MAX_RULES
from calmap.errors import MappingError
from calmap.model.dates import _MAX_DATE
from calmap.model.patterns import _MAX_REGEX, MAX_NESTED, MAX_PATTERN, PatternError, pattern
from calmap.source import Source
from calmap.syntax.expression_text import MAX_EXPRESSION
from calmap.syntax.guard import MAX_CHARACTERS, MAX_DEPTH, MAX_NEGATIONS, MAX_TOKENS
from calmap.syntax.literals import MAX_DIGITS
from calmap.syntax.parser import parse

A, D, N = (("A",),), (("D",),), (("N",),)
AD = (("A",), ("D",))
AB = (("A", "B"),)
ONE = "Match({'X' : 'a.fits'})"
NEAREST = "GeometricallyNearest({1.0 : 'a.fits', 3.0 : 'b.fits'})"
FILES = ["a.fits", "c.fits", "b.fits"]
TABLE = "{'p': 'a.fits', 'q': 'c.fits'}"
NOT_FINITE = [("nan", "a.fits"), ("-inf", "a.fits"), ("inf", "b.fits"), ("1e999", "b.fits")]
WEEK = "'2020-01-01T00:00:00' : 'new.fits', '2019-01-01 00:00:00' : 'old.fits'"


def tie(first: str, second: str, parkey: tuple = A, **header: str) -> Question:
    """Two rules of equal weight for A = X."""
    return Question(f"Match({{('X|Y',) : {first}, ('X',) : {second}}})", parkey, {"A": "X", **header})


def pair(low: str, high: str, value: object = 2) -> Question:
    """A Bracket of two rules."""
    return Question(f"Bracket({{1.0 : {low}, 3.0 : {high}}})", N, {"N": value})


def commented(relevance: dict[str, str]) -> Question:
    """A keyword A that is a comment, and another one."""
    keys = {"comment_parkeys": ("A",), "parkey_relevance": relevance}
    return Question(
        "Match({('X', 'Y') : 'a.fits'})", AB, {"A": "Z", "B": "Y" if "a" in relevance else "Z"}, keys
    )


DEVIATIONS = [
    # entry, question, crds, calmap
    ("CD01", tie("'N/A'", "'N/A'"), ["N/A", "N/A"], NA),
    ("CD01", tie("'N/A'", "'a.fits'"), ["a.fits", "N/A"], "a.fits"),
    ("CD01", tie("'N/A'", "'OMIT'"), ["OMIT", "N/A"], NA),
    ("CD01", tie("'OMIT'", "'OMIT'"), ["OMIT", "OMIT"], OMIT),
    ("CD02", Question(f"UseAfter({{{WEEK}}})", D, {"D": "2020-01-01 05:00:00"}), "old.fits", "new.fits"),
    (
        "CD02",
        Question(f"UseAfter({{{WEEK.replace('-', '/')}}})", D, {"D": "2020-01-01"}),
        "old.fits",
        "new.fits",
    ),
    (
        "CD03",
        Question(
            "UseAfter({'2027-01-22 20:23:37.761111' : 'a.fits'})", D, {"D": "2027-01-22 20:23:37.761111"}
        ),
        NOT_FOUND,
        "a.fits",
    ),
    (
        "CD04",
        Question(
            "ClosestTime({'2020-01-01' : 'a.fits', '2020-01-01 00:00:01' : 'b.fits'})", D, {"D": "2050-07-02"}
        ),
        "a.fits",
        "b.fits",
    ),
    (
        "CD04",
        Question("GeometricallyNearest({16777216 : 'a.fits', 16777217 : 'b.fits'})", N, {"N": 16777217}),
        "a.fits",
        "b.fits",
    ),
    (
        "CD05",
        tie("'N/A'", "UseAfter({'2010-01-01 00:00:00' : 'a.fits'})", AD, D="2020-01-01"),
        NOT_FOUND,
        "a.fits",
    ),
    ("CD05", tie("'N/A'", "UseAfter({'2010-01-01 00:00:00' : 'a.fits'})", AD, D="2000-01-01"), NOT_FOUND, NA),
    (
        "CD05",
        tie(
            "UseAfter({'2010-01-01 00:00:00' : {'p' : 'a.fits'}})",
            "UseAfter({'2010-01-01 00:00:00' : 'b.fits'})",
            AD,
            D="2020-01-01",
        ),
        NOT_FOUND,
        "b.fits",
    ),
    (
        "CD06",
        tie(
            "UseAfter({'2010-01-01' : 'a.fits'})",
            "ClosestTime({'2011-01-01' : 'b.fits'})",
            AD,
            D="2020-01-01",
        ),
        "b.fits",
        NOT_FOUND,
    ),
    (
        "CD07",
        Question("Bracket({'1.0' : 'a.fits', '3.0' : 'b.fits'})", N, {"N": 2}),
        NOT_FOUND,
        ["a.fits", "b.fits"],
    ),
    ("CD08", Question(r"Match({(r'((A)\1)',) : 'a.fits'})", A, {"A": "AA"}), "a.fits", REFUSED),
    ("CD08", Question("Match({('((?=A)A)',) : 'a.fits'})", A, {"A": "A"}), "a.fits", REFUSED),
    ("CD09", Question("Match({'X' : 'a.fits' if True else 'b.fits'})", A, {"A": "X"}), "a.fits", REFUSED),
    ("CD09", Question("Match({('X' and 'Y') : 'a.fits'})", A, {"A": "Y"}), "a.fits", REFUSED),
    ("CD09", Question("Match({-(1) : 'a.fits'})", A, {"A": "-1"}), "a.fits", REFUSED),
    ("CD09", Question("Match({**{'X' : 'a.fits'}})", A, {"A": "X"}), "a.fits", REFUSED),
    ("CD10", Question("Match({'X' : ['a.fits', 'b.fits']})", A, {"A": "X"}), ["a.fits", "b.fits"], REFUSED),
    ("CD10", Question("Match({'X' : ('a.fits', 3)})", A, {"A": "X"}), ["a.fits", "3"], REFUSED),
    (
        "CD10",
        Question("Match({'X' : ('a.fits', ('b.fits', 'c.fits'))})", A, {"A": "X"}),
        ["a.fits", "('b.fits', 'c.fits')"],
        REFUSED,
    ),
    ("CD11", Question("Match({'X' : 'temp_omit'})", A, {"A": "X"}), "temp_omit", OMIT),
    ("CD11", Question("Match({'X' : 'Temp_Omit'})", A, {"A": "X"}), "Temp_Omit", OMIT),
    *[
        ("CD12", Question(ONE, A, {"A": "X"}, {"rmap_relevance": f"({expression})"}), "a.fits", REFUSED)
        for expression in (
            *("A != 0o7", "A != 0b1", "A != 1j", "A != b'X'", "A in {'X' : 1}", "A in Match({})"),
            *("A == 'X'\\\n", "A != -(1)", "A != -'X'"),
        )
    ],
    ("CD13", pair("'N/A'", "'b.fits'"), ["N/A", "b.fits"], NA),
    ("CD13", pair("'b.fits'", "'N/A'"), ["b.fits", "N/A"], NA),
    ("CD13", pair("'OMIT'", "'N/A'"), ["OMIT", "N/A"], OMIT),
    ("CD13", pair("('a.fits', 'c.fits')", "'b.fits'"), ["('a.fits', 'c.fits')", "b.fits"], FILES),
    ("CD13", pair("{'p' : 'a.fits', 'q' : 'c.fits'}", "'b.fits'"), [TABLE, "b.fits"], FILES),
    *[("CD14", pair("'a.fits'", "'b.fits'", value), [name] * 2, NOT_FOUND) for value, name in NOT_FINITE],
    *[("CD14", Question(NEAREST, N, {"N": value}), "a.fits", NOT_FOUND) for value in ("nan", "inf", "1e999")],
    ("CD15", commented({"a": "(A =="}), "a.fits", REFUSED),
    ("CD15", commented({"b": "(keep_comments)"}), "a.fits", NOT_FOUND),
]


@pytest.mark.parametrize(
    ("entry", "question", "crds", "calmap"), DEVIATIONS, ids=lambda v: v if isinstance(v, str) else None
)
def test_calmap_deviates(entry, question, crds, calmap):
    assert answer(question) == calmap
    assert crds != calmap


def test_crds_answers_as_documented():
    theirs = crds_answers([question for _, question, _, _ in DEVIATIONS])

    assert theirs == [crds for _, _, crds, _ in DEVIATIONS]


OF_INSERTIONS = {"CD16", "CD17"}
"""Tested in test_edit_insertion.py, and with the answers of crds by scripts/conformance."""


def test_every_entry_is_documented(repo_root):
    text = (repo_root / "docs" / "compatibility.md").read_text()
    documented = re.findall(r"^### (CD\d\d) ", text, re.MULTILINE)

    assert documented == sorted(set(documented))
    assert set(documented) == {entry for entry, *_ in DEVIATIONS} | OF_INSERTIONS


LIMITS = {
    "characters of a file": MAX_CHARACTERS,
    "parts of a file: words, numbers, signs, and runs of plain rows": MAX_TOKENS,
    "depth of brackets": MAX_DEPTH,
    "`not` and `if` in one expression": MAX_NEGATIONS,
    "characters of an expression": MAX_EXPRESSION,
    "characters of a number": MAX_DIGITS,
    "rules of one selector": MAX_RULES,
    "characters of an element of a match key": MAX_PATTERN,
    "characters of a regular expression": _MAX_REGEX,
    "`NOT` before one another in an element": MAX_NESTED,
    "characters of a date": _MAX_DATE,
}


def test_limits_are_those_of_the_code(repo_root):
    text = (repo_root / "docs" / "compatibility.md").read_text()
    rows = re.findall(r"^  \| (.*) \| ([\d,]+) \|$", text, re.MULTILINE)

    assert {name: int(number.replace(",", "")) for name, number in rows} == LIMITS


def test_a_catastrophic_regular_expression_runs_in_linear_time():
    judge = pattern("((A|A)*B)")

    assert judge.match("A" * 5_000) == -1


def test_a_huge_glob_runs_in_linear_time():
    judge = pattern("*A" * 200 + "|B")

    assert judge.match("A" * 150 + "B") == -1


def test_the_environment_decides_nothing(monkeypatch):
    question = tie("'a.fits'", "'b.fits'")
    before = answer(question)
    monkeypatch.setenv("CRDS_OBSERVATORY", "jwst")
    monkeypatch.setenv("CRDS_SERVER_URL", "https://hst-crds.stsci.edu")

    assert answer(question) == before == ["b.fits", "a.fits"]


def test_too_many_rules_are_refused():
    rules = ", ".join(f"'{number}' : 'a.fits'" for number in range(MAX_RULES + 1))

    with pytest.raises(MappingError, match=r"_0001\.rmap:3: more than 20,000 rules"):
        compiled(Question(f"Match({{{rules}}})", A, {}))


def test_deep_nesting_is_a_finding():
    text = "header = " + "(" * (MAX_DEPTH + 1) + ")" * (MAX_DEPTH + 1)

    (finding,) = parse(Source("x.rmap", text)).diagnostics

    assert finding.rule.code == "CM004"


def test_a_huge_file_is_a_finding():
    (finding,) = parse(Source("x.rmap", " " * (MAX_CHARACTERS + 1))).diagnostics

    assert finding.rule.code == "CM005"


@pytest.mark.parametrize("element", ["A" * (MAX_PATTERN + 1), "NOT " * 30 + "X", f"({'a' * 3000})"])
def test_huge_elements_are_refused(element):
    with pytest.raises(PatternError):
        pattern(element)


def test_a_file_of_too_many_parts_is_a_finding():
    (finding,) = parse(Source("x.rmap", "header = [" + "1," * (MAX_TOKENS // 2))).diagnostics

    assert finding.rule.code == "CM005"


def test_a_number_of_too_many_digits_is_a_finding():
    (finding,) = parse(Source("x.rmap", f"header = {'1' * (MAX_DIGITS + 1)}")).diagnostics

    assert finding.rule.code == "CM003"
    assert parse(Source("x.rmap", f"header = {'1' * MAX_DIGITS}")).diagnostics == ()


def test_a_wrong_checksum_stops_no_look_up():
    question = Question(ONE, A, {"A": "X"}, {"sha1sum": "0" * 40})

    assert answer(question) == "a.fits"
