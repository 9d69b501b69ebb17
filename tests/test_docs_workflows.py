"""The workflow and the hooks that docs/reviewing.md shows do what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "reviewing.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent
NEW = "new/IRIS_IMG1_FLAT_20250801T000000_0.0.1.fits"
RMAP = "mappings/ligeriri/ligeriri_iris_flat_0002.rmap"
DEFINITION: dict[str, Any]
HOOKS: dict[str, Any]
DEFINITION, HOOKS = (yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.S | re.M))
STEPS = {
    step.get("name", step["run"]): step for step in DEFINITION["jobs"]["mappings"]["steps"] if "run" in step
}


class Runner:
    """A checkout of a pull request as on GitHub; git-lfs and gh only note their calls."""

    def __init__(self, root: Path, outside: Path) -> None:
        self.root = root
        self.summary = outside / "summary.md"
        self.calls = outside / "calls"
        programs = outside / "bin"
        programs.mkdir()
        for name in ("git-lfs", "gh"):
            program = programs / name
            program.write_text(f'#!/bin/sh\necho {name} "$@" >> "{self.calls}"\n')
            program.chmod(0o755)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("GIT", "CALMAP_", "CRDS_"))}
        people = {
            f"GIT_{who}_{what}": "x@example.org"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        self._environment = {
            **kept,
            **people,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "PATH": os.pathsep.join((str(programs), str(BIN), kept["PATH"])),
            "GITHUB_BASE_REF": "main",
            "GITHUB_STEP_SUMMARY": str(self.summary),
            **dict.fromkeys(DEFINITION["jobs"]["mappings"]["env"], "7"),
        }

    def bash(self, script: str) -> tuple[int, str]:
        """Exit code and output of a script as GitHub runs it."""
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=self.root,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def step(self, name: str) -> tuple[int, str]:
        """Exit code and output of a step."""
        return self.bash(STEPS[name]["run"])


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    root = tmp_path / "checkout"
    runner = Runner(root, tmp_path)
    root.mkdir()
    code, output = runner.bash(
        "calmap init --demo --quiet .\n"
        "git init --quiet --initial-branch main\n"
        "git add --all\n"
        "git commit --quiet --message before\n"
        "git update-ref refs/remotes/origin/main main\n"
        "git switch --quiet --create change"
    )
    assert code == 0, output
    return runner


def test_steps_that_are_run_here_are_all_but_the_installation() -> None:
    assert list(STEPS) == [
        "pip install calmap-toolkit",
        "Check the rules",
        "Certify the new references",
        "Tell what changes",
    ]


def test_a_good_pull_request_passes_and_is_told(runner: Runner) -> None:
    code, output = runner.bash(f"calmap insert-reference --quiet {NEW}; git add --all; git commit -qm new")
    assert code == 0, output

    for name in list(STEPS)[1:]:
        code, output = runner.step(name)
        assert code == 0, output

    place = f"references/ligeriri/iris/{Path(NEW).name}"
    calls = runner.calls.read_text().splitlines()
    assert calls[0] == f"git-lfs pull --include {place}"
    assert calls[1].startswith("gh pr comment 7 ")
    changes = runner.summary.read_text()
    assert "| added | 58 |" in changes
    assert "1 of 2 datasets would get another file" in changes
    assert (runner.root / "changes.md").read_text() == changes


def test_a_pull_request_without_rules_passes(runner: Runner) -> None:
    code, output = runner.bash("echo more >> README.md; git commit --quiet --all --message words")
    assert code == 0, output

    for name in list(STEPS)[1:]:
        code, output = runner.step(name)
        assert code == 0, output
    assert "git-lfs" not in runner.calls.read_text()


def test_a_wrong_rule_is_annotated(runner: Runner) -> None:
    code, output = runner.bash(
        f"calmap insert-reference --quiet {NEW}\n"
        f"sed -i.orig 's/2025-08-01 00/2025-08- 00/' {RMAP}; rm {RMAP}.orig\n"
        "git add --all; git commit --quiet --message wrong"
    )
    assert code == 0, output

    code, output = runner.step("Check the rules")

    assert code == 1
    assert f"::error file={RMAP},line=58" in output


def test_a_wrong_reference_is_annotated(runner: Runner) -> None:
    code, output = runner.bash(
        f"calmap insert-reference --quiet {NEW}\n"
        f"sed -i.orig \"s/PUPIL   = 'CLEAR/PUPIL   = 'OPEN /\" references/ligeriri/iris/{Path(NEW).name}\n"
        "rm references/ligeriri/iris/*.orig; git add --all; git commit --quiet --message wrong"
    )
    assert code == 0, output

    code, output = runner.step("Certify the new references")

    assert code != 0
    assert f"::error file=references/ligeriri/iris/{Path(NEW).name}" in output


def test_the_hooks_exist(tmp_path: Path) -> None:
    published = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    named = [hook["id"] for repository in HOOKS["repos"] for hook in repository["hooks"]]

    assert set(named) == published
    assert [name for name in named if f"| `{name}` |" not in TEXT] == []
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(HOOKS))
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-config", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
