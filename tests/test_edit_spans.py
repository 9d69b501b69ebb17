"""The arithmetic of spans of validity."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmap.edit.spans import (
    GAP,
    OverlapError,
    Period,
    Span,
    certified,
    decertified,
    periods,
    rows,
    spans_of,
)
from calmap.errors import UsageError

LAST = 8
TICKS = range(-2, 2 * LAST + 3)
"""Half hours: ends of spans are full hours, so that every span is asked at its ends and between them."""


def hour(number: float) -> datetime:
    return datetime(2025, 1, 1) + timedelta(hours=number)


def span(begin: int | None, end: int | None) -> Span:
    return Span(None if begin is None else hour(begin), None if end is None else hour(end))


@st.composite
def spans(draw: st.DrawFn, *, begun: bool = False) -> Span:
    begin = draw(st.integers(0, LAST - 1))
    end = draw(st.none() | st.integers(begin + 1, LAST))
    return span(begin if begun or draw(st.booleans()) else None, end)


def moments(*of: Span) -> set[int]:
    """The half hours that are in one of some spans."""
    return {tick for tick in TICKS for item in of if hour(tick / 2) in item}


def answers(known: tuple[Period, ...]) -> dict[int, str]:
    """What a `UseAfter` table with the rows of some periods chooses in each half hour."""
    dated = rows(known)
    said = {tick: [text for moment, text in dated if moment <= hour(tick / 2)] for tick in TICKS}
    return {tick: texts[-1] for tick, texts in said.items() if texts}


def files(known: tuple[Period, ...]) -> dict[int, str]:
    return {tick: text for tick, text in answers(known).items() if text in "abcd"}


TABLES = st.dictionaries(st.integers(0, LAST), st.sampled_from(("a", "b", GAP, "OMIT")), max_size=5).map(
    lambda table: periods((hour(number), text) for number, text in table.items())
)


@given(spans(), spans())
def test_spans_are_sets_of_moments(one: Span, other: Span) -> None:
    common = one.common(other)

    assert one.overlaps(other) == bool(moments(one) & moments(other)) == (common is not None)
    assert moments(*one.without(other)) == moments(one) - moments(other)
    assert len(one.without(other)) <= 2
    assert moments(*([common] if common else [])) == moments(one) & moments(other)
    if one.touches(other):
        assert moments(one.joined(other)) == moments(one) | moments(other)


@given(TABLES)
def test_rows_come_back(known: tuple[Period, ...]) -> None:
    assert periods(rows(known)) == known


@given(TABLES, st.sampled_from("abc"), spans(begun=True))
def test_certified_adds_a_span_and_nothing_else(known: tuple[Period, ...], file: str, wanted: Span) -> None:
    old, asked = files(known), moments(wanted)
    if any(old.get(tick, file) != file for tick in asked):
        with pytest.raises(OverlapError):
            certified(known, file, wanted)
        return

    new = certified(known, file, wanted)

    assert files(new) == {**old, **dict.fromkeys(asked, file)}
    before, after = answers(known), answers(new)
    assert {tick: after[tick] for tick in before.keys() - asked} == {
        tick: before[tick] for tick in before.keys() - asked
    }
    assert {after[tick] for tick in after.keys() - before.keys() - asked} <= {GAP}
    assert certified(new, file, wanted) == new


@given(TABLES, st.sampled_from("abc"), spans())
def test_decertified_takes_a_span_and_nothing_else(
    known: tuple[Period, ...], file: str, wanted: Span
) -> None:
    old, asked = files(known), moments(wanted)

    new = decertified(known, file, wanted)

    assert files(new) == {t: text for t, text in old.items() if text != file or t not in asked}
    before, after = answers(known), answers(new)
    outside = set(TICKS) - asked
    assert {t: after.get(t) for t in outside} == {t: before.get(t) for t in outside}
    assert decertified(new, file, wanted) == new


@given(TABLES, st.sampled_from("cd"), spans(begun=True))
def test_decertified_undoes_certified(known: tuple[Period, ...], file: str, wanted: Span) -> None:
    try:
        new = certified(known, file, wanted)
    except OverlapError:
        return

    assert files(decertified(new, file, Span())) == files(known)


@pytest.mark.parametrize(
    ("wanted", "pieces"),
    [
        (span(None, None), []),
        (span(2, 6), []),
        (span(0, 2), [span(2, 6)]),
        (span(2, 3), [span(3, 6)]),
        (span(5, None), [span(2, 5)]),
        (span(3, 4), [span(2, 3), span(4, 6)]),
        (span(6, None), [span(2, 6)]),
    ],
)
def test_a_span_goes_gets_shorter_or_becomes_two(wanted: Span, pieces: list[Span]) -> None:
    known = periods([(hour(0), "a"), (hour(2), "b"), (hour(6), "a")])

    assert spans_of(decertified(known, "b", wanted), "b") == tuple(pieces)


def test_what_stands_at_the_end() -> None:
    alone = certified((), "a", span(1, 3))

    assert rows(alone) == ((hour(1), "a"), (hour(3), GAP))
    assert rows(certified(alone, "b", span(3, 5))) == (
        *((hour(1), "a"), (hour(3), "b")),
        (hour(5), GAP),
    )
    assert rows(certified(alone, "a", span(3, 5))) == ((hour(1), "a"), (hour(5), GAP))
    assert rows(decertified(alone, "a", Span())) == ()
    assert rows(decertified(periods(rows(alone)), "a", Span())) == ()
    assert rows(decertified(periods(rows(alone)), "a", span(1, 3))) == ((hour(3), GAP),)


def test_a_gap_that_was_there_first_stays_and_grows() -> None:
    known = periods([(hour(0), GAP), (hour(1), "a"), (hour(3), GAP)])

    assert rows(decertified(known, "a", Span())) == ((hour(0), GAP),)
    assert rows(decertified(known, "a", span(1, 2))) == ((hour(0), GAP), (hour(2), "a"), (hour(3), GAP))


def test_an_overlap_says_with_what() -> None:
    known = certified((), "a", span(1, 3))

    with pytest.raises(OverlapError) as refused:
        certified(known, "b", span(2, None))

    assert refused.value.period == Period("a", span(1, 3))
    assert str(refused.value) == (
        "b can't be certified from 2025-01-01 02:00:00 on: a is certified from 2025-01-01 01:00:00 until "
        "2025-01-01 03:00:00 (choose another span, or decertify a from 2025-01-01 02:00:00 until 2025-01-01 "
        "03:00:00 first)"
    )


def test_spans_that_meet_do_not_overlap() -> None:
    known = certified(certified((), "a", span(1, 3)), "b", span(3, None))

    assert spans_of(known, "a") == (span(1, 3),)
    assert hour(3) not in span(1, 3)
    assert hour(3) in span(3, None)


@pytest.mark.parametrize(("begin", "end"), [(3, 3), (3, 2)])
def test_a_span_has_a_moment_in_it(begin: int, end: int) -> None:
    with pytest.raises(UsageError, match="its end must be later"):
        span(begin, end)


def test_a_table_has_a_beginning() -> None:
    with pytest.raises(UsageError, match="without a beginning"):
        rows(certified((), "a", span(None, 3)))
