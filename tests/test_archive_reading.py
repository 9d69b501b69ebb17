"""Tables of headers are read in every format, as headers would say it."""

from __future__ import annotations

import datetime
import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import Table
from header_tables import FORMATS, write
from hypothesis import given, settings
from hypothesis import strategies as st

from calmap.archive.identity import identities, identity_column
from calmap.archive.tables.reading import open_tables
from calmap.errors import CalmapError, HeaderError, UsageError

ROWS = [
    {"dataset": f"d{number}", "INSTRUME": "ACS" if number % 3 else None, "META.X": f"é,\"{number}'"}
    for number in range(17)
]
PLAIN = [{**row, "META.X": "x"} for row in ROWS]


def read(*paths: object, columns: list[str] | None = None, rows: int = 5) -> list[dict[str, Any]]:
    tables = open_tables([str(path) for path in paths])
    wanted = tables.columns if columns is None else columns
    return [
        row
        for partition in tables.partitions(rows)
        for batch in partition.batches(wanted, rows)
        for row in batch.to_pylist()
    ]


def refused(problem: type[CalmapError], words: str, *paths: object) -> CalmapError:
    with pytest.raises(problem, match=words) as caught:
        read(*paths)
    return caught.value


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_says_the_same(tmp_path: Path, suffix: str) -> None:
    rows = PLAIN if ".fits" in suffix else ROWS

    assert read(write(tmp_path / f"t{suffix}", rows)) == rows


@pytest.mark.parametrize("suffix", FORMATS)
def test_only_the_columns_asked_for_are_read(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"t{suffix}", PLAIN)

    assert read(path, columns=["META.X", "ABSENT"]) == [{"META.X": "x"}] * len(PLAIN)
    assert read(path, columns=["ABSENT"]) == [{}] * len(PLAIN)


@pytest.mark.parametrize("suffix", FORMATS)
def test_partitions_know_where_they_begin(tmp_path: Path, suffix: str) -> None:
    tables = open_tables([str(write(tmp_path / f"t{suffix}", PLAIN))])

    first = 0
    for partition in tables.partitions(8):
        assert partition.first_row == first
        first += sum(batch.num_rows for batch in partition.batches(["dataset"]))
    assert first == len(PLAIN)
    assert tables.rows in (None, len(PLAIN))


def test_row_groups_of_parquet_are_partitions(tmp_path: Path) -> None:
    tables = open_tables([str(write(tmp_path / "t.parquet", ROWS))])

    assert [(part.start, part.stop, part.rows) for part in tables.partitions(14)] == [(0, 2, 14), (2, 3, 3)]
    assert len(tables.partitions(1)) == 3


def test_a_folder_is_read_by_name_and_columns_may_differ(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    write(tmp_path / "b" / "1.csv", [{"B": "1"}])
    write(tmp_path / "a.parquet", [{"A": "2", "B": "3"}])
    write(tmp_path / "c.fits", [{"A": "4"}])
    for hidden in (".x.parquet", "_SUCCESS"):
        (tmp_path / hidden).write_text("no table")

    assert read(tmp_path) == [{"A": "2", "B": "3"}, {"B": "1"}, {"A": "4"}]
    assert open_tables([str(tmp_path)]).columns == ("A", "B")


def test_a_folder_may_hold_nothing_else(tmp_path: Path) -> None:
    refused(UsageError, "there is no table in", tmp_path)
    write(tmp_path / "a.csv", PLAIN)
    (tmp_path / "notes.txt").write_text("x")

    refused(UsageError, r"notes\.txt is of no known kind", tmp_path)


def test_cells_of_csv_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'\xef\xbb\xbfa,b,c\r\n1.0,2024-01-02,"x\ny"\r\n007,,""\r\nTrue,nan,NULL\r\n')

    assert read(path) == [
        {"a": "1.0", "b": "2024-01-02", "c": "x\ny"},
        {"a": "007", "b": None, "c": None},
        {"a": "True", "b": "nan", "c": "NULL"},
    ]


def test_ecsv_with_blanks_between_cells(tmp_path: Path) -> None:
    path = tmp_path / "t.ecsv"
    Table({"a": ["x y", "z"], "n": [1, 2]}).write(path, format="ascii.ecsv", delimiter=" ")

    assert read(path) == [{"a": "x y", "n": "1"}, {"a": "z", "n": "2"}]


