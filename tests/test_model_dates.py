"""Dates in every form that headers and rules have."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmap.model.dates import DateError, normal_date, parse_date


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        *[("2024-09-24", "2024-09-24 00:00:00"), ("2024/09/24", "2024-09-24 00:00:00")],
        *[("2024-09-24 12:30", "2024-09-24 12:30:00"), ("2024-09-24T12:30:00", "2024-09-24 12:30:00")],
        *[("2024-09-24 5:4:3", "2024-09-24 05:04:03"), ("2024/09/24T12:30", "2024-09-24 12:30:00")],
        ("2024-09-24 12:30:00.5", "2024-09-24 12:30:00.500000"),
        ("2024-09-24 12:30:00.123456789", "2024-09-24 12:30:00.123456"),
        ("2024-09-24T12:30:00.123456", "2024-09-24 12:30:00.123456"),
        *[("12/25/2014", "2014-12-25 00:00:00"), ("12-25-2014", "2014-12-25 00:00:00")],
        *[
            ("25/12/95", "1995-12-25 00:00:00"),
            ("25/12/15", "2015-12-25 00:00:00"),
            ("01/02/39", "2039-02-01 00:00:00"),
        ],
        ("19970114:053714", "1997-01-14 05:37:14"),
        *[
            ("Dec 01 1993 00:00:00 UT", "1993-12-01 00:00:00"),
            ("July 27, 1999 12:00:00", "1999-07-27 12:00:00"),
        ],
        *[("03-Jan-2013", "2013-01-03 00:00:00"), ("JUL 27 1999", "1999-07-27 00:00:00")],
        *[("Feb 08 2006 01:02AM", "2006-02-08 01:02:00"), ("Feb 08 2006 01:02 PM", "2006-02-08 13:02:00")],
        *[
            ("2001-01-01 12:00:00 AM", "2001-01-01 00:00:00"),
            ("2001-01-01 12:00:00 pm", "2001-01-01 12:00:00"),
        ],
        (" 2024-09-24 ", "2024-09-24 00:00:00"),
    ],
)
def test_forms(text, normal):
    assert normal_date(text) == normal


@pytest.mark.parametrize(
    "text",
    [
        *("", "Z", "UNDEFINED", "UNDEFINED 12:00", "N/A", "1.0", "soon", "Feb 08", "XYZ 08 2006"),
        *("2024-9-4", "2024-09-24T12:30:00Z", "2024-09-24T12:30:00+00:00", "2024-09-24T12:30:00.1234567"),
        *("2024-09-24 24:00:00", "2024-09-24 12:60", "2024-02-30", "2023-02-29", "2024-13-01", "0000-01-01"),
        *("25/12/45", "99999-01-01", "2024-09-24 12", "2024-09-24 12:30:00 hours", "2024-02-30 00:00:00"),
        "Jul 04 2014" + " " * 100,
    ],
)
def test_what_is_no_date(text):
    with pytest.raises(DateError) as caught:
        normal_date(text)

    assert text[:20] in str(caught.value)


@given(st.datetimes(min_value=datetime(1000, 1, 1)))
def test_a_normal_date_is_exact(moment):
    normal = normal_date(moment.isoformat(" "))

    assert parse_date(normal) == moment
    assert normal_date(normal) == normal


@given(st.datetimes(min_value=datetime(1000, 1, 1)), st.datetimes(min_value=datetime(1000, 1, 1)))
def test_normal_dates_sort_as_time_does(one, two):
    one_normal, two_normal = normal_date(one.isoformat("T")), normal_date(two.isoformat("T"))

    assert (one_normal < two_normal) is (one < two)


@given(st.text(max_size=80))
def test_any_text_is_a_date_or_says_why_not(text):
    try:
        normal = normal_date(text)
    except DateError:
        return
    assert normal_date(normal) == normal
