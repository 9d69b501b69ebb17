"""Headers of many files as one table: resumed, unchanged, damaged, in any number of processes."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calmap.archive.harvest import harvester as harvester_module
from calmap.archive.harvest import parts as parts_module
from calmap.archive.harvest import reading as reading_module
from calmap.archive.harvest import table as table_module
from calmap.archive.harvest.harvester import Harvester
from calmap.archive.harvest.keywords import needed_keywords
from calmap.archive.harvest.known import KnownRows
from calmap.archive.harvest.names import NameSet
from calmap.archive.harvest.parts import Parts
from calmap.archive.harvest.tally import Tally
from calmap.bestref import Cache
from calmap.cache.lock import locked
from calmap.errors import CacheError, HeaderError, UsageError
from calmap.headers.reading import read_headers

KEYWORDS = ("ABSENT", "DETECTOR", "META.DATE")
DONE = 19
STAMPS = ("harvest_file", "harvest_size", "harvest_mtime_ns")


def card(keyword: str, value: str) -> bytes:
    return f"{keyword:8}= {value:>20}".ljust(80).encode("ascii")


def write_fits(path: Path, detector: str) -> Path:
    cards = (card("SIMPLE", "T"), card("BITPIX", "8"), card("NAXIS", "0"), card("DETECTOR", f"'{detector}'"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((b"".join(cards) + b"END").ljust(2880))
    return path


def make_archive(folder: Path, count: int) -> Path:
    for number in range(count):
        write_fits(folder / f"{number % 7}" / f"x{number:04d}.fits", f"D{number % 5}")
    return folder


def reap(
    output: Path, names: Sequence[object], *, problems: list[tuple[str, str]] | None = None, **how: object
) -> Tally:
    told = [] if problems is None else problems
    harvester = Harvester(KEYWORDS, trouble=lambda *problem: told.append(problem), **how)  # type: ignore[arg-type]
    return harvester.harvest([str(name) for name in names], output, output.parent)


def interrupted(archive: Path, output: Path, **how: object) -> None:
    """A harvest that ends after `DONE` files."""

    def interrupt(tally: Tally) -> None:
        if tally.files >= DONE:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reap(output, [archive], watch=interrupt, **how)


def headers(output: Path) -> list[tuple[str, dict[str, str]]]:
    """Datasets and headers in a table."""
    rows = pq.read_table(output).drop_columns(list(STAMPS)).to_pylist()
    return [(row.pop("dataset"), {k: v for k, v in row.items() if v is not None}) for row in rows]


def expected(files: Iterable[Path]) -> list[tuple[str, dict[str, str]]]:
    found = ((name, header) for file in files for name, header in read_headers(file))
    return [(name, {key: header[key] for key in KEYWORDS if key in header}) for name, header in found]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return make_archive(tmp_path / "archive", 30)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "headers.parquet"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny tasks, blocks, groups and parts, so that thirty files make many."""
    monkeypatch.setattr(harvester_module, "_BLOCK", 10)
    monkeypatch.setattr(harvester_module, "_TASK", 3)
    monkeypatch.setattr(table_module, "ROWS", 8)
    monkeypatch.setattr(parts_module, "ROWS", 5)


def test_the_table_has_what_the_headers_say(archive: Path, output: Path) -> None:
    files = sorted(archive.rglob("*.fits"))

    tally = reap(output, [archive])

    assert tally == Tally(files=30, read=30, rows=30)
    assert headers(output) == expected(files)
    assert pq.read_schema(output).names == ["dataset", *KEYWORDS, *STAMPS]
    assert set(output.parent.iterdir()) == {archive, output}


@pytest.mark.usefixtures("small")
def test_portions_and_processes_make_no_difference(archive: Path, output: Path, tmp_path: Path) -> None:
    alone, three = tmp_path / "alone.parquet", tmp_path / "three.parquet"

    reap(alone, [archive])
    reap(three, [archive], jobs=3)

    assert alone.read_bytes() == three.read_bytes()
    assert pq.ParquetFile(alone).metadata.num_row_groups == 4
    assert headers(alone) == expected(sorted(archive.rglob("*.fits")))