def test_types_of_parquet_become_what_headers_say(tmp_path: Path) -> None:
    day, time = datetime.datetime(2020, 1, 2), datetime.time(3, 4, 5)
    columns = {
        "DATE-OBS": pa.array([day]),
        "TIME-OBS": pa.array([time]),
        "META.DATE": pa.array([day.replace(hour=3, microsecond=500)], pa.timestamp("ns", "UTC")),
        "DAY": pa.array([day.date()]),
        "GAIN": pa.array([0.1], pa.float32()),
        "NONE": pa.array([float("nan")]),
        "HALF": pa.array(np.array([np.nan], np.float16)),
        "N": pa.array([3]),
        "BYTES": pa.array([b"ACS  "]),
        "CODES": pa.array(["x"]).dictionary_encode(),
        "LIST": pa.array([[1]]),
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")

    assert read(tmp_path / "t.parquet") == [
        {
            "DATE-OBS": "2020-01-02",
            "TIME-OBS": "03:04:05",
            "META.DATE": "2020-01-02 03:00:00.000500",
            "DAY": "2020-01-02",
            "GAIN": pytest.approx(0.1),
            "NONE": None,
            "HALF": None,
            "N": 3,
            "BYTES": "ACS",
            "CODES": "x",
        }
    ]


def test_undefined_values_of_fits_are_missing(tmp_path: Path) -> None:
    columns = [
        fits.Column("T", "4A", array=["ab", "", " c "]),
        fits.Column("N", "J", null=-9, array=[1, -9, 3]),
        fits.Column("F", "D", array=[0.5, np.nan, 2.0]),
        fits.Column("L", "L", array=[True, False, True]),
        fits.Column("V", "2J", array=np.zeros((3, 2))),
    ]
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(np.zeros((2, 2))), fits.BinTableHDU.from_columns(columns)]
    fits.HDUList(hdus).writeto(tmp_path / "t.fits")

    assert read(tmp_path / "t.fits", rows=2) == [
        {"T": "ab", "N": 1, "F": 0.5, "L": True},
        {"T": None, "N": None, "F": None, "L": False},
        {"T": " c", "N": 3, "F": 2.0, "L": True},
    ]


@pytest.mark.parametrize("suffix", FORMATS)
def test_tables_without_rows(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    if ".fits" in suffix:
        fits.BinTableHDU.from_columns([fits.Column("a", "3A")], nrows=0).writeto(path)
    elif suffix == ".csv":
        path.write_text("a\n")
    else:
        write(path, [{"a": "x"}])
        if suffix == ".ecsv":
            path.write_text(path.read_text().removesuffix("x\n"))
        else:
            empty = pa.table({"a": pa.array([], pa.string())})
            writers = {".parquet": pq.write_table}
            writers.get(suffix, lambda t, p: pa.feather.write_feather(t, p))(empty, path)

    assert open_tables([str(path)]).columns == ("a",)
    assert read(path) == []


@pytest.mark.parametrize("suffix", FORMATS)
def test_empty_cut_off_and_foreign_files(tmp_path: Path, suffix: str) -> None:
    whole = write(tmp_path / f"whole{suffix}", [{"a": f"{n * 7919:x}" * 50} for n in range(400)]).read_bytes()
    path = tmp_path / f"t{suffix}"
    for data in (b"", b"\0\xff\x80nonsense" * 400):
        path.write_bytes(data)
        refused(HeaderError, path.name, path)
    path.write_bytes(whole[: len(whole) // 2])
    if suffix in (".csv", ".ecsv"):
        read(path)
    else:
        refused(HeaderError, path.name, path)


def test_a_missing_file(tmp_path: Path) -> None:
    refused(HeaderError, "there is no .*x.parquet", tmp_path / "x.parquet")
    refused(UsageError, "x.dat is of no known kind", tmp_path / "x.dat")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"a,b\n1,2\n3\n", "Expected 2 columns, got 1"),
        (b"a,b\n1,\xe9\n", "it is not UTF-8 text"),
        (b'a,b\n1,"2\n3,4\n', "a quote is opened and never closed"),
        (b"a,a\n1,2\n", "two columns named 'a'"),
        (b"a,b\n1," + b"x" * (20 << 20) + b"\n", "a row has more than 8 MB"),
        (b"\n", "is empty"),
    ],
)
def test_csv_that_can_not_be_read(tmp_path: Path, text: bytes, words: str) -> None:
    (tmp_path / "t.csv").write_bytes(text)

    refused(HeaderError, words, tmp_path / "t.csv")


