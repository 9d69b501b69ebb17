"""Generated headers of a context, answered in all ways, by several processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, TypeVar

from calmap.bestref import Cache
from tabulation.answers import Tally, Witness, compare
from tabulation.columns import tabulate
from tabulation.population import Population

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 1000
_ALIKE = 12
_WAYS, _SOME_TYPES, _TWO_CHUNKS, _TWO_BATCHES = 4, 1, 2, 3
_Job = TypeVar("_Job")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Batch:
    """Some generated headers of a context; the same batch always has the same.

    Parameters
    ----------
    cache, context
        Where the rules are.
    interpreted
        Whether the plain interpreter is asked too.
    seed, number, size
        Which headers.
    """

    cache: Path
    context: str
    interpreted: bool
    seed: int
    number: int
    size: int

    @property
    def rng(self) -> Random:
        """The source of what is random in it."""
        return Random(f"{self.seed}/{self.context}/{self.number}")

    @property
    def layout(self) -> Random:
        """The source of how its columns are named, which some batches in a row have in common."""
        return Random(f"{self.seed}/{self.context}/layout/{self.number // _ALIKE}")


def batches(
    cache: Path, context: str, headers: int, seed: int, *, interpreted: bool = True
) -> Iterator[Batch]:
    """As many headers as are wanted, in batches."""
    for number, start in enumerate(range(0, headers, BATCH)):
        yield Batch(cache, context, interpreted, seed, number, min(BATCH, headers - start))


class Examiner:
    """A context opened once in a process, for many batches."""

    def __init__(self, cache: Path, name: str, *, interpreted: bool) -> None:
        from calmap.bestref.tables import TableSelector

        self.context = Cache(cache).context(name)
        self.population = Population(self.context)
        self._witness = Witness(self.context, interpreted=interpreted)
        self._selector = TableSelector(self.context)

    def examine(self, batch: Batch) -> Tally:
        """Answer a batch in all ways."""
        rng = batch.rng
        headers = [self.population.draw(rng) for _ in range(batch.size)]
        table, asked = tabulate(headers, self.context.observatory, rng, batch.layout), None
        if batch.number % _WAYS == _SOME_TYPES:
            types = self.context.reftypes()
            asked = rng.sample(types, 1 + len(types) // 5)
        answers = self._answers(batch.number % _WAYS, table, asked, rng.randrange(batch.size))
        return compare(self._witness, table, answers, asked)

    def _answers(self, way: int, table: pa.Table, asked: list[str] | None, cut: int) -> pa.Table:
        """Answers by one selector for all batches or a new one, to a table in one piece or in two."""
        import pyarrow as pa

        if way == _SOME_TYPES:
            return self.context.bestrefs_table(table, asked)
        if way == _TWO_CHUNKS:
            return self.context.bestrefs_table(pa.concat_tables([table.slice(0, cut), table.slice(cut)]))
        if way == _TWO_BATCHES:
            (whole,) = table.combine_chunks().to_batches()
            parts = [self._selector.select(part) for part in (whole.slice(0, cut), whole.slice(cut))]
            return pa.Table.from_batches(parts, self._selector.schema)
        return self._selector.select(table)


@lru_cache(maxsize=2)
def _examiner(cache: Path, name: str, *, interpreted: bool) -> Examiner:
    return Examiner(cache, name, interpreted=interpreted)


def examine(batch: Batch) -> Tally:
    """Answer a batch in all ways, in whichever process."""
    return _examiner(batch.cache, batch.context, interpreted=batch.interpreted).examine(batch)


def spread(work: Callable[[_Job], _Result], jobs: Iterator[_Job], processes: int) -> Iterator[_Result]:
    """Results in the order of the jobs, by several processes if more than one is wanted."""
    if processes == 1:
        yield from map(work, jobs)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, jobs)