@pytest.mark.usefixtures("small")
def test_only_what_is_new_or_has_changed_is_read(archive: Path, output: Path, tmp_path: Path) -> None:
    reap(output, [archive])
    write_fits(archive / "3" / "x0003.fits", "OTHER")
    write_fits(archive / "0" / "new.fits", "NEW")
    (archive / "1" / "x0001.fits").unlink()

    tally = reap(output, [archive])

    reap(tmp_path / "anew.parquet", [archive])
    assert output.read_bytes() == (tmp_path / "anew.parquet").read_bytes()
    assert (tally.read, tally.unchanged, tally.left_out) == (2, 28, 1)
    assert headers(output) == expected(sorted(archive.rglob("*.fits")))


@pytest.mark.usefixtures("small")
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_whatever_was_known_the_table_is_that_of_the_files(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    numbers = st.lists(st.integers(0, 25), min_size=1, max_size=40)
    files = [write_fits(folder / "a" / f"{number}.fits", f"D{number}") for number in range(24)]
    dump = folder / "a" / "24.json"
    dump.write_text(json.dumps({f"set{number}": {"detector": f"J{number}"} for number in range(7)}))
    files += [dump, folder / "a" / "25.fits"]
    output = folder / "t.parquet"
    for _ in range(2):
        named = [files[number] for number in data.draw(numbers)]
        try:
            tally = reap(output, named)
        except (UsageError, CacheError):
            continue
        there = [file for file in dict.fromkeys(named) if file.exists()]
        assert headers(output) == expected(there)
        assert tally.repeated == len(named) - len(set(named))
        assert tally.unreadable == len(set(named)) - len(there)


def test_a_change_in_the_same_moment_of_the_same_length_is_seen_with_fresh(
    archive: Path, output: Path
) -> None:
    reap(output, [archive])
    path = archive / "3" / "x0003.fits"
    status = path.stat()
    write_fits(path, "ZZ")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert reap(output, [archive]).read == 0
    assert reap(output, [archive], fresh=True).read == 30
    assert dict(headers(output))[str(path)] == {"DETECTOR": "ZZ"}


@pytest.mark.usefixtures("small")
def test_an_interruption_loses_nothing_that_was_read(archive: Path, output: Path, tmp_path: Path) -> None:
    interrupted(archive, output)
    assert not output.exists()
    tally = reap(output, [archive])

    assert (tally.read, tally.unchanged) == (30 - DONE, DONE)
    reap(tmp_path / "undisturbed.parquet", [archive])
    assert output.read_bytes() == (tmp_path / "undisturbed.parquet").read_bytes()


HARVEST = """
import sys
from pathlib import Path
from calmap.archive.harvest import harvester, parts
from calmap.archive.harvest.harvester import Harvester
harvester._TASK, parts.ROWS = 40, 100
if __name__ == "__main__":
    output = Path(sys.argv[1])
    harvester = Harvester(("DETECTOR", "META.DATE", "ABSENT"), int(sys.argv[3]))
    harvester.harvest([sys.argv[2]], output, Path.cwd())
"""


def test_killed_at_any_moment_and_run_again_gives_the_same_bytes(
    tmp_path: Path, repo_root: Path, output: Path
) -> None:
    make_archive(tmp_path / "archive", 1500)
    script = tmp_path / "run.py"
    script.write_text(HARVEST)
    environment = {**os.environ, "PYTHONPATH": str(repo_root)}
    seeded = random.Random(20240924)
    killed = 0
    for trial in range(5):
        arguments = [sys.executable, script, output, tmp_path / "archive", str(1 + trial % 2)]
        process = subprocess.Popen(list(map(str, arguments)), env=environment, start_new_session=True)
        parts = tmp_path / "headers.parquet.parts"
        enough = len(list(parts.glob("*.parquet"))) + seeded.randint(0, 3)
        deadline = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < deadline:
            if parts.exists() and len(list(parts.glob("*.parquet"))) >= enough:
                break
            time.sleep(0.002)
        time.sleep(seeded.random() * 0.05)
        if process.poll() is None:
            killed += 1
            process.send_signal(signal.SIGKILL)
        process.wait(10)
    tally = reap(output, [tmp_path / "archive"])

    reap(tmp_path / "undisturbed.parquet", [tmp_path / "archive"])
    assert killed >= 2
    assert tally.unchanged > 0
    assert output.read_bytes() == (tmp_path / "undisturbed.parquet").read_bytes()
    assert not parts.exists()


def test_processes_that_read_end_with_the_one_that_was_killed(
    tmp_path: Path, repo_root: Path, output: Path
) -> None:
    make_archive(tmp_path / "archive", 2500)
    script = tmp_path / "run.py"
    script.write_text(HARVEST)
    arguments = [sys.executable, script, output, tmp_path / "archive", "2"]
    process = subprocess.Popen(list(map(str, arguments)), env={**os.environ, "PYTHONPATH": str(repo_root)})
    parts = tmp_path / "headers.parquet.parts"
    deadline = time.monotonic() + 20
    while process.poll() is None and not list(parts.glob("0*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.002)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.kill()
    process.wait(10)

    assert children
    while any(map(is_alive, children)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(is_alive, children))


@pytest.mark.usefixtures("small")
def test_the_end_of_a_process_that_reads_is_told(archive: Path, output: Path) -> None:
    def kill(tally: Tally) -> None:
        for child in multiprocessing.active_children():
            child.kill()

    with pytest.raises(CacheError, match=r"a process that reads headers was ended.*run the same again"):
        reap(output, [archive], jobs=2, watch=kill)
    assert reap(output, [archive]).unchanged > 0


def is_alive(process: str) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("damage", ["cut", "flipped", "foreign", "empty"])
@pytest.mark.usefixtures("small")
def test_a_damaged_part_is_read_again(archive: Path, output: Path, tmp_path: Path, damage: str) -> None:
    interrupted(archive, output)
    [part, *_] = sorted((tmp_path / "headers.parquet.parts").glob("*.parquet"))
    data = bytearray(part.read_bytes())
    if damage == "flipped":
        data[len(data) // 4] ^= 0x55
    spoilt = {"cut": data[:-20], "flipped": data, "foreign": b"PAR1 no PAR1", "empty": b""}[damage]
    part.write_bytes(spoilt)

    reap(output, [archive])

    assert headers(output) == expected(sorted(archive.rglob("*.fits")))


@pytest.mark.usefixtures("small")
def test_parts_without_a_keyword_are_not_mixed_in(archive: Path, output: Path) -> None:
    interrupted(archive, output)
    other = Harvester((*KEYWORDS, "MORE"))

    with pytest.raises(UsageError, match=r"unfinished harvest without MORE .*--fresh"):
        other.harvest([str(archive)], output, output.parent)
    fewer = Harvester(KEYWORDS[:2]).harvest([str(archive)], output, output.parent)

    assert fewer.unchanged == DONE
    assert pq.read_schema(output).names == ["dataset", *KEYWORDS[:2], *STAMPS]


@pytest.mark.usefixtures("small")
def test_fresh_stays_fresh_after_an_interruption(archive: Path, output: Path) -> None:
    reap(output, [archive])
    interrupted(archive, output, fresh=True)

    assert reap(output, [archive]).unchanged == DONE


def test_more_keywords_mean_reading_again(archive: Path, output: Path) -> None:
    reap(output, [archive])

    tally = Harvester((*KEYWORDS, "NAXIS")).harvest([str(archive)], output, output.parent)

    assert tally.read == 30
    assert set(pq.read_table(output)["NAXIS"].to_pylist()) == {"0"}


def test_add_keeps_what_is_not_named(archive: Path, output: Path, tmp_path: Path) -> None:
    reap(output, [archive])
    tonight = write_fits(tmp_path / "tonight" / "n.fits", "N")
    changed = write_fits(archive / "3" / "x0003.fits", "OTHER")

    tally = reap(output, [tonight, changed], add=True)

    assert (tally.read, tally.kept) == (2, 29)
    rest = [file for file in sorted(archive.rglob("*.fits")) if file != changed]
    assert headers(output) == expected([tonight, changed, *rest])
    assert reap(output, [archive, tonight]).unchanged == 31


def test_a_table_of_other_files_is_not_lost(archive: Path, output: Path, tmp_path: Path) -> None:
    reap(output, [archive])
    before = output.read_bytes()
    tonight = write_fits(tmp_path / "tonight" / "n.fits", "N")

    with pytest.raises(UsageError, match=r"none of the files .* named now .*--add"):
        reap(output, [tonight])
    assert output.read_bytes() == before
    assert reap(output, [tonight], add=True).kept == 30


@pytest.mark.parametrize("content", [b"PAR1 something else", b"", b"dataset"])
def test_a_file_that_is_no_harvest_is_not_replaced(archive: Path, output: Path, content: bytes) -> None:
    output.write_bytes(content)

    with pytest.raises(UsageError, match="no whole table of calmap harvest"):
        reap(output, [archive])
    assert output.read_bytes() == content
    assert reap(output, [archive], fresh=True).rows == 30


def test_a_parquet_file_of_somebody_else_is_not_replaced(archive: Path, output: Path) -> None:
    pq.write_table(pa.table({"dataset": ["a"], "DETECTOR": ["X"]}), output)

    with pytest.raises(UsageError, match="no whole table of calmap harvest"):
        reap(output, [archive])


def test_files_that_cannot_be_read_do_not_stop_the_others(archive: Path, output: Path) -> None:
    write_fits(archive / "0" / "cut.fits", "X").write_bytes(card("SIMPLE", "T"))
    (archive / "1" / "empty.fits").touch()
    (archive / "2" / "folder.fits").symlink_to(archive)
    (archive / "3" / "loop.fits").symlink_to(archive / "3" / "loop.fits")
    os.mkfifo(archive / "4" / "pipe.fits")
    problems: list[tuple[str, str]] = []

    tally = reap(output, [archive, archive / "gone.fits"], problems=problems)

    assert (tally.rows, tally.unreadable) == (30, 6)
    assert [Path(name).name for name, _ in problems] == [
        *("cut.fits", "empty.fits", "folder.fits", "loop.fits", "pipe.fits", "gone.fits")
    ]
    assert all(name in reason for name, reason in problems)
    write_fits(archive / "0" / "cut.fits", "X")
    assert reap(output, [archive]).read == 1


def test_a_dump_that_ends_badly_is_taken_as_far_as_it_goes_and_read_again(
    tmp_path: Path, output: Path
) -> None:
    dump = tmp_path / "dump.jsonl"
    dump.write_text('{"a": {"detector": "1"}}\n{"b": {"detector": "2"}}\n{"c": \n')
    problems: list[tuple[str, str]] = []

    for _ in range(2):
        tally = reap(output, [dump], problems=problems)
        assert headers(output) == [("a", {"DETECTOR": "1"}), ("b", {"DETECTOR": "2"})]
        assert (tally.unchanged, tally.unreadable) == (0, 1)
    assert "dump.jsonl:4:1: no JSON" in problems[0][1]


@pytest.mark.usefixtures("small")
def test_dumps_too_large_to_be_held_are_streamed(
    archive: Path, tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_module, "MOST_ROWS", 6)
    names = [f"{letter}.jsonl" for letter in "abcd"]
    for name, count in zip(names, (4, 4, 20, 6), strict=True):
        lines = (json.dumps({f"{name}{number}": {"detector": f"{number}"}}) for number in range(count))
        (archive / "2" / name).write_text("\n".join(lines))

    reap(output, [archive])
    files = (path for path in sorted(archive.rglob("*")) if path.is_file())
    assert headers(output) == expected(files)
    before = output.read_bytes()
    again = reap(output, [archive])

    assert (again.read, again.unchanged) == (1, 33)
    assert output.read_bytes() == before


def test_a_file_that_changes_while_it_is_read_is_read_again(
    archive: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    growing = archive / "3" / "x0003.fits"

    def read(path: Path) -> Iterable[tuple[str, dict[str, str]]]:
        yield from list(read_headers(path))
        if path == growing:
            path.write_bytes(path.read_bytes() + bytes(2880))

    with monkeypatch.context() as patch:
        patch.setattr(reading_module, "read_headers", read)
        reap(output, [archive])

    assert reap(output, [archive]).read == 1


def test_a_file_that_vanishes_is_reported(
    archive: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = archive / "6" / "x0006.fits"
    problems: list[tuple[str, str]] = []

    def watch(name: str) -> object:
        victim.unlink(missing_ok=True)
        return original(name)

    original = reading_module.stamp_of
    monkeypatch.setattr(reading_module, "stamp_of", watch)
    tally = reap(output, [archive], problems=problems)

    assert (tally.rows, tally.unreadable) == (29, 1)
    assert problems == [(str(victim), f"{victim} does not exist")]


def test_a_folder_that_vanishes_or_cannot_be_read_is_reported(
    archive: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "2":
            raise PermissionError(13, "Permission denied", str(path))
        return original(path)

    monkeypatch.setattr(os, "scandir", scandir)
    problems: list[tuple[str, str]] = []
    tally = reap(output, [archive], problems=problems)

    assert problems == [(str(archive / "2"), f"{archive / '2'}: the folder can't be read: Permission denied")]
    assert tally.rows == 30 - len(list((archive / "2").iterdir()))


def test_odd_names_are_kept_apart(tmp_path: Path, output: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    raw = os.fsencode(folder)
    names = [b"line\nbreak.fits", b"\xff.fits", b"\\udcff.fits", "ü 観.fits".encode(), b'q"uote,.fits']
    for number, name in enumerate(names):
        made = write_fits(tmp_path / "one.fits", f"D{number}")
        os.rename(made, raw + b"/" + name)  # noqa: PTH104

    assert reap(output, [folder]).rows == 5
    found = {row["dataset"]: row for row in pq.read_table(output).to_pylist()}
    assert found.keys() <= {f"{folder}/{name.decode('utf-8', 'surrogateescape')}" for name in names} | {
        f"{folder}/\\udcff.fits"
    }
    assert sorted(row["DETECTOR"] for row in pq.read_table(output).to_pylist()) == [
        f"D{number}" for number in range(5)
    ]
    assert reap(output, [folder]).unchanged == 5
    write_fits(folder / "\udcff.fits", "CHANGED")
    assert reap(output, [folder]).read == 1
    reap(tmp_path / "t.csv", [folder])


def test_symbolic_links_in_circles_do_not_matter(archive: Path, output: Path) -> None:
    (archive / "1" / "again").symlink_to(archive)

    assert reap(output, [archive]).rows == 30


def test_folders_may_be_as_deep_as_the_system_lets_them(
    tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = write_fits(tmp_path / "x.fits", "X")
    monkeypatch.chdir(tmp_path)
    for _ in range(1500):
        os.mkdir("d")  # noqa: PTH102
        os.chdir("d")
    shutil.copy(seed, "x.fits")
    os.chdir(tmp_path)
    try:
        assert reap(output, [tmp_path / "d"]).rows == 1
    finally:
        subprocess.run(["rm", "-r", "d"], check=True)


def test_a_symbolic_link_stays_one(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    link = tmp_path / "link.parquet"
    link.symlink_to(tmp_path / "store" / "real.parquet")

    reap(link, [archive])

    assert link.is_symlink()
    assert reap(link, [archive]).unchanged == 30


def test_one_run_at_a_time(archive: Path, output: Path) -> None:
    parts = output.parent / "headers.parquet.parts"
    parts.mkdir()

    with (
        locked(parts / "lock", "harvest of headers.parquet", wait=0),
        pytest.raises(CacheError, match=r"headers.parquet is being harvested by .* on .*try again"),
    ):
        reap(output, [archive])
    assert reap(output, [archive]).rows == 30


def test_a_folder_where_nothing_can_be_made(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(CacheError, match="can't be made"):
        reap(tmp_path / "file" / "t.parquet", [archive])
    with pytest.raises(CacheError, match="can't be made"):
        reap(tmp_path / "none" / "t.parquet", [archive])


@pytest.mark.usefixtures("small")
def test_a_full_disk_keeps_the_old_table_and_the_parts(
    archive: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reap(output, [archive])
    before = output.read_bytes()
    for number in range(400):
        write_fits(archive / "more" / f"{number}-{'long' * 20}.fits", f"{number:020d}")
    monkeypatch.setattr(parts_module, "ROWS", 40)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(CacheError, match="can't be written"):
            reap(output, [archive])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert output.read_bytes() == before
    parts = list((output.parent / "headers.parquet.parts").iterdir())
    assert not [path for path in parts if path.suffix == ".tmp"]

    tally = reap(output, [archive])

    assert tally.unchanged > 30
    assert headers(output) == expected(sorted(archive.rglob("*.fits")))


def test_nothing_named_and_nothing_readable_write_nothing(tmp_path: Path, output: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(UsageError, match="no dataset is named"):
        reap(output, [tmp_path / "none"])
    with pytest.raises(CacheError, match="none of the 1 files can be read"):
        reap(output, [tmp_path / "none" / "x.fits"])
    assert list(tmp_path.iterdir()) == [tmp_path / "none"]


@pytest.mark.parametrize("name", ["headers", "headers.ecsv", "headers.fits"])
def test_other_kinds_of_tables_are_refused(archive: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"end it in \.parquet or \.csv"):
        reap(tmp_path / name, [archive])


def test_parts_grow_with_the_time_a_run_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(parts_module.time, "monotonic", lambda: now[0])
    schema = table_module.harvest_schema(KEYWORDS)
    parts = Parts(tmp_path, schema)
    row = table_module.table_of(schema, [("a", None, 1)], ["a"], [["1"], [None], ["2"]])
    for second in range(20_000):
        now[0] = float(second)
        parts.add(row)

    assert 300 < len(parts.paths()) < 600


def test_names_come_up_once() -> None:
    names = NameSet()
    found = []
    for start in (0, 50, 20, 200, 0):
        block = [b"%d" % number for number in range(start, start + 100)]
        found += [name for name, new in zip(block, names.add(block), strict=True) if new]

    assert sorted(map(int, found)) == [*range(150), *range(200, 300)]
    assert names.add([b"x", b"y", b"x"]) == [True, True, False]
    assert names.contains([b"y", b"z"]).tolist() == [True, False]


def test_the_keywords_are_all_that_the_rules_may_look_at(repo_root: Path) -> None:
    """A header cut down to them gets the answers of the whole header, explanations included."""
    context = Cache(repo_root).context()
    keywords = needed_keywords([context], ["extra"])

    assert "EXTRA" in keywords
    for path in sorted((repo_root / "exposures").glob("*.fits")):
        [(_, header)] = read_headers(path)
        cut = {key: header[key] for key in keywords if key in header}
        assert len(cut) < len(header)
        assert cut["INSTRUME"] == header["INSTRUME"]
        whole, part = context.bestrefs(header), context.bestrefs(cut)
        assert [(t, r.status, r.files, r.reason) for t, r in whole.items()] == [
            (t, r.status, r.files, r.reason) for t, r in part.items()
        ]


@pytest.mark.parametrize("name", ["hst_0729.pmap", "jwst_0541.pmap"])
def test_real_headers_keep_their_answers(corpus: Path, tmp_path: Path, name: str) -> None:
    observatory = name.partition("_")[0]
    context = Cache(corpus / "crds-cache").context(name)
    files = sorted((corpus / "files" / observatory).iterdir())
    output = tmp_path / "real.parquet"
    keywords = needed_keywords([context])
    tally = Harvester(keywords).harvest(list(map(str, files)), output, tmp_path)
    rows = headers(output)

    assert tally.rows == len(rows) > 5
    whole = [pair for file in files for pair in readable(file)]
    for (dataset, cut), (name, header) in zip(rows, whole, strict=True):
        assert dataset == name
        assert answers(context, cut) == answers(context, header)


@pytest.mark.parametrize("name", ["hst_0729.pmap", "jwst_0541.pmap"])
def test_a_table_is_answered_as_its_files_are(corpus: Path, tmp_path: Path, name: str) -> None:
    observatory = name.partition("_")[0]
    context = Cache(corpus / "crds-cache").context(name)
    files = sorted((corpus / "files" / observatory).iterdir())
    output = tmp_path / "real.parquet"
    Harvester(needed_keywords([context])).harvest(list(map(str, files)), output, tmp_path)

    rows = context.bestrefs_table(pq.read_table(output)).to_pylist()

    whole = [header for file in files for _, header in readable(file)]
    for row, header in zip(rows, whole, strict=True):
        try:
            found = context.bestrefs(header)
        except HeaderError:
            assert {row[key] for key in row if key.endswith("_status")} == {"bad_header"}
            continue
        statuses = {key.removesuffix("_status"): row[key] for key in row if key.endswith("_status")}
        assert {t: s for t, s in statuses.items() if s} == {t: ref.status for t, ref in found.items()}
        assert all(row[t] == (", ".join(ref.files) or None) for t, ref in found.items())


def readable(file: Path) -> list[tuple[str, dict[str, str]]]:
    try:
        return list(read_headers(file))
    except HeaderError:
        return []


def answers(context: object, header: dict[str, str]) -> object:
    try:
        found = context.bestrefs(header)  # type: ignore[attr-defined]
    except HeaderError as problem:
        return str(problem)
    return {reftype: (ref.status, ref.files, ref.reason) for reftype, ref in found.items()}


def test_tables_are_found_again_in_any_order(archive: Path, output: Path) -> None:
    reap(output, [archive])
    schema = table_module.harvest_schema(KEYWORDS)
    names = [str(path) for path in sorted(archive.rglob("*.fits"))]
    random.Random(3).shuffle(names)

    known = KnownRows((output,), schema).find([*names, "other"])

    assert known.table["dataset"].to_pylist() == names
    assert [file.known is None for file in known.files] == [False] * 30 + [True]
    shutil.rmtree(archive)
