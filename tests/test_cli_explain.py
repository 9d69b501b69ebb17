"""`calmap explain`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, assume, event, given, settings
from rule_strategies import NAME, rmaps
from syrupy.assertion import SnapshotAssertion

from calmap.bestref import Cache
from calmap.bestref.line_reader import LineReader
from calmap.cli.main import cli
from calmap.cli.options import Invocation
from calmap.compile.reference import compile_reference
from calmap.errors import MappingError
from calmap.model.mapping import parse_mapping
from calmap.model.values import UNDEFINED, condition_value

FLAT = "ligeriri_iris_flat_0001.rmap"
DEMO = (
    *(f"{FLAT}:{line}" for line in (2, 9, 19, 22, 26, 27, 28, 29, 30, 38, 39, 62, 64)),
    *("ligeriri_0001.pmap:11", "ligeriri_iris_0001.imap:14", "ligeriri_iris_drizpars_0001.rmap:12"),
)
CORPUS = (
    "hst_acs_pfltfile_0253.rmap:828",
    "hst_acs_biasfile_0345.rmap:382",
    "hst_cos_gsagtab_0255.rmap:17",
    "hst_cos_hvtab_0259.rmap:18",
    "hst_wfpc2_flatfile_0250.rmap:24",
    "hst_stis_biasfile_0307.rmap:200",
    "jwst_miri_area_0011.rmap:21",
)


def run(cwd: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ("explain", *arguments), obj=Invocation({}, cwd), env={"COLUMNS": "80"})


@pytest.mark.parametrize("place", DEMO)
def test_lines_of_the_demonstration_cache(repo_root: Path, place: str, snapshot: SnapshotAssertion) -> None:
    result = run(repo_root, place)

    assert result.exit_code == 0, result.stderr
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert result.stdout == snapshot


@pytest.mark.parametrize("place", CORPUS)
def test_lines_of_real_rules(corpus: Path, place: str, snapshot: SnapshotAssertion) -> None:
    result = run(corpus, place, "--cache", str(corpus / "crds-cache"))

    assert result.exit_code == 0, result.stderr
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert result.stdout == snapshot


@pytest.mark.parametrize("line", [28, 29, 38, 39, 62])
def test_the_example_gets_its_answer_from_the_line(repo_root: Path, line: int) -> None:
    found = json.loads(run(repo_root, f"{FLAT}:{line}", "--format", "json").stdout)

    answer = Cache(repo_root).context(FLAT).bestrefs(found["example"])["flat"]

    assert answer.files or answer.status == "not_applicable"
    assert set(answer.files) <= {file["name"] for file in found["files"]}


HIDDEN = """\
header = {
    'filekind' : 'DARK', 'instrument' : 'IRIS', 'mapping' : 'REFERENCE', 'observatory' : 'LIGERIRI',
    'parkey' : (('META.INSTRUMENT.FILTER', 'META.INSTRUMENT.PUPIL'), ('META.DATE',)),
    'name' : 'a.rmap', 'derived_from' : 'created by hand', 'classes' : ('Match', 'UseAfter'),
}
selector = Match({
    ('H', 'N/A') : UseAfter({
        '2024-01-01 00:00:00' : 'a.fits',
        '2025-01-01 00:00:00' : 'b.fits',
    }),
    ('H', '*') : UseAfter({
        '%s-01-01 00:00:00' : 'c.fits',
    }),
})
"""
TAKEN = "the rule in line 11 matches whatever it does and weighs more."


@pytest.mark.parametrize(
    ("year", "line", "words"),
    [
        (2024, 7, f"No observation gets this rule: {TAKEN}"),
        (2024, 8, f"No observation gets this rule: {TAKEN}"),
        (2025, 7, f"'2025-01-01 00:00:00' is never chosen: {TAKEN}"),
        (2025, 8, ""),
        (2025, 9, f"'2025-01-01 00:00:00' is never chosen: {TAKEN}"),
        (2026, 7, ""),
        (2024, 11, ""),
    ],
)
def test_a_rule_that_heavier_ones_hide_is_told_outright(
    tmp_path: Path, year: int, line: int, words: str
) -> None:
    (tmp_path / "a.rmap").write_text(HIDDEN % year)

    shown = " ".join(run(tmp_path, f"./a.rmap:{line}").stdout.split())
    found = json.loads(run(tmp_path, f"./a.rmap:{line}", "--format", "json").stdout)

    assert found["hidden"] == words
    assert words in shown
    assert ("No observation was found" in shown) == (bool(words) and (year, line) != (2025, 7))


def test_a_file_is_named_by_its_path_too(repo_root: Path) -> None:
    result = run(repo_root, f"mappings/ligeriri/{FLAT}:28")

    assert result.stdout == run(repo_root, f"{FLAT}:28").stdout


@pytest.mark.parametrize(
    ("place", "code", "words"),
    [
        (f"{FLAT}:9999", 2, "it has 65 lines"),
        (f"{FLAT}:0", 2, "has no line 0"),
        (FLAT, 2, "names no line of a mapping"),
        (f"{FLAT}:x", 2, "names no line of a mapping"),
        ("ligeriri_iris_flat_0099.rmap:3", 3, "is not in"),
        ("nowhere/a_b_c.rmap:3", 3, "does not exist"),
    ],
)
def test_wrong_places(repo_root: Path, place: str, code: int, words: str) -> None:
    result = run(repo_root, place)

    assert result.exit_code == code
    assert words in result.stderr


def test_a_date_that_can_not_be_read_is_no_trouble(corpus: Path) -> None:
    result = run(corpus, "odd/hst/hst_acs_darkfile_invalid1.rmap:13")

    assert result.exit_code == 0, result.stderr


def test_a_file_that_can_not_be_understood(tmp_path: Path) -> None:
    (tmp_path / "tobs_tinstr_tfilekind_0001.rmap").write_text("header = {\n")

    result = run(tmp_path, "./tobs_tinstr_tfilekind_0001.rmap:1")

    assert result.exit_code == 3
    assert "calmap check tells more" in result.stderr


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(rmaps())
def test_examples_come_to_their_line(example):
    text, _ = example
    lines = text.replace("Match({", "Match({\n").replace("), (", "),\n(").replace("({", "({\n") + "\n"
    mapping = parse_mapping(Path(NAME), lines.encode())
    assert mapping.file is not None
    try:
        reference = compile_reference(mapping.file, None)
    except MappingError:
        assume(False)
    reader = LineReader(mapping, None, None)
    for number in range(1, len(lines.splitlines()) + 1):
        meaning = reader.meaning(number)
        event(meaning.kind)
        if meaning.example is not None:
            header = dict.fromkeys(reference.terms.required, UNDEFINED)
            asked = header | {key: condition_value(value) for key, value in meaning.example.items()}
            assert reference.interpret(asked).place is not None
