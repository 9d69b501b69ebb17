"""A date is read as crds reads it, or refused where crds refuses it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from calmap.model.dates import DateError, parse_date

PROGRAM = Path(__file__).with_name("crds_dates.py")
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture(scope="module")
def ask() -> Iterator[Callable[[str], datetime | None]]:
    """A running crds that is asked for one date after another."""
    if find_spec("crds") is None:
        pytest.skip("the package crds is not installed")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CRDS_")}
    environment["CRDS_PATH"] = str(PROGRAM.parent / "nowhere")
    command = [sys.executable, "-W", "ignore", PROGRAM]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:

        def asked(text: str) -> datetime | None:
            program.stdin.write(json.dumps(text) + "\n")
            program.stdin.flush()
            found = json.loads(program.stdout.readline())
            return found and datetime(*found)

        yield asked


def number(width: int, *usual: int) -> st.SearchStrategy[str]:
    """Mostly a sensible number, sometimes with more or fewer digits than it should have."""
    fitting = st.integers(*usual).map(lambda value: f"{value:0{width}}")
    odd = st.one_of(st.integers(0, 100).map(str), fitting.map("0{}".format))
    return st.integers(0, 19).flatmap(lambda chance: fitting if chance else odd)


def joined(separators: tuple[str, ...], *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(st.sampled_from(separators), *parts).map(lambda drawn: drawn[0].join(drawn[1:]))


YEARS, MONTHS, DAYS = number(4, 1990, 2035), number(2, 1, 12), number(2, 1, 29)
NAMES = st.sampled_from(("Jan", "FEB", "march", "Sept", "December", "Foo"))
DATES = st.one_of(
    joined(("-", "/"), YEARS, MONTHS, DAYS),
    joined(("-", "/"), MONTHS, DAYS, YEARS),
    joined(("-", "/"), DAYS, MONTHS, number(2, 0, 99)),
    joined((" ", "-", "  "), NAMES, st.one_of(DAYS, DAYS.map("{},".format)), YEARS),
    joined((" ", "-"), DAYS, NAMES, YEARS),
    joined(("",), YEARS, MONTHS, DAYS),
)
TIMES = st.one_of(
    joined((":",), number(2, 0, 23), number(2, 0, 59)),
    joined((":",), number(2, 0, 23), number(2, 0, 59), number(2, 0, 59)),
    st.tuples(
        joined((":",), number(2, 0, 23), number(2, 0, 59), number(2, 0, 59)),
        st.sampled_from((".", ":", "")),
        st.integers(0, 999_999).map(str),
    ).map("".join),
)
HALVES = st.sampled_from(("", "", "", "", "AM", "pm", " PM", " Am"))
ENDS = st.sampled_from(("", "", "", "", " UT"))
MOMENTS = st.one_of(
    DATES,
    st.tuples(DATES, st.sampled_from((" ", " ", " ", " ", "T", "  ", ":")), TIMES, HALVES, ENDS).map("".join),
)


@settings(max_examples=1500, deadline=None)
@given(MOMENTS)
@example("2020-01-01 10:00:040")
@example("2020-01-01 010:00")
@example("2020-01-01 10:00:00.1234567")
@example("2020-01-01T10:00")
@example("2020-01-01T10:00:00Z")
@example("Jan 1 2020 12:00AM")
@example("20200101:101010")
def test_dates_are_those_of_crds(ask, text):
    theirs = ask(text)
    try:
        ours = parse_date(text)
    except DateError:
        ours = None

    event("refused" if theirs is None else "read")
    if ours is None or theirs is None:
        assert ours is theirs
    else:
        assert timedelta(0) <= ours - theirs <= MICROSECOND
