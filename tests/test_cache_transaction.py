"""Changes of a cache happen as a whole or not at all, whatever goes wrong on the way."""

from __future__ import annotations

import errno
import io
import itertools
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calmap.cache.history import history, undo, unreadable
from calmap.cache.layout import Layout
from calmap.cache.ledger import KEPT, Ledger
from calmap.cache.places import Places
from calmap.cache.store import digest
from calmap.cache.transaction import Committed, FileChange, Recovered, changing, interrupted, recover
from calmap.errors import CacheError, FileChangedError

CALLS = ("open", "fdopen", "fsync", "replace", "link", "unlink", "mkdir", "rmdir")
REFERENCE = b"reference 3"
OLD = {
    "mappings/tobs/tobs_0001.pmap": b"pmap 1",
    "mappings/tobs/tobs_cam_0001.imap": b"imap 1",
    "mappings/tobs/tobs_cam_flat_0001.rmap": b"rmap 1",
    "references/tobs/cam/one.fits": b"reference 1",
    "references/tobs/cam/two.fits": b"reference 2",
    "config/tobs/ref_cache_subdir_mode": b"instrument",
}
NEW = {
    **OLD,
    "mappings/tobs/tobs_0002.pmap": b"pmap 2",
    "mappings/tobs/tobs_cam_0002.imap": b"imap 2",
    "mappings/tobs/tobs_cam_flat_0001.rmap": b"rmap 1, edited in place",
    "references/tobs/ifu/three.fits": REFERENCE,
}
del NEW["references/tobs/cam/two.fits"]


def write(root: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def tree(root: Path) -> dict[str, bytes | None]:
    """Every file, hidden ones too, and every folder but those that files are in; not what calmap keeps."""
    found = {path: path.relative_to(root) for path in root.rglob("*")}
    return {
        name.as_posix(): path.read_bytes() if path.is_file() else None
        for path, name in found.items()
        if name.parts[0] != ".calmap" and (path.is_file() or not any(path.iterdir()))
    }


def prepared(root: Path, content: bytes) -> Path:
    """A file outside the cache that is to be copied into it."""
    return root.parent / f"{digest(content)[:12]}.fits"


def changes(root: Path, old: dict[str, bytes] = OLD, new: dict[str, bytes] = NEW) -> list[FileChange]:
    """What makes one cache of another; references are copied from outside."""
    found = []
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) == new.get(name):
            continue
        content = new.get(name)
        source: Path | None = None
        if content is not None and name.endswith(".fits"):
            source = prepared(root, content)
            if not source.exists():
                source.write_bytes(content)
        found.append(FileChange(root / name, source or content, digest(old[name]) if name in old else None))
    return found


def files_of(root: Path) -> dict[str, bytes | None]:
    """Every file, hidden ones too."""
    return {name: data for name, data in tree(root).items() if data is not None}


def commit(root: Path, files: list[FileChange], title: str = "a change") -> Committed:
    with changing(Layout(root)) as transaction:
        return transaction.commit(title, files)


def kept(root: Path) -> list[str]:
    """What is in the folder of calmap besides records of changes."""
    folder = root / ".calmap"
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return sorted(name for name in left if not name.endswith("/record"))


@pytest.fixture(autouse=True)
def no_power_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has to outlast the machine here."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small cache."""
    write(tmp_path / "cache", OLD)
    return tmp_path / "cache"


@pytest.fixture
def outside(root: Path) -> Path:
    """A file outside the cache."""
    path = root.parent / "outside.pmap"
    path.write_bytes(b"outside")
    return path


