"""A product says all that is needed to make it again, bit by bit."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from click.testing import CliRunner

from calmap.cli.main import cli
from calmap.cli.options import Invocation
from calmap.reduction.liger_iris import Stage1Pipeline

RAW = "2025A-P207-002_IRIS_IMG1_SCI-M92-K-4.0_LVL0_0001-00.fits"
SEED = "2024B-P123-008_IRIS_IMG1_SCI-J1458+1013-Y-4.0_LVL1_0001-00.fits"
FLAT = "references/ligeriri/iris/IRIS_IMG1_FLAT_20250313T003000_0.0.1.fits"


def run(cwd, *arguments):
    result = CliRunner().invoke(cli, [*map(str, arguments)], obj=Invocation({}, cwd))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def sums(path):
    """DATASUM of every HDU, which all are right."""
    with fits.open(path, checksum=True) as hdus:
        assert all(hdu.verify_datasum() == hdu.verify_checksum() == 1 for hdu in hdus)
        return {hdu.name: hdu.header["DATASUM"] for hdu in hdus}


@pytest.fixture
def night(repo_root, tmp_path):
    """Exposures to reduce: raw reads, and three of one target with three of the sky."""
    shutil.copy(repo_root / "exposures" / RAW, tmp_path / RAW)
    rng = np.random.default_rng(16)
    for number, kind in enumerate(["SCI", "SCI", "SCI", "SKY", "SKY", "SKY"]):
        with fits.open(repo_root / "exposures" / SEED) as hdus:
            hdus[0].header["IMTYPE"] = kind
            image = hdus[1].data.astype(np.float32)
            hdus[1].data = image + rng.normal(0, 0.1, image.shape).astype(np.float32) + np.float32(number)
            hdus.writeto(tmp_path / f"n_LVL1_{number:04d}.fits")
    return tmp_path


def test_replay_gives_the_same_sums_of_every_hdu(repo_root, night):
    flat = night / "my flat.fits"
    shutil.copy(repo_root / FLAT, flat)
    arguments = ("--override", f"flat={flat}", "--set", "ramp_fit.method=ols", "--skip", "cosmic_rays")
    assert run(night, "reduce", RAW, "--cache", repo_root, "--out", "p", *arguments).exit_code == 0
    product = night / "p" / RAW.replace("LVL0", "LVL2")

    again = run(night, "replay", product, "--out", "again.fits")

    assert (again.exit_code, again.stderr) == (0, "")
    assert "the same pixels" in again.stdout
    assert sums(night / "again.fits") == sums(product)
    assert len(sums(product)) >= 8
    with fits.open(product) as hdus:
        assert hdus[0].header["R_FLAT"] == str(flat)
        assert hdus[0].header["S_CRFLAG"] == "SKIPPED"
        rows = {row["TYPE"].strip(): row for row in hdus["PROVENANCE"].data}
        assert set(rows) == {"dq", "nonlincoeff", "dark", "flat"}
        for row in rows.values():
            path = Path(row["PATH"].strip())
            assert row["SHA256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert rows["flat"]["ORIGIN"].strip() == "override"
        assert rows["dark"]["CONTEXT"].strip() == "ligeriri_0001.pmap"
        assert ".rmap:" in rows["dark"]["RULE"]


def test_replay_of_everything_up_to_the_combination(repo_root, night):
    result = run(
        night, "reduce", *sorted(night.glob("n_*")), "--cache", repo_root, "--to", "L3", "--out", "p"
    )
    assert result.exit_code == 0, result.stderr
    names = ("n_LVL3_0003_sky.fits", "n_LVL3_0000.fits", "n_LVL2_0001.fits")

    for product in (night / "p" / name for name in names):
        again = run(night, "replay", product, "--out", night / "again.fits", "--overwrite")
        assert again.exit_code == 0, f"{product.name}: {again.stdout}{again.stderr}"
        assert sums(night / "again.fits") == sums(product), product.name


def test_other_pixels_are_told(repo_root, night):
    run(night, "reduce", RAW, "--cache", repo_root, "--out", ".")
    product = night / RAW.replace("LVL0", "LVL2")
    with fits.open(product, mode="update") as hdus:
        hdus["SCI"].data[5, 5] += 1

    result = run(night, "replay", product, "--format", "json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)[0]["different"] == ["SCI"]


def test_what_steps_made_in_a_program_is_made_again(repo_root, night, monkeypatch):
    monkeypatch.chdir(night)
    pipeline = Stage1Pipeline(
        cache=repo_root, save_results=True, output_dir="p", steps={"refpix": {"skip": True}}
    )
    pipeline.run(night / RAW)

    assert run(night, "replay", night / "p" / RAW.replace("LVL0", "LVL1")).exit_code == 0
