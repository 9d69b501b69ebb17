"""The bar appears when it takes long, and only on a terminal."""

import re
from io import StringIO

import pytest
from rich.console import Console

from calmap.cli import progress
from calmap.cli.progress import track


def shown(monkeypatch, patience, *, terminal, items="abc"):
    monkeypatch.setattr(progress, "_PATIENCE", patience)
    output = StringIO()
    console = Console(file=output, force_terminal=terminal, width=80)
    assert list(track(items, "Checking", console)) == ["a", "b", "c"]
    return output.getvalue()


@pytest.mark.parametrize(
    ("patience", "terminal", "expected"), [(-1, True, True), (60, True, False), (-1, False, False)]
)
def test_bar(monkeypatch, patience, terminal, expected):
    assert ("Checking" in shown(monkeypatch, patience, terminal=terminal)) == expected


def test_a_length_gives_percentages_and_no_length_a_count(monkeypatch):
    known = shown(monkeypatch, -1, terminal=True)
    unknown = shown(monkeypatch, -1, terminal=True, items=iter("abc"))

    assert "%" in known
    assert "%" not in unknown
    assert re.search(r" 3 0:00:00", re.sub(r"\x1b\[[0-9;]*m", "", unknown))


def test_items_are_taken_one_by_one(monkeypatch):
    taken = []
    console = Console(file=StringIO(), force_terminal=True, width=80)
    for item in track((taken.append(number) or number for number in range(3)), "Checking", console):
        assert taken == list(range(item + 1))


def test_nothing_is_shown_without_a_console():
    assert list(track((1, 2), "Checking", None)) == [1, 2]


def test_bar_is_taken_away_on_an_error(monkeypatch):
    monkeypatch.setattr(progress, "_PATIENCE", -1)
    output = StringIO()
    console = Console(file=output, force_terminal=True, width=80)

    def work():
        for _ in track((1, 2), "Checking", console):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    hidden, visible = (output.getvalue().rfind(f"\x1b[?25{letter}") for letter in "lh")
    assert 0 <= hidden < visible