class Faults:
    """Calls of the system that are counted, and of which one, or all from one on, go wrong."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None], point: int, *, lasting: bool = False
    ) -> None:
        self.count = 0
        self._act, self._point, self._lasting = act, point, lasting
        for module, name in ((os, name) for name in CALLS):
            monkeypatch.setattr(module, name, self._counted(getattr(module, name)))
        monkeypatch.setattr(io, "open", self._counted(io.open))

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            self.count += 1
            if self.count == self._point or (self._lasting and self.count > self._point):
                self._act()
            return call(*arguments, **options)

        return counted


def fail(code: int) -> Callable[[], None]:
    def act() -> None:
        raise OSError(code, os.strerror(code))

    return act


def at_every_call(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[], None],
    run: Callable[[Path], object],
    *,
    lasting: bool = False,
    template: dict[str, bytes] | Path = OLD,
) -> Iterator[tuple[Path, BaseException | None]]:
    """Run something on a fresh cache with a fault at its first call of the system, its second, and so on."""
    for point in itertools.count(1):
        root = tmp_path / f"cache-{point}"
        if isinstance(template, Path):
            shutil.copytree(template, root)
        else:
            write(root, template)
        changes(root)
        with monkeypatch.context() as patch:
            faults = Faults(patch, act, point, lasting=lasting)
            problem: BaseException | None = None
            try:
                run(root)
            except (CacheError, KeyboardInterrupt) as caught:
                problem = caught
        yield root, problem
        if faults.count < point:
            return
        shutil.rmtree(root)


def change_all(root: Path) -> Committed:
    return commit(root, changes(root))


def test_a_change_puts_every_file_in_its_place(root: Path) -> None:
    done = commit(root, changes(root), "two calibrations")

    assert tree(root) == NEW
    assert (done.number, done.title) == (1, "two calibrations")
    assert kept(root) == [".gitignore", "changes/000001/old-2", "changes/000001/old-3", "lock"]
    assert (root / ".calmap" / ".gitignore").read_text() == "*\n"


def test_what_is_named_is_there_before_what_names_it(root: Path) -> None:
    done = commit(root, changes(root))

    assert [path.name for path in done.paths] == [
        "three.fits",
        "tobs_cam_flat_0001.rmap",
        "tobs_cam_0002.imap",
        "tobs_0002.pmap",
        "two.fits",
    ]


def test_a_change_of_nothing_is_none(root: Path) -> None:
    assert commit(root, []).number is None
    assert commit(root, [FileChange(root / "mappings/tobs/tobs_0001.pmap", b"pmap 1", None)]).paths == ()
    assert history(Layout(root)) == ()


def test_a_file_that_is_as_it_shall_be_is_done(root: Path) -> None:
    commit(root, changes(root))
    number = (root / "mappings/tobs/tobs_0002.pmap").stat().st_ino

    again = commit(root, changes(root))

    assert again.paths == ()
    assert (root / "mappings/tobs/tobs_0002.pmap").stat().st_ino == number


def test_several_changes_under_one_lock(root: Path) -> None:
    pmap = root / "mappings/tobs/tobs_0001.pmap"
    with changing(Layout(root)) as transaction:
        transaction.commit("first", [FileChange(pmap, b"a", digest(b"pmap 1"))])
        transaction.commit("second", [FileChange(pmap, b"b", digest(b"a"))])

    assert [entry.title for entry in history(Layout(root))] == ["second", "first"]


def test_permissions_stay(root: Path) -> None:
    path = root / "mappings/tobs/tobs_cam_flat_0001.rmap"
    path.chmod(0o604)

    commit(root, changes(root))

    assert path.stat().st_mode & 0o777 == 0o604


@pytest.mark.parametrize("expected", [digest(b"something else"), None])
def test_a_file_that_was_changed_stops_the_whole_change(root: Path, expected: str | None) -> None:
    files = changes(root)
    wrong = FileChange(root / "mappings/tobs/tobs_0001.pmap", b"new", expected)

    with pytest.raises(FileChangedError, match=r"tobs_0001\.pmap (is there already|has changed since)"):
        commit(root, [*files, wrong])

    assert tree(root) == OLD


def test_two_changes_of_one_file(root: Path) -> None:
    path = root / "mappings/tobs/tobs_0002.pmap"
    same = root / "mappings/tobs/../tobs/tobs_0002.pmap"

    with pytest.raises(ValueError, match="two changes of"):
        commit(root, [FileChange(path, b"a", None), FileChange(same, b"b", None)])

    assert tree(root) == OLD


@pytest.mark.parametrize(
    "name",
    [
        "../outside.pmap",
        "stray.pmap",
        "mappings/../../x.pmap",
        "mappings",
        ".calmap/lock",
        "mappings/.calmap/x",
    ],
)
def test_only_files_of_the_cache_are_changed(root: Path, outside: Path, name: str) -> None:
    with pytest.raises(CacheError, match="is outside the cache"):
        commit(root, [FileChange(root / name, b"new", None)])

    assert outside.read_bytes() == b"outside"
    assert tree(root) == OLD


def test_links_that_lead_out_of_the_cache_are_not_followed(root: Path, outside: Path) -> None:
    (root / "mappings/tobs/tobs_0009.pmap").symlink_to(outside)
    (root / "references/elsewhere").symlink_to(outside.parent)

    for name in ("mappings/tobs/tobs_0009.pmap", "references/elsewhere/outside.pmap"):
        with pytest.raises(CacheError, match="is outside the cache"):
            commit(root, [FileChange(root / name, b"new", digest(b"outside"))])

    assert outside.read_bytes() == b"outside"


def test_a_link_within_the_cache_is_followed_but_not_removed(root: Path) -> None:
    link = root / "mappings/tobs_0001.pmap"
    link.symlink_to("tobs/tobs_0001.pmap")

    commit(root, [FileChange(link, b"new", digest(b"pmap 1"))])
    with pytest.raises(CacheError, match="is a link"):
        commit(root, [FileChange(link, None, digest(b"new"))])

    assert link.is_symlink()
    assert (root / "mappings/tobs/tobs_0001.pmap").read_bytes() == b"new"


def test_folders_of_the_cache_may_be_elsewhere(root: Path, tmp_path: Path) -> None:
    shutil.move(root / "mappings", tmp_path / "rules")
    shutil.move(root / "references", tmp_path / "files")
    (root / "references").symlink_to(tmp_path / "files")
    layout = Layout(root, mapping_root=tmp_path / "rules")

    with changing(layout) as transaction:
        transaction.commit(
            "elsewhere",
            [
                FileChange(tmp_path / "rules/tobs/tobs_0002.pmap", b"new", None),
                FileChange(root / "references/tobs/cam/four.fits", b"4", None),
            ],
        )
    assert (tmp_path / "rules/tobs/tobs_0002.pmap").read_bytes() == b"new"
    assert (tmp_path / "files/tobs/cam/four.fits").read_bytes() == b"4"

    with pytest.raises(CacheError, match="was made with mappings in"):
        undo(Layout(root))
    undo(layout)
    assert not (tmp_path / "rules/tobs/tobs_0002.pmap").exists()


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_folders_on_another_file_system(root: Path) -> None:
    files = Path("/dev/shm") / f"calmap-{os.getpid()}"
    try:
        shutil.copytree(root / "references", files)
        layout = Layout(root, reference_root=files)
        moved = [
            FileChange(files / change.path.relative_to(root / "references"), change.content, change.expected)
            if change.path.suffix == ".fits"
            else change
            for change in changes(root)
        ]
        with changing(layout) as transaction:
            transaction.commit("another disk", moved)
        assert not (files / "tobs/cam/two.fits").exists()
        undo(layout)
        assert (files / "tobs/cam/two.fits").read_bytes() == b"reference 2"
        assert sorted(path.name for path in files.rglob("*.fits")) == ["one.fits", "two.fits"]
    finally:
        shutil.rmtree(files)


def test_a_file_to_copy_that_is_not_there(root: Path) -> None:
    with pytest.raises(CacheError, match=r"nothing\.fits is not there"):
        commit(root, [FileChange(root / "references/tobs/cam/x.fits", root / "nothing.fits", None)])


def test_no_cache(tmp_path: Path) -> None:
    with pytest.raises(CacheError, match="there is no cache"), changing(Layout(tmp_path / "no")):
        pass


def test_a_file_that_changes_while_it_is_copied(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = changes(root)
    make = os.mkdir

    def meddle(*arguments: Any, **options: Any) -> None:
        make(*arguments, **options)
        prepared(root, REFERENCE).write_bytes(b"other")

    with changing(Layout(root)) as transaction:
        monkeypatch.setattr(os, "mkdir", meddle)
        with pytest.raises(FileChangedError, match="was changed while it was copied"):
            transaction.commit("a change", files)

    assert tree(root) == OLD


def test_a_call_that_fails_leaves_the_old_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = at_every_call(tmp_path, monkeypatch, fail(errno.ENOSPC), change_all)
    seen = 0
    for root, problem in runs:
        seen += 1
        assert files_of(root) == (OLD if problem else NEW)
        assert not (root / ".calmap" / "journal").exists()
        if problem:
            assert isinstance(problem, CacheError)
            assert change_all(root).number == 1
            assert tree(root) == NEW
    assert seen > 50


def test_a_disk_that_fails_from_some_moment_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states = set()
    runs = at_every_call(tmp_path, monkeypatch, fail(errno.EIO), change_all, lasting=True)
    for root, problem in runs:
        recover(Layout(root))
        states.add(state := ("old", "new")[[OLD, NEW].index(files_of(root))])  # type: ignore[arg-type]
        assert problem or state == "new"
        assert interrupted(Layout(root)) is None
    assert states == {"old", "new"}


@pytest.mark.parametrize("moment", [25, 45, 55, 60])
def test_a_failure_during_recovery_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    template = tmp_path / "template"
    write(template, OLD)
    changes(template)
    with monkeypatch.context() as patch:
        Faults(patch, fail(errno.EIO), moment, lasting=True)
        with pytest.raises(CacheError):
            change_all(template)

    def again(root: Path) -> None:
        recover(Layout(root))

    for root, _ in at_every_call(
        tmp_path, monkeypatch, fail(errno.EIO), again, lasting=True, template=template
    ):
        again(root)
        assert files_of(root) in (OLD, NEW)


def test_an_interrupt_is_before_the_change_or_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = []
    runs = at_every_call(tmp_path, monkeypatch, lambda: signal.raise_signal(signal.SIGINT), change_all)
    for root, problem in runs:
        states.append([OLD, NEW].index(tree(root)))  # type: ignore[arg-type]
        assert problem is None or isinstance(problem, KeyboardInterrupt)
        assert not (root / ".calmap" / "journal").exists()
    assert states == sorted(states)
    assert set(states) == {0, 1}


@pytest.mark.parametrize("limit", [0, 100, 700, 5000])
def test_no_room_for_files_of_any_size(root: Path, limit: int) -> None:
    big = {**NEW, "references/tobs/ifu/three.fits": b"3" * 10_000}
    files = changes(root, new=big)
    text = "from pathlib import Path; from test_cache_transaction import *; limited(Path({!r}), {})"
    program = text.format(str(root), limit)

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parent, capture_output=True, text=True
    )

    assert files
    assert done.returncode == 0, done.stderr
    assert "File too large" in done.stdout
    assert tree(root) == OLD


def limited(root: Path, limit: int) -> None:
    """Commit with a limit to the size of files; the new reference is above it."""
    files = [
        FileChange(root / "references/tobs/ifu/three.fits", prepared(root, b"3" * 10_000), None),
        FileChange(root / "mappings/tobs/tobs_0002.pmap", b"pmap 2", None),
    ]
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        commit(root, files)
    except CacheError as problem:
        print(problem)


def break_off(root: Path, *, committed: bool) -> None:
    """Leave a change as if the machine had stopped, before or after the mark in the journal."""
    code = "replace" if committed else "link"
    program = (
        "import os, signal; from pathlib import Path; from test_cache_transaction import *;"
        f"root = Path({str(root)!r});"
        "files = changes(root);"
        "manager = changing(Layout(root)); transaction = manager.__enter__();"
        f"os.{code} = lambda *_: os.kill(os.getpid(), signal.SIGKILL);"
        "transaction.commit('a change', files)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parent)
    assert done.returncode == -signal.SIGKILL
    assert (root / ".calmap/journal").exists()


@pytest.mark.parametrize("committed", [False, True])
def test_the_next_change_recovers_first(root: Path, committed: bool) -> None:
    break_off(root, committed=committed)
    assert "'a change' of the cache" in str(interrupted(Layout(root)))

    with changing(Layout(root)) as transaction:
        assert transaction.recovered is not None
        assert (transaction.recovered.title, transaction.recovered.completed) == ("a change", committed)
        assert tree(root) == (NEW if committed else OLD)

    assert interrupted(Layout(root)) is None
    assert len(history(Layout(root))) == committed


def test_recovery_overwrites_nothing_that_somebody_wrote_meanwhile(root: Path) -> None:
    break_off(root, committed=True)
    rmap = root / "mappings/tobs/tobs_cam_flat_0001.rmap"
    rmap.write_bytes(b"by hand")

    with pytest.raises(FileChangedError, match=r"flat_0001\.rmap was changed by somebody else") as caught:
        recover(Layout(root))
    assert "calmap undo --recover" in str(caught.value.hint)
    assert rmap.read_bytes() == b"by hand"

    rmap.rename(root.parent / "moved")
    assert recover(Layout(root)) is not None
    assert tree(root) == NEW


def test_taking_back_leaves_what_somebody_wrote_meanwhile(root: Path) -> None:
    break_off(root, committed=False)
    other = root / "mappings/tobs/tobs_0002.pmap"
    other.write_bytes(b"by hand")

    recover(Layout(root))

    assert tree(root) == {**OLD, "mappings/tobs/tobs_0002.pmap": b"by hand"}


def test_a_file_changed_at_the_last_moment_takes_the_rest_back(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imap = root / "mappings/tobs/tobs_cam_0002.imap"
    replace = os.replace

    def meddle(source: Any, target: Any) -> None:
        replace(source, target)
        if str(target).endswith("tobs_cam_flat_0001.rmap"):
            imap.write_bytes(b"by hand")

    with changing(Layout(root)) as transaction:
        monkeypatch.setattr(os, "replace", meddle)
        with pytest.raises(FileChangedError, match=r"tobs_cam_0002\.imap was changed by somebody else"):
            transaction.commit("a change", changes(root))

    assert tree(root) == {**OLD, "mappings/tobs/tobs_cam_0002.imap": b"by hand"}


@pytest.mark.parametrize("length", [0, 1, 64, 200])
def test_a_torn_journal_is_of_a_change_that_never_began(root: Path, length: int) -> None:
    break_off(root, committed=False)
    shutil.copy(root / ".calmap/journal", root.parent / "journal")
    recover(Layout(root))
    (root / ".calmap/journal").write_bytes((root.parent / "journal").read_bytes()[:length])

    recovered = recover(Layout(root))

    assert recovered is not None
    assert not recovered.completed
    assert tree(root) == OLD


def test_a_torn_mark_is_none(root: Path) -> None:
    break_off(root, committed=True)
    journal = root / ".calmap/journal"
    journal.write_bytes(journal.read_bytes()[:-2])

    recover(Layout(root))

    assert tree(root) == OLD


def test_a_damaged_journal_of_a_change_that_was_under_way(root: Path) -> None:
    break_off(root, committed=True)
    journal = root / ".calmap/journal"
    journal.write_bytes(journal.read_bytes().replace(b"a change", b"a chance"))

    with pytest.raises(CacheError, match=r"journal .* is damaged"):
        recover(Layout(root))
    assert "is damaged" in str(interrupted(Layout(root)))


def forge(journal: Path, *, committed: bool = True, **values: object) -> None:
    """Change the first step in a journal, with all hashes right."""
    record = json.loads(journal.read_bytes().split(b"\n")[0].partition(b" ")[2])
    record["steps"][0].update(values)
    journal.write_bytes(sealed(json.dumps(record, sort_keys=True).encode(), committed=committed))


def test_a_journal_can_not_lead_out_of_the_cache(root: Path, outside: Path) -> None:
    break_off(root, committed=True)
    place, before = "mappings/../../outside.pmap", digest(b"outside")
    forge(root / ".calmap/journal", place=place, before=before, after=None, staged="")

    with pytest.raises(CacheError, match="is no place in a cache"):
        recover(Layout(root))
    assert outside.read_bytes() == b"outside"


@pytest.mark.parametrize(
    ("key", "value"),
    [("staged", "../outside.pmap"), ("staged", ".."), ("kept", "/etc/hostname"), ("kept", 5)],
)
def test_a_journal_names_no_files_elsewhere(root: Path, outside: Path, key: str, value: object) -> None:
    break_off(root, committed=False)
    forge(root / ".calmap/journal", committed=False, **{key: value})

    assert recover(Layout(root)) == Recovered("", completed=False)
    assert outside.read_bytes() == b"outside"


def sealed(text: bytes, *, committed: bool = True) -> bytes:
    """A journal, or a record, of any text, with all hashes right."""
    mark = digest(text).encode()
    return mark + b" " + text + b"\n" + (b"+" + mark + b"\n") * committed


STEP: dict[str, object] = {
    "place": "references/a.fits",
    "before": None,
    "after": digest(b"a"),
    "staged": ".a.tmp",
    "kept": "",
}
RECORD = {"number": 1, "title": "t", "steps": [], "makes": [], "leaves": [], "undoes": None, "chosen": []}
NO_PATHS: tuple[object, ...] = (5, None, "", "mappings/\0", "mappings/\ud800", [])
WRONG: tuple[Mapping[str, object], ...] = (
    *({"steps": [{**STEP, "place": value}]} for value in NO_PATHS),
    *({"steps": [{**STEP, key: 5}]} for key in ("before", "after", "staged", "kept")),
    *({"steps": [{**STEP, key: value}]} for key in ("staged", "kept") for value in ("\0", "\ud800", "a/b")),
    *({key: [value]} for key in ("makes", "leaves") for value in NO_PATHS),
    *({"chosen": [value]} for value in (["mappings", 5], [[], "a"], ["mappings"], 5, ["config", "\0"])),
    *({"number": value} for value in (-1, 0, True, "1", 1.0, None, 10**30)),
    *({"undoes": value} for value in (-1, 0, True, "1")),
    *({"title": value} for value in (5, None)),
    {"steps": [STEP, 5]},
    {"steps": 5},
    {"more": 5},
)


@pytest.mark.parametrize("wrong", WRONG)
def test_a_journal_that_calmap_never_wrote_is_damaged(root: Path, wrong: Mapping[str, object]) -> None:
    write(root / ".calmap", {"journal": sealed(json.dumps({**RECORD, **wrong}).encode())})

    with pytest.raises(CacheError, match=r"journal .* is damaged"):
        recover(Layout(root))
    assert tree(root) == OLD


def test_a_journal_that_is_too_deep_is_damaged(root: Path) -> None:
    write(root / ".calmap", {"journal": sealed(b"[" * 100_000)})

    with pytest.raises(CacheError, match=r"journal .* is damaged"):
        recover(Layout(root))
    assert "is damaged" in str(interrupted(Layout(root)))


@pytest.mark.parametrize(
    "place", ["", "/", ".", "mappings", "mappings/\0", "mappings/\ud800", "mappings/" + "a" * 300, "else/a"]
)
def test_what_is_no_place_is_told(root: Path, place: str) -> None:
    with pytest.raises(CacheError, match=r"is no place in a cache|can't be read: File name too long"):
        Places.of(Layout(root)).path(place)


def test_folders_that_can_not_be_looked_into_are_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = Places.of(Layout(root))

    def refuse(path: Path, **_: object) -> bool:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    for name in ("exists", "is_dir", "is_symlink"):
        monkeypatch.setattr(Path, name, refuse)

    asked: list[Callable[[], object]] = [
        lambda: places.missing_folders(root / "references/new/a.fits"),
        lambda: places.path("references/a.fits"),
        lambda: undo(Layout(root)),
        Ledger(root).set_up,
        Ledger(root).ignore,
    ]
    for ask in asked:
        with pytest.raises(CacheError, match="can't be read: Permission denied") as caught:
            ask()
        assert caught.value.hint == "it and the folders above it must be readable"


DAMAGED = [
    b"",
    b"damaged",
    sealed(b"[" * 100_000),
    sealed(json.dumps({**RECORD, "number": 2}).encode()),
    None,
]


@pytest.mark.parametrize("content", DAMAGED, ids=["empty", "torn", "deep", "of another", "folder"])
def test_a_damaged_record_is_in_the_way_of_no_later_change(root: Path, content: bytes | None) -> None:
    pmap = root / "mappings/tobs/tobs_0001.pmap"
    commit(root, [FileChange(pmap, b"first", digest(b"pmap 1"))], "first")
    record = root / ".calmap/changes/000001/record"
    record.unlink()
    record.mkdir() if content is None else record.write_bytes(content)

    with pytest.raises(CacheError, match="000001"):
        undo(Layout(root))
    for number in range(KEPT + 2):
        new = b"%d" % number
        commit(root, [FileChange(pmap, new, digest(pmap.read_bytes()))], new.decode())
        if number == 1:
            assert [entry.title for entry in history(Layout(root))] == ["1", "0"]
            assert ["000001" in str(problem) for problem in unreadable(Layout(root))] == [True]

    left = sorted(path.name for path in (root / ".calmap/changes").iterdir())
    assert left == [f"{number:06}" for number in range(4, KEPT + 4)]
    undo(Layout(root))
    assert pmap.read_bytes() == b"%d" % KEPT


def test_a_record_of_two_changes_of_one_file_is_damaged(root: Path) -> None:
    write(root, {"references/a.fits": b"a"})
    steps = [STEP, {**STEP, "place": "references//a.fits"}]
    record = sealed(json.dumps({**RECORD, "steps": steps}).encode())
    write(root / ".calmap/changes/000001", {"record": record})

    for dry_run in (True, False):
        with pytest.raises(CacheError, match=r"000001.* is damaged"):
            undo(Layout(root), dry_run=dry_run)
    assert (root / "references/a.fits").exists()


def test_undo_passes_over_no_damaged_change(root: Path) -> None:
    commit(root, changes(root))
    commit(root, [FileChange(root / "references/b.fits", b"b", None)])
    (root / ".calmap/changes/000002/record").write_bytes(b"damaged")

    with pytest.raises(CacheError, match=r"000002.* is damaged"):
        undo(Layout(root))
    assert (root / "references/b.fits").exists()


@pytest.mark.parametrize("name", ["1" * 200, "999999999", "5", "٣", "0"])
def test_folders_of_changes_that_calmap_never_made(root: Path, name: str) -> None:
    write(root / ".calmap/changes", {f"{name}/record": b"strange"})

    if name.startswith(("1", "9")):
        with pytest.raises(CacheError, match="is of no change that calmap made"):
            commit(root, changes(root))
        shutil.rmtree(root / ".calmap/changes" / name)
    assert commit(root, changes(root)).number == 1
    assert [path.name for path in (root / ".calmap/changes").iterdir()] == ["000001"]


NAMES = (
    st.sampled_from(("", ".", "..", "\0", "\ud800", "mappings", "references/b/c.fits", "old-0")) | st.text()
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | NAMES
GARBAGE = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4)
)
ALMOST_STEPS = st.builds(lambda key, value: {**STEP, key: value}, st.sampled_from(sorted(STEP)), GARBAGE)
ALMOST_RECORDS = st.builds(
    lambda steps, key, value: {**RECORD, "steps": [*steps, STEP], **({key: value} if key else {})},
    st.lists(ALMOST_STEPS, max_size=2),
    st.sampled_from(("", *sorted(RECORD))),
    GARBAGE | st.lists(NAMES, min_size=1),
)
SEALED = ALMOST_RECORDS.map(json.dumps).map(str.encode) | GARBAGE.map(json.dumps).map(str.encode)
STRANGE = st.builds(sealed, SEALED | st.binary(), committed=st.booleans()) | st.binary()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(journal=STRANGE, record=STRANGE)
def test_whatever_a_strange_repository_brings_along_is_told(
    tmp_path_factory: pytest.TempPathFactory, journal: bytes, record: bytes
) -> None:
    root = tmp_path_factory.mktemp("cache")
    write(root, {"mappings/tobs_0001.pmap": b"pmap 1", ".calmap/changes/000001/record": record})
    layout = Layout(root)
    asked: list[Callable[[], object]] = [
        lambda: history(layout),
        lambda: unreadable(layout),
        lambda: undo(layout, dry_run=True),
        lambda: undo(layout),
    ]
    for ask in asked:
        with suppress(CacheError):
            ask()
    write(root, {".calmap/journal": journal})
    asked = [lambda: interrupted(layout), lambda: recover(layout)]
    for ask in asked:
        with suppress(CacheError):
            ask()


@pytest.mark.parametrize("name", [".calmap", "lock", ".gitignore", "journal", "changes", "changes/000001"])
def test_links_in_place_of_what_calmap_keeps_are_refused(root: Path, tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    write(elsewhere, {"a/file": b"precious", "7/file": b"precious"})
    link = root / (".calmap" if name == ".calmap" else f".calmap/{name}")
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to({"lock": elsewhere / "a/file", ".gitignore": elsewhere / "new"}.get(name, elsewhere))

    with pytest.raises(CacheError, match="is a link"):
        commit(root, changes(root))

    assert files_of(elsewhere) == {"a/file": b"precious", "7/file": b"precious"}
    assert tree(root).keys() - {".calmap"} == OLD.keys()


def test_what_is_left_of_a_change_that_never_took_place_is_in_nobodys_way(root: Path) -> None:
    write(root / ".calmap/changes", {"000001/old-0": b"left", "000001/old-2": b"left", "notes/a": b"a"})

    assert commit(root, changes(root)).number == 1
    assert undo(Layout(root)).number == 1

    assert tree(root) == OLD
    assert (root / ".calmap/changes/notes/a").exists()


def test_undo_brings_back_the_old_cache(root: Path) -> None:
    commit(root, changes(root), "two calibrations")

    undone = undo(Layout(root))

    assert tree(root) == OLD
    assert undone.title == "two calibrations"
    assert [path.name for path in undone.removed] == ["three.fits", "tobs_cam_0002.imap", "tobs_0002.pmap"]
    assert [path.name for path in undone.restored] == ["tobs_cam_flat_0001.rmap", "two.fits"]
    assert [(entry.number, entry.undone) for entry in history(Layout(root))] == [(1, True)]
    assert kept(root) == [".gitignore", "lock"]


def test_undo_goes_back_change_by_change(root: Path) -> None:
    pmap = root / "mappings/tobs/tobs_0001.pmap"
    texts = [b"pmap 1", b"a", b"b", b"c"]
    for before, after in itertools.pairwise(texts):
        commit(root, [FileChange(pmap, after, digest(before))], after.decode())
    for before in reversed(texts[:-1]):
        undo(Layout(root))
        assert pmap.read_bytes() == before
    with pytest.raises(CacheError, match="there is no change"):
        undo(Layout(root))
    assert [entry.undone for entry in history(Layout(root))] == [True] * 3


def test_a_dry_run_of_undo_changes_nothing(root: Path) -> None:
    commit(root, changes(root))
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}

    told = undo(Layout(root), dry_run=True)

    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before
    assert told == undo(Layout(root))


def test_undo_refuses_where_a_file_was_changed_since(root: Path) -> None:
    commit(root, changes(root))
    (root / "mappings/tobs/tobs_0002.pmap").write_bytes(b"by hand")

    for dry_run in (True, False):
        with pytest.raises(FileChangedError, match=r"tobs_0002\.pmap was changed since"):
            undo(Layout(root), dry_run=dry_run)

    assert tree(root) == {**NEW, "mappings/tobs/tobs_0002.pmap": b"by hand"}


def test_undo_refuses_where_another_mapping_names_a_file(root: Path) -> None:
    commit(root, changes(root))
    text = "header = {'mapping': 'pipeline'}\nselector = {\n    'CAM': 'tobs_cam_0002.imap',\n}\n"
    (root / "mappings/tobs/tobs_0003.pmap").write_text(text)

    with pytest.raises(CacheError, match=r"tobs_cam_0002\.imap is named in line 3 of .*tobs_0003\.pmap"):
        undo(Layout(root))


def test_undo_after_an_interrupted_change_takes_back_only_that(root: Path) -> None:
    pmap = root / "mappings/tobs/tobs_0001.pmap"
    commit(root, [FileChange(pmap, b"edited", digest(b"pmap 1"))], "the change before")
    break_off(root, committed=False)

    undone = undo(Layout(root))

    assert (undone.number, undone.title) == (None, "a change")
    assert tree(root) == {**OLD, "mappings/tobs/tobs_0001.pmap": b"edited"}


def test_undo_that_fails_leaves_the_new_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template = tmp_path / "template"
    write(template, OLD)
    change_all(template)

    def take_back(root: Path) -> None:
        undo(Layout(root))

    seen = 0
    for root, problem in at_every_call(
        tmp_path, monkeypatch, fail(errno.ENOSPC), take_back, template=template
    ):
        seen += 1
        assert files_of(root) == (NEW if problem else OLD)
        assert [entry.undone for entry in history(Layout(root))] == [problem is None]
    assert seen > 50


def test_a_damaged_copy_is_not_restored(root: Path) -> None:
    commit(root, changes(root))
    (root / ".calmap/changes/000001/old-2").write_bytes(b"damaged")

    with pytest.raises(CacheError, match="is damaged or gone"):
        undo(Layout(root))
    assert tree(root) == NEW


def test_only_the_last_changes_are_kept(root: Path) -> None:
    pmap = root / "mappings/tobs/tobs_0001.pmap"
    text = b"pmap 1"
    for number in range(KEPT + 5):
        new = f"text {number}".encode()
        assert commit(root, [FileChange(pmap, new, digest(text))]).number == number + 1
        text = new

    assert [entry.number for entry in history(Layout(root))] == list(range(KEPT + 5, 5, -1))
    assert len(list((root / ".calmap/changes").iterdir())) == KEPT


def test_as_many_changes_as_are_kept_can_be_taken_back(root: Path) -> None:
    pmap = root / "mappings/tobs/tobs_0001.pmap"
    for number in range(KEPT + 1):
        commit(root, [FileChange(pmap, b"text %d" % number, digest(pmap.read_bytes()))])

    for _ in range(KEPT):
        undo(Layout(root))
    with pytest.raises(CacheError, match="there is no change"):
        undo(Layout(root))

    assert pmap.read_bytes() == b"text 0"
    commit(root, [FileChange(pmap, b"one more", digest(b"text 0"))])
    assert len(history(Layout(root))) == KEPT


def test_a_removed_reference_is_not_copied(root: Path) -> None:
    path = root / "references/tobs/cam/two.fits"
    number = path.stat().st_ino

    commit(root, [FileChange(path, None, digest(b"reference 2"))])
    assert not path.exists()
    undo(Layout(root))

    assert path.stat().st_ino == number


def test_writing_to_another_name_of_a_file_does_not_change_what_is_kept(root: Path) -> None:
    path = root / "references/tobs/cam/two.fits"
    other = root.parent / "backup.fits"
    os.link(path, other)

    commit(root, [FileChange(path, None, digest(b"reference 2"))])
    other.write_bytes(b"written in place")
    undo(Layout(root))

    assert path.read_bytes() == b"reference 2"


def test_a_file_that_is_put_back_is_no_name_of_what_is_kept(root: Path) -> None:
    rmap = root / "mappings/tobs/tobs_cam_flat_0001.rmap"
    commit(root, [FileChange(rmap, b"rmap 2", digest(b"rmap 1"))])
    undo(Layout(root))

    assert rmap.stat().st_nlink == 1


def test_recovery_puts_nothing_back_that_was_damaged(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace
    kept = root / ".calmap/changes/000001"

    def damage(source: Any, target: Any) -> None:
        replace(source, target)
        if str(target).endswith("tobs_cam_flat_0001.rmap"):
            for path in kept.glob("old-*"):
                path.unlink()
                path.write_bytes(b"damaged")
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    with changing(Layout(root)) as transaction, monkeypatch.context() as patch:
        patch.setattr(os, "replace", damage)
        with pytest.raises(CacheError):
            transaction.commit("a change", changes(root))

    with pytest.raises(CacheError, match="is damaged or gone"):
        recover(Layout(root))
    assert b"damaged" not in files_of(root).values()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files have no names here")
def test_every_step_lasts_before_the_next(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a power cut the disk has what was synchronised before, and anything or nothing of the rest."""
    events: list[tuple[str, str]] = []
    replace = os.replace

    def sync(handle: int) -> None:
        events.append(("sync", Path(f"/proc/self/fd/{handle}").readlink().relative_to(root).as_posix()))

    def moved(source: Any, target: Any) -> None:
        replace(source, target)
        events.append(("replace", Path(target).relative_to(root).as_posix()))

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", moved)
    commit(root, changes(root))

    begun, mark = (number for number, event in enumerate(events) if event == ("sync", ".calmap/journal"))
    first, *_, closed = (
        number for number, event in enumerate(events) if event[0] == "replace" and number > begun
    )
    assert ("sync", ".") in events[:begun], "the folder .calmap"
    ready = [name for kind, name in events[begun:mark] if kind == "sync"]
    staged = [name for name in ready if name.endswith(".tmp")]
    added = [name for name in NEW if NEW[name] != OLD.get(name)]
    assert len(staged) == len(added)
    folders = {str(Path(name).parent) for name in OLD.keys() ^ NEW.keys()}
    assert {*folders, ".calmap", ".calmap/changes", ".calmap/changes/000001", "references/tobs"} <= {*ready}
    assert mark < first
    assert folders <= {name for kind, name in events[first:closed] if kind == "sync"}


NAMES = st.sampled_from(sorted(OLD | NEW))
CONTENTS = st.dictionaries(NAMES, st.binary(max_size=3), max_size=6)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=st.lists(CONTENTS, min_size=2, max_size=4))
def test_any_changes_can_be_taken_back(
    tmp_path_factory: pytest.TempPathFactory, states: list[dict[str, bytes]]
) -> None:
    root = tmp_path_factory.mktemp("cache") / "cache"
    root.mkdir()
    write(root, states[0])
    trees = [tree(root)]
    for before, after in itertools.pairwise(states):
        if commit(root, changes(root, before, after)).number is not None:
            trees.append(after)  # type: ignore[arg-type]
        assert files_of(root) == after
    for before in reversed(trees[:-1]):  # type: ignore[assignment]
        undo(Layout(root))
        assert files_of(root) == before
