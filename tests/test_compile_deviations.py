"""Where calmap does not answer as crds does: every entry of docs/compatibility.md that is about answers."""

import re

import pytest
from small_rmaps import NA, NOT_FOUND, OMIT, REFUSED, Question, answer, compiled, crds_answers

from calmap.compile.prepare import MAX_RULES
from calmap.errors import MappingError
from calmap.model.patterns import MAX_PATTERN, PatternError, pattern
from calmap.source import Source
from calmap.syntax.guard import MAX_DEPTH
from calmap.syntax.parser import MAX_CHARACTERS, parse

A, D, N = (("A",),), (("D",),), (("N",),)
AD = (("A",), ("D",))
WEEK = "'2020-01-01T00:00:00' : 'new.fits', '2019-01-01 00:00:00' : 'old.fits'"


def tie(first: str, second: str, parkey: tuple = A, **header: str) -> Question:
    """Two rules of equal weight for A = X."""
    return Question(f"Match({{('X|Y',) : {first}, ('X',) : {second}}})", parkey, {"A": "X", **header})


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
    ("CD09", Question("Match({**{'X' : 'a.fits'}})", A, {"A": "X"}), "a.fits", REFUSED),
    ("CD10", Question("Match({'X' : ['a.fits', 'b.fits']})", A, {"A": "X"}), ["a.fits", "b.fits"], REFUSED),
    ("CD10", Question("Match({'X' : ('a.fits', 3)})", A, {"A": "X"}), ["a.fits", "3"], REFUSED),
    ("CD11", Question("Match({'X' : 'temp_omit'})", A, {"A": "X"}), "temp_omit", OMIT),
    ("CD11", Question("Match({'X' : 'Temp_Omit'})", A, {"A": "X"}), "Temp_Omit", OMIT),
    (
        "CD12",
        Question("Match({'X' : 'a.fits'})", A, {"A": "X"}, {"rmap_relevance": "(A != 0x10)"}),
        "a.fits",
        REFUSED,
    ),
    (
        "CD12",
        Question("Match({'X' : 'a.fits'})", A, {"A": "X"}, {"rmap_relevance": "(A == r'X')"}),
        "a.fits",
        REFUSED,
    ),
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


def test_every_entry_is_documented(repo_root):
    text = (repo_root / "docs" / "compatibility.md").read_text()
    documented = re.findall(r"^### (CD\d\d) ", text, re.MULTILINE)

    assert documented == sorted(set(documented))
    assert set(documented) == {entry for entry, *_ in DEVIATIONS}


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
