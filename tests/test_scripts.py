"""The commands of the README: they find their place, install once, and say what they lack."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
SCRIPTS = ("scripts/setup", "scripts/demo", "scripts/test", ".ci/run")

FAKE_PYTHON = """#!/bin/sh
case $* in
"-c "* | --version) exit 0 ;;
*venv*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
*) echo "$*" >>commands ;;
esac
"""


@pytest.fixture
def checkout(tmp_path):
    """A checkout in a folder with a space in its name, without a virtual environment."""
    root = tmp_path / "a checkout"
    shutil.copytree(CHECKOUT / "scripts", root / "scripts")
    shutil.copy(CHECKOUT / "pyproject.toml", root)
    return root


def run(script: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [script, *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        cwd="/",
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("script", SCRIPTS)
def test_script_is_a_shell_program(script):
    path = CHECKOUT / script

    assert os.access(path, os.X_OK)
    assert subprocess.run(["sh", "-n", path]).returncode == 0
    assert "set -eu\n" in path.read_text()


def test_setup_installs_once(checkout, tmp_path):
    python = program(tmp_path / "python", FAKE_PYTHON)
    for _ in range(2):
        done = run(checkout / "scripts/setup", "test", PYTHON=str(python))
        assert done.returncode == 0, done.stderr

    commands = (checkout / "commands").read_text().splitlines()

    assert [command.split()[-2:] for command in commands] == [["--editable", ".[test]"]]


def test_setup_installs_anew_for_new_dependencies(checkout, tmp_path):
    python = program(tmp_path / "python", FAKE_PYTHON)
    run(checkout / "scripts/setup", PYTHON=str(python))
    with (checkout / "pyproject.toml").open("a") as file:
        file.write("# one more\n")
    run(checkout / "scripts/setup", PYTHON=str(python))

    assert len((checkout / "commands").read_text().splitlines()) == 2


def test_setup_names_the_python_it_needs(checkout, tmp_path):
    tools = tmp_path / "tools"
    for tool in ("sh", "dirname", "cat", "cmp"):
        (tools / tool).parent.mkdir(exist_ok=True)
        (tools / tool).symlink_to(str(shutil.which(tool)))
    program(tools / "python3", '#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.1 || exit 1\n')

    done = run(checkout / "scripts/setup", PATH=str(tools))

    assert done.returncode == 3
    assert "needs Python 3.11 or newer" in done.stderr
    assert "Python 3.9.1" in done.stderr


def test_setup_says_when_the_installation_fails(checkout, tmp_path):
    python = program(tmp_path / "python", FAKE_PYTHON.replace('echo "$*" >>commands', "exit 1"))

    done = run(checkout / "scripts/setup", PYTHON=str(python))

    assert done.returncode == 3
    assert "PyPI" in done.stderr


def test_demo_shows_selections(checkout):
    for folder in ("mappings", "references", "config", "exposures"):
        shutil.copytree(CHECKOUT / folder, checkout / folder)
    program(checkout / ".venv/bin/python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    program(checkout / ".venv/bin/calmap", f'#!/bin/sh\nexec "{Path(sys.executable).parent}/calmap" "$@"\n')
    state = f"{checkout.resolve()}\n{(checkout / 'pyproject.toml').read_text()}"
    (checkout / ".venv/installed").write_text(state)

    done = run(checkout / "scripts/demo")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "$ calmap bestref" in done.stdout
    assert "Installing" not in done.stdout
    assert "IRIS_IMG1_DARK_20240924T000000_0.0.1.fits" in done.stdout
    assert "Liger_IMG_DARK_20250702T000000_0.0.1.fits" in done.stdout
    assert "EXPDTST" in done.stdout + done.stderr
    assert "14 steps again, the same pixels" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


PROGRAMS = [
    path
    for path in sorted((CHECKOUT / "scripts").iterdir())
    if path.is_file() and path.read_bytes().startswith(b"#!/usr/bin/env python3")
]


@pytest.mark.parametrize("script", PROGRAMS, ids=lambda path: path.name)
def test_programs_find_the_python_of_the_checkout(checkout, script):
    assert "import own_python" in script.read_text()
    alone = subprocess.run(
        [sys.executable, "-S", checkout / "scripts" / script.name, "--help"], capture_output=True, text=True
    )

    assert alone.returncode == 1
    assert "can't be imported: run scripts/setup" in alone.stderr
    assert "Traceback" not in alone.stderr


def test_programs_run_by_the_python_of_the_checkout(checkout):
    program(checkout / ".venv/bin/python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    done = subprocess.run(
        [sys.executable, "-S", checkout / "scripts/ramp_errors", "--help"], capture_output=True, text=True
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "--pixels" in done.stdout
