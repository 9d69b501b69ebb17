"""Tables of headers are answered as their rows are: known answers, real rules, tables of all kinds."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import astropy.table
import numpy as np
import pandas
import polars
import pyarrow as pa
import pytest
from astropy.time import Time
from astropy.units import Quantity
from table_answers import answered, one_by_one, read

import calmap
from calmap.bestref.tables import TableSelector
from calmap.errors import UsageError

FRAME = {
    "INSTRUME": "IRIS",
    "INSTERA": "0.0.0",
    "DETECTOR": "IMG1",
    "READMODE": "DEFAULT",
    "SUBARRAY": "FULL",
    "FILTER": "Y",
    "PUPIL": "CLEAR",
    "DATE-OBS": "2024-10-02",
    "TIME-OBS": "12:00:00",
}


@pytest.fixture(scope="module")
def demo(repo_root: Path) -> calmap.Context:
    return calmap.Cache(repo_root).context("ligeriri_0001.pmap")


@pytest.fixture(scope="module")
def real(corpus: Path) -> calmap.Cache:
    return calmap.Cache(corpus / "crds-cache")


def cases(corpus: Path, kind: str) -> dict[str, list[dict[str, Any]]]:
    """Headers of known answers by mapping."""
    found = defaultdict(list)
    with gzip.open(corpus / "cases" / f"bestref_{kind}.jsonl.gz", "rt") as file:
        for line in file:
            case = json.loads(line)
            found[case[kind]].append(case["header"])
    return found


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    """Headers as a table of text; a header that lacks a keyword has none there."""
    names = sorted({name for row in rows for name in row})
    return pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in names})


def mixed(headers: list[dict[str, Any]], count: int) -> Iterator[dict[str, Any]]:
    """Headers made of the values of others, with dates of all times and in several forms."""
    rng = random.Random(len(headers) * count)
    values = defaultdict(list)
    for header in headers:
        for name, value in header.items():
            values[name].append(value)
    forms = ("{0}-{1}-{2} {3}", "{0}-{1}-{2}T{3}", "{0}/{1}/{2} {3}", "{1}/{2}/{0} {3}", "{0}-{1}-{2} {3}.25")
    for _ in range(count):
        base = rng.choice(headers)
        row = {name: base.get(name) if rng.random() < 0.7 else rng.choice(values[name]) for name in values}
        clock = f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}"
        form = rng.choice(forms) if rng.random() < 0.2 else forms[0]
        year, month, day = rng.randrange(1991, 2025), rng.randrange(1, 13), rng.randrange(1, 29)
        words = form.format(year, f"{month:02}", f"{day:02}", clock)
        if rng.random() < 0.97:
            names = [name for name in row if name.endswith(("DATE", "DATE-OBS"))]
            names += [name for name in row if name.endswith(("TIME", "TIME-OBS")) and "T" not in words]
            row.update(zip(names[:2], words.split(" ", 1), strict=False))
        yield row


def test_contexts_answer_tables_as_they_answer_headers(real: calmap.Cache, corpus: Path) -> None:
    for name, rows in cases(corpus, "context").items():
        context = real.context(name)

        assert answered(context, table_of(rows)) == one_by_one(context, rows), name


def test_rmaps_answer_tables_as_they_answer_headers(real: calmap.Cache, corpus: Path) -> None:
    asked = {
        name: rows for name, rows in cases(corpus, "rmap").items() if any(rows) and "na_omit" not in name
    }
    assert len(asked) > 300

    for name, rows in asked.items():
        context = real.context(name)
        table = table_of(rows)

        assert answered(context, table) == one_by_one(context, table.to_pylist()), name


@pytest.mark.parametrize("name", ["hst_0729.pmap", "jwst_0541.pmap"])
def test_made_up_headers(real: calmap.Cache, corpus: Path, name: str) -> None:
    context = real.context(name)
    by_instrument = defaultdict(list)
    for header in cases(corpus, "context")[name]:
        by_instrument[header.get("INSTRUME", header.get("META.INSTRUMENT.NAME"))].append(header)
    rows = [row for headers in by_instrument.values() for row in mixed(headers, 2000 // len(by_instrument))]

    assert answered(context, table_of(rows)) == one_by_one(context, rows)


def test_every_selector(real: calmap.Cache) -> None:
    numbers = ["1.0", "1.2", "1.35", "1.4", "3", "3.1", "4.99", "5", "77", "UNDEFINED", "x", None]
    dates = ["2004-04-25 21:31:01.5", "2004-04-25", "2017-12-31", "2018-08-01 12:00:00", "2020/01/01", "1999"]
    rows = [
        {"INSTRUMENT": "tinstr", "TEST_CASE": case, "PARAMETER": value}
        for case in ("USE_AFTER", "SELECT_VERSION", "CLOSEST_TIME", "BRACKET", "GEOMETRICALLY_NEAREST")
        for value in (*numbers, *dates)
    ]
    context = real.context("tobs.pmap")

    found = answered(context, pa.Table.from_pylist(rows))

    assert found == one_by_one(context, rows)
    assert {", " in (files or "") for said in found for _, files in said.values()} == {True, False}


ROWS = [
    FRAME,
    {**FRAME, "FILTER": "K"},
    {**FRAME, "DETECTOR": None, "SUBARRAY": "CUSTOM"},
    {**FRAME, "INSTRUME": "LIGER", "DETECTOR": "IMG"},
    {**FRAME, "DATE-OBS": "2025-10-02T11:11:11.5", "TIME-OBS": None},
    {**FRAME, "INSTRUME": "nothing known"},
    {**FRAME, "TIME-OBS": "noon"},
]
LISTS = {name: [row[name] for row in ROWS] for name in FRAME}
ARROW = pa.table(LISTS)


class Interchange:
    """A table that has nothing but the dataframe interchange protocol."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> Any:
        return self._frame.__dataframe__(nan_as_null, allow_copy)


