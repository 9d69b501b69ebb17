"""`calmap replay`: a product made again, and compared."""

import json
import shutil

import pytest
from astropy.io import fits
from click.testing import CliRunner

from calmap.cli.main import cli
from calmap.cli.options import Invocation

SEED = "2024B-P123-008_IRIS_IMG1_SCI-J1458+1013-Y-4.0_LVL1_0001-00.fits"
PRODUCT = SEED.replace("LVL1", "LVL2")


@pytest.fixture
def run(repo_root, tmp_path):
    def run(*arguments):
        invocation = Invocation({"CALMAP_CACHE": str(repo_root)}, tmp_path)
        result = CliRunner().invoke(cli, [*map(str, arguments)], obj=invocation)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def here(repo_root, tmp_path, run):
    """A folder with an exposure and its product."""
    shutil.copy(repo_root / "exposures" / SEED, tmp_path / SEED)
    assert run("reduce", SEED, "-q").exit_code == 0
    return tmp_path


def test_the_same_pixels(run, here):
    result = run("replay", PRODUCT)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{PRODUCT}: 7 steps again, the same pixels\n"
    assert run("replay", PRODUCT, "-q").stdout == ""
    assert json.loads(run("replay", PRODUCT, "--format", "json").stdout) == [
        {"file": PRODUCT, "same": True, "different": []}
    ]


def test_names_that_were_relative_are_found_from_elsewhere(run, here, tmp_path, monkeypatch):
    (tmp_path / "raw").mkdir()
    (here / SEED).rename(tmp_path / "raw" / SEED)
    monkeypatch.chdir(tmp_path)
    assert run("reduce", f"raw/{SEED}", "--out", "p", "-q").exit_code == 0
    with fits.open(tmp_path / "p" / PRODUCT, mode="update") as hdus:
        hdus["INPUTS"].data["PATH"][0] = f"raw/{SEED}"
    (tmp_path / "away").mkdir()
    monkeypatch.chdir(tmp_path / "away")

    for command in ("replay", "quicklook"):
        result = run(command, f"p/{PRODUCT}")
        assert (result.exit_code, "not there" in result.stdout + result.stderr) == (0, False)


def test_other_pixels(run, here):
    with fits.open(here / PRODUCT, mode="update") as hdus:
        hdus["SCI"].data[3, 3] += 1
        hdus["DQ"].data[3, 3] += 4

    result = run("replay", PRODUCT)

    assert result.exit_code == 1
    assert "other values in DQ, SCI" in result.stdout


def test_the_product_is_written_if_that_is_asked_for(run, here):
    assert run("replay", PRODUCT, "-o", "again.fits").exit_code == 0

    with fits.open(here / "again.fits") as one, fits.open(here / PRODUCT) as two:
        assert [hdu.header["DATASUM"] for hdu in one] == [hdu.header["DATASUM"] for hdu in two]
        assert one[0].header["R_DARK"] == two[0].header["R_DARK"]
    refused = run("replay", PRODUCT, "-o", "again.fits")
    assert (refused.exit_code, "exists" in refused.stderr) == (3, True)
    assert run("replay", PRODUCT, "-o", "again.fits", "--overwrite").exit_code == 0


def test_files_that_have_moved(run, here):
    (here / "raw").mkdir()
    (here / SEED).rename(here / "raw" / SEED)

    refused = run("replay", PRODUCT)
    assert (refused.exit_code, "--search" in refused.stderr) == (3, True)
    assert run("replay", PRODUCT, "--search", "raw").exit_code == 0


def test_inputs_beside_the_product_are_found(run, here, repo_root, monkeypatch, tmp_path):
    """Both were moved together."""
    moved = here / "moved"
    moved.mkdir()
    for name in (SEED, PRODUCT):
        (here / name).rename(moved / name)

    assert run("replay", f"moved/{PRODUCT}").exit_code == 0


@pytest.mark.parametrize("name", ["absent.fits", "text.fits", SEED])
def test_what_can_not_be_replayed(run, here, name):
    (here / "text.fits").write_text("hello")

    result = run("replay", name)

    assert result.exit_code == 3
    assert name in result.stderr


def test_a_raw_exposure_is_no_product(run, here, repo_root):
    name = "2025A-P207-002_IRIS_IMG1_SCI-M92-K-4.0_LVL0_0001-00.fits"
    shutil.copy(repo_root / "exposures" / name, here)

    result = run("replay", name)

    assert result.exit_code == 3
    assert "error: " in result.stderr


def damaged(path, table, **columns):
    with fits.open(path, mode="update") as hdus:
        for name, value in columns.items():
            hdus[table].data[name][:] = value


def test_a_reference_without_its_path_is_damage(run, here):
    damaged(here / PRODUCT, "PROVENANCE", PATH="")

    result = run("replay", PRODUCT)

    assert result.exit_code == 3
    assert "are damaged: PROVENANCE has the sha256 of a reference" in result.stderr


def test_steps_without_their_references(run, here):
    """There is no --override here that could be recommended."""
    with fits.open(here / PRODUCT, mode="update") as hdus:
        hdus["PROVENANCE"].data = hdus["PROVENANCE"].data[:0]

    result = run("replay", PRODUCT)

    assert result.exit_code == 3
    assert "its table PROVENANCE has no dark for the step dark_sub" in result.stderr
    assert "--override" not in result.stderr


def test_several_products(run, here):
    shutil.copy(here / PRODUCT, here / "other.fits")
    with fits.open(here / "other.fits", mode="update") as hdus:
        hdus["SCI"].data[3, 3] += 1

    result = run("replay", "other.fits", PRODUCT)
    assert (result.exit_code, result.stderr) == (1, "")
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == ["other.fits", PRODUCT]
    worse = run("replay", "absent.fits", "other.fits", PRODUCT, "--format", "json")
    assert worse.exit_code == 3
    assert [one["same"] for one in json.loads(worse.stdout)] == [False, True]
    refused = run("replay", PRODUCT, "other.fits", "-o", "again.fits")
    assert (refused.exit_code, "one file" in refused.stderr) == (2, True)
