"""The bar appears when it takes long, and only on a terminal."""

from io import StringIO

import pytest
from rich.console import Console

from calmap.cli import progress
from calmap.cli.progress import track


def shown(monkeypatch, patience, *, terminal):
    monkeypatch.setattr(progress, "_PATIENCE", patience)
    output = StringIO()
    console = Console(file=output, force_terminal=terminal, width=80)
    assert list(track("abc", "Checking", console)) == ["a", "b", "c"]
    return output.getvalue()


@pytest.mark.parametrize(
    ("patience", "terminal", "expected"), [(-1, True, True), (60, True, False), (-1, False, False)]
)
def test_bar(monkeypatch, patience, terminal, expected):
    assert ("Checking" in shown(monkeypatch, patience, terminal=terminal)) == expected


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