def masked() -> astropy.table.Table:
    table = astropy.table.Table(masked=True)
    for name, values in LISTS.items():
        filled = np.array([value or "" for value in values])
        table[name] = np.ma.MaskedArray(filled, [value is None for value in values])
    return table


def as_bytes() -> astropy.table.Table:
    table = masked()
    table.convert_unicode_to_bytestring()
    return table


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: ARROW, id="arrow"),
        pytest.param(lambda: ARROW.to_batches()[0], id="record batch"),
        pytest.param(lambda: ARROW.to_reader(max_chunksize=2), id="stream"),
        pytest.param(lambda: pa.concat_tables([ARROW.slice(0, 3), ARROW.slice(3)]), id="chunks"),
        pytest.param(
            lambda: pa.StructArray.from_arrays([*map(pa.array, LISTS.values())], [*LISTS]), id="struct"
        ),
        pytest.param(lambda: LISTS, id="lists"),
        pytest.param(lambda: {name: tuple(values) for name, values in LISTS.items()}, id="tuples"),
        pytest.param(lambda: {name: pa.array(values) for name, values in LISTS.items()}, id="arrays"),
        pytest.param(lambda: {name: polars.Series(values) for name, values in LISTS.items()}, id="series"),
        pytest.param(lambda: {name: np.array(values, object) for name, values in LISTS.items()}, id="numpy"),
        pytest.param(lambda: polars.DataFrame(LISTS), id="polars"),
        pytest.param(lambda: polars.DataFrame(LISTS).cast(polars.Categorical), id="polars categories"),
        pytest.param(lambda: pandas.DataFrame(LISTS), id="pandas"),
        pytest.param(
            lambda: pandas.DataFrame(LISTS, dtype=object, index=range(7, 0, -1)), id="pandas objects"
        ),
        pytest.param(lambda: pandas.DataFrame(LISTS, dtype="category"), id="pandas categories"),
        pytest.param(masked, id="astropy"),
        pytest.param(as_bytes, id="astropy bytes"),
        pytest.param(lambda: Interchange(ARROW), id="interchange"),
    ],
)
def test_every_kind_of_table(demo: calmap.Context, make: Any) -> None:
    found = answered(demo, make())

    assert found == one_by_one(demo, ROWS)
    assert {status for said in found for status, _ in said.values()} >= {"found", "not_found", "bad_header"}


def test_numbers_of_single_precision_are_as_numpy_writes_them(real: calmap.Cache) -> None:
    context = real.context("hst_0729.pmap")
    gains = np.array([0.5, 1.4, 2.0, 4.0], np.float32)
    rest = {"INSTRUME": "ACS", "DETECTOR": "WFC", "CCDAMP": "ABCD", "DARKCORR": "PERFORM"}
    rest |= {"DATE-OBS": "2006-08-01", "TIME-OBS": "00:00:00"}
    wanted = one_by_one(
        context, [{"CCDGAIN": gain, **rest} for gain in ("0.5", "1.4", "2", "4")], ["darkfile"]
    )
    assert {status for said in wanted for status, _ in said.values()} == {"found"}

    columns = {"CCDGAIN": gains, **{name: [value] * 4 for name, value in rest.items()}}
    swapped = astropy.table.Table({**columns, "CCDGAIN": gains.astype(">f4")})
    half = {**columns, "CCDGAIN": gains.astype(np.float16)}
    scalars = {**columns, "CCDGAIN": list(gains)}
    arrow = pa.table(columns)
    coded = arrow.set_column(0, "CCDGAIN", pa.array(gains).dictionary_encode())
    polar = polars.from_arrow(arrow)
    for table in (columns, swapped, pandas.DataFrame(columns), half, scalars, arrow, coded, polar):
        assert answered(context, table, ["darkfile"]) == wanted


