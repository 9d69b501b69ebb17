"""Dates read all at once mean what single dates mean, and many timelines what each does."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from table_answers import one_by_one, read

import calmap
from calmap.bestref.tables import TableSelector, selector, timetable
from calmap.bestref.tables.answers import Answers
from calmap.bestref.tables.times import DATE, MOMENT, NOTHING, TIME, UNREAD, moment_texts, read_times
from calmap.bestref.tables.timetable import Calendar, Timetable
from calmap.compile.outcome import Outcome
from calmap.compile.timeline import Timeline
from calmap.compile.tree import Answer
from calmap.model.dates import DateError, moment, moment_text, normal_date

FIRST, LAST = moment("0001-01-01 00:00:00"), moment("9999-12-31 23:59:59.999999")


def meaning(text: str) -> int | None:
    """Microseconds since 1970 of a date in any form."""
    try:
        return moment(normal_date(text))
    except DateError:
        return None


def scribbles(count: int) -> Iterator[str | None]:
    """Dates and times, good ones and others, some with a wrong character."""
    rng = random.Random(7)
    for _ in range(count):
        year = rng.choice((0, 1, 99, 1900, 2000, 2004, 2100, 9999, rng.randrange(10_000)))
        date = f"{year:04}-{rng.randrange(14):02}-{rng.randrange(33):02}"
        time = f"{rng.randrange(25):02}:{rng.randrange(61):02}:{rng.randrange(61):02}"
        digits = "".join(rng.choices("0123456789", k=rng.randrange(8)))
        part = rng.choice(("", f".{digits}"))
        words = (date, time + part, f"{date} {time}{part}", f"{date}T{time}{part}", "UNDEFINED", "", None)
        text = rng.choice(words)
        if text and rng.random() < 0.2:
            at = rng.randrange(len(text))
            text = text[:at] + rng.choice("0:-/. Té") + text[at + 1 :]
        yield text


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_texts_are_read_as_they_are_one_by_one(kind: pa.DataType) -> None:
    texts = list(scribbles(20_000))
    array = pa.array(texts, pa.string()).cast(kind)
    seen = set()

    for part, start in ((array, 0), (array.slice(7, 11_000), 7)):
        times = read_times(part)
        for text, found, value in zip(texts[start:], times.kind.tolist(), times.value.tolist(), strict=False):
            seen.add(found)
            if found == NOTHING:
                assert text is None
            elif found == UNREAD:
                assert text is not None
            else:
                assert text is not None
                assert value == meaning(f"1970-01-01 {text}" if found == TIME else text), text

    assert seen == {NOTHING, UNREAD, DATE, TIME, MOMENT}


def test_dates_in_usual_forms_are_read_at_once() -> None:
    forms = ["2024-02-29", "2024-02-29 12:00:00", "2024-02-29T12:00:00.5", "2024-02-29 12:00:00.123456"]

    assert read_times(pa.array(forms)).kind.tolist() == [DATE, MOMENT, MOMENT, MOMENT]
    assert read_times(pa.array(["12:00:00", "23:59:59.25"])).kind.tolist() == [TIME, TIME]


@given(st.lists(st.integers(FIRST, LAST)))
def test_moments_are_written_as_they_are_one_by_one(moments: list[int]) -> None:
    assert moment_texts(moments) == [moment_text(at) for at in moments]


def timelines(rng: random.Random) -> list[Timeline]:
    found = []
    for _ in range(20):
        moments = sorted(rng.sample(range(100), rng.randrange(12)))
        names = [f"{rng.randrange(300)}.fits" for _ in range(len(moments) + 1)]
        found.append(Timeline(moments, [Outcome(Answer.FOUND, (name,)) for name in names]))
    return found


@pytest.mark.parametrize("dense", [0, 2**20])
def test_a_timetable_answers_as_its_timelines_do(monkeypatch: pytest.MonkeyPatch, dense: int) -> None:
    monkeypatch.setattr(timetable, "_MAX_DENSE", dense)
    rng = random.Random(dense)
    asked = timelines(rng)
    answers = Answers()
    table, other, calendar = Timetable(answers), Timetable(Answers()), Calendar()
    other.add(Timeline([3, 50, 1000], [Outcome(Answer.NOT_FOUND)] * 4))
    dates = np.array([-5, *range(101), 2000])

    for known in (asked[:5], asked):
        lines = [table.add(timeline) for timeline in known]
        calendar.settle((table, other))
        spans = calendar.spans_of(table)[calendar.spans(dates)]
        for line, timeline in zip(lines, known, strict=True):
            found = table.look_up(line * table.width + spans)
            wanted = [answers.number(timeline.at(date)) for date in dates.tolist()]
            assert found.tolist() == wanted


def test_nothing_changes_when_much_is_forgotten(repo_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selector, "_MAX_REMEMBERED", 3)
    context = calmap.Cache(repo_root).context("ligeriri_0001.pmap")
    rows = [
        {"INSTRUME": "IRIS", "INSTERA": "0.0.0", "DETECTOR": name, "READMODE": "DEFAULT", "META.DATE": date}
        for name in ("IMG1", "IFU", "IMG4", None)
        for date in ("2024-10-01", "2025-06-01 12:00:00", "junk", None)
    ]
    tables = TableSelector(context)

    for batch in pa.Table.from_pylist(rows).to_batches(max_chunksize=4):
        assert read(tables.select(batch)) == one_by_one(context, batch.to_pylist())
