"""``calmap check --unsafe-fixes``: repairs that may change what is selected are made only when asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from calmap.cli.main import cli
from calmap.cli.options import Invocation
from calmap.model.mapping import load_mapping

NAME = "tobs_tinstr_tfilekind_0001.rmap"
TEXT = f"""\
header = {{
    'derived_from' : 'created by hand',
    'filekind' : 'TFILEKIND',
    'instrument' : 'TINSTR',
    'mapping' : 'REFERENCE',
    'name' : '{NAME}',
    'observatory' : 'TOBS',
    'parkey' : (('DETECTOR',), ('DATE-OBS',)),
    'rmap_omit' : 'DETECTOR == "X"',
}}

selector = Match({{
    ('A|A|B',) : UseAfter({{
        '2020-01-01T12:00:00' : 'one.fits',
    }}),
}})
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / NAME
    path.write_text(TEXT, encoding="utf-8")
    return path


def run(*arguments: str) -> Result:
    invocation = Invocation({}, Path.cwd())
    return CliRunner().invoke(
        cli, ["check", NAME, *arguments], obj=invocation, prog_name="calmap", catch_exceptions=False
    )


def changes(text: str) -> list[str]:
    return [line for line in text.splitlines() if line not in TEXT.splitlines() and "sha1sum" not in line]


SAFE = ["    ('A|B',) : UseAfter({"]
UNSAFE = ["    'rmap_omit' : '(DETECTOR == \"X\")',", *SAFE, "        '2020-01-01 12:00:00' : 'one.fits',"]


def test_fix_alone_keeps_the_selection(path: Path) -> None:
    result = run("--fix")

    assert changes(path.read_text()) == SAFE
    assert "(--fix --unsafe-fixes)" in result.stdout
    assert result.exit_code == 1


def test_unsafe_fixes_are_made_with_fix(path: Path) -> None:
    result = run("--fix", "--unsafe-fixes")

    assert changes(path.read_text()) == UNSAFE
    assert load_mapping(path).recorded_checksum == load_mapping(path).checksum
    assert (result.exit_code, result.stdout) == (0, "No findings\n")


def test_unsafe_fixes_are_shown_with_diff(path: Path) -> None:
    assert "+        '2020-01-01 12:00:00' : 'one.fits',\n" in run("--diff", "--unsafe-fixes").stdout
    assert "2020-01-01 12:00:00" not in run("--diff").stdout
    assert path.read_text() == TEXT


def test_only_what_is_selected_is_fixed(path: Path) -> None:
    run("--fix", "--unsafe-fixes", "--select", "unsorted-date")

    assert changes(path.read_text()) == UNSAFE[-1:]


def test_unsafe_fixes_alone_is_a_mistake(path: Path) -> None:
    result = run("--unsafe-fixes")

    assert result.exit_code == 2
    assert "--unsafe-fixes goes with --fix or --diff" in result.stderr
    assert path.read_text() == TEXT
