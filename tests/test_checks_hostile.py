"""Whatever parses is checked without an exception and in sensible time."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calmap.checks import MAX_FINDINGS, Folder, apply_fixes, check_mapping, closure
from calmap.errors import NotInCacheError
from calmap.model.mapping import parse_mapping
from calmap.syntax.guard import MAX_CHARACTERS, MAX_RULES, MAX_TOKENS

TEXTS = st.sampled_from(
    [
        *(
            "",
            "N/A",
            "*",
            "ANY",
            "A|B",
            "A||A",
            "|",
            ">5",
            "<",
            "#>1 AND <2 AND >3#",
            "BETWEEN 2 1",
            "NOT NOT X",
        ),
        *(
            "(a",
            "(a+)+$)",
            "{x}",
            "F1*",
            "[",
            "2020-01-01T00:00:00",
            "2020-01-01",
            "99/99/9999",
            "1.2.3",
            "=5",
        ),
        *(
            "default",
            "../x",
            "x.fits",
            "OMIT",
            "x.rmap",
            "x.imap",
            "(A == 'B')",
            "True",
            "((",
            "é",
            "\\x00",
            "'",
        ),
        *("GENERIC", "SUBARRAY", "Match", "tobs_0001.pmap", "1e999", "YES"),
    ]
)
LEAVES = st.one_of(
    TEXTS.map(repr),
    st.integers().map(repr),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["True", "False", "None", "1e999", "0x" + "f" * 3900, "''''''"]),
)
SELECTORS = (
    "Match",
    "UseAfter",
    "ClosestTime",
    "VersionAfter",
    "SelectVersion",
    "GeometricallyNearest",
    "Bracket",
    "X",
)
KEYS = (
    *(
        "derived_from",
        "name",
        "mapping",
        "observatory",
        "instrument",
        "filekind",
        "parkey",
        "classes",
        "sha1sum",
    ),
    *(
        "substitutions",
        "parkey_relevance",
        "rmap_relevance",
        "rmap_omit",
        "extra_keys",
        "reffile_switch",
        "hooks",
    ),
    *("comment_parkeys", "reference_to_dataset", "merge_overlaps", "reffile_required", "row_keys", "nmae"),
)


def tables(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    rows = st.lists(st.tuples(values, values).map(" : ".join), max_size=4)
    return rows.map(lambda lines: "{" + ",\n".join(lines) + "}")


VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "(" + "".join(f"{item}, " for item in items) + ")"),
        st.lists(inner, min_size=1, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
        st.lists(inner, min_size=1, max_size=3).map(lambda items: "{" + ", ".join(items) + "}"),
        tables(inner),
        st.tuples(st.sampled_from(SELECTORS), tables(inner)).map(lambda pair: f"{pair[0]}({pair[1]})"),
    ),
    max_leaves=12,
)
PARKEYS = st.sampled_from(
    [
        "(('A',), ('B',))",
        "(('SUBARRAY', 'A'),)",
        "((),)",
        "()",
        "('A',)",
        "((1,),)",
        "(('A', 'A'), (), ('C',))",
    ]
)
HEADERS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(KEYS).map(repr), VALUES),
        st.tuples(st.just("'parkey'"), PARKEYS),
        st.tuples(VALUES, VALUES),
    ).map(" : ".join),
    max_size=8,
).map(lambda lines: "{" + ",\n".join(lines) + "}")


@given(HEADERS, VALUES, st.sampled_from(["tobs_0001.pmap", "x.imap", "x.rmap"]))
@settings(max_examples=300, deadline=None)
def test_any_value_may_stand_anywhere(header: str, selector: str, name: str) -> None:
    text = f"header = {header}\nselector = {selector}\n"
    mapping = parse_mapping(Path(name), text.encode())
    for finding in check_mapping(mapping):
        assert 0 <= finding.span.start <= finding.span.end <= len(text)
        assert finding.message
    fixed = apply_fixes(Path(name), text.encode())
    again = apply_fixes(Path(name), fixed.text.encode())
    assert again.text == fixed.text
    if mapping.file is not None:
        assert fixed.mapping.file is not None


def test_mutated_real_files(corpus: Path) -> None:
    chance = random.Random(20240924)
    paths = sorted((corpus / "crds-cache" / "mappings").glob("*/*map"), key=lambda path: path.stat().st_size)[
        :120
    ]
    around = Folder(corpus / "crds-cache" / "mappings" / "jwst")
    for _ in range(150):
        path = chance.choice(paths)
        tokens = path.read_text().replace("\n", "\n\x00").replace("'", "\x00'\x00").split("\x00")
        for _ in range(chance.randrange(1, 4)):
            i, j = chance.randrange(len(tokens)), chance.randrange(len(tokens))
            tokens[i], tokens[j] = tokens[j], chance.choice([tokens[i], "", tokens[j] * 2])
        check_mapping(parse_mapping(path, "".join(tokens).encode()), around)


BIG = 4000


@pytest.mark.parametrize(
    ("header", "selector"),
    [
        ("", "Match({" + "('A',) : 'x.fits'," * BIG + "})"),
        ("", "Match({'A' : UseAfter({" + "".join(f"'2020-01-01T{i:05}' : 'x'," for i in range(BIG)) + "})})"),
        ("", "Match({('" + "A|" * BIG + "',) : 'x.fits'})"),
        ("", "Match({" + "".join(f"'>{i}' : 'x.fits'," for i in range(BIG)) + "})"),
        ("", "Match({" + "".join(f"'A' : Usefater{i}({{}})," for i in range(BIG)) + "})"),
        ("".join(f"'rmap_relevenc{i}' : ''," for i in range(BIG)), "Match({})"),
        (
            "'parkey_relevance' : {" + "".join(f"'k{i}' : '(K{i} == 1)'," for i in range(BIG)) + "},",
            "Match({})",
        ),
        ("'parkey' : ((" + "'A'," * BIG + "),),", "Match({" + "('A', 'B') : 'x.fits'," * BIG + "})"),
        ("", "Match({\n" + "# calmap: ignore[CM201]\n'A' : 'x.fits',\n" * BIG + "})"),
        ("", "Match({\n" + "# calmap: ignore[CM20]\n" * BIG + "})"),
    ],
)
def test_large_and_odd_takes_no_time(header: str, selector: str) -> None:
    text = f"header = {{'parkey' : (('A',), ('B',)), {header}}}\nselector = {selector}\n"
    mapping = parse_mapping(Path("x.rmap"), text.encode())
    assert mapping.file is not None
    start = time.perf_counter()
    check_mapping(mapping)
    assert time.perf_counter() - start < 2


WORD = "abcdefghijklmnopq"
ONE_LINE = "'A' : 'x',"


def spellings(count: int) -> Iterator[str]:
    """A word in all mixtures of capital and small letters."""
    for number in range(count):
        yield "".join(c.upper() if number >> place & 1 else c for place, c in enumerate(WORD))


def near_limits() -> Iterator[tuple[str, str, str]]:
    room = MAX_CHARACTERS - 1000
    yield "list", "'row_keys' : [" + "1, " * (MAX_TOKENS // 2 - 200) + "]", "{}"
    yield "duplicates on one line", "", "{" + ONE_LINE * (room // len(ONE_LINE)) + "}"
    yield "sections on one line", "", "{})" + " comment = ''" * (MAX_TOKENS // 3 - 200) + " note = ({}"
    rows = "".join(f"'{word}' : 'x'," for word in spellings(room // 100))
    yield "equal keys, the first one long", "", "{'" + WORD + " " * (room // 2) + "' : 'x'," + rows + "}"


@pytest.mark.parametrize(
    ("header", "table"), [pytest.param(*texts, id=name) for name, *texts in near_limits()]
)
def test_as_large_as_may_be_takes_seconds(header: str, table: str) -> None:
    text = f"header = {{'parkey' : (('A',),), {header}}}\nselector = Match({table})\n"
    start = time.perf_counter()
    mapping = parse_mapping(Path("x.rmap"), text.encode())
    found = check_mapping(mapping)
    assert time.perf_counter() - start < 40
    assert mapping.file is not None
    assert len(found) <= 5 * MAX_FINDINGS


def write(folder: Path, name: str, kind: str, *below: str) -> None:
    rows = "".join(f"    '{i}' : '{item}',\n" for i, item in enumerate(below))
    folder.joinpath(name).write_text(
        f"header = {{\n    'mapping' : '{kind}',\n}}\nselector = {{\n{rows}}}\n", encoding="utf-8"
    )


def test_closure_visits_each_file_once_and_survives_a_cycle(tmp_path: Path) -> None:
    write(tmp_path, "a.pmap", "PIPELINE", "b.imap", "c.imap", "a.pmap", "../a.pmap", "missing.imap", "N/A")
    write(tmp_path, "b.imap", "INSTRUMENT", "d.rmap", "a.pmap")
    write(tmp_path, "c.imap", "INSTRUMENT", "d.rmap")
    write(tmp_path, "d.rmap", "REFERENCE")
    visited = [mapping.name for mapping in closure(["a.pmap", "c.imap"], Folder(tmp_path))]
    assert sorted(visited) == ["a.pmap", "b.imap", "c.imap", "d.rmap"]


def test_closure_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotInCacheError, match=r"'none\.pmap' does not exist"):
        list(closure(["none.pmap"], Folder(tmp_path)))


def test_a_selector_with_too_many_rules_is_told() -> None:
    rows = "".join(f"    '{number}' : 'a.fits',\n" for number in range(MAX_RULES + 1))
    text = f"header = {{\n    'parkey' : (('A',),),\n}}\n\nselector = Match({{\n{rows}}})\n"

    found = check_mapping(parse_mapping(Path("tobs_tinstr_dark_0001.rmap"), text.encode()))

    assert "CM214" in {finding.rule.code for finding in found}
