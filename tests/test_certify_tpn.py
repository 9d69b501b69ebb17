"""TPN files: their lines, their mistakes, and the definitions they become."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calmap.certify.conversion import converted, scope_of
from calmap.certify.tpn import read_tpn
from calmap.certify.tpn_constraints import tpn_constraints
from calmap.certify.tpn_folder import TpnFiles
from calmap.errors import ObservatoryError, UsageError
from calmap.observatories import load_observatory
from calmap.observatories.constraints import Constraint, Presence, Subject
from calmap.observatories.constraints_schema import certification
from calmap.observatories.fields import Place
from calmap.yamltree import parse_yaml


def crds_folder():
    """Where the package crds is, found without importing it."""
    spec = importlib.util.find_spec("crds")
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None


CRDS = crds_folder()
FILES = sorted(CRDS.glob("*/tpns/**/*.tpn")) if CRDS else []
needs_crds = pytest.mark.skipif(not FILES, reason="the package crds is not there")


@pytest.fixture
def write(tmp_path):
    def write(text, name="miri_ipc.tpn"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def reread(text, scope):
    """Constraints of a scope in the text of a definition."""
    tree = parse_yaml(text)
    found = certification(tree.entries[0][1], Place("x.yaml", ("certify",)))
    by_type = found.instruments[scope[1]] if scope[0] == "instruments" else found.every
    return (by_type.all if scope[-1] == "all" else by_type.types[scope[-1]]).constraints


def as_set(constraints):
    return sorted(set(constraints), key=lambda constraint: str(replace(constraint, origin="")))


def test_what_the_words_mean(write):
    text = """\
# a comment
META.TELESCOPE  H  C  R  JWST

FILETYPE  H  C  P  "dark image",BIAS
GAIN      H  R  W  0.5:INF
MODE      H  S  O  Ab,cD
USEAFTER  H  C  R  &SybDate
SEGMENT   C  C  (EXP_TYPE=='A')  FUVA,\\
                  # between
                  FUVB
