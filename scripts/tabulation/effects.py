"""Whether `calmap affected` says of two contexts what asking both about each header says."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from calmap.bestref import Cache
from calmap.bestref.affected import Affected, ContextPair
from calmap.errors import HeaderError
from tabulation.answers import header_rows
from tabulation.columns import tabulate
from tabulation.population import Population
from tabulation.proof import spread
from tabulation.successor import GIVEN, copied, succeed

if TYPE_CHECKING:
    import pyarrow as pa

CONTEXT = "hst_0729.pmap"
DATASET = "DATASET"
ROWS = 5000
_SHOWN = 5


class Part(NamedTuple):
    """Generated headers in a file of their own.

    Parameters
    ----------
    cache, old, new
        The contexts.
    path
        The table.
    seed, start, rows
        Which headers.
    """

    cache: Path
    old: str
    new: str
    path: Path
    seed: int
    start: int
    rows: int


@dataclass(frozen=True, slots=True)
class Effects:
    """What was compared.

    Parameters
    ----------
    old, new, headers
        The contexts and how many headers they were asked with.
    wanted, given
        What asking both says, and what the program says.
    """

    old: str
    new: str
    headers: int
    wanted: frozenset[Affected]
    given: frozenset[Affected]

    @property
    def same(self) -> bool:
        """True if the program says just what asking both says, and if it says anything."""
        return self.wanted == self.given and bool(self.wanted)

    def __str__(self) -> str:
        types = Counter(item.reftype for item in self.wanted)
        datasets = len({item.dataset for item in self.wanted})
        lines = [
            f"affected {self.old} {self.new}: {self.headers:,} headers, {datasets:,} get another file: "
            f"{', '.join(f'{count:,} {name}' for name, count in sorted(types.items()))}; "
            f"{len(self.wanted ^ self.given)} differences"
        ]
        lines += _shown("not told", self.wanted - self.given)
        lines += _shown("wrongly told", self.given - self.wanted)
        return "\n".join(lines)


def examine_affected(corpus: Path, headers: int, seed: int, jobs: int) -> Effects:
    """Make a successor, generate headers, and ask the program and both contexts."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        cache = copied(corpus / "crds-cache", folder / "cache")
        new = succeed(cache, CONTEXT, [corpus / GIVEN], folder, Random(seed))
        tables = folder / "headers"
        tables.mkdir()
        parts = _parts(cache, new, tables, seed, headers)
        wanted = frozenset(item for found in spread(_one_by_one, parts, jobs) for item in found)
        return Effects(CONTEXT, new, headers, wanted, frozenset(_told(cache, new, tables)))


def _parts(cache: Path, new: str, tables: Path, seed: int, headers: int) -> Iterator[Part]:
    for start in range(0, headers, ROWS):
        path = tables / f"{start:09d}.parquet"
        yield Part(cache, CONTEXT, new, path, seed, start, min(ROWS, headers - start))


@lru_cache(maxsize=1)
def _opened(cache: Path, old: str, new: str) -> tuple[Population, ContextPair]:
    opened = Cache(cache)
    pair = ContextPair(opened.context(old), opened.context(new))
    return Population(pair.new), pair


def _one_by_one(part: Part) -> tuple[Affected, ...]:
    """Write the headers of a part, and ask both contexts about each."""
    import pyarrow as pa
    from pyarrow import parquet

    population, pair = _opened(part.cache, part.old, part.new)
    rng = Random(f"{part.seed}/affected/{part.start}")
    table = tabulate([population.draw(rng) for _ in range(part.rows)], pair.old.observatory, rng)
    names = [f"d{part.start + row:09d}" for row in range(part.rows)]
    parquet.write_table(_exact(table).append_column(DATASET, pa.array(names, pa.string())), part.path)
    rows = header_rows(parquet.read_table(part.path))
    return tuple(item for row in rows for item in _affected(pair, row))


def _exact(table: pa.Table) -> pa.Table:
    """The table with columns whose values Python writes as the reader of tables does."""
    import pyarrow as pa

    other = {pa.float32(): pa.float64(), pa.timestamp("us"): pa.string()}
    return table.cast(
        pa.schema([field.with_type(other.get(field.type, field.type)) for field in table.schema])
    )


def _affected(pair: ContextPair, row: Mapping[str, object]) -> tuple[Affected, ...]:
    try:
        return pair.affected(str(row[DATASET]), row)
    except HeaderError:
        return ()


def _told(cache: Path, new: str, tables: Path) -> Iterator[Affected]:
    """What the program says."""
    from pyarrow import parquet

    out = tables.with_name("affected.parquet")
    program = str(Path(sys.executable).with_name("calmap"))
    words = [program, "affected", CONTEXT, new, "--cache", str(cache), "--table", str(tables), "-o", str(out)]
    done = subprocess.run([*words, "--quiet"], capture_output=True, text=True)
    if done.returncode not in (0, 1) or not out.exists():
        raise RuntimeError(f"{' '.join(words)} failed:\n{done.stderr[-2000:]}")
    for row in parquet.read_table(out).to_pylist():
        yield Affected(row["dataset"], row["type"], row["old"], row["new"])


def _shown(what: str, items: Iterable[Affected]) -> list[str]:
    return [
        f"  {what}: {item.dataset} {item.reftype}: {item.old} → {item.new}"
        for item in islice(sorted(items), _SHOWN)
    ]
