"""Looking at many files of which some can't be looked at."""

import os
import shutil
from pathlib import Path

import pytest

from calmap.cache.files import path_files
from calmap.cache.inspection import Failure, Inspector, attempts
from calmap.cache.targets import Target

NAME = "ligeriri_iris_dark_0001.rmap"


@pytest.fixture
def targets(tmp_path, repo_root, monkeypatch):
    """A good mapping between three that can't be read."""
    shutil.copy(repo_root / "mappings/ligeriri" / NAME, tmp_path)
    (tmp_path / "a_lost.rmap").symlink_to(tmp_path / "nowhere.rmap")
    os.mkfifo(tmp_path / "z_pipe.rmap")
    (tmp_path / "z_zero.rmap").symlink_to("/dev/zero")
    monkeypatch.chdir(tmp_path)
    return tuple(Target(path) for path in path_files(["."], tmp_path))


def test_one_bad_file_does_not_stop_the_others(targets):
    lost, findings, pipe, zero = attempts(targets, Inspector().check)

    assert findings == ()
    assert [problem.path for problem in (lost, pipe, zero)] == [
        Path(name) for name in ("a_lost.rmap", "z_pipe.rmap", "z_zero.rmap")
    ]
    assert "does not exist" in lost.problem.message
    assert "not an ordinary file" in pipe.problem.message
    assert "not an ordinary file" in zero.problem.message


def test_one_bad_file_does_not_stop_the_mending_of_others(targets):
    mended = tuple(attempts(targets, lambda target: Inspector().mend(target, lambda _finding: True)))

    assert [isinstance(result, Failure) for result in mended] == [True, False, True, True]


def test_mistake_of_the_program_is_not_hidden(targets):
    with pytest.raises(ZeroDivisionError):
        tuple(attempts(targets, lambda target: 1 // 0))