SCI       A  X  F  (ndim(SCI_ARRAY,2))
SCI       D  X  E  &KERNELUNITY
In_Bounds X  X  A  (1<=XSTART<=5)
OLD       G  L  R
COMPNAME  H  X  R  (len(COMPNAME)>0)
"""
    keyword, column, array, check = Subject.KEYWORD, Subject.COLUMN, Subject.ARRAY, Subject.CHECK
    expected = (
        Constraint(keyword, "META.TELESCOPE", type="text", values=("JWST",)),
        Constraint(keyword, "FILETYPE", type="text", values=("DARK IMAGE", "BIAS")),
        Constraint(keyword, "GAIN", Presence.WARN, type="real", range=("0.5", "INF")),
        Constraint(keyword, "MODE", Presence.OPTIONAL, type="exact-text", values=("Ab", "cD")),
        Constraint(keyword, "USEAFTER", type="text", check="sybdate"),
        Constraint(column, "SEGMENT", condition="(EXP_TYPE=='A')", type="text", values=("FUVA", "FUVB")),
        Constraint(array, "SCI", Presence.FULL_FRAME, expression="(ndim(SCI_ARRAY,2))"),
        Constraint(array, "SCI", Presence.EXCLUDED, check="kernelunity"),
        Constraint(check, "In_Bounds", Presence.ANY_SUBARRAY, expression="(1<=XSTART<=5)"),
        Constraint(Subject.GROUP, "OLD", type="logical"),
        Constraint(check, "COMPNAME", expression="(len(COMPNAME)>0)"),
    )

    assert tpn_constraints(write(text)) == expected


def test_places_count_in_the_lines_of_the_file(write):
    one, two = read_tpn(write("A  H  C  R  B,\\\n\n  C\n  D H C R\n"))

    assert [(word.line, word.column) for word in (one.name, one.values, two.name)] == [
        (1, 1),
        (1, 13),
        (4, 3),
    ]
    assert one.value_texts == ("B", "C")


def test_include_and_replace(write):
    write("replace XMAX 2048\nSIZE H I R 1:XMAX\ninclude deeper.tpn\n", "includes/size.tpn")
    write("DEEP H I R 1:XMAX\n", "includes/deeper.tpn")
    found = tpn_constraints(write("BEFORE H C R XMAX\nreplace [BC]+EFORE LATER\ninclude includes/size.tpn\n"
                                  "BEFORE H C R XMAX\n"))  # fmt: skip

    assert [(item.name, item.range or item.values) for item in found] == [
        ("BEFORE", ("XMAX",)),
        ("SIZE", ("1", "2048")),
        ("DEEP", ("1", "2048")),
        ("LATER", ("XMAX",)),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A H C\n", "1:1: 3 words, expected 4 or 5"),
        ("\n  A H C R B C\n", "2:13: 6 words, expected 4 or 5"),
        ("A Q C R\n", "1:3: unknown kind of constraint 'Q'"),
        ("A H Z R\n", "1:5: unknown type of values 'Z'"),
        ("A H C Q\n", "1:7: unknown presence 'Q'"),
        ("A H C (B==)\n", "1:11: '(B==)' can't be read: ')' can't stand here"),
        ("A H I R ONE\n", "1:9: 'ONE' is no number"),
        ("A H I R 5:1\n", "1:9: the range '5:1' is empty"),
        ("A H C R &PEDIGRE\n", "1:9: unknown check '&PEDIGRE' (did you mean '&PEDIGREE'?)"),
        ("A X X R\n", "1:5: type X without an expression"),
        ("A X X R B\n", "1:9: 'B' is no expression"),
        ("A A C R\n", "1:5: values of type 'C' of what is not a keyword or a column"),
        ('A H C R "B\n', "1:9: the quote '\"' is not closed"),
        ("include\n", "1:1: 'include' is not understood"),
        ("include ../x.tpn\n", "1:1: 'include ../x.tpn' is not understood"),
        ("include no.tpn\n", "1:1: there is no file"),
        ("include miri_ipc.tpn\n", "1:1: 'miri_ipc.tpn' includes itself"),
        ("replace A\n", "1:1: 'replace A' is not understood"),
        ("replace A B\n replace A C\n", "2:2: 'A' is to be replaced by 'C', before it was by 'B'"),
        ("replace (A B\nX H C R A\n", "2:1: '(A' is to be replaced by 'B', which is no regular expression"),
        ("replace A AA\n" * 2 + "A" * 60_000 + " H C R\n", "replacing 'A' makes a line of more than"),
        ("A H C R " + "B" * 100_001 + "\n", "a constraint of more than 100000 characters"),
    ],
)
def test_mistakes_are_named_with_line_and_column(write, text, message):
    path = write(text)
    with pytest.raises(ObservatoryError) as raised:
        tpn_constraints(path)

    assert f"{path}:" in str(raised.value)
    assert message in str(raised.value)


def test_files_that_include_each_other_are_refused(write):
    write("include b.tpn\n", "a.tpn")
    with pytest.raises(ObservatoryError, match=r"a.tpn:1:1: 'b.tpn' includes itself"):
        read_tpn(write("include a.tpn\n", "b.tpn"))


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "a.tpn").write_bytes(b"A H C R\n\xff\n")
    for name, reason in (("a.tpn", ":2:1: not UTF-8"), (".", "no ordinary file"), ("b.tpn", "can't be read")):
        with pytest.raises(ObservatoryError, match=reason):
            read_tpn(tmp_path / name)


PIECES = (
    *("A", "SCI", "H", "C", "X", "S", "I", "R", "O", "W", '"', ",", "#", "(", ")", "&PEDIGREE", "include"),
    *("replace", "1:5", "(A==1)", "(B", "é", "5", "(len(A)>0)", "=", "'"),
)
WORDS = st.sampled_from([*PIECES, "\\\n", "\n", " ", " ", "\t", "\x0b"])


@given(st.lists(WORDS, max_size=30))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_or_refused(tmp_path_factory, words):
    path = tmp_path_factory.getbasetemp() / "any.tpn"
    path.write_text("".join(words), encoding="utf-8")
    try:
        constraints = tpn_constraints(path)
    except ObservatoryError:
        return

    assert as_set(reread(converted([path]), scope_of(path.name))) == as_set(constraints)


@needs_crds
def test_every_real_file_is_read_and_becomes_a_definition_that_says_the_same():
    count = 0
    for path in FILES:
        constraints = tpn_constraints(path)
        assert as_set(reread(converted([path]), scope_of(path.name))) == as_set(constraints), path
        count += len(constraints)

    assert len(FILES) > 600
    assert count > 9_000


def test_several_files_become_one_section(write):
    files = [
        write("A H C R\n", "all_all.tpn"),
        write("B H C R X,Y\n", "all_flat.tpn"),
        write("C H C R\n", "miri_all.tpn"),
        write("# nothing\n", "miri_flat.tpn"),
        write("D H C R null,~,yes\n", "miri_dark.tpn"),
    ]

    assert (
        converted(reversed(files))
        == """\
# from miri_dark.tpn
# from miri_flat.tpn
# from miri_all.tpn
# from all_flat.tpn
# from all_all.tpn
certify:
  all:
    keywords:
      A: {presence: required, type: text}
  types:
    flat:
      keywords:
        B: {presence: required, type: text, values: [X, Y]}
  instruments:
    miri:
      all:
        keywords:
          C: {presence: required, type: text}
      types:
        dark:
          keywords:
            D: {presence: required, type: text, values: ["NULL", "~", "YES"]}
        flat: {}
"""
    )


def test_a_folder_gives_the_files_named_after_instrument_and_type(write, tmp_path):
    for name in ("all_all", "all_pars", "cos_all", "cos_dead", "cos_pars-x", "acs_dead"):
        write(f"{name.upper()} H C R\n", f"{name}.tpn")
    files = TpnFiles((tmp_path,), load_observatory("hst"))

    def names(instrument, reftype, name="x.fits"):
        return [item.name for item in files.demands(instrument, reftype, name).constraints]

    assert names("cos", "deadtab") == ["COS_DEAD", "COS_ALL", "ALL_ALL"]
    assert names("cos", "other", "s7g_dead.fits") == ["COS_DEAD", "COS_ALL", "ALL_ALL"]
    assert names("cos", "pars-x") == ["COS_PARS-X", "COS_ALL", "ALL_PARS", "ALL_ALL"]
    assert names("wfc3", "flat", "x_...fits") == ["ALL_ALL"]
    assert files.demands("cos", "hvtab", "").rows == ("DATE",)


def test_a_tpn_file_counts_for_every_reference(write):
    files = TpnFiles((write("A H C R\n"),), load_observatory("hst"))

    assert [item.name for item in files.demands("", "", "").constraints] == ["A"]
    with pytest.raises(UsageError, match="there is no file or folder"):
        TpnFiles((Path("none.tpn"),), load_observatory("hst")).demands("", "", "")
