"""Tables are written whole or not at all, and always the same."""

from __future__ import annotations

import os
import resource
import signal
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st

from calmap.archive.tables import sinks, writing
from calmap.archive.tables.reading import open_tables
from calmap.archive.tables.writing import require_target, table_writer
from calmap.errors import CacheError, UsageError

FORMATS = (".parquet", ".csv", ".ecsv", ".fits", ".arrow", ".feather")
SCHEMA = pa.schema(
    [("dataset", pa.string()), ("dark", pa.dictionary(pa.int8(), pa.string())), ("n", pa.int64())]
)
FILES = (None, "a.fits", "b.fits, c.fits")
ROWS = [
    {"dataset": f'd{number}, "x"' if number % 5 else None, "dark": FILES[number * 7 % 3], "n": number}
    for number in range(40)
]


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (writing, sinks):
        monkeypatch.setattr(module, "GROUP_ROWS", 7)


def batch(rows: list[dict[str, object]], order: tuple[str, ...] = ()) -> pa.Table:
    """Rows whose dictionary begins with some texts, used or not."""
    texts = list(dict.fromkeys([*order, *(row["dark"] for row in rows if row["dark"])]))
    codes = pa.array([None if row["dark"] is None else texts.index(row["dark"]) for row in rows], pa.int8())
    columns = [
        pa.array([row["dataset"] for row in rows], pa.string()),
        pa.DictionaryArray.from_arrays(codes, pa.array(texts, pa.string())),
        pa.array([row["n"] for row in rows], pa.int64()),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def write(path: Path, step: int = 40, order: tuple[str, ...] = ()) -> Path:
    with table_writer(str(path), SCHEMA) as writer:
        for first in range(0, len(ROWS), step):
            writer.write(batch(ROWS[first : first + step], order))
    return path


def read(path: Path) -> list[dict[str, object]]:
    tables = open_tables([str(path)])
    parts = (part.batches(tables.columns) for part in tables.partitions())
    return [row for batches in parts for found in batches for row in found.to_pylist()]


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_is_written_can_be_read(tmp_path: Path, suffix: str) -> None:
    found = read(write(tmp_path / f"t{suffix}"))

    assert [{**row, "n": int(str(row["n"]))} for row in found] == ROWS
    assert names(tmp_path) == [f"t{suffix}"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_bytes_depend_on_the_rows_alone(tmp_path: Path, suffix: str) -> None:
    ways = [(40, ()), (1, ()), (11, ("b.fits, c.fits",)), (3, ("not used", "a.fits"))]

    hashes = {
        sha256(write(tmp_path / f"{number}{suffix}", *way).read_bytes()).hexdigest()
        for number, way in enumerate(ways)
    }

    assert len(hashes) == 1


@pytest.mark.parametrize("suffix", FORMATS)
def test_no_rows(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    with table_writer(str(path), SCHEMA):
        pass

    assert open_tables([str(path)]).columns == ("dataset", "dark", "n")
    assert read(path) == []


def test_other_programs_read_it(tmp_path: Path) -> None:
    parquet = pq.read_table(write(tmp_path / "t.parquet"))
    ecsv, table = Table.read(write(tmp_path / "t.ecsv")), Table.read(write(tmp_path / "t.fits"))

    assert parquet.schema.field("dark").type == SCHEMA.field("dark").type
    assert [field.name for field in parquet.schema] == ecsv.colnames == table.colnames
    assert list(ecsv["n"]) == list(table["n"]) == list(range(40))
    assert ecsv["dark"].mask.tolist() == [row["dark"] is None for row in ROWS]
    with fits.open(tmp_path / "t.fits") as hdus:
        hdus.verify("exception")


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("problem", [KeyboardInterrupt, ZeroDivisionError])
def test_nothing_is_left_of_what_was_broken_off(
    tmp_path: Path, suffix: str, problem: type[BaseException]
) -> None:
    path = tmp_path / f"t{suffix}"
    path.write_text("before")

    def work() -> None:
        with table_writer(str(path), SCHEMA) as writer:
            writer.write(batch(ROWS))
            raise problem

    with pytest.raises(problem):
        work()

    assert path.read_text() == "before"
    assert names(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_full_disk(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    path.write_text("before")

    def work() -> None:
        with table_writer(str(path), SCHEMA) as writer:
            for number in range(300):
                rows = [{**row, "dataset": os.urandom(20).hex(), "n": number} for row in ROWS]
                writer.write(batch(rows))

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(CacheError, match=f"t{suffix} can't be written: File too large"):
            work()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)

    assert path.read_text() == "before"
    assert names(tmp_path) == [path.name]


def test_places_that_can_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in.parquet").write_text("")
    (tmp_path / "link.parquet").symlink_to("in.parquet")
    (tmp_path / "folder.csv").mkdir()
    monkeypatch.chdir(tmp_path)

    for place, problem, words in (
        ("out.txt", UsageError, "out.txt is of no known kind"),
        ("link.parquet", UsageError, "is one of the tables that are read"),
        ("nowhere/out.csv", CacheError, "there is no folder nowhere"),
        ("folder.csv", CacheError, "folder.csv is a folder"),
    ):
        with pytest.raises(problem, match=words):
            require_target(place, [str(tmp_path / "in.parquet")])


def test_answers_do_not_go_among_the_tables_that_are_read(tmp_path: Path) -> None:
    (tmp_path / "in" / "part").mkdir(parents=True)
    (tmp_path / "link").symlink_to("in")
    folder = str(tmp_path / "in")

    for place, read in (
        (f"{folder}/part/out.csv", folder),
        (f"{tmp_path}/link/out.csv", folder),
        ("memory://a/out.csv", "memory://a/"),
    ):
        with pytest.raises(UsageError, match="whose tables are read"):
            require_target(place, [read])
    for place in (f"{folder}/_out.csv", f"{folder}/../out.csv", "memory://ab/out.csv"):
        require_target(place, [folder, "memory://a"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(CacheError, match="its folder must be writable"):
            write(tmp_path / "t.parquet")
    finally:
        tmp_path.chmod(0o700)


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("before")
    path.chmod(0o640)
    (tmp_path / "link.csv").symlink_to(path)

    write(tmp_path / "link.csv")

    assert (tmp_path / "link.csv").is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.read_text().startswith("dataset,dark,n\n")


def test_letters_that_fits_has_not(tmp_path: Path) -> None:
    odd = [{**ROWS[1], "dataset": "é"}]
    with (
        pytest.raises(CacheError, match="the value 'é' of dataset"),
        table_writer(str(tmp_path / "t.fits"), SCHEMA) as w,
    ):
        w.write(batch(odd))

    assert names(tmp_path) == []


def test_urls_are_written_through_fsspec() -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    try:
        with table_writer("memory://new/t.parquet", SCHEMA) as writer:
            writer.write(batch(ROWS))

        tables = open_tables(["memory://new/t.parquet"])
        assert tables.rows == len(ROWS)
        assert list(memory.ls("/new", detail=False)) == ["/new/t.parquet"]
    finally:
        memory.rm("/new", recursive=True)


@settings(max_examples=30, deadline=None)
@given(
    texts=st.lists(
        st.one_of(st.none(), st.text(st.characters(exclude_categories=("Cs",)), min_size=1)), max_size=20
    ),
    step=st.integers(1, 9),
)
@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".arrow"])
def test_any_text_comes_back(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, texts: list[str | None], step: int
) -> None:
    path = tmp_path_factory.mktemp("out") / f"t{suffix}"
    rows: list[dict[str, object]] = [
        {"dataset": text, "dark": text, "n": number} for number, text in enumerate(texts)
    ]
    with table_writer(str(path), SCHEMA) as writer:
        for first in range(0, len(rows), step):
            writer.write(batch(rows[first : first + step]))

    assert [(row["dataset"], row["dark"]) for row in read(path)] == [(text, text) for text in texts]
