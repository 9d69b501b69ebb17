"""Looks up a Parquet file in a process of its own, on one processor: CACHE CONTEXT INSTRUMENT FILE."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def main() -> None:
    root, name, instrument, path = sys.argv[1:]
    _on_one_processor()
    print(json.dumps(_looked_up(root, name, instrument, path)))


def _on_one_processor() -> None:
    import pyarrow as pa

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)


def _looked_up(root: str, name: str, instrument: str, path: str) -> dict[str, float]:
    """Answer every row for every type of an instrument; the clock runs from opening the cache."""
    from calmap import Cache
    from calmap.archive.tables.reading import open_tables
    from calmap.bestref.tables import TableSelector

    start = time.perf_counter()
    selector = TableSelector(Cache(root).context(name), instruments=(instrument,))
    opened = time.perf_counter()
    rows = files = 0
    tables = open_tables([path])
    columns = selector.columns_needed(tables.columns)
    for partition in tables.partitions():
        for batch in partition.batches(columns):
            answers = selector.select(batch)
            rows += answers.num_rows
            files += sum(answers.num_rows - answers.column(name).null_count for name in selector.reftypes)
    end = time.perf_counter()
    return {
        "rows": rows,
        "types": len(selector.reftypes),
        "found": files / max(1, rows * len(selector.reftypes)),
        "opening": opened - start,
        "seconds": end - start,
        "megabytes": peak_megabytes(),
    }


def peak_megabytes() -> float:
    """The most memory this process has had since its program was started."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(
            int(line.split()[1]) * 1024 / 1e6
            for line in status.read_text().splitlines()
            if line.startswith("VmHWM")
        )
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 1e6 if sys.platform == "darwin" else used * 1024 / 1e6


if __name__ == "__main__":
    main()
