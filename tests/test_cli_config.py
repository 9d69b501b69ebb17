"""``calmap config`` says what is used and why."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from calmap.cli.main import cli
from calmap.cli.options import Invocation


@pytest.fixture
def start(tmp_path):
    """Run in a folder of its own with variables of its own."""
    for name in ("hst/hst_0001.pmap", "jwst/jwst_0007.pmap"):
        (tmp_path / "cache/mappings" / name).parent.mkdir(parents=True)
        (tmp_path / "cache/mappings" / name).touch()

    def run(*arguments, **variables):
        invocation = Invocation(variables, tmp_path)
        return CliRunner().invoke(
            cli, ["config", *arguments], obj=invocation, prog_name="calmap", catch_exceptions=False
        )

    return run


def without(folder: Path, text: str) -> str:
    """Text that does not depend on where the test runs, nor on how wide that is."""
    return re.sub(r" {3,}", "  ", text.replace(str(folder), "FOLDER"))


def test_table(start, tmp_path, snapshot):
    result = start(CRDS_PATH=str(tmp_path / "cache"), CALMAP_CONTEXT="jwst_0007.pmap")

    assert result.exit_code == 0
    assert without(tmp_path, result.stdout) == snapshot


def test_several_telescopes(start, tmp_path, snapshot):
    result = start("--cache", "cache")

    assert result.exit_code == 0
    assert without(tmp_path, result.stdout) == snapshot


def test_nothing_set(start, snapshot):
    assert start().stdout == snapshot


def test_columns_are_aligned(start):
    lines = start("--cache", "cache", "--observatory", "hst").stdout.splitlines()

    assert len({line.index(line.split(maxsplit=2)[2]) for line in lines}) == 1


def test_json(start, tmp_path):
    data = json.loads(start("--cache", "cache", "--observatory", "hst", "--format", "json").stdout)

    assert list(data) == ["cache", "context", "observatory", "mappings", "references", "config"]
    assert data["cache"] == {"value": str(tmp_path / "cache"), "origin": "--cache"}
    assert data["context"] == {"value": "hst_0001.pmap", "origin": "the newest one in the cache"}


def test_wrong_configuration(start, tmp_path):
    (tmp_path / "calmap.toml").write_text('cach = "x"\n')

    result = start()

    assert result.exit_code == 2
    assert result.stderr == (
        f"error: {tmp_path}/calmap.toml:1: unknown setting 'cach'\nhint: did you mean 'cache'?\n"
    )
