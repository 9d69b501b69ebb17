"""Whatever the columns of a table hold, a row is answered as it would be alone."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rule_strategies import NAME, rmaps
from table_answers import answered, one_by_one, read

import calmap
from calmap.bestref.tables import TableSelector
from calmap.errors import CalmapError
from calmap.observatories import load_observatory

NAMES = (
    *("INSTRUME", "instrume", "META.INSTRUMENT.NAME", "DETECTOR", "Detector", "meta.instrument.detector"),
    *("FILTER", "PUPIL", "READMODE", "SAMPMODE", "SUBARRAY", "SARRMODE", "INSTERA", "ERA", "IFUMODE", "MODE"),
    *("META.DATE", "EXPDTST", "EXPJDST", "EXPSTDT", "EXPSTTM", "DATETOBS", "DATE-OBS", "TIME-OBS", "DATE"),
    *("date-obs", "Time-Obs", "DÉTECTOR", "", "OBSERVER", "REFTYPE"),
)
WORDS = (
    *("IRIS", "iris ", "LIGER", "IMG1", "IMG", "IFU", "img1", "Y", " y", "K", "CLEAR", "DEFAULT", "FULL"),
    *("FULL_FRAME", "SUB_ARRAY", "LENSLET", "0.0.0", "N/A", "n/a", "*", "ANY", "UNDEFINED", "undefined", ""),
    *(" ", "()", "T", "1", "1.0", "01", "-0", "nan", "GENERIC", "Ünïcode", "K|Y", "%"),
)
DATES = (
    *(
        "2024-10-02",
        "2024-10-02 12:00:00",
        "2024-10-02T12:00:00.25",
        "2025-03-13",
        "2025-03-12 23:59:59.999999",
    ),
    *(
        "2024-9-2",
        "20241002120000",
        "2460586.0",
        "60585.5",
        "10/02/2024",
        "Oct 02 2024",
        "02/10/24",
        "2024-02-30",
    ),
    *("0000-01-01", "9999-12-31", "2024-10-02 12:00:00.1234567", "2024-10-02T12:00", "2024-10-02 UT"),
    *(
        "2024",
        "12:00:00",
        "12:00",
        "24:00:00",
        "11:59:59.9",
        "1:02:03 PM",
        " 12:00:00 ",
        "2024-10-02t12:00:00",
        "junk",
    ),
    *("2024-10-02 12:00:00+00:00", "٢٠٢٤-10-02", "2024-10-02 12:00:60", "2024-10-02 24:00:00"),
)
MOMENT = datetime.datetime(2024, 10, 2, 12, 0, 0, 250_000)
TEXTS = st.sampled_from((*WORDS, *DATES)) | st.text(max_size=4)


def column(kind: Any, values: st.SearchStrategy[Any]) -> Callable[[int], st.SearchStrategy[Any]]:
    """Columns of an Arrow type, by the number of rows."""
    some = st.none() | values

    def of(rows: int) -> st.SearchStrategy[Any]:
        return st.lists(some, min_size=rows, max_size=rows).map(lambda listed: pa.array(listed, kind))

    return of


def encoded(rows: int) -> st.SearchStrategy[Any]:
    """Dictionaries that repeat themselves, have nulls, and more than is used."""
    words = st.lists(st.none() | TEXTS, min_size=1, max_size=6)

    def of(listed: list[str | None]) -> st.SearchStrategy[Any]:
        index = st.none() | st.integers(0, len(listed) - 1)
        kinds = st.sampled_from((pa.int8(), pa.uint16(), pa.int64()))
        indices = st.tuples(st.lists(index, min_size=rows, max_size=rows), kinds)
        return indices.map(
            lambda chosen: pa.DictionaryArray.from_arrays(pa.array(*chosen), pa.array(listed, pa.string()))
        )

    return words.flatmap(of)


def runs(rows: int) -> st.SearchStrategy[Any]:
    """Columns that hold a value once for a run of rows."""
    ends = pa.array([(rows + 2) // 2, rows + 1], pa.int32())
    return TEXTS.map(
        lambda text: (
            pa.RunEndEncodedArray.from_arrays(ends, pa.array([text, None])).slice(1) if rows else pa.nulls(0)
        )
    )


COLUMNS = (
    *(column(kind, TEXTS) for kind in (pa.string(), pa.string(), pa.large_string(), pa.string_view())),
    column(pa.binary(), st.sampled_from((b"IRIS", b"IMG1", b"\xff"))),
    column(pa.float64(), st.sampled_from((0.0, -0.0, float("nan"), float("inf"), 1.0, 60585.5, 2460586.25))),
    column(pa.float32(), st.sampled_from((0.1, 1.0, 60585.5))),
    column(pa.int64(), st.sampled_from((0, 1, 20241002, 20241002120000, 60585))),
    column(pa.bool_(), st.booleans()),
    column(pa.decimal128(20, 6), st.sampled_from((Decimal("60585.500000"), Decimal("1.000000")))),
    column(pa.timestamp("us"), st.just(MOMENT) | st.datetimes()),
    column(pa.timestamp("s"), st.just(MOMENT.replace(microsecond=0))),
    column(pa.timestamp("ns"), st.just(MOMENT)),
    column(pa.timestamp("ms", "UTC"), st.just(MOMENT.replace(tzinfo=datetime.UTC))),
    column(pa.date32(), st.just(MOMENT.date()) | st.dates()),
    column(pa.date64(), st.just(MOMENT.date())),
    column(pa.time64("us"), st.just(MOMENT.time()) | st.times()),
    column(pa.time32("s"), st.just(MOMENT.time().replace(microsecond=0))),
    column(pa.list_(pa.string()), st.lists(st.sampled_from(WORDS), max_size=2)),
    lambda rows: st.just(pa.nulls(rows)),
    encoded,
    encoded,
    runs,
)


@dataclass(frozen=True)
class Table:
    """A table that shows itself in a few lines."""

    data: pa.Table

    def __repr__(self) -> str:
        kinds = {field.name: str(field.type) for field in self.data.schema}
        return f"{kinds} {self.data.to_pylist()}"


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """A table of up to a dozen rows, in one piece or in several."""
    rows = draw(st.integers(0, 12))
    names = draw(st.lists(st.sampled_from(NAMES), max_size=9, unique=True))
    if draw(st.booleans()):
        names = ["INSTRUME", *(name for name in names if name != "INSTRUME")]
    columns = [draw(draw(st.sampled_from(COLUMNS))(rows)) for _ in names]
    if names[:1] == ["INSTRUME"]:
        columns[0] = draw(column(pa.string(), st.sampled_from(("IRIS", "liger")))(rows))
    table = pa.table(dict(zip(names, columns, strict=True))) if names else pa.table({"OTHER": pa.nulls(rows)})
    cuts = sorted(draw(st.lists(st.integers(0, rows), max_size=2)))
    parts = [table.slice(start, end - start) for start, end in zip([0, *cuts], [*cuts, rows], strict=True)]
    return Table(pa.concat_tables(parts))


@lru_cache
def demo() -> calmap.Context:
    return calmap.Cache(Path(__file__).parent.parent).context("ligeriri_0001.pmap")


@settings(max_examples=200, deadline=None)
@given(tables(), st.sampled_from((None, ["dark"], ["dark", "flat", "nosuch"])))
def test_odd_values(table: Table, reftypes: list[str] | None) -> None:
    assert answered(demo(), table.data, reftypes) == one_by_one(demo(), table.data.to_pylist(), reftypes)


@settings(max_examples=40, deadline=None)
@given(st.lists(tables(), min_size=2, max_size=4))
def test_what_was_seen_before_changes_nothing(asked: list[Table]) -> None:
    selector = TableSelector(demo())

    for table in asked:
        assert read(selector.select(table.data)) == one_by_one(demo(), table.data.to_pylist())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rmaps(), st.data())
def test_any_rules(tmp_path_factory: pytest.TempPathFactory, rules: Any, data: st.DataObject) -> None:
    text, header = rules
    root = tmp_path_factory.mktemp("cache")
    folder = root / "mappings" / "tobs"
    folder.mkdir(parents=True)
    (folder / NAME).write_text(text)
    context = calmap.Cache(root).context(NAME)
    values = {
        name: st.sampled_from((value, value, None, "X", "2012-01-01")) for name, value in header.items()
    }
    rows = data.draw(st.lists(st.fixed_dictionaries(values), min_size=1, max_size=8))
    table = pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in header})
    try:
        wanted = one_by_one(context, rows)
    except CalmapError:
        return

    assert answered(context, table) == wanted


def test_times_to_the_nanosecond_are_cut_as_texts_are() -> None:
    names = {"INSTRUME": pa.array(["IRIS"] * 2), "DETECTOR": pa.array(["IMG1"] * 2)}
    ticks = [1_727_870_400_000_000_001, 1_727_870_400_000_000_000]

    for zone in (None, "UTC"):
        table = pa.table({**names, "META.DATE": pa.array(ticks, pa.timestamp("ns", zone))})
        assert answered(demo(), table) == one_by_one(demo(), table.to_pylist())


def test_the_definition_used_here_joins_and_translates() -> None:
    observatory = load_observatory("ligeriri", None)
    sources = [source for name in observatory.keywords for source in observatory.sources(name)]

    assert any(len(source.names) == 2 for source in sources)
    assert {source.format for source in sources} >= {None, "date-and-time", "jd-or-mjd", "yyyymmddhhmmss"}
    assert any(source.values for source in sources)
