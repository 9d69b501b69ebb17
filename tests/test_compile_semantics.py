"""What every selector, matcher and header key of an rmap means, on small rmaps.

The answers are those of crds 14.0.3, which is asked too where it is installed.
"""

import pytest
from small_rmaps import NA, NOT_FOUND, OMIT, REFUSED, Question, answer, compiled, crds_answers

A = (("A",),)
AB = (("A", "B"),)
AD = (("A",), ("D",))
ABD = (("A", "B"), ("D",))
AN = (("A",), ("N",))
D, N, V = (("D",),), (("N",),), (("V",),)
TWO_DATES = "UseAfter({'2010-01-01 00:00:00' : 'old.fits', '2020-01-01 12:00:00' : 'new.fits'})"
VERSIONS = "VersionAfter({'1.2' : 'a.fits', '1.10' : 'b.fits'})"
RELATIONS = "SelectVersion({'<3.1' : 'a.fits', '=5' : 'b.fits', 'default' : 'c.fits'})"
NUMBERS = "{-4 : 'a.fits', 1.0 : 'b.fits', 3 : 'c.fits'}"
BACKTRACK = (
    "Match({('X', 'B') : UseAfter({'2020-01-01 00:00:00' : 'narrow.fits'}),"
    " ('X', 'N/A') : UseAfter({'2010-01-01 00:00:00' : 'wide.fits'})})"
)
OVERLAP = (
    "Match({('X|Y',) : UseAfter({'2010-01-01 00:00:00' : 'a.fits', '2012-01-01 00:00:00' : 'z.fits'}),"
    " ('X',) : UseAfter({'2011-01-01 00:00:00' : 'b.fits', '2012-01-01 00:00:00' : 'c.fits'})})"
)
NESTED = "Match({('X',) : Match({('P',) : 'in.fits'}), 'N/A' : 'out.fits'})"
ONE = "Match({('X',) : 'a.fits'})"
GENERIC = "Match({('GENERIC',) : 'any.fits', ('FULL',) : 'full.fits'})"


def hit(element: object, value: object) -> Question:
    return Question(f"Match({{({element!r},) : 'hit.fits'}})", A, {"A": value})


def two(first: str, second: str, a: str = "X", b: str = "Q", **extra: object) -> Question:
    return Question(f"Match({{{first} : 'a.fits', {second} : 'b.fits'}})", AB, {"A": a, "B": b}, extra)


def extra(header: dict[str, object], selector: str = ONE, parkey: tuple = A, **keys: object) -> Question:
    return Question(selector, parkey, header, keys)


