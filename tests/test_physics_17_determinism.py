"""The same exposures give the same bytes, whenever and wherever; and no date is ever made up."""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from astropy.io import fits
from click.testing import CliRunner

from calmap.cli.main import cli
from calmap.cli.options import Invocation
from calmap.compat.errors import CrdsError
from calmap.reduction.liger_iris import LigerIRISStep

RAW = "2025A-P207-002_IRIS_IMG1_SCI-M92-K-4.0_LVL0_0001-00.fits"
SEED = "2024B-P123-008_IRIS_IMG1_SCI-J1458+1013-Y-4.0_LVL1_0001-00.fits"
DATES = (
    "DATE",
    "DATE-OBS",
    "TIME-OBS",
    "EXPDTST",
    "EXPJDST",
    "EXPSTDT",
    "EXPSTTM",
    "DATETOBS",
    "DATE-BEG",
    "MJD-OBS",
)
ACCEPTED = "set META.DATE, EXPDTST, EXPJDST, EXPSTDT and EXPSTTM, DATETOBS, DATE-OBS and TIME-OBS, or DATE"


def reduced(folder: Path, repo_root: Path, **variables: str) -> dict[str, bytes]:
    """Every file that a process of its own writes into a folder that has exposures."""
    command = [
        sys.executable,
        "-m",
        "calmap",
        "reduce",
        "raw",
        "--out",
        "products",
        "--cache",
        str(repo_root),
    ]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(repo_root), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return {path.name: path.read_bytes() for path in sorted((folder / "products").iterdir())}


def test_two_runs_give_the_same_bytes(repo_root, tmp_path):
    """In other time zones, by other users, with other hash seeds and numbers of threads, at other times."""
    found = []
    for number, variables in enumerate(
        (
            {"TZ": "UTC", "PYTHONHASHSEED": "1", "USER": "one", "NUMBA_NUM_THREADS": "1", "LC_ALL": "C"},
            {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "2", "USER": "two", "LC_ALL": "C.UTF-8"},
        )
    ):
        folder = tmp_path / str(number)
        (folder / "raw").mkdir(parents=True)
        for name in (RAW, SEED):
            shutil.copy(repo_root / "exposures" / name, folder / "raw" / name)
            os.utime(folder / "raw" / name, (1e9 + 1e8 * number,) * 2)
        found.append(reduced(folder, repo_root, **variables))

    one, two = found
    assert len(one) == 4
    assert one == two
    today = datetime.now(UTC)
    years = {str(year) for year in (today.year - 1, today.year, today.year + 1)} - {"2024", "2025"}
    for name, content in one.items():
        said = set(re.findall(r"(?<!\d)(20\d\d)-\d\d-\d\d", content.decode("latin-1")))
        assert said.isdisjoint(years), name


def undated(repo_root: Path, folder: Path) -> Path:
    path = folder / SEED
    with fits.open(repo_root / "exposures" / SEED) as hdus:
        for hdu in hdus:
            for keyword in DATES:
                hdu.header.remove(keyword, ignore_missing=True)
        hdus.writeto(path)
    return path


def test_a_missing_date_is_an_error_that_names_the_keywords(repo_root, tmp_path):
    path = undated(repo_root, tmp_path)

    invocation = Invocation({"CRDS_PATH": str(repo_root)}, tmp_path)
    result = CliRunner().invoke(cli, ["reduce", path.name, "-o", "products"], obj=invocation)

    assert result.exit_code == 1
    assert ACCEPTED in result.stderr
    assert not list((tmp_path / "products").iterdir())
    with pytest.raises(CrdsError, match=re.escape(ACCEPTED)):
        LigerIRISStep(cache=repo_root).get_reference_file(path, "dark")


def test_a_date_of_another_keyword_is_taken_and_not_that_of_today(repo_root, tmp_path):
    path = undated(repo_root, tmp_path)
    fits.setval(path, "EXPDTST", value="20241110000000")

    found = LigerIRISStep(cache=repo_root).get_reference_file(path, "dark")

    assert Path(found).name == "IRIS_IMG1_DARK_20241105T000000_0.0.1.fits"
