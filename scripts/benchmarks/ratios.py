"""Results of comparisons as a table, and as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from rich.table import Table

from benchmarks.timing import Result


def table(results: Sequence[Result]) -> Table:
    """What both took, and how many times faster calmap is."""
    shown = Table(title="calmap and crds, medians", caption="the ratio is how many times faster calmap is")
    shown.add_column("task")
    for column in ("calmap", "crds", "ratio", "required", ""):
        shown.add_column(column, justify="right")
    for result in results:
        bar = result.task.bar
        shown.add_row(
            result.task.what,
            duration(statistics.median(result.calmap)),
            duration(statistics.median(result.crds)),
            f"{result.ratio:.1f}×",
            "" if bar is None else f"≥ {bar:g}×",
            "" if bar is None else "pass" if result.passed else "MISS",
        )
    return shown


def duration(seconds: float) -> str:
    """A time with the unit that suits it."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds * 1e6:.0f} µs" if seconds >= 1e-5 else f"{seconds * 1e6:.2f} µs"


def as_json(result: Result) -> dict[str, object]:
    """Every time measured."""
    return {
        "task": result.task.name,
        "what": result.task.what,
        "calmap": result.calmap,
        "crds": result.crds,
        "ratio": result.ratio,
        "required": result.task.bar,
        "passed": result.passed,
    }
