"""``calmap init``."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from calmap.cli.main import cli
from calmap.cli.options import Invocation

NEW_FLAT = "new/IRIS_IMG1_FLAT_20250801T000000_0.0.1.fits"
EXPOSURE = "exposures/2025B-P207-011_IRIS_IMG1_SCI-M92-K-4.0_LVL1_0001-00.fits"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def made_demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("init")
    result = run("--demo", "demo", cwd=folder)
    assert result.exit_code == 0
    return folder / "demo", result.stdout


def run(*arguments, program="init", cwd=None):
    invocation = Invocation({}, cwd or Path.cwd())
    return CliRunner().invoke(cli, [program, *map(str, arguments)], prog_name="calmap", obj=invocation)


def test_report(here, snapshot):
    result = run(
        "ridge-cache", "--observatory", "ridge", "--title", "Ridge Observatory", "--instruments", "owl, lynx"
    )

    assert result.exit_code == 0
    assert result.stdout == snapshot
    assert (here / "ridge-cache/config/ridge/observatory.yaml").read_text() == snapshot
    assert (here / "ridge-cache/README.md").read_text() == snapshot


def test_demo_report(made_demo, snapshot):
    assert made_demo[1] == snapshot


def test_demo_works_at_once(made_demo, here, monkeypatch):
    shutil.copytree(made_demo[0], here / "demo")
    monkeypatch.chdir(here / "demo")

    before = run(EXPOSURE, "--type", "flat", program="bestref")
    inserted = run(NEW_FLAT, program="insert-reference")
    after = run(EXPOSURE, "--type", "flat", program="bestref")

    assert "IRIS_IMG1_FLAT_20250313T003000_0.0.1.fits" in before.stdout
    assert inserted.exit_code == 0, inserted.output
    assert inserted.stdout.endswith("the context is now ligeriri_0002.pmap\n")
    assert Path(NEW_FLAT).name in after.stdout
    assert run(program="check").stdout == "No findings\n"


def test_demo_passes_certification(made_demo, here):
    folder = made_demo[0]
    files = [*(folder / "new").iterdir(), *sorted((folder / "references").rglob("*.fits"))[::6]]

    result = run(*files, program="certify", cwd=folder)

    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, f"{len(files)} files passed")


def test_hooks_that_are_set_up_accept_the_files(made_demo):
    mappings = sorted((made_demo[0] / "mappings").rglob("*map"))

    assert run("--check", *mappings, program="update-checksums").exit_code == 0
    assert run(*mappings, program="check").exit_code == 0


def test_current_folder_with_other_files(here):
    subprocess.run(["git", "init", "-q"], check=True)
    (here / "notes.txt").write_text("kept")

    assert run("--observatory", "ridge").exit_code == 0
    assert (here / "notes.txt").read_text() == "kept"
    assert run(program="check").stdout == "No findings\n"
    again = run("--observatory", "ridge")
    assert again.exit_code == 1
    assert again.stderr.endswith("hint: nothing was written; choose another folder\n")


def test_new_cache_takes_its_first_type(here):
    run("--observatory", "ridge", "--instruments", "owl", "-q")

    made = run(
        "owl", "dark", "--match", "META.INSTRUMENT.DETECTOR", "--date", "META.DATE", program="new-mapping"
    )

    assert (made.exit_code, made.stdout.splitlines()[-1]) == (0, "the context is now ridge_0002.pmap")
    assert run(program="check").stdout == "No findings\n"


def test_dry_run_and_json(here):
    told = json.loads(run("x", "--observatory", "ridge", "--dry-run", "--format", "json").stdout)

    assert told["dry_run"]
    assert "mappings/ridge/ridge_0001.pmap" in told["files"]
    assert list(here.iterdir()) == []
    assert run("x", "--observatory", "ridge", "--dry-run").stdout.startswith("would make 9 files in x\n")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "which telescope"),
        (["--demo", "--observatory", "ridge"], 2, "--demo makes a cache of Liger and IRIS"),
        (["--observatory", "../x"], 2, "can't be the name of a telescope"),
        (["--observatory", "größe"], 2, "can't be the name of a telescope"),
        (
            ["--observatory", "ridge", "--instruments", "a,,b"],
            2,
            "can't be the name of an instrument",
        ),
        (["--observatory", "ridge", "--title", "a\x1b[31m"], 2, "one line of text"),
        (["--observatory", "ridge", "--", "a/b"], 3, "there is no folder"),
        (["--observatory", "ridge", "x" * 300], 3, "too long"),
        (["--observatory", "ridge", "file"], 1, "is no folder"),
    ],
)
def test_nonsense_is_refused(here, arguments, code, message):
    (here / "file").touch()

    result = run(*arguments)

    assert result.exit_code == code
    assert message in result.stderr
    assert [path.name for path in here.iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["-rf", "größe", "a b", "$(x)"])
def test_folder_may_have_any_name(here, name):
    result = run("--observatory", "ridge", "-q", "--", name)

    assert result.exit_code == 0
    assert (here / name / "mappings/ridge/ridge_0001.pmap").is_file()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder_is_refused(here):
    here.chmod(0o555)
    try:
        result = run("--observatory", "ridge")
    finally:
        here.chmod(0o755)

    assert result.exit_code == 3
    assert list(here.iterdir()) == []


def test_scaffold_alone_needs_no_astropy(here):
    code = (
        "import sys\nfrom calmap.cli.main import cli\n"
        "cli(['init', 'x', '--observatory', 'ridge', '-q'], standalone_mode=False)\n"
        "print('astropy' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