MATCHERS = [
    *[
        (hit("X", value), found)
        for value, found in (("X", True), (" x ", True), ("Y", False), ("*", True), ("N/A", True))
    ],
    *[
        (hit(element, "X"), True)
        for element in (" x ", "*", "ANY", "any", "N/A", "()", "NOT APPLICABLE", "X|Y", "Y|x")
    ],
    *[(hit("", value), found) for value, found in (("", True), ("X", False))],
    *[(hit("A|N/A", value), found) for value, found in (("A", True), ("N/A", True), ("Q", False))],
    *[(hit(5, value), True) for value in (5, "5", "5.00", 5.0)],
    *[(hit(True, value), True) for value in (True, "T", "TRUE")],
    *[(hit(None, value), found) for value, found in (("NONE", True), ("X", False))],
    *[(hit(("X", "Y"), value), found) for value, found in (("X", True), ("Y", True), ("Z", False))],
    *[(hit("{x}", value), found) for value, found in (("X", False), ("{x}", False))],
    *[(hit("{X}", value), found) for value, found in (("X", True), ("Y", False))],
    *[(hit("(A.C)", value), found) for value, found in (("ABC", True), ("ABCD", True), ("ZABC", False))],
    *[(hit("#>1 AND <5#", value), found) for value, found in (("3", True), ("5", False), ("X", False))],
    *[(hit("#<1 or >=5#", value), found) for value, found in (("0", True), ("5", True), ("3", False))],
    *[(hit("#>1 AND <5 AND <2#", value), found) for value, found in (("3", True), ("7", False))],
    *[(hit("#==5#", value), found) for value, found in (("5", False), ("==5", True))],
    (hit("# >1 #", "3"), False),
    (hit("#X#", "X"), True),
    *[
        (hit("between 1 5", value), found)
        for value, found in (("1", True), ("4.9", True), ("5", False), ("X", False))
    ],
    *[
        (hit("NOT X", value), found)
        for value, found in (("X", False), ("Y", True), ("N/A", True), ("*", False))
    ],
    *[(hit("not X|Y", value), found) for value, found in (("X", False), ("Z", True))],
    (hit("NOTHING", "NOTHING"), True),
    (hit("X", "UNDEFINED"), False),
    (hit("*", "UNDEFINED"), True),
    # Globs and relations reach a value only where another rule lets any value through.
    (hit("X*", "XY"), False),
    (hit("X*", "X*"), True),
]
GLOBS = [
    (two("('X*', 'N/A')", "('N/A', 'N/A')", a="XY"), "a.fits"),
    (two("('X*', 'N/A')", "('N/A', 'N/A')", a="YX"), "b.fits"),
    (two("('?|[PQ]Z', 'N/A')", "('N/A', 'N/A')", a="QZ"), "a.fits"),
    (two("('?|[PQ]Z', 'N/A')", "('N/A', 'N/A')", a="RZ"), "b.fits"),
    (two("('>=3', 'N/A')", "('N/A', 'N/A')", a="3"), "a.fits"),
    (two("('<3junk', 'N/A')", "('N/A', 'N/A')", a="2.5"), "a.fits"),
    (two("('<3', 'N/A')", "('N/A', 'N/A')", a="X"), "b.fits"),
]
WEIGHTS = [
    (two("('X', 'N/A')", "('X', 'Q')"), "b.fits"),
    (two("('X', '*')", "('N/A', 'Q')"), "a.fits"),
    (two("('N/A', 'N/A')", "('N/A', 'Q')"), "b.fits"),
    (two("('X', 'N/A')", "('N/A', 'Q')"), ["b.fits", "a.fits"]),
    (two("('X|N/A', 'N/A')", "('N/A', 'Q')", a="N/A"), "b.fits"),
    (two("('X', 'Q')", "('X', 'N/A')", a="N/A", b="N/A"), ["b.fits", "a.fits"]),
    (two("('X', 'N/A')", "('Y', 'Q')", a="*"), "b.fits"),
]
DATES = [
    (Question(TWO_DATES, D, {"D": "2009-12-31"}), NOT_FOUND),
    (Question(TWO_DATES, D, {"D": "2010-01-01"}), "old.fits"),
    (Question(TWO_DATES, D, {"D": "2020-01-01 11:59:59.999"}), "old.fits"),
    (Question(TWO_DATES, D, {"D": "2020-01-01 12:00:00"}), "new.fits"),
    (Question(TWO_DATES, (("D", "T"),), {"D": "2020-01-01", "T": "12:00"}), "new.fits"),
    (Question(TWO_DATES, D, {"D": "2021-01-01T00:00:00"}), "new.fits"),
    (Question(TWO_DATES, D, {"D": "01/02/2019"}), "old.fits"),
    (Question(TWO_DATES, D, {"D": "25/12/95"}), NOT_FOUND),
    (Question(TWO_DATES, D, {"D": "Feb 08 2016 01:02PM"}), "old.fits"),
    (Question(TWO_DATES, D, {"D": "July 27, 2021 12:00:00 UT"}), "new.fits"),
    *[
        (Question(TWO_DATES, D, {"D": bad}), NOT_FOUND)
        for bad in ("2021-01-01T00:00:00Z", "2021-1-1", "2021-01-01 24:00:00")
    ],
    (Question(TWO_DATES, D, {}), NOT_FOUND),
    (Question("UseAfter({})", D, {"D": "2020-01-01"}), NOT_FOUND),
    (Question(TWO_DATES.replace("UseAfter", "ClosestTime"), D, {"D": "1990-01-01"}), "old.fits"),
    (Question(TWO_DATES.replace("UseAfter", "ClosestTime"), D, {"D": "2018-01-01"}), "new.fits"),
    (
        Question(
            "ClosestTime({'2020-01-03 00:00:00' : 'b.fits', '2020-01-01 00:00:00' : 'a.fits'})",
            D,
            {"D": "2020-01-02"},
        ),
        "a.fits",
    ),
    (Question("ClosestTime({})", D, {"D": "2020-01-01"}), NOT_FOUND),
]
ORDERED = [
    *[
        (Question(VERSIONS, V, {"V": version}), found)
        for version, found in (
            ("1.1", NOT_FOUND),
            ("1.2", "a.fits"),
            ("1.9.9", "a.fits"),
            ("1.10rc1", "b.fits"),
            ("2", "b.fits"),
            ("x", NOT_FOUND),
        )
    ],
    *[
        (Question(RELATIONS, V, {"V": version}), found)
        for version, found in (
            ("3.0", "a.fits"),
            ("3.1", "b.fits"),
            ("5", "b.fits"),
            ("5.5", "c.fits"),
            ("1.2.3", NOT_FOUND),
        )
    ],
    (Question("SelectVersion({'<3.1' : 'a.fits'})", V, {"V": "4"}), NOT_FOUND),
    (Question("VersionAfter({'1.0' : 'a.fits', '1.0.0' : 'b.fits'})", V, {"V": "1"}), REFUSED),
    *[
        (Question(f"GeometricallyNearest({NUMBERS})", N, {"N": number}), found)
        for number, found in (
            (-99, "a.fits"),
            (1.9, "b.fits"),
            (2, "b.fits"),
            (2.1, "c.fits"),
            ("X", NOT_FOUND),
        )
    ],
    (Question("GeometricallyNearest({10 : 'ten.fits', 3 : 'three.fits'})", N, {"N": 6.5}), "ten.fits"),
    (Question("GeometricallyNearest({})", N, {"N": 1}), NOT_FOUND),
    *[
        (Question(f"Bracket({NUMBERS})", N, {"N": number}), found)
        for number, found in (
            (-9, ["a.fits", "a.fits"]),
            (0, ["a.fits", "b.fits"]),
            (3, ["c.fits", "c.fits"]),
            (9, ["c.fits", "c.fits"]),
            ("X", NOT_FOUND),
        )
    ],
    (Question("Bracket({})", N, {"N": 1}), NOT_FOUND),
]
NESTING = [
    *[
        (Question(BACKTRACK, ABD, {"A": "X", "B": "B", "D": date}), found)
        for date, found in (
            ("2015-01-01", "wide.fits"),
            ("2021-01-01", "narrow.fits"),
            ("2001-01-01", NOT_FOUND),
            ("bad", NOT_FOUND),
        )
    ],
    *[
        (Question(NESTED, (("A",), ("B",)), {"A": "X", "B": b}), found)
        for b, found in (("P", "in.fits"), ("Q", NOT_FOUND))
    ],
    *[
        (Question(OVERLAP, AD, {"A": "X", "D": date}), found)
        for date, found in (
            ("2009-01-01", NOT_FOUND),
            ("2010-05-05", "a.fits"),
            ("2011-05-05", "b.fits"),
            ("2013-05-05", "z.fits"),
        )
    ],
    *[
        (Question(OVERLAP, AD, {"A": "X", "D": "2013-05-05"}, {"merge_overlaps": off}), NOT_FOUND)
        for off in (False, "False", "0", "yes")
    ],
    (Question(OVERLAP, AD, {"A": "Y", "D": "2013-05-05"}, {"merge_overlaps": "False"}), "z.fits"),
    (
        Question(
            "Match({('X|Z',) : Match({('P',) : 'a.fits'}), 'X' : Match({('P',) : 'b.fits'})})",
            (("A",), ("B",)),
            {"A": "X", "B": "P"},
        ),
        NOT_FOUND,
    ),
    (
        Question(
            "Match({('X|Z',) : VersionAfter({'1' : 'a.fits'}), 'X' : VersionAfter({'2' : 'b.fits'})})",
            (("A",), ("V",)),
            {"A": "X", "V": "3"},
        ),
        "b.fits",
    ),
    (
        Question(
            "Match({('X|Z',) : Bracket({1 : 'a.fits'}), 'X' : Bracket({2 : 'b.fits'})})",
            AN,
            {"A": "X", "N": 3},
        ),
        NOT_FOUND,
    ),
    (
        Question(
            "Match({('X|Z',) : ClosestTime({}), 'X' : ClosestTime({'2020-01-01' : 'b.fits'})})",
            AD,
            {"A": "X", "D": "2021-01-01"},
        ),
        "b.fits",
    ),
    (
        Question(
            "Bracket({1 : UseAfter({'2010-01-01 00:00:00' : 'p.fits'}),"
            " 5 : UseAfter({'2010-01-01 00:00:00' : 'q.fits'})})",
            (("N",), ("D",)),
            {"N": 3, "D": "2011-01-01"},
        ),
        ["p.fits", "q.fits"],
    ),
]
TERMINALS = [
    *[
        (Question(f"Match({{'X' : {word!r}}})", A, {"A": "X"}), NA)
        for word in ("N/A", "n/a", "TEMP_N/A", "temp_n/a")
    ],
    *[
        (Question(f"Match({{'X' : {word!r}}})", A, {"A": "X"}), OMIT)
        for word in ("OMIT", "omit", "TEMP_OMIT")
    ],
    (Question("Match({'X' : ('a.fits', 'b.fits')})", A, {"A": "X"}), ["a.fits", "b.fits"]),
    (Question("Match({'X' : {'q' : 'b.fits', 'p' : 'a.fits'}})", A, {"A": "X"}), ["b.fits", "a.fits"]),
    (Question("Match({'X' : ('a' '.fits')})", A, {"A": "X"}), "a.fits"),
    (Question("Match({})", A, {"A": "X"}), NOT_FOUND),
    (Question("Match({'X' : 'a.fits', 'X' : 'b.fits'})", A, {"A": "X"}), "b.fits"),
]
HEADER_KEYS = [
    (extra({"A": "X"}, rmap_omit="(A == 'X')"), OMIT),
    (extra({"A": "X"}, rmap_omit="(A == 'Y')"), "a.fits"),
    (extra({"A": "X"}, rmap_omit="True"), "a.fits"),
    (extra({"A": "X"}, rmap_omit="(True)"), OMIT),
    (extra({"A": "X"}, rmap_omit="(FOO == 'Y')"), "a.fits"),
    (extra({"A": "X"}, rmap_relevance="(A != 'X')"), NA),
    (extra({"A": "X"}, rmap_relevance="(FOO != 'X')"), "a.fits"),
    (extra({"A": "X"}, rmap_relevance="always"), "a.fits"),
    (extra({"A": "X"}, rmap_relevance="(A in ('X', 'Y') and not A == 'Z')"), "a.fits"),
    (extra({"A": "X"}, rmap_relevance="(A < 3)"), "a.fits"),
    (extra({"A": "X", "S": "OMIT"}, reffile_switch="S", rmap_relevance="(S != 'OMIT')"), NA),
    (extra({"A": "X", "S": "PERFORM"}, reffile_switch="S", rmap_relevance="(S != 'OMIT')"), "a.fits"),
    (extra({"A": "Z"}, parkey_relevance={"A": "(A == 'Q')"}), "a.fits"),
    (extra({"A": "Z"}, parkey_relevance={"a": "(A == 'Q')"}), "a.fits"),
    (extra({"A": "Z"}, parkey_relevance={"A": "(FOO == 'Q')"}), NOT_FOUND),
    (extra({"A": "Z", "E": "W"}, parkey_relevance={"A": "(E == 'Q')"}, extra_keys=("E",)), "a.fits"),
    (extra({"A": "Z"}, parkey_relevance={"A": "(E == 'UNDEFINED')"}, extra_keys=("E",)), NOT_FOUND),
    (extra({"A": "Z"}, comment_parkeys=("A",)), "a.fits"),
    *[(extra({"A": "Z"}, reffile_required=word), NA) for word in ("NO", "no", "x")],
    *[(extra({"A": "Z"}, reffile_required=word), NOT_FOUND) for word in ("YES", "NONE")],
    (extra({"A": "P"}, substitutions={"A": {"X": ("P", "Q")}}), "a.fits"),
    (extra({"A": "W"}, substitutions={"A": {"X": "N/A"}}), "a.fits"),
    (extra({"A": "X"}, substitutions={"A": {"X": "P"}}), NOT_FOUND),
    (extra({"A": "Y"}, "Match({'X' : 'a.fits', 'Y' : 'b.fits'})", substitutions={"A": {"X": "Y"}}), "a.fits"),
    (extra({"SUBARRAY": "FULL"}, GENERIC, (("SUBARRAY",),)), "full.fits"),
    (extra({"SUBARRAY": "Q"}, GENERIC, (("SUBARRAY",),)), "any.fits"),
    (extra({"SUBARRAY": "Q"}, "Match({'FULL|GENERIC' : 'a.fits'})", (("SUBARRAY",),)), NOT_FOUND),
    (
        extra({"SUBARRAY": "Q"}, GENERIC, (("SUBARRAY",),), substitutions={"SUBARRAY": {"FULL": "N/A"}}),
        "full.fits",
    ),
]
REFUSALS = [
    *[
        (hit(element, "X"), REFUSED)
        for element in ("#>A#", "BETWEEN 1", "BETWEEN A B", "BETWEEN 5 1", "BETWEENX", "(A(B)")
    ],
    (Question("Match({('X', 'Y') : 'a.fits'})", A, {"A": "X"}), REFUSED),
    (Question("Match({'X' : 'a.fits', 'x' : 'b.fits'})", A, {"A": "X"}), REFUSED),
    (Question("Foo({'X' : 'a.fits'})", A, {"A": "X"}), REFUSED),
    (Question("Match({'X' : UseAfter({})})", A, {"A": "X"}), REFUSED),
    (extra({"A": "X"}, rmap_relevance="(A =="), REFUSED),
    (extra({"A": "X"}, parkey_relevance={"A": "(A x= 'X')"}), REFUSED),
]
HOOKS = [
    (
        Question(
            "Match({('F', 'SUB') : 'wrong.fits', ('N/A', 'N/A') : 'any.fits',"
            " ('T', 'CUSTOM') : 'custom.fits'})",
            (("SUBARRAY", "APERTURE"),),
            {"SUBARRAY": "T", "APERTURE": aperture},
            name="hst_wfc3_biasfile_0001.rmap",
        ),
        found,
    )
    for aperture, found in (("CUSTOM", "custom.fits"), ("OTHER", "custom.fits"))
] + [
    (
        Question(
            "Match({('F1', 'F2') : 'a.fits'})",
            (("FILTER1", "FILTER2"),),
            {"FILTER1": first, "FILTER2": second},
            name="hst_wfpc2_flatfile_0001.rmap",
        ),
        found,
    )
    for first, second, found in (("F1", "F2", "a.fits"), ("F2", "F1", "a.fits"), ("F1", "F3", NOT_FOUND))
]
PLAIN = [*GLOBS, *WEIGHTS, *DATES, *ORDERED, *NESTING, *TERMINALS, *HEADER_KEYS, *REFUSALS, *HOOKS]
CASES = [*[(question, "hit.fits" if found else NOT_FOUND) for question, found in MATCHERS], *PLAIN]


