"""`calmap coverage`."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from syrupy.assertion import SnapshotAssertion

from calmap.cli.main import cli
from calmap.cli.options import Invocation

RMAP = """header = {
    'classes' : ('Match', 'UseAfter'),
    'derived_from' : 'created by hand',
    'filekind' : 'DARK',
    'instrument' : 'IRIS',
    'mapping' : 'REFERENCE',
    'name' : 'ligeriri_iris_dark_0009.rmap',
    'observatory' : 'LIGERIRI',
    'parkey' : (('META.INSTRUMENT.FILTER',), ('META.DATE',)),
}

selector = Match({
    ('H|K',) : UseAfter({
        '2024-01-01 00:00:00' : 'a.fits',
    }),
    ('N/A',) : 'N/A',
})
"""


def run(cwd: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ("coverage", *arguments), obj=Invocation({}, cwd), env={"COLUMNS": "80"})


def test_coverage_of_the_demonstration_cache(repo_root: Path, snapshot: SnapshotAssertion) -> None:
    result = run(repo_root)

    assert result.exit_code == 1
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert result.stdout == snapshot


def test_coverage_as_a_table_for_a_page(repo_root: Path, snapshot: SnapshotAssertion) -> None:
    assert run(repo_root, "--instrument", "iris", "--format", "markdown").stdout == snapshot


def test_what_needs_no_reference_is_not_counted(repo_root: Path) -> None:
    """Of the flats of IRIS, those for dark and opaque filters; the share is that of the two numbers."""
    first = run(repo_root, "--instrument", "iris", "--type", "flat").stdout.splitlines()[0]
    found = re.fullmatch(
        r"iris flat  (\d+) of (\d+) .*\((\d+)%\), (\d+) missing, (\d+) more need none", first
    )
    assert found is not None
    covered, needed, share, missing, spared = map(int, found.groups())
    assert (covered + missing, round(100 * covered / needed)) == (needed, share)
    assert (needed, spared) == (160, 80)


def test_what_is_left_out_is_told(repo_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = json.loads(run(repo_root, "--format", "json").stdout)["types"]
    assert not any(found["holes_left_out"] or found["starts_left_out"] for found in whole)
    monkeypatch.setattr("calmap.compile.coverage.MAX_BOXES", 1)

    cut = json.loads(run(repo_root, "--format", "json").stdout)["types"]
    assert all(len(found["holes"]) <= 1 and len(found["starts"]) <= 1 for found in cut)
    assert [found["type"] for found in cut if found["holes_left_out"]] == [
        found["type"] for found in whole if len(found["holes"]) > 1
    ]
    assert {found["type"] for found in cut if found["starts_left_out"]} >= {"dark", "flat"}


def test_a_keyword_that_is_a_date_for_some_rules_and_a_number_for_others(corpus: Path) -> None:
    result = run(corpus, "tobs_tinstr_tfilekind.rmap", "--cache", str(corpus / "crds-cache"))

    assert result.exit_code == 0
    assert "5 of 5 combinations covered (100%)" in result.stdout


def test_json_has_everything(repo_root: Path) -> None:
    result = run(repo_root, "--instrument", "iris", "--type", "flat", "--format", "json")
    (flat,) = json.loads(result.stdout)["types"]

    assert sum(hole["combinations"] for hole in flat["holes"]) == flat["counts"]["missing"]
    assert sum(flat["counts"].values()) == flat["combinations"]
    assert flat["needed"] == flat["counts"]["reference"] + flat["counts"]["missing"]
    assert {p["name"]: p["from"] for p in flat["parameters"]} == {
        "META.INSTRUMENT.ERA": "rules",
        "META.INSTRUMENT.DETECTOR": "telescope",
        "META.EXPOSURE.READMODE": "rules",
        "META.INSTRUMENT.FILTER": "rules",
        "META.INSTRUMENT.PUPIL": "telescope",
    }


def test_the_exit_code_is_0_where_nothing_is_missing(repo_root: Path) -> None:
    result = run(repo_root, "--type", "drizpars")

    assert result.exit_code == 0
    assert "1 of 1 combination covered (100%)" in result.stdout


def test_rules_that_say_n_a_leave_no_gap(repo_root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mappings" / "ligeriri"
    folder.mkdir(parents=True)
    (folder / "ligeriri_iris_dark_0009.rmap").write_text(RMAP)

    result = run(tmp_path, "ligeriri_iris_dark_0009.rmap", "--cache", str(tmp_path))

    assert result.exit_code == 0
    assert "iris dark  2 of 2 combinations covered (100%)\n" in result.stdout


def test_a_mapping_that_is_missing_is_told_of(repo_root: Path, tmp_path: Path) -> None:
    shutil.copytree(repo_root / "mappings", tmp_path / "mappings")
    (tmp_path / "mappings/ligeriri/ligeriri_iris_dark_0001.rmap").unlink()

    result = run(tmp_path, "--cache", str(tmp_path))

    assert result.exit_code == 3
    assert "ligeriri_iris_dark_0001.rmap is not in" in " ".join(result.stdout.split())
    assert "iris flat" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--type", "flta"), "has no reference type 'flta'"),
        (("--instrument", "wfi"), "has no instrument 'wfi'"),
        (("--plot", "a.pdf"), "'a.pdf' is no picture that can be drawn"),
        (("ligeriri_0001.pmap", "--context", "ligeriri_0001.pmap"), "given twice"),
    ],
)
def test_wrong_usage(repo_root: Path, arguments: tuple[str, ...], words: str) -> None:
    result = run(repo_root, *arguments)

    assert result.exit_code == 2
    assert words in result.stderr


def test_pictures_need_matplotlib(repo_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calmap.report.timeline.find_spec", lambda name: None)

    result = run(repo_root, "--plot", str(tmp_path / "a.png"))

    assert result.exit_code == 2
    assert "pip install 'calmap-toolkit[plot]'" in result.stderr
    assert not (tmp_path / "a.png").exists()


def test_a_picture_is_drawn(repo_root: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / "timeline.svg"

    result = run(repo_root, "ligeriri_iris_dark_0001.rmap", "--plot", str(picture))

    assert "timeline.svg" in result.stderr
    assert "IRIS_IMG1_DARK_20241105T000000_0.0.1.fits, from 2024-10-15" in picture.read_text()


@pytest.mark.parametrize("name", ["hst_0729.pmap", "jwst_0541.pmap"])
def test_whole_contexts_are_looked_through(corpus: Path, name: str) -> None:
    result = run(corpus, name, "--cache", str(corpus / "crds-cache"), "--format", "json")
    types = json.loads(result.stdout)["types"]

    assert result.exit_code == 1
    assert not [found for found in types if "too many" in (found["answer"] or "")]
    assert all(
        sum(hole["combinations"] for hole in found["holes"]) == found["counts"].get("missing", 0)
        for found in types
        if "counts" in found and not found["holes_left_out"]
    )


def test_a_type_with_many_parameters(corpus: Path, snapshot: SnapshotAssertion) -> None:
    result = run(
        corpus,
        "hst_0729.pmap",
        "--cache",
        str(corpus / "crds-cache"),
        "--instrument",
        "acs",
        "--type",
        "biasfile",
    )

    assert max(map(len, result.stdout.splitlines())) <= 80
    assert result.stdout == snapshot
