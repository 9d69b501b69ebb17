from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmap.observatories.converters import CONVERTERS


@pytest.mark.parametrize(
    ("name", "value", "date"),
    [
        ("jd", "2451545.0", "2000-01-01 12:00:00"),
        ("jd", "2400000.5", "1858-11-17 00:00:00"),
        ("jd", "2460577.5", "2024-09-24 00:00:00"),
        ("jd", "2460578.0243055555", "2024-09-24 12:35:00"),
        ("jd", "2.4605775D6", "2024-09-24 00:00:00"),
        ("mjd", "60577", "2024-09-24 00:00:00"),
        ("mjd", "60577.25", "2024-09-24 06:00:00"),
        ("mjd", "0.000011580", "1858-11-17 00:00:01.001"),
        ("jd-or-mjd", "60577.25", "2024-09-24 06:00:00"),
        ("jd-or-mjd", "2460577.75", "2024-09-24 06:00:00"),
        ("yyyymmddhhmmss", "20240924123456", "2024-09-24 12:34:56"),
        ("yyyymmddhhmmss", "20240924123456.0", "2024-09-24 12:34:56"),
        ("yyyymmddhhmmss", "20240924123456.25", "2024-09-24 12:34:56.25"),
        ("yyyymmddhhmmss", "20240924T123456", "2024-09-24 12:34:56"),
        ("yyyymmddhhmmss", "20240924 12:34:56.7", "2024-09-24 12:34:56.7"),
        ("yyyymmddhhmmss", "20240924", "2024-09-24 00:00:00"),
        ("date-and-time", "2024-09-24T12:34:56", "2024-09-24T12:34:56"),
        ("date-and-time", "2024-09-24", None),
    ],
)
def test_conversion(name: str, value: str, date: str | None) -> None:
    assert CONVERTERS[name](value) == date


@pytest.mark.parametrize("name", ["jd", "mjd", "jd-or-mjd", "yyyymmddhhmmss"])
@pytest.mark.parametrize("value", ["", "soon", "nan", "inf", "1e999999999", "-1", "9e9", "2024", "20241"])
def test_what_is_no_date_stays_as_it_is(name: str, value: str) -> None:
    result = CONVERTERS[name](value)
    assert result == value or (name in {"mjd", "jd-or-mjd"} and value.startswith("2024"))


@given(st.datetimes(min_value=datetime(1858, 11, 17), max_value=datetime(9990, 1, 1)))
def test_julian_dates_agree_with_the_calendar_to_the_millisecond(moment: datetime) -> None:
    days = moment - datetime(1858, 11, 17)
    text = f"{days.days}.{(days.seconds * 10**6 + days.microseconds) * 10**13 // (86400 * 10**6):013d}"
    converted = datetime.fromisoformat(str(CONVERTERS["mjd"](text)))
    assert abs(converted - moment) <= timedelta(microseconds=501)
