"""Small Git repositories for tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

_IDENTITY = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false")


def git(folder: Path, *arguments: str) -> str:
    """Run Git; skips where there is none."""
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    done = subprocess.run(
        ("git", *_IDENTITY, "-C", str(folder), *arguments), capture_output=True, text=True, check=True
    )
    return done.stdout


def commit(folder: Path, message: str) -> None:
    """Commit everything."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


def repository(folder: Path) -> Path:
    """A new repository with everything in a folder as its first commit."""
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, "first")
    return folder