def test_a_nul_and_a_huge_cell_are_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,b\nx\0y," + b"z" * (1 << 20) + b"\n")

    assert read(tmp_path / "t.csv") == [{"a": "x\0y", "b": "z" * (1 << 20)}]


def test_columns_of_one_name(tmp_path: Path) -> None:
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), tmp_path / "t.parquet")

    refused(HeaderError, "two columns named 'a'", tmp_path / "t.parquet")


def test_fits_without_a_table(tmp_path: Path) -> None:
    fits.PrimaryHDU().writeto(tmp_path / "t.fits")

    refused(HeaderError, "has no table", tmp_path / "t.fits")


def test_a_wrong_preamble_of_ecsv(tmp_path: Path) -> None:
    (tmp_path / "t.ecsv").write_text("# %ECSV 1.0\n# ---\n# datatype: [\na\n1\n")

    refused(HeaderError, "its header is wrong", tmp_path / "t.ecsv")


def test_a_file_that_is_not_what_its_name_says(tmp_path: Path) -> None:
    (tmp_path / "t.fits.gz").write_bytes(gzip.compress(b"hello"))

    refused(HeaderError, "t.fits.gz", tmp_path / "t.fits.gz")


def test_urls_are_read_through_fsspec(tmp_path: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    for number, rows in enumerate((PLAIN[:9], PLAIN[9:])):
        local = write(tmp_path / f"{number}.parquet", rows)
        memory.pipe_file(f"/archive/{number}.parquet", local.read_bytes())
    try:
        assert read("memory://archive") == PLAIN
        assert read("memory://archive/1.parquet", "memory://archive/0.parquet") == PLAIN[9:] + PLAIN[:9]
        assert read(f"file://{tmp_path}/0.parquet".removeprefix("file://")) == PLAIN[:9]
        refused(HeaderError, "there is no memory://archive/2.parquet", "memory://archive/2.parquet")
        refused(UsageError, "Protocol not known", "nosuch://archive/2.parquet")
    finally:
        memory.rm("/archive", recursive=True)


@pytest.mark.parametrize(
    ("columns", "wanted", "found"),
    [
        (["A", "FileName", "DATASET"], None, "DATASET"),
        (["ROOTNAME", "META.FILENAME"], None, "ROOTNAME"),
        (["A"], None, None),
        (["a", "A"], "A", "A"),
        (["x", "Y"], "y", "Y"),
    ],
)
def test_the_column_that_identifies(columns: list[str], wanted: str | None, found: str | None) -> None:
    assert identity_column(columns, wanted) == found


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="there is no column 'z'") as caught:
        identity_column(["a", "b"], "z")
    assert caught.value.hint == "there are a, b"


def test_rows_without_names_are_called_by_file_and_number(tmp_path: Path) -> None:
    tables = open_tables([str(write(tmp_path / "t.parquet", ROWS))])
    last = tables.partitions(14)[-1]
    [batch] = last.batches(["INSTRUME"])

    names = identities(last, batch, last.first_row, None).to_pylist()

    assert names == [f"{tmp_path}/t.parquet:{number}" for number in (15, 16, 17)]