def test_mixed_values_of_a_list_are_each_as_python_has_it(demo: calmap.Context) -> None:
    rows = [{**FRAME, "FILTER": value} for value in ("Y", 1, 2.5, True, None, 10**30, b"Y")]
    lists = {name: [row[name] for row in rows] for name in FRAME}

    assert answered(demo, lists) == one_by_one(demo, rows)
    assert answered(demo, pandas.DataFrame(lists)) == one_by_one(demo, rows)


def test_columns_of_astropy_that_are_no_plain_arrays(demo: calmap.Context) -> None:
    table = masked()
    del table["DATE-OBS"], table["TIME-OBS"]
    table["META.DATE"] = Time(["2024-10-02 12:00:00"] * len(ROWS), format="iso")
    table["META.DATE"][1] = np.ma.masked
    table["FILTER"] = Quantity(range(len(ROWS)), "m")
    table["PUPIL"] = np.ones((len(ROWS), 2), np.float32)
    dates = [None if number == 1 else "2024-10-02 12:00:00.000" for number in range(len(ROWS))]
    rows = [
        {
            **{name: row[name] for name in FRAME if name not in ("DATE-OBS", "TIME-OBS")},
            "META.DATE": dates[number],
            "FILTER": f"{float(number)} m",
            "PUPIL": "[1. 1.]",
        }
        for number, row in enumerate(ROWS)
    ]

    assert answered(demo, table) == one_by_one(demo, rows)


@pytest.mark.parametrize("unit", ["Y", "D", "h", "s", "ms", "us", "ns"])
def test_dates_of_numpy(demo: calmap.Context, unit: str) -> None:
    dates = np.array(["2024-10-02T12", "NaT"], f"M8[{unit}]")
    names = {name: [value] * 2 for name, value in FRAME.items() if name not in ("DATE-OBS", "TIME-OBS")}
    texts = [str(date.astype("M8[s]")).replace("NaT", "") or None for date in dates]
    rows = [{**{name: value[0] for name, value in names.items()}, "META.DATE": text} for text in texts]

    assert answered(demo, {**names, "META.DATE": dates}) == one_by_one(demo, rows)


def test_a_stream_that_breaks_is_an_error_for_people(demo: calmap.Context) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield ARROW.to_batches()[0]
        raise pa.ArrowInvalid("cut short")

    with pytest.raises(UsageError, match="cut short"):
        demo.bestrefs_table(pa.RecordBatchReader.from_batches(ARROW.schema, broken()))


@pytest.mark.parametrize("table", [5, "INSTRUME", [FRAME], None, polars.Series([1]), {"FILTER": "Y"}])
def test_what_is_no_table_is_refused(demo: calmap.Context, table: Any) -> None:
    with pytest.raises(UsageError, match=r"table|sequence"):
        demo.bestrefs_table(table)


def test_columns_of_different_lengths_are_refused(demo: calmap.Context) -> None:
    with pytest.raises(UsageError, match="INSTRUME 2, FILTER 1"):
        demo.bestrefs_table({"INSTRUME": ["IRIS", "IRIS"], "FILTER": ["Y"]})


def test_a_value_that_is_no_text_is_refused_with_its_column(demo: calmap.Context) -> None:
    broken = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")]
    )

    with pytest.raises(UsageError, match="'FILTER'"):
        demo.bestrefs_table({"INSTRUME": ["IRIS"], "FILTER": broken})


def test_types_asked_for_have_columns_in_alphabetical_order(demo: calmap.Context) -> None:
    found = demo.bestrefs_table(ARROW, ["FLAT", "dark", "nosuch", "dark"])

    assert found.column_names == ["dark", "dark_status", "flat", "flat_status", "nosuch", "nosuch_status"]
    assert read(found) == one_by_one(demo, ROWS, ["dark", "flat", "nosuch"])


def test_a_table_has_the_types_of_its_instruments(real: calmap.Cache, corpus: Path) -> None:
    context = real.context("hst_0729.pmap")
    rows = [row for row in cases(corpus, "context")["hst_0729.pmap"] if row.get("INSTRUME") == "WFC3"]

    found = context.bestrefs_table(table_of([*rows, {"INSTRUME": "nothing known"}]))

    assert tuple(found.column_names[::2]) == context.reftypes("wfc3")
    assert set(found.take([len(rows)]).to_pylist()[0].values()) == {None, "bad_header"}


