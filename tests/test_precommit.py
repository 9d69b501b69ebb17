"""The pre-commit hooks, tried with the real pre-commit in a repository of rules."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).parent.parent
HOOKS = yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text())
CALMAP = Path(sys.executable).parent / "calmap"
RMAP = "mappings/ligeriri/ligeriri_iris_dark_0001.rmap"


class Rules:
    """A git repository with the demonstration cache in it."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root = root
        self.rmap = root / RMAP
        outside = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        self._environment = {**outside, "PRE_COMMIT_HOME": str(home), "GIT_CONFIG_GLOBAL": os.devnull}

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=self.root, env=self._environment, capture_output=True, text=True)

    def stage(self) -> None:
        """What `git add .` does."""
        assert self._run("git", "add", ".").returncode == 0

    def hook(self, name: str) -> tuple[int, str]:
        """Exit code and output of a hook for all staged files."""
        done = self._run(sys.executable, "-m", "pre_commit", "run", name, "--all-files", "--color=never")
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def rules(tmp_path):
    root = tmp_path / "my rules"
    for folder in ("mappings", "references", "config"):
        shutil.copytree(CHECKOUT / folder, root / folder)
    (root / "README.md").write_text("Rules of two instruments.\n")
    # The published hooks, run with the calmap under test and not with one from the network.
    hooks = []
    for hook in HOOKS:
        command, *arguments = shlex.split(hook["entry"])
        assert command == "calmap"
        hooks.append({**hook, "language": "system", "entry": shlex.join([str(CALMAP), *arguments])})
    config = {"repos": [{"repo": "local", "hooks": hooks}]}
    (root / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    repository = Rules(root, tmp_path / "pre-commit")
    assert repository._run("git", "init", "--quiet").returncode == 0
    repository.stage()
    return repository


def test_manifest_is_valid():
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", CHECKOUT / ".pre-commit-hooks.yaml"],
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout


def test_own_configuration_has_the_published_hooks():
    config = yaml.safe_load((CHECKOUT / ".pre-commit-config.yaml").read_text())
    own = {hook["id"]: hook for repo in config["repos"] for hook in repo["hooks"]}

    for hook in HOOKS:
        assert own[hook["id"]]["files"] == hook["files"]
        assert own[hook["id"]]["entry"] == f".venv/bin/{hook['entry']}"


def test_good_rules_pass(rules):
    for hook in ("calmap-update-checksums", "calmap-check", "calmap-certify"):
        code, output = rules.hook(hook)

        assert code == 0, output
        assert "Passed" in output


def test_checksum_is_updated_once(rules):
    text = rules.rmap.read_text()
    rules.rmap.write_text(text.replace("'2024-11-05 00:00:00'", "'2024-11-06 00:00:00'"))
    rules.stage()

    code, output = rules.hook("calmap-update-checksums")

    assert code == 1
    assert "files were modified by this hook" in output
    before, after = text.splitlines(), rules.rmap.read_text().splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 2
    assert "'sha1sum'" in changed[0]
    assert "'2024-11-06 00:00:00'" in changed[1]
    rules.stage()
    assert rules.hook("calmap-update-checksums")[0] == 0
    assert rules.hook("calmap-check")[0] == 0


def test_stale_checksum_is_found(rules):
    rules.rmap.write_text(rules.rmap.read_text().replace("'2024-11-05 00:00:00'", "'2024-11-06 00:00:00'"))
    rules.stage()

    code, output = rules.hook("calmap-check")

    assert code == 1
    assert RMAP in output
    assert "sha1sum" in output


def test_broken_rules_are_found(rules):
    text = rules.rmap.read_text()
    rules.rmap.write_text(text.replace("selector = Match({", "selector = Match(["))
    rules.stage()

    code, output = rules.hook("calmap-check")

    assert code == 1
    line = text[: text.index("selector = Match({")].count("\n") + 1
    assert f"{RMAP}:{line}:" in output
    assert "Traceback" not in output


def test_other_files_are_left_alone(rules):
    shutil.rmtree(rules.root / "mappings")
    rules.stage()

    code, output = rules.hook("calmap-check")

    assert code == 0
    assert "no files to check" in output


def test_a_wrong_reference_is_found(rules):
    flat = rules.root / "references" / "ligeriri" / "iris" / "IRIS_IMG1_FLAT_20241106T000000_0.0.1.fits"
    flat.write_bytes(flat.read_bytes().replace(b"PUPIL   = 'CLEAR", b"PUPIL   = 'OPEN "))
    rules.stage()

    code, output = rules.hook("calmap-certify")

    assert code == 1
    assert "'OPEN'" in output