def identify(value: object) -> str | None:
    return f"{value.selector[:50]}-{dict(value.header)}" if isinstance(value, Question) else None


@pytest.mark.parametrize(("question", "found"), CASES, ids=identify)
def test_answer(question, found):
    assert answer(question) == found


def test_crds_gives_the_same_answers():
    theirs = crds_answers([question for question, _ in CASES])

    different = [
        (q.text(), dict(q.header), mine, their)
        for (q, mine), their in zip(CASES, theirs, strict=True)
        if mine != their
    ]

    assert different == []


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (Question(ONE, A, {}), "A"),
        (Question(TWO_DATES, D, {}), "D"),
        (Question(TWO_DATES, D, {"D": "soon"}), "'SOON'"),
        (Question(TWO_DATES, D, {"D": "1999-01-01"}), "2010-01-01 00:00:00"),
        (Question(ONE, A, {"A": "Z"}), "A='Z'"),
        (Question(VERSIONS, V, {"V": "x"}), "'X'"),
        (Question(OVERLAP, AD, {"A": "X", "D": "2013-01-01"}, {"merge_overlaps": False}), "merge_overlaps"),
    ],
    ids=identify,
)
def test_nothing_found_is_explained(question, words):
    reference = compiled(question)
    header = {key: str(question.header.get(key, "UNDEFINED")).upper() for key in reference.terms.required}

    assert words in reference.choose(header).reason