@settings(max_examples=30, deadline=None)
@given(
    cells=st.lists(
        st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=6), min_size=2, max_size=2),
        max_size=20,
    )
)
def test_any_text_of_csv_comes_back(tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]]) -> None:
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    quoted = (",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in cells)
    path.write_bytes(("a,b\n" + "".join(quoted)).encode())

    assert read(path) == [{"a": one or None, "b": other or None} for one, other in cells]


def test_dictionaries_with_nulls_and_runs_are_read(tmp_path: Path) -> None:
    coded = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2], pa.uint8()), pa.array(["ACS", None, "WFC3"]))
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array(["a", "b"]))
    views = pa.array(["x", None, "y"], pa.string_view())
    batch = pa.record_batch({"CODED": coded, "RUNS": runs, "VIEWS": views})
    with pa.ipc.new_file(tmp_path / "t.arrow", batch.schema) as file:
        for _ in range(2):
            file.write_batch(batch)

    found = read(tmp_path / "t.arrow", rows=10)

    assert [row["CODED"] for row in found] == ["ACS", None, "WFC3"] * 2
    assert [row["RUNS"] for row in found] == ["a", "a", "b"] * 2
    assert [row["VIEWS"] for row in found] == ["x", None, "y"] * 2


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_names_of_folders_are_columns(tmp_path: Path, suffix: str) -> None:
    for name in ("INSTRUME=ACS", "INSTRUME=__HIVE_DEFAULT_PARTITION__", "INSTRUME=W%20C"):
        folder = tmp_path / "year=2024" / name
        folder.mkdir(parents=True)
        write(folder / f"t{suffix}", [{"N": "1"}, {"N": "2"}])
    (tmp_path / "year=2024" / "INSTRUME=X").mkdir()
    write(tmp_path / "year=2024" / "INSTRUME=X" / f"t{suffix}", [{"instrume": "own"}])

    assert read(tmp_path) == [
        *({"N": number, "year": "2024", "INSTRUME": "ACS"} for number in "12"),
        *({"N": number, "year": "2024", "INSTRUME": "W C"} for number in "12"),
        {"instrume": "own", "year": "2024"},
        *({"N": number, "year": "2024", "INSTRUME": None} for number in "12"),
    ]
    assert read(tmp_path, columns=["year"]) == [{"year": "2024"}] * 7


def test_pipes_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t.csv")

    refused(HeaderError, "it is no regular file", tmp_path / "t.csv")
    refused(HeaderError, "it is no regular file", tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a;b\n1;2\n", "separated by ';'"),
        ("a\tb\n1\t2\n", r"separated by '\\t'"),
        ("a, b\n1, 2\n", "blanks around ' b'"),
    ],
)
def test_csv_with_other_marks_than_commas(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "t.csv").write_text(text)

    refused(HeaderError, words, tmp_path / "t.csv")


def test_undefined_values_of_scaled_columns_of_fits(tmp_path: Path) -> None:
    columns = [
        fits.Column("U", "I", bzero=32768, null=-32768, array=np.array([0, 1, 40000], np.uint16)),
        fits.Column("S", "I", null=-9, array=[-9, 4, 2]),
    ]
    hdu = fits.BinTableHDU.from_columns(columns)
    hdu.writeto(tmp_path / "t.fits")
    fits.setval(tmp_path / "t.fits", "TSCAL2", value=0.5, ext=1)

    assert read(tmp_path / "t.fits") == [{"U": None, "S": None}, {"U": 1, "S": 2.0}, {"U": 40000, "S": 1.0}]


def test_rows_whose_names_are_missing_are_called_by_file_and_number(tmp_path: Path) -> None:
    single = pa.array([1.4, None], pa.float32())
    rows = pa.table({"X": ["a", None], "L": [[1], [2]], "F": single, "B": [True, False]})
    pq.write_table(rows, tmp_path / "t.parquet")
    [partition] = open_tables([str(tmp_path / "t.parquet")]).partitions()
    [batch] = partition.batches(["X", "L", "F", "B"])
    place = f"{tmp_path}/t.parquet"

    assert identities(partition, batch, 0, "X").to_pylist() == ["a", f"{place}:2"]
    assert identities(partition, batch, 5, "F").to_pylist() == ["1.4", f"{place}:7"]
    assert identities(partition, batch, 0, "B").to_pylist() == ["True", "False"]
    assert identities(partition, batch, 0, "OTHER").to_pylist() == [f"{place}:1", f"{place}:2"]
    with pytest.raises(HeaderError, match=r"column 'L' .* can't name datasets"):
        identities(partition, batch, 0, "L")


def test_a_date_beside_a_time_is_a_date_in_any_case(tmp_path: Path) -> None:
    day = pa.array([datetime.datetime(2020, 1, 2)])
    pq.write_table(pa.table({"date-obs": day, "Time-Obs": ["01:00:00"]}), tmp_path / "t.parquet")

    assert read(tmp_path / "t.parquet") == [{"date-obs": "2020-01-02", "Time-Obs": "01:00:00"}]
