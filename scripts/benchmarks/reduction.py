"""`scripts/bench reduce`: what the reduction takes, beside public packages."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import reduction_peers
from benchmarks.measuring import OURS, Result, measure
from benchmarks.reduction_tasks import NAMES, tasks


def main(arguments: Sequence[str]) -> int:
    options = _parse(arguments)
    if gone := reduction_peers.missing():
        print(f"missing: {', '.join(gone)}; .venv/bin/python -m pip install -e '.[bench]'", file=sys.stderr)
        return 3
    results = []
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        for task in tasks(Path(scratch), options.only or NAMES):
            print(f"measuring: {task.what}", file=sys.stderr)
            results.append(measure(task, options.repetitions))
    if options.json:
        print(json.dumps([_as_json(result) for result in results], indent=2, ensure_ascii=False))
    else:
        console = Console()
        console.print(_table(results))
        for result in results:
            if result.note:
                console.print(f"{result.task.what}: {result.note}", highlight=False)
    return 0 if all(result.passed for result in results) else 1


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench reduce",
        description="Measure the reduction, in turn with public packages, by medians.",
    )
    parser.add_argument("--only", action="append", choices=NAMES, help="measure this alone; may be repeated")
    parser.add_argument(
        "--repetitions", type=int, default=5, metavar="N", help="of each task, 5 if not given"
    )
    parser.add_argument("--scratch", type=Path, help="folder for some GB of files")
    parser.add_argument("--json", action="store_true", help="print every measurement as JSON")
    options = parser.parse_args(arguments)
    if options.repetitions < 1:
        parser.error("--repetitions must be at least 1")
    return options


def _table(results: Sequence[Result]) -> Table:
    load = os.getloadavg()[0]
    shown = Table(
        title=f"The reduction on {os.cpu_count()} processors, medians",
        caption=f"load of the last minute: {load:.1f}; the ratio is how many times longer others take",
    )
    shown.add_column("task")
    for column in ("seconds", "processor", "memory", "ratio", "required", ""):
        shown.add_column(column, justify="right")
    for result in results:
        size = f"{result.megabytes:.0f} MB" if result.megabytes else ""
        verdict = ("pass" if result.passed else "MISS") if result.bars else ""
        times = (_seconds(result.seconds()), _seconds(result.processor()))
        shown.add_row(result.task.what, *times, size, "", result.bars, verdict)
        for peer in result.task.peers:
            size = max(sample.megabytes for sample in result.samples[peer])
            shown.add_row(
                f"  {peer}",
                _seconds(result.seconds(peer)),
                _seconds(result.processor(peer)),
                f"{size:.0f} MB" if size else "",
                f"{result.ratio(peer):.1f}×",
            )
    return shown


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s"


def _as_json(result: Result) -> dict[str, object]:
    return {
        "task": result.task.name,
        "what": result.task.what,
        OURS: [sample._asdict() for sample in result.samples[OURS]],
        "peers": {peer: [sample._asdict() for sample in result.samples[peer]] for peer in result.task.peers},
        "ratios": {peer: result.ratio(peer) for peer in result.task.peers},
        "required": result.bars,
        "passed": result.passed,
        "note": result.note,
    }
