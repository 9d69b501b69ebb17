"""References for many insertions: each with a rule or a date of its own."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from astropy.io import fits


class Kind(NamedTuple):
    """One of the references of the demonstration cache, and what a rule that it could have has instead.

    Parameters
    ----------
    template
        The file, below ``references/ligeriri``.
    keyword, values
        A keyword and the values it gets in turn.
    """

    template: str
    keyword: str
    values: tuple[str, ...]


KINDS = (
    Kind("iris/IRIS_IMG1_FLAT_20240924T000000_0.0.1.fits", "FILTER", ("Y", "J", "H", "CO")),
    Kind("iris/IRIS_IMG1_DARK_20250312T003000_0.0.1.fits", "READMODE", ("MCDS",)),
    Kind("iris/IRIS_IMG2_DQ_20240901T000000_0.0.1.fits", "DETECTOR", ("IMG2", "IMG3", "IMG4")),
    Kind("liger/Liger_IMG_FLAT_20240924T000000_0.0.1.fits", "FILTER", ("Y", "J", "H")),
)
_FIRST = datetime(2026, 1, 1)


def write_references(source: Path, folder: Path, count: int) -> tuple[Path, ...]:
    """Files to insert, of several types and two instruments, whatever their number."""
    return tuple(_written(source / "references" / "ligeriri", folder, number) for number in range(count))


def _written(references: Path, folder: Path, number: int) -> Path:
    kind = KINDS[number % len(KINDS)]
    turn = number // len(KINDS)
    since = (_FIRST + timedelta(days=turn)).isoformat()
    stem = "_".join(Path(kind.template).name.split("_")[:3])
    path = folder / f"{stem}_CROWD{number:04d}_0.0.1.fits"
    with fits.open(references / kind.template) as file:
        header = file[0].header
        header[kind.keyword] = kind.values[turn % len(kind.values)]
        header.update(FILENAME=path.name, USEAFTER=since)
        file.writeto(path)
    return path
