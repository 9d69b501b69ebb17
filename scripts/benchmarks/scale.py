"""`scripts/bench scale`: what it takes to ask about an archive, beside crds."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import reference
from benchmarks.ratios import as_json, duration, table
from benchmarks.scale_growth import COMMAND, SIZES, Growth, grow, is_linear
from benchmarks.scale_tasks import NAMES, Bench
from benchmarks.timing import Result, measure

CORPUS = Path(__file__).resolve().parent.parent.parent.parent / "shared" / "corpus"
GROWTH = "growth"
_MILLION = 1_000_000
_MOST_MEGABYTES = 1000.0
_BOUNDED = "table"


def main(arguments: Sequence[str]) -> int:
    options = _parse(arguments)
    if not reference.installed():
        print(f"crds is missing: .venv/bin/python -m pip install crds=={reference.VERSION}", file=sys.stderr)
        return 3
    if not options.corpus.is_dir():
        print(f"{options.corpus} is not there; name the folder of the corpus with --corpus", file=sys.stderr)
        return 3
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.scratch)))
        bench = _bench(options, scratch)
        results, found = _measured(bench, options)
    memory = {name: max(said["megabytes"] for said in runs) for name, runs in bench.looked_up.items()}
    if options.json:
        print(json.dumps(_as_json(results, found, bench), indent=2, ensure_ascii=False))
    else:
        _show(results, found, bench, memory)
    bounded = memory.get(_BOUNDED, 0.0) <= _MOST_MEGABYTES
    return 0 if bounded and is_linear(found) and all(result.passed for result in results) else 1


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench scale",
        description="Measure opening the compiled store, single headers and tables, in turn with crds, by "
        "medians; and how the time for a table grows.",
    )
    parser.add_argument(
        "--corpus", type=Path, default=CORPUS, help="folder with crds-cache/, cases/ and files/"
    )
    parser.add_argument(
        "--only", action="append", choices=(*NAMES, GROWTH), help="measure this alone; may be repeated"
    )
    parser.add_argument(
        "--rows", type=int, default=SIZES[-1], metavar="N", help=f"of the largest table ({SIZES[-1]})"
    )
    parser.add_argument(
        "--workers",
        type=int,
        nargs="*",
        default=[1, 2],
        metavar="N",
        help="workers for the largest table (1 2)",
    )
    parser.add_argument(
        "--repetitions", type=int, default=5, metavar="N", help="of each task, 5 if not given"
    )
    parser.add_argument("--scratch", type=Path, help="folder for tables of some 100 MB")
    parser.add_argument("--json", action="store_true", help="print every measurement as JSON")
    options = parser.parse_args(arguments)
    if options.repetitions < 1 or options.rows < 1:
        parser.error("numbers must be at least 1")
    return options


def _bench(options: argparse.Namespace, scratch: Path) -> Bench:
    """Everything in place, with a store that holds all that is asked for."""
    store = scratch / "store"
    os.environ["CALMAP_STORE"] = str(store)
    crds = reference.Reference(options.corpus / "crds-cache")
    bench = Bench(options.corpus, scratch, store, crds, min(_MILLION, options.rows))
    bench.warm()
    return bench


def _measured(bench: Bench, options: argparse.Namespace) -> tuple[list[Result], list[Growth]]:
    results = []
    for task in bench.tasks(options.only or NAMES):
        print(f"measuring: {task.what}", file=sys.stderr)
        results.append(measure(task, options.repetitions))
    found = []
    if GROWTH in (options.only or (GROWTH,)):
        for growth in grow(bench.cache, bench.scratch, bench.store, options.rows, options.workers):
            print(f"measured: {growth.rows:,} rows in {growth.seconds:.1f} s", file=sys.stderr)
            found.append(growth)
    return results, found


def _show(
    results: Sequence[Result], found: Sequence[Growth], bench: Bench, memory: Mapping[str, float]
) -> None:
    console = Console()
    if results:
        console.print(table(results))
    for name, runs in bench.looked_up.items():
        last = runs[-1]
        verdict = f", {'pass' if memory[name] <= _MOST_MEGABYTES else 'MISS'}" if name == _BOUNDED else ""
        required = f" (≤ {_MOST_MEGABYTES:.0f} MB{verdict})" if verdict else ""
        console.print(
            f"{name}: {last['rows']:,} rows × {last['types']} types, {last['found']:.0%} with a file, in "
            f"{last['seconds']:.2f} s ({duration(last['opening'])} to open the context), at most "
            f"{memory[name]:.0f} MB{required}",
            highlight=False,
            soft_wrap=True,
        )
    if found:
        console.print(_growth_table(found))
        console.print(COMMAND, highlight=False, markup=False, soft_wrap=True)
    console.print(f"printed by scripts/bench scale {' '.join(sys.argv[2:])}", highlight=False)


def _growth_table(found: Sequence[Growth]) -> Table:
    load = f"load of the last minute: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    shown = Table(
        title="exposures of ACS, all types, whole process",
        caption=f"in proportion to the rows or better: {'pass' if is_linear(found) else 'MISS'}; {load}",
    )
    for column in ("rows", "workers", "time", "processor", "rows a second", "memory"):
        shown.add_column(column, justify="right")
    for growth in found:
        shown.add_row(
            f"{growth.rows:,}",
            str(growth.workers or "none"),
            duration(growth.seconds),
            duration(growth.processor),
            f"{growth.rate:,.0f}",
            f"{growth.megabytes:.0f} MB",
        )
    return shown


def _as_json(results: Sequence[Result], found: Sequence[Growth], bench: Bench) -> dict[str, object]:
    return {
        "ratios": [as_json(result) for result in results],
        "tables": bench.looked_up,
        "growth": [growth._asdict() for growth in found],
        "linear": is_linear(found),
    }
