"""Archives to ask about: headers of exposures as Parquet files with columns of plain strings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from tabulation.population import InstrumentHeaders, Population

from calmap.bestref import Context

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.random import Generator

CONFIGURATIONS = 5000
GROUP = 100_000
_SHARE_SKIPPED = 0.2
_EPOCH = datetime(1970, 1, 1)
_MISSION = (datetime(2002, 3, 1), datetime(2020, 1, 1))


class Archive:
    """Exposures of one instrument: some thousands of configurations, each used at many moments.

    Parameters
    ----------
    context, instrument
        Whose rules tell which values there are.
    independent
        Draw each keyword by itself, so that nearly every exposure has a configuration of its own.
    configurations
        How many there are, if not.
    """

    def __init__(
        self,
        context: Context,
        instrument: str,
        *,
        independent: bool = False,
        configurations: int = CONFIGURATIONS,
    ) -> None:
        self._headers = Population(context, [instrument]).instruments[instrument]
        self._fixed = {context.observatory.instrument_keywords[0]: instrument.upper()}
        self._configurations, rng = configurations, Random(instrument)
        self._drawn = (
            {}
            if independent
            else _columns([_configuration(self._headers, rng) for _ in range(configurations)])
        )

    def write(self, path: Path, rows: int) -> Path:
        """Write a table of so many rows, unless it is there."""
        if not path.exists():
            import numpy as np
            from pyarrow import parquet

            rng = np.random.default_rng(rows)
            schema = self._table(rng, 0, 0).schema
            with parquet.ParquetWriter(path, schema) as writer:
                for start in range(0, rows, GROUP):
                    writer.write_table(self._table(rng, start, min(GROUP, rows - start)))
        return path

    def _table(self, rng: Generator, start: int, rows: int) -> pa.Table:
        import pyarrow as pa

        columns = {
            "ROOTNAME": pa.array([f"j{number:08d}" for number in range(start, start + rows)], pa.string())
        }
        columns |= {name: pa.array([value] * rows, pa.string()) for name, value in self._fixed.items()}
        choice = rng.integers(0, self._configurations, rows)
        for name in self._names():
            values = self._drawn.get(name) or list(self._headers.known[name])
            picked = choice if self._drawn else rng.integers(0, len(values), rows)
            columns[name] = pa.array(values, pa.string()).take(pa.array(picked))
        return pa.table(columns | _dates(rng, rows, self._headers.dates))

    def _names(self) -> Iterator[str]:
        dated = {name for names in self._headers.dates for name in names}
        yield from (name for name, values in self._headers.known.items() if values and name not in dated)


def exposures(context: Context, count: int, seed: str) -> list[dict[str, str]]:
    """Headers of exposures of all instruments, all different, with dates as files write them."""
    population, rng = Population(context), Random(seed)
    instruments = {name: headers for name, headers in population.instruments.items() if headers.dates}
    return [_exposure(context, *rng.choice(sorted(instruments.items())), rng) for _ in range(count)]


def sample(path: Path, count: int) -> list[dict[str, str]]:
    """Some rows of a table as headers."""
    from pyarrow import parquet

    group = parquet.ParquetFile(path).read_row_group(0)
    rows: list[dict[str, Any]] = group.slice(0, count).to_pylist()
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def _configuration(headers: InstrumentHeaders, rng: Random) -> dict[str, str]:
    """Values of an exposure, most of whose steps are to be performed."""
    header, _ = headers.configuration(rng)
    switches = [name for name in header if name.endswith("CORR")]
    return header | {name: "OMIT" if rng.random() < _SHARE_SKIPPED else "PERFORM" for name in switches}


def _exposure(context: Context, name: str, headers: InstrumentHeaders, rng: Random) -> dict[str, str]:
    header = _configuration(headers, rng)
    first, last = _MISSION
    at = first + timedelta(seconds=rng.randrange(int((last - first).total_seconds())))
    for names in headers.dates:
        header |= dict(zip(names, at.isoformat(" ").split(" ", len(names) - 1), strict=True))
    return header | {context.observatory.instrument_keywords[0]: name.upper()}


def _columns(headers: Sequence[Mapping[str, str]]) -> dict[str, list[str | None]]:
    names = sorted({name for header in headers for name in header})
    return {name: [header.get(name) for header in headers] for name in names}


def _dates(rng: Generator, rows: int, keywords: Sequence[tuple[str, ...]]) -> dict[str, pa.Array]:
    import numpy as np
    import pyarrow as pa

    first, last = (int((moment - _EPOCH).total_seconds()) for moment in _MISSION)
    moments = rng.integers(first, last, rows).astype("datetime64[s]")
    words = np.datetime_as_string(moments) if rows else np.array([], "U19")
    days, times = (
        pa.array([word[part] for word in words.tolist()], pa.string()) for part in (slice(10), slice(11, 19))
    )
    return {
        name: array
        for names in keywords
        if len(names) == 2
        for name, array in zip(names, (days, times), strict=True)
    }
