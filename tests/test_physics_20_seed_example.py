"""The example that everything began with: a step asks for its dark and gets the path in the cache."""

import shutil
import subprocess
import sys
import textwrap

import pytest
from astropy.io import fits

from calmap.compat.errors import CrdsError
from calmap.reduction.liger_iris import ImagerModel, LigerIRISStep

EXPOSURE = "2024B-P123-008_IRIS_IMG1_SCI-J1458+1013-Y-4.0_LVL1_0001-00.fits"
DARK = "references/ligeriri/iris/IRIS_IMG1_DARK_20240924T000000_0.0.1.fits"


@pytest.fixture
def exposure(repo_root, tmp_path):
    return shutil.copy(repo_root / "exposures" / EXPOSURE, tmp_path / EXPOSURE)


def test_with_the_cache_of_this_repository(repo_root, exposure, monkeypatch):
    monkeypatch.setenv("CRDS_PATH", str(repo_root))
    monkeypatch.setenv("CRDS_CONTEXT", "ligeriri_0001.pmap")

    assert LigerIRISStep().get_reference_file(ImagerModel(exposure), "dark") == str(repo_root / DARK)


def test_with_the_mappings_in_use(corpus, exposure, monkeypatch, tmp_path):
    """The mappings are taken as they are; the darks there may be pointers, so one stands in."""
    cache = tmp_path / "crds_cache"
    shutil.copytree(corpus / "liger-iris-crds-cache/mappings", cache / "mappings")
    stand_in = cache / DARK
    stand_in.parent.mkdir(parents=True)
    fits.PrimaryHDU().writeto(stand_in)
    monkeypatch.setenv("CRDS_PATH", str(cache))
    monkeypatch.setenv("CRDS_CONTEXT", "ligeriri_0001.pmap")
    step = LigerIRISStep()

    assert step.get_reference_file(exposure, "dark") == str(stand_in)
    assert step.get_reference_file(ImagerModel(exposure), "dark") == str(stand_in)

    stand_in.unlink()
    with pytest.raises(CrdsError, match=stand_in.name):
        step.get_reference_file(exposure, "dark")


def test_as_a_script_with_a_cache_in_the_home_folder(repo_root, exposure, tmp_path):
    cache = tmp_path / "crds_cache"
    shutil.copytree(repo_root / "mappings/ligeriri", cache / "mappings/ligeriri")
    (cache / DARK).parent.mkdir(parents=True)
    shutil.copy(repo_root / DARK, cache / DARK)
    script = textwrap.dedent(f"""
        from calmap.reduction.liger_iris import ImagerModel, LigerIRISStep
        model = ImagerModel("{EXPOSURE}")
        print(LigerIRISStep().get_reference_file(model, "dark"))
    """)
    variables = {
        "HOME": str(tmp_path), "CRDS_PATH": "~/crds_cache", "CRDS_CONTEXT": "ligeriri_0001.pmap",
        "CRDS_SERVER_URL": "https://crds-serverless-mode.stsci.edu", "PYTHONPATH": str(repo_root),
    }  # fmt: skip

    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=variables, check=False)

    assert (done.stdout, done.stderr) == (f"{cache / DARK}\n", "")