@pytest.mark.parametrize("rows", [0, 3])
def test_a_table_that_says_nothing(demo: calmap.Context, rows: int) -> None:
    for table in (ARROW.slice(0, rows).select([]), pa.table({"OTHER": pa.nulls(rows)})):
        found = demo.bestrefs_table(table)

        assert tuple(found.column_names[::2]) == demo.reftypes()
        assert [column.to_pylist() for column in found.columns[1::2]] == [["bad_header"] * rows] * (
            len(found.column_names) // 2
        )


def test_columns_are_dictionaries_as_small_as_can_be(real: calmap.Cache, corpus: Path) -> None:
    rows = [row for row in cases(corpus, "context")["hst_0729.pmap"] if row.get("INSTRUME") == "ACS"]
    found = real.context("hst_0729.pmap").bestrefs_table(table_of(rows * 3))

    for name in found.column_names:
        kind = found.schema.field(name).type
        assert kind.value_type == pa.string()
        assert kind.index_type == pa.int8() or len(found[name].chunk(0).dictionary) > 127
    found.validate(full=True)


def test_batches_add_up_to_the_table(real: calmap.Cache, corpus: Path) -> None:
    context = real.context("hst_0729.pmap")
    rows = cases(corpus, "context")["hst_0729.pmap"]
    table = table_of(rows)
    selector = TableSelector(context)

    parts = [selector.select(batch) for batch in table.to_batches(max_chunksize=50)]

    assert {part.schema for part in parts} == {selector.schema}
    assert [part.num_rows for part in parts] == [50] * (len(rows) // 50) + [len(rows) % 50]
    whole = pa.Table.from_batches(parts)
    whole.validate(full=True)
    assert read(whole) == one_by_one(context, rows) == read(selector.select(table))
    assert selector.select(table.to_batches()[0].slice(0, 0)).num_rows == 0


def test_batches_may_have_other_columns_and_types(demo: calmap.Context) -> None:
    selector = TableSelector(demo, ["dark", "flat"])
    renamed = ARROW.rename_columns([name.lower() for name in ARROW.column_names])
    encoded = pa.table({name: ARROW[name].dictionary_encode() for name in reversed(ARROW.column_names)})

    for table in (ARROW, renamed, encoded, ARROW):
        assert read(selector.select(table)) == one_by_one(demo, ROWS, ["dark", "flat"])


def test_only_the_instruments_asked_for(demo: calmap.Context) -> None:
    selector = TableSelector(demo, instruments=["Liger"])

    assert selector.reftypes == demo.reftypes("liger")
    found = read(selector.select(ARROW))
    wanted = one_by_one(demo, ROWS)
    assert [row or wanted[number] for number, row in enumerate(found)] == wanted
    assert [bool(row) for row in found] == [row["INSTRUME"] in ("LIGER", "nothing known") for row in ROWS]


def test_other_columns_need_not_be_read(demo: calmap.Context) -> None:
    table = ARROW.append_column("OBSERVER", pa.array(["somebody"] * len(ROWS))).rename_columns(
        [*(name.title() for name in ARROW.column_names), "Observer"]
    )
    selector = TableSelector(demo)

    needed = selector.columns_needed(table.column_names)

    assert needed == [name for name in table.column_names if name != "Observer"]
    assert set(selector.keywords) >= set(FRAME)
    assert read(selector.select(table.select(needed))) == one_by_one(demo, ROWS)


def test_many_rows_of_few_kinds(real: calmap.Cache, corpus: Path) -> None:
    context = real.context("jwst_0541.pmap")
    rows = cases(corpus, "context")["jwst_0541.pmap"]
    wanted = one_by_one(context, rows)
    table = table_of(rows)
    picked = np.random.default_rng(1).integers(0, len(rows), 150_000)

    found = context.bestrefs_table(table.take(pa.array(picked)))

    first = [int(np.flatnonzero(picked == number)[-1]) for number in range(len(rows))]
    assert read(found.take(pa.array(first))) == wanted
    again = context.bestrefs_table(table)
    for name in found.column_names:
        expected = again[name].combine_chunks().dictionary_decode().take(pa.array(picked))
        assert found[name].combine_chunks().dictionary_decode().equals(expected)


def test_pyarrow_is_loaded_for_tables_only(repo_root: Path) -> None:
    code = (
        "import sys, calmap; context = calmap.Cache('.').context('ligeriri_0001.pmap');"
        f"context.bestrefs({FRAME!r}); assert not {{'pyarrow', 'numpy'}} & set(sys.modules);"
        "sys.modules['pyarrow'] = None\n"
        "try:\n    context.bestrefs_table({})\n"
        "except calmap.CalmapError as problem: print(problem)"
    )

    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=repo_root
    ).stdout

    assert "pyarrow" in said
    assert "calmap-toolkit[table]" in said
