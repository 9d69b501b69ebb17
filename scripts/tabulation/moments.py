"""Moments near those at which rules begin to hold, in every form in which headers write dates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

JUNK = ("NOT A DATE", "2020-13-45", "2021-02-29", "12345", "N/A", "*", "", "0000-00-00", "2020-1-1", "T")
JUNK_TIMES = ("NOON", "25:00:00", "12", "12.5", "N/A", "", "-01:00:00", "12:60:00")
_FIRST, _LAST = datetime(1985, 1, 1), datetime(2030, 1, 1)
_STEPS = (
    timedelta(0),
    timedelta(microseconds=1),
    timedelta(milliseconds=250),
    timedelta(seconds=1),
    timedelta(days=1),
)
_SHARE_NEAR, _SHARE_LATER, _SHARE_ISO, _SHARE_JUNK = 0.5, 0.3, 0.6, 0.03
_LATER = 1000 * 86400

_DATES: tuple[Callable[[datetime], str], ...] = (
    lambda at: at.strftime("%Y/%m/%d"),
    lambda at: at.strftime("%m/%d/%Y"),
    lambda at: at.strftime("%d/%m/%y"),
    lambda at: at.strftime("%b %d %Y"),
    lambda at: at.strftime("%B %d, %Y"),
    lambda at: at.strftime("%d %b %Y"),
    lambda at: at.strftime("%d-%b-%Y"),
)
_TIMES: tuple[Callable[[datetime], str], ...] = (
    lambda at: at.strftime("%H:%M"),
    lambda at: at.strftime("%I:%M:%S %p"),
    lambda at: at.strftime("%I:%M%p"),
    lambda at: f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}",
    lambda at: f"{at.hour}:{at:%M:%S}",
    lambda at: f"{at:%H:%M:%S} UT",
    lambda at: at.time().isoformat(),
)
_WHOLE: tuple[Callable[[datetime], str], ...] = (
    lambda at: at.isoformat("T"),
    lambda at: at.strftime("%Y%m%d:%H%M%S"),
    lambda at: at.strftime("%Y/%m/%dT%H:%M:%S"),
    lambda at: at.strftime("%b %d %Y %I:%M:%S%p"),
    lambda at: f"{at:%Y-%m-%d %H:%M:%S} UT",
)


def draw_moment(rng: Random, turns: Sequence[datetime]) -> datetime:
    """A moment on a turn of some rules, just before or after it, some years later, or any."""
    chance = rng.random()
    if turns and chance < _SHARE_NEAR:
        return rng.choice(turns) + rng.choice((-1, 1)) * rng.choice(_STEPS)
    if turns and chance < _SHARE_NEAR + _SHARE_LATER:
        return rng.choice(turns) + timedelta(seconds=rng.randrange(_LATER))
    return _FIRST + timedelta(seconds=rng.randrange(int((_LAST - _FIRST).total_seconds())))


def written(rng: Random, at: datetime, keywords: Sequence[str]) -> dict[str, str]:
    """A moment as the values of one or two keywords; sometimes as junk."""
    if len(keywords) != 2:
        return dict.fromkeys(keywords, _whole(rng, at))
    date, time = at.strftime("%Y-%m-%d"), at.time().isoformat()
    if rng.random() >= _SHARE_ISO:
        date, time = rng.choice((*[_date] * 6, _whole))(rng, at), _time(rng, at)
    if rng.random() < _SHARE_JUNK:
        date = rng.choice(JUNK)
    if rng.random() < _SHARE_JUNK:
        time = rng.choice(JUNK_TIMES)
    return dict(zip(keywords, (date, time), strict=True))


def _date(rng: Random, at: datetime) -> str:
    return rng.choice(_DATES)(at)


def _time(rng: Random, at: datetime) -> str:
    return rng.choice(_TIMES)(at)


def _whole(rng: Random, at: datetime) -> str:
    if rng.random() < _SHARE_JUNK:
        return rng.choice(JUNK)
    if rng.random() < _SHARE_ISO:
        return at.isoformat(" ")
    if rng.random() < 0.5:
        return f"{_date(rng, at)} {_time(rng, at)}"
    return rng.choice(_WHOLE)(at)
