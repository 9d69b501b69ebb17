"""The bar of the commands that reduce."""

import time
from io import StringIO
from pathlib import Path

from rich.console import Console

from calmap.cli import reducing
from calmap.cli.reducing import StepBar
from reduce.steps import STEPS

FIT = STEPS["ramp_fit"]


def shown(console):
    return console.file.getvalue()


def terminal():
    return Console(file=StringIO(), force_terminal=True, width=200, markup=False)


def wait_for(condition):
    end = time.monotonic() + 5
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_code_that_is_being_compiled_is_told_of(monkeypatch):
    monkeypatch.setattr(reducing, "_PATIENCE", 0.05)
    console = terminal()
    with StepBar(console).of(Path("a[red]\nb.fits")) as bar:
        bar.begun(FIT)
        bar.rows(0, 100)
        assert wait_for(lambda: "may be compiling, once after installation" in shown(console))
        bar.rows(50, 100)
        assert bar.bar.tasks[0].description == FIT.title
        bar.begun(FIT)
        bar.rows(0, 100)
        assert bar.waiting is None
    assert r"a[red]\nb.fits" in shown(console)


def test_nothing_is_told_where_work_goes_on_at_once(monkeypatch):
    monkeypatch.setattr(reducing, "_PATIENCE", 0.3)
    console = terminal()
    with StepBar(console) as bar:
        bar.begun(FIT)
        bar.rows(0, 100)
        bar.rows(1, 100)
        time.sleep(0.4)
    assert "compiling" not in shown(console)


def test_nothing_is_told_without_a_terminal(monkeypatch):
    monkeypatch.setattr(reducing, "_PATIENCE", 0.01)
    console = Console(file=StringIO(), force_terminal=False)
    with StepBar(console) as bar:
        bar.begun(FIT)
        bar.rows(0, 100)
        assert bar.waiting is None
    assert shown(console) == ""
