"""One process at a time changes a cache, and the others are told who does."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from calmap.cache.history import history
from calmap.cache.layout import Layout
from calmap.cache.lock import is_held, locked, owner
from calmap.cache.transaction import FileChange, changing
from calmap.errors import CacheError

HOLDER = """
import sys, time
from pathlib import Path
from calmap.cache.layout import Layout
from calmap.cache.transaction import changing
with changing(Layout(Path(sys.argv[1])), title="insert-reference"):
    print("held", flush=True)
    time.sleep(60)
"""
WRITER = """
import sys
from pathlib import Path
from calmap.cache.layout import Layout
from calmap.cache.transaction import FileChange, changing
root, who, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(count):
    with changing(Layout(root), title=who) as transaction:
        last = sorted((root / "mappings").glob("*.pmap"))[-1]
        new = last.with_name(f"tobs_{int(last.stem[-4:]) + 1:04}.pmap")
        transaction.commit(f"{who} {number}", [
            FileChange(new, f"{last.name} {who} {number}".encode(), None),
            FileChange(root / "references" / f"{who}-{number}.fits", who.encode(), None),
        ])
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An almost empty cache."""
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings/tobs_0001.pmap").write_bytes(b"the first")
    return tmp_path


def started(program: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def holder(root: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock."""
    process = started(HOLDER, root)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_who_holds_the_lock_is_told(root: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(CacheError) as caught, changing(Layout(root), wait=0.05):
        pass

    pattern = rf"the cache {re.escape(str(root))} is being changed by \S+ on \S+ \(process {holder.pid}, "
    assert re.fullmatch(pattern + r"'insert-reference'\) for \d+ seconds?", caught.value.message)
    assert f"process {holder.pid}" in str(caught.value.hint)


def test_a_lock_goes_with_the_process_that_held_it(root: Path, holder: subprocess.Popen[str]) -> None:
    assert is_held(root / ".calmap/lock")
    holder.send_signal(signal.SIGKILL)
    holder.wait()

    assert not is_held(root / ".calmap/lock")
    assert owner(root / ".calmap/lock") is not None
    with changing(Layout(root), wait=0):
        pass


def test_waiting_is_told_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calmap.cache.lock._PATIENCE", 0.02)
    told: list[str] = []
    free = threading.Timer(0.3, lambda: os.close(handle))
    with locked(root / "lock", "first", wait=1):
        pass
    import fcntl

    handle = os.open(root / "lock", os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX)
    free.start()

    with locked(root / "lock", "second", wait=10, waiting=told.append):
        pass

    assert told == [f"the cache {root.parent} is being changed by another process"]


def test_threads_of_one_process_wait_too(root: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with changing(Layout(root)):
            order.append("second")

    with changing(Layout(root)):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.1)
        order.append("first")
    thread.join()

    assert order == ["first", "second"]


@pytest.mark.parametrize("anew", [False, True])
def test_a_lock_that_was_removed_while_another_waited_for_it(root: Path, anew: bool) -> None:
    problems: list[CacheError] = []

    def second() -> None:
        try:
            with changing(Layout(root)):
                pass
        except CacheError as problem:
            problems.append(problem)

    with changing(Layout(root)):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.1)
        (root / ".calmap/lock").unlink()
        if anew:
            (root / ".calmap/lock").touch()
    thread.join()

    assert ["lock was removed by somebody" in problem.message for problem in problems] == [True]


def test_the_lock_is_free_after_an_error(root: Path) -> None:
    with pytest.raises(ZeroDivisionError), changing(Layout(root)):
        raise ZeroDivisionError

    assert not is_held(root / ".calmap/lock")
    assert owner(root / ".calmap/lock") is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"user": 1}', "\x00\xff"])
def test_a_lock_file_that_says_nothing(root: Path, content: str) -> None:
    path = root / "lock"
    path.write_text(content)

    assert owner(path) is None


def test_a_cache_where_nothing_can_be_made(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(30, os.strerror(30))

    monkeypatch.setattr(os, "mkdir", refuse)

    message = r"\.calmap can't be made: Read-only file system"
    with pytest.raises(CacheError, match=message) as caught, changing(Layout(root)):
        pass
    assert caught.value.hint == "the file system is read-only"


def test_a_file_system_without_locks(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(37, os.strerror(37))

    monkeypatch.setattr("calmap.cache.lock._lock", refuse)

    with pytest.raises(CacheError, match="can't be locked"), changing(Layout(root)):
        pass


def test_sixteen_processes_make_one_chain(root: Path) -> None:
    writers = [started(WRITER, root, f"writer{number}", 3) for number in range(16)]
    for writer in writers:
        _, problems = writer.communicate()
        assert (writer.returncode, problems) == (0, "")

    contexts = sorted(path.name for path in (root / "mappings").iterdir())
    assert contexts == [f"tobs_{number:04}.pmap" for number in range(1, 50)]
    texts = [(root / "mappings" / name).read_text().split() for name in contexts[1:]]
    assert [text[0] for text in texts] == contexts[:-1]
    assert {f"{who}-{number}.fits" for _, who, number in texts} == {
        path.name for path in (root / "references").iterdir()
    }
    assert len(list((root / "references").iterdir())) == 48
    assert [entry.number for entry in history(Layout(root))] == list(range(48, 28, -1))


def test_a_change_that_two_want_is_made_once(root: Path) -> None:
    change = FileChange(root / "mappings/tobs_0002.pmap", b"new", None)
    for _ in range(2):
        with changing(Layout(root)) as transaction:
            transaction.commit("the same", [change])

    assert len(history(Layout(root))) == 1
