"""``calmap new-context``."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from calmap.cli.main import cli
from calmap.cli.options import Invocation

DEMO = Path(__file__).parent.parent / "mappings"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A copy of the demonstration rules with a second rmap of flats; the current folder."""
    shutil.copytree(DEMO, tmp_path / "mappings")
    monkeypatch.chdir(tmp_path)
    old = (tmp_path / "mappings/ligeriri/ligeriri_iris_flat_0001.rmap").read_text()
    new = old.replace("flat_0001.rmap", "flat_0002.rmap").replace("FLAT_20241106T", "FLAT_20241107T")
    (tmp_path / "mappings/ligeriri/ligeriri_iris_flat_0002.rmap").write_text(new)
    assert run("mappings", program="update-checksums").exit_code == 0
    return tmp_path


def run(*arguments, program="new-context"):
    return CliRunner().invoke(
        cli, [program, *map(str, arguments)], prog_name="calmap", obj=Invocation({}, Path.cwd())
    )


def contexts(cache):
    return sorted(path.name for path in (cache / "mappings").rglob("*.pmap"))


def test_report(cache, snapshot):
    result = run("ligeriri_iris_flat_0002.rmap", "liger.drizpars=OMIT")

    assert result.exit_code == 0
    assert result.stdout == snapshot
    assert run(program="check").stdout == "No findings\n"


def test_dry_run_touches_nothing(cache, snapshot):
    before = sorted(cache.rglob("*"))

    result = run("iris.dq=N/A", "--dry-run")

    assert result.stdout == snapshot
    assert sorted(cache.rglob("*")) == before


def test_path_of_a_mapping_and_undo(cache):
    assert run("mappings/ligeriri/ligeriri_iris_flat_0002.rmap", "-q").stdout == ""
    assert contexts(cache) == ["ligeriri_0001.pmap", "ligeriri_0002.pmap"]
    assert run(program="undo").exit_code == 0
    assert contexts(cache) == ["ligeriri_0001.pmap"]


def test_what_is_there_already_makes_nothing(cache):
    result = run("ligeriri_iris_flat_0001.rmap")

    assert result.exit_code == 0
    assert result.stdout == (
        "iris flat leads to ligeriri_iris_flat_0001.rmap already\nligeriri_0001.pmap has all of it already\n"
    )
    assert contexts(cache) == ["ligeriri_0001.pmap"]


def test_json(cache):
    told = json.loads(run("ligeriri_iris_flat_0002.rmap", "--format", "json").stdout)

    assert (told["context"], told["new_context"]) == ("ligeriri_0001.pmap", "ligeriri_0002.pmap")
    assert told["links"][0]["old"] == "ligeriri_iris_flat_0001.rmap"
    assert [item["keys"] for item in told["differences"]] == [[], ["iris"], ["iris", "flat"]]
    assert [rule["kind"] for rule in told["differences"][-1]["rules"]] == ["replaced"]


def test_older_context_gets_a_new_serial(cache):
    run("iris.dq=N/A")

    result = run("iris.flat=N/A", "--context", "ligeriri_0001.pmap")

    text = (cache / "mappings/ligeriri/ligeriri_0003.pmap").read_text()
    imap = (cache / "mappings/ligeriri/ligeriri_iris_0003.imap").read_text()
    assert result.exit_code == 0
    assert "'derived_from' : 'ligeriri_0001.pmap'" in text
    assert "'DQ' : 'ligeriri_iris_dq_0001.rmap'" in imap


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["dark=N/A"], 2, "iris, liger have the type 'dark'"),
        (["nothing=N/A"], 2, "no instrument has the type 'nothing'"),
        (["iris.flat=A"], 2, "neither N/A nor OMIT"),
        (["../mappings.rmap"], 3, "is not in the cache"),
        (["x" * 300 + ".rmap"], 3, "can't be the name"),
        (["--context", "ligeriri_iris_0001.imap", "iris.flat=N/A"], 2, "is no context"),
        (["ligeriri_iris_flat_0002.rmap", "iris.flat=N/A"], 2, "both for iris flat"),
    ],
)
def test_nonsense_is_refused(cache, arguments, code, message):
    result = run(*arguments)

    assert result.exit_code == code
    assert message in result.stderr
    assert contexts(cache) == ["ligeriri_0001.pmap"]


def test_wrong_checksum_is_refused_with_the_way_out(cache):
    path = cache / "mappings/ligeriri/ligeriri_iris_flat_0002.rmap"
    path.write_text(path.read_text().replace("Flats belong", "Flats do belong"))

    result = run(path.name)

    assert result.exit_code == 1
    assert "the recorded checksum" in result.stderr
    assert result.stderr.endswith(f"hint: calmap check {path.name} shows all\n")


def test_argument_is_required(cache):
    result = run()

    assert result.exit_code == 2
