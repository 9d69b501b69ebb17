"""``calmap new-mapping``."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from calmap.cli.main import cli
from calmap.cli.options import Invocation

DEMO = Path(__file__).parent.parent / "mappings"
RIDGE = """
name: ridge
instruments: {owl: {}}
keywords: {META.CHIP: [CHIP]}
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A copy of the demonstration rules with a telescope beside it that has none; the current folder."""
    shutil.copytree(DEMO, tmp_path / "mappings")
    text = (DEMO.parent / "calmap/observatories/ligeriri.yaml").read_text()
    for name, definition in (
        ("ligeriri", text.replace("flat, nonlin", "flat, gain, sky, nonlin")),
        ("ridge", RIDGE),
    ):
        (tmp_path / "config" / name).mkdir(parents=True)
        (tmp_path / "config" / name / "observatory.yaml").write_text(definition)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments, program="new-mapping"):
    return CliRunner().invoke(
        cli, [program, *map(str, arguments)], prog_name="calmap", obj=Invocation({}, Path.cwd())
    )


def files(cache):
    return {path.name for path in (cache / "mappings").rglob("*map")}


SKY = ("iris", "sky", "--match", "META.INSTRUMENT.DETECTOR,META.INSTRUMENT.FILTER", "--date", "META.DATE")


def test_report(cache, snapshot):
    result = run(*SKY)

    assert result.exit_code == 0
    assert result.stdout == snapshot
    assert (cache / "mappings/ligeriri/ligeriri_iris_sky_0001.rmap").read_text() == snapshot
    assert run(program="check").stdout == "No findings\n"


def test_dry_run_shows_all_and_touches_nothing(cache, snapshot):
    before = sorted(cache.rglob("*"))

    result = run(*SKY, "--dry-run")

    assert result.exit_code == 0
    assert result.stdout == snapshot
    assert sorted(cache.rglob("*")) == before


def test_json(cache):
    told = json.loads(run(*SKY, "--format", "json").stdout)

    assert told["new_context"] == "ligeriri_0002.pmap"
    assert told["links"] == [
        {"instrument": "iris", "type": "sky", "old": None, "new": "ligeriri_iris_sky_0001.rmap"}
    ]
    assert [row["derived_from"] for row in told["mappings"]] == [
        None,
        "ligeriri_iris_0001.imap",
        "ligeriri_0001.pmap",
    ]
    assert not told["dry_run"]


def test_like_nearest_date_and_repeated_match(cache):
    assert run("liger", "sky", "--like", "ligeriri_iris_flat_0001.rmap", "-q").stdout == ""
    assert (
        run(
            "liger", "gain", "--match", "META.INSTRUMENT.DETECTOR", "--match", "META.INSTRUMENT.ERA"
        ).exit_code
        == 0
    )
    assert run("iris", "gain", "--date", "META.DATE", "--selector", "ClosestTime").exit_code == 0

    folder = cache / "mappings/ligeriri"
    assert "'META.INSTRUMENT.PUPIL'," in (folder / "ligeriri_liger_sky_0001.rmap").read_text()
    assert (
        "(('META.INSTRUMENT.DETECTOR', 'META.INSTRUMENT.ERA'),)"
        in (folder / "ligeriri_liger_gain_0001.rmap").read_text()
    )
    assert "selector = ClosestTime({" in (folder / "ligeriri_iris_gain_0001.rmap").read_text()
    assert run(program="check").stdout == "No findings\n"


def test_not_applicable_and_back(cache):
    before = files(cache)

    result = run("iris", "sky", "--na")

    assert result.stdout.startswith("iris sky leads to N/A\n")
    assert "    'SKY' : 'N/A',\n" in (cache / "mappings/ligeriri/ligeriri_iris_0002.imap").read_text()
    assert run(program="undo").exit_code == 0
    assert files(cache) == before


def test_telescope_without_context_gets_one_beside_another(cache):
    result = run("owl", "dark", "--match", "META.CHIP", "--observatory", "ridge")

    assert result.exit_code == 0
    assert files(cache) >= {"ridge_0001.pmap", "ridge_owl_0001.imap", "ridge_owl_dark_0001.rmap"}
    assert {path.name for path in (cache / "mappings/ridge").iterdir()} == files(cache) - {
        path.name for path in DEMO.rglob("*map")
    }
    assert run(program="check").stdout == "No findings\n"
    assert run("owl", "flat", "--match", "META.CHIP").exit_code == 2
    assert run("owl", "flat", "--match", "META.CHIP", "--observatory", "ridge").exit_code == 0
    assert "ridge_0002.pmap" in files(cache)


def test_commit(cache):
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "start"]):
        subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@b", *command], check=True)
    subprocess.run(["git", "config", "user.name", "A"], check=True)
    subprocess.run(["git", "config", "user.email", "a@b"], check=True)

    result = run(*SKY, "--git")

    message = subprocess.run(["git", "log", "-1", "--format=%B"], capture_output=True, text=True, check=True)
    assert result.exit_code == 0, result.output
    assert message.stdout.strip() == (
        "Add rules for sky of iris\n\nligeriri_0002.pmap derives from ligeriri_0001.pmap.\n\n"
        "iris sky leads to ligeriri_iris_sky_0001.rmap"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["iris", "sky"], 2, "by what shall the rules select"),
        (["iris", "sky", "--na", "--like", "x.rmap"], 2, "--like and --na can't go together"),
        (["iris", "sky", "--match", "A,,B"], 2, "a keyword is missing"),
        (["iris", "sky", "--date", "A,B,C"], 2, "--date has 3 keywords"),
        (["iris", "sky", "--like", "ligeriri_iris_0001.imap"], 2, "is no rmap"),
        (["iris", "sky", "--like", "../../x.rmap"], 3, "is not in the cache"),
        (["iris", "../x", "--na"], 2, "can't be the name of a type"),
        (["iris", "dark", "--na"], 1, "has rules for dark already"),
        (["--", "-rf", "sky"], 2, "by what shall"),
        (["iris", "sky", "--na", "--context", "ligeriri_iris_0001.imap"], 2, "is no context"),
        (["iris", "sky", "--na", "--context", "ligeriri_0009.pmap"], 3, "is not in"),
        (["iris", "sky", "--na", "--observatory", "../x"], 3, "'../x'"),
    ],
)
def test_nonsense_is_refused_and_nothing_written(cache, arguments, code, message):
    before = files(cache)

    result = run(*arguments)

    assert result.exit_code == code
    assert message in result.stderr
    assert files(cache) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_cache_is_left_alone(cache):
    folder = cache / "mappings/ligeriri"
    before = files(cache)
    folder.chmod(0o555)
    try:
        result = run(*SKY)
    finally:
        folder.chmod(0o755)

    assert result.exit_code == 3
    assert files(cache) == before
