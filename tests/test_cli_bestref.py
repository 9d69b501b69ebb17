"""`calmap bestref` on the demonstration cache, and on a real one."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from pathlib import Path

import pytest
from astropy.io import fits
from click.testing import CliRunner, Result
from syrupy.assertion import SnapshotAssertion

from calmap.cli.main import cli
from calmap.cli.options import Invocation
from calmap.errors import UsageError
from calmap.headers.datasets import dataset_files

SEED = "2024B-P123-008_IRIS_IMG1_SCI-J1458+1013-Y-4.0_LVL1_0001-00.fits"
DARK = "IRIS_IMG1_DARK_20240924T000000_0.0.1.fits"


def run(cwd: Path, *arguments: object, variables: dict[str, str] | None = None) -> Result:
    invocation = Invocation(variables or {}, cwd)
    return CliRunner().invoke(cli, ["bestref", *map(str, arguments)], obj=invocation, env={"COLUMNS": "80"})


@pytest.fixture
def exposure(tmp_path: Path, repo_root: Path) -> Path:
    shutil.copy(repo_root / "exposures" / SEED, tmp_path / SEED)
    return tmp_path / SEED


def test_a_table_names_the_reference_of_every_type(repo_root: Path, snapshot: SnapshotAssertion) -> None:
    result = run(repo_root, f"exposures/{SEED}")

    assert result.exit_code == 0
    assert result.stdout == snapshot


def test_an_explanation_shows_the_whole_way(repo_root: Path, snapshot: SnapshotAssertion) -> None:
    result = run(repo_root, f"exposures/{SEED}", "--type", "dark", "--explain")

    assert result.stdout == snapshot
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_not_found_shows_the_nearest_rules_and_what_failed(
    repo_root: Path, snapshot: SnapshotAssertion
) -> None:
    [path] = (repo_root / "exposures").glob("2024B-P123-009_*")

    result = run(repo_root, f"exposures/{path.name}", "-t", "flat", "--explain")

    assert result.exit_code == 1
    assert result.stdout == snapshot


def test_a_missing_date_names_the_keywords_accepted(repo_root: Path) -> None:
    [path] = (repo_root / "exposures").glob("2025A-P207-004_*")

    result = run(repo_root, path, "-t", "dark", "--format", "json")

    [answer] = json.loads(result.stdout)
    assert answer["status"] == "not_found"
    assert all(
        word in answer["reason"] for word in ("META.DATE", "EXPDTST", "EXPJDST", "DATE-OBS and TIME-OBS")
    )


def test_the_real_cache_gives_the_dark_of_its_example(corpus: Path, tmp_path: Path) -> None:
    header = fits.Header(
        {
            "INSTRUME": "IRIS", "TELESCOP": "TMT", "DETECTOR": "IMG1", "ERA": "0.0.0", "READMODE": "DEFAULT",
            "SUBARRAY": "FULL", "DATE": "2024-10-02T12:00:00",
        }
    )  # fmt: skip
    fits.PrimaryHDU(header=header).writeto(tmp_path / SEED)
    cache = corpus / "liger-iris-crds-cache"

    result = run(tmp_path, SEED, "-t", "dark", "--cache", cache, "--format", "paths")

    assert result.stdout == f"{cache}/references/ligeriri/iris/{DARK}\n"
    assert result.exit_code == 0


def test_crds_variables_choose_cache_and_context(corpus: Path, exposure: Path) -> None:
    variables = {"CRDS_PATH": str(corpus / "liger-iris-crds-cache"), "CRDS_CONTEXT": "ligeriri_0001.pmap"}

    result = run(exposure.parent, exposure, "-t", "dark", "--format", "json", variables=variables)

    assert json.loads(result.stdout)[0]["files"] == [DARK]


def test_formats_say_the_same(repo_root: Path) -> None:
    everything = json.loads(run(repo_root, "exposures", "--format", "json").stdout)
    table = list(csv.DictReader(io.StringIO(run(repo_root, "exposures", "--format", "csv").stdout)))
    paths = run(repo_root, "exposures", "--format", "paths").stdout.splitlines()

    assert [row["status"] for row in table] == [answer["status"] for answer in everything]
    assert [row["files"] for row in table] == [";".join(answer["files"]) for answer in everything]
    assert paths == list(dict.fromkeys(path for answer in everything for path in answer["paths"]))
    assert all(Path(path).is_file() for path in paths)


def test_lists_and_folders_name_many_datasets(repo_root: Path, tmp_path: Path) -> None:
    exposures = repo_root / "exposures"
    (tmp_path / "inner.txt").write_text(f"{exposures / SEED}  # the first\n\n")
    (tmp_path / "list.txt").write_text("# all\n@inner.txt\n")

    listed = run(tmp_path, "@list.txt", "--cache", repo_root, "--format", "json")
    folder = run(tmp_path, exposures, "--cache", repo_root, "--format", "json")

    assert {answer["dataset"] for answer in json.loads(listed.stdout)} == {str(exposures / SEED)}
    assert len({answer["dataset"] for answer in json.loads(folder.stdout)}) == len(
        list(exposures.glob("*.fits"))
    )


def test_types_may_be_repeated_or_joined(repo_root: Path) -> None:
    result = run(repo_root, f"exposures/{SEED}", "-t", "DARK,flat", "-t", "dq", "--format", "json")

    assert [answer["type"] for answer in json.loads(result.stdout)] == ["dark", "dq", "flat"]


def test_an_unknown_type_is_a_wrong_call(repo_root: Path) -> None:
    result = run(repo_root, f"exposures/{SEED}", "-t", "falt")

    assert result.exit_code == 2
    assert "did you mean flat?" in result.stderr


def test_a_mapping_from_elsewhere_is_not_mistaken_for_the_cache_s_own(
    repo_root: Path, tmp_path: Path
) -> None:
    own = repo_root / "mappings" / "ligeriri" / "ligeriri_iris_dark_0001.rmap"
    (tmp_path / own.name).write_bytes(own.read_bytes())
    exposure = repo_root / "exposures" / SEED

    stranger = run(tmp_path, exposure, "--context", f"./{own.name}", "--cache", repo_root)
    itself = run(tmp_path, exposure, "--context", own, "--cache", repo_root)

    assert (stranger.exit_code, itself.exit_code) == (2, 0)
    assert "is not in the cache" in stranger.stderr


def test_a_git_lfs_pointer_is_pointed_out(corpus: Path, exposure: Path) -> None:
    result = run(exposure.parent, exposure, "-t", "dark,dq", "--cache", corpus / "liger-iris-crds-cache")

    assert "only a Git-LFS pointer" in result.stdout
    assert "not in the cache" in result.stdout


def test_missing_files_leave_no_empty_path(corpus: Path, exposure: Path) -> None:
    cache = corpus / "liger-iris-crds-cache"

    result = run(exposure.parent, exposure, "-t", "dq,dark", "--cache", cache, "--format", "paths")

    assert [Path(line).name for line in result.stdout.splitlines()] == [DARK]
    assert "IRIS_DQ.fits is not in" in result.stderr
    assert result.exit_code == 3


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("\ufeffa.fits\n", ["a.fits"]),
        ("a#1.fits  # a comment\n#b.fits\n\n  c.fits\t# more\n", ["a#1.fits", "c.fits"]),
        ("a\u2028b.fits\r\n", ["a\u2028b.fits"]),
    ],
)
def test_lists_are_read_line_by_line(tmp_path: Path, text: str, names: list[str]) -> None:
    (tmp_path / "list").write_text(text, encoding="utf-8", newline="")

    assert [path.name for path in dataset_files(["@list"], tmp_path)] == names


def test_lists_that_contain_themselves_end(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("@b\n")
    (tmp_path / "b").write_text("@a\n")

    with pytest.raises(UsageError, match="contains itself"):
        list(dataset_files(["@a"], tmp_path))


def test_a_pipe_is_no_list(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(UsageError, match="ordinary file"):
        list(dataset_files(["@pipe"], tmp_path))


def test_a_damaged_file_does_not_stop_the_others(repo_root: Path, exposure: Path) -> None:
    (exposure.parent / "a.fits").write_bytes(b"SIMPLE  =                    T" + b" " * 50)

    result = run(exposure.parent, exposure.parent, "--cache", repo_root, "-t", "dark", "--format", "csv")

    assert result.exit_code == 3
    assert "a.fits" in result.stderr
    assert DARK in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("missing.fits",), 3, "missing.fits"),
        (("@missing",), 2, "can't be read"),
        ((SEED, "--context", "ligeriri_9999.pmap"), 3, "ligeriri_9999.pmap is not in"),
        ((SEED, "--context", "jwst-latest"), 2, "only a server knows"),
        ((SEED, "--explain", "--format", "json"), 2, "--explain"),
        ((SEED, "--cache", "nowhere"), 3, "nowhere"),
    ],
)
def test_trouble_is_told_without_a_traceback(
    repo_root: Path, exposure: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    cache = () if "--cache" in arguments else ("--cache", str(repo_root))

    result = run(exposure.parent, *arguments, *cache)

    assert result.exit_code == code
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_an_unknown_instrument_is_named(repo_root: Path, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"INSTRUME": "IRISS"}')

    result = run(tmp_path, "x.json", "--cache", repo_root)

    assert result.exit_code == 3
    assert "did you mean 'iris'" in result.stderr


def test_update_header_records_what_was_chosen(repo_root: Path, exposure: Path) -> None:
    before = fits.getdata(exposure, "DATA").tobytes()

    result = run(exposure.parent, exposure, "--cache", repo_root, "--update-header", "-q")

    header = fits.getheader(exposure)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert header["CRDS_CTX"] == "ligeriri_0001.pmap"
    assert header["CRDS_VER"].startswith("calmap ")
    assert header["R_DARK"] == f"crds://{DARK}"
    assert fits.getdata(exposure, "DATA").tobytes() == before


def test_headers_are_never_touched_unless_asked(repo_root: Path, exposure: Path) -> None:
    before = exposure.read_bytes()

    run(exposure.parent, exposure, "--cache", repo_root)

    assert exposure.read_bytes() == before


def test_a_mapping_that_is_missing_fails_its_type_only(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("INSTRUME: Liger\nDETECTOR: IMG\n")

    result = run(tmp_path, "x.yaml", "--cache", corpus / "liger-iris-crds-cache", "--format", "json")

    answers = json.loads(result.stdout)
    assert {answer["status"] for answer in answers} == {"not_found"}
    assert all("is not in" in answer["reason"] for answer in answers)
    assert result.exit_code == 1


def test_a_list_that_names_a_missing_file_still_gives_all_others(repo_root: Path, tmp_path: Path) -> None:
    good = repo_root / "exposures" / SEED
    (tmp_path / "list.txt").write_text(f"{good}\nmissing.fits\n{good}\n")

    result = run(tmp_path, "@list.txt", "--cache", repo_root, "-t", "dark", "--format", "json")

    assert len(json.loads(result.stdout)) == 2
    assert "missing.fits" in result.stderr
    assert result.exit_code == 3


def test_a_type_that_no_rule_matches_is_recorded_as_not_applicable(repo_root: Path, exposure: Path) -> None:
    with fits.open(exposure, mode="update") as hdus:
        hdus[0].header["DATE"] = "2001-01-01"
        hdus[0].header["R_DQ"] = "crds://old.fits"

    run(exposure.parent, exposure, "-t", "dq", "--cache", repo_root, "--update-header")

    assert fits.getheader(exposure)["R_DQ"] == "N/A"
