"""Tables of headers in every format, and archives to ask about."""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
from astropy.io import fits
from astropy.table import Table
from deliveries import CHECKOUT, calmap

from calmap.bestref import Cache, Context
from calmap.cache.layout import Layout
from calmap.cache.snapshots import FolderState
from calmap.compare.contexts import closure
from calmap.headers.reading import read_header

sys.path.insert(0, str(CHECKOUT / "scripts"))
Headers: Any = import_module("equivalence.headers").Headers
sys.path.pop(0)

FORMATS = (".parquet", ".csv", ".ecsv", ".fits", ".fits.gz", ".arrow", ".feather")
Header = Mapping[str, str]

ACS = {"INSTRUME": "ACS", "DETECTOR": "WFC", "CCDAMP": "ABCD", "CCDGAIN": 2.0}
WFC3 = {"INSTRUME": "WFC3", "DETECTOR": "UVIS"}
STIS = {
    "INSTRUME": "STIS",
    "DETECTOR": "CCD",
    "CCDAMP": "D",
    "CCDGAIN": 1.0,
    "CCDOFFST": 3,
    "BINAXIS1": 1,
    "BINAXIS2": 1,
}
INSERTED = (
    ("darkfile", ACS, "Jun 04 2012 00:00:00"),
    ("idctab", WFC3, "Jun 04 2014 00:00:00"),
    ("biasfile", STIS, "Jun 04 2011 00:00:00"),
)
"""References that the successor of hst_0729.pmap has."""


def table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows with a column of text for each keyword that any of them has."""
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in names})


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write a table in the format that its name says."""
    whole = table(rows)
    if path.suffix == ".parquet":
        pq.write_table(whole, path, row_group_size=7)
    elif path.suffix in (".arrow", ".feather"):
        pyarrow.feather.write_feather(whole, path, compression="zstd", chunksize=5)
    else:
        cells = [[cell or "" for cell in column] for column in whole.to_pydict().values()]
        astropy = Table(cells, names=whole.column_names, dtype=["str"] * len(cells))
        kinds = {".csv": "ascii.csv", ".ecsv": "ascii.ecsv"}
        astropy.write(path, **({"format": kinds[path.suffix]} if path.suffix in kinds else {}))
    return path


def exposures() -> list[dict[str, str]]:
    """Headers of the exposures of the demonstration cache."""
    found = []
    for path in sorted((CHECKOUT / "exposures").iterdir()):
        header = read_header(path)
        del header["HISTORY"]
        found.append({"dataset": path.name.partition("_LVL")[0], **header})
    return found


def hst_successor(folder: Path, corpus: Path) -> Cache:
    """A cache with hst_0729.pmap and hst_0732.pmap, made by inserting references."""
    source = corpus / "crds-cache"
    snapshot = FolderState(Layout(source)).snapshot("hst")
    mappings = folder / "cache" / "mappings" / "hst"
    mappings.mkdir(parents=True)
    for name in closure(snapshot, "hst_0729.pmap"):
        place = snapshot.path(name)
        assert place is not None
        shutil.copy(place, mappings / name)
    if (source / "config").is_dir():
        shutil.copytree(source / "config", folder / "cache" / "config")
    for reftype, keywords, useafter in INSERTED:
        name = f"new_{reftype}.fits"
        header = fits.Header({**keywords, "USEAFTER": useafter, "FILETYPE": reftype, "FILENAME": name})
        fits.PrimaryHDU(header=header).writeto(folder / name)
        done = calmap(
            folder,
            "insert-reference",
            folder / name,
            "--cache",
            folder / "cache",
            "--type",
            reftype,
            "--quiet",
        )
        assert done.exit_code == 0, done.output
    return Cache(folder / "cache")


def generated(context: Context, count: int, seed: int) -> list[dict[str, str]]:
    """Headers drawn from the rules of a context, a few without an instrument that it knows."""
    rng = random.Random(seed)
    sources = {name: list(_sources(context, name)) for name in context.instruments()}
    rows = []
    for number in range(count):
        instrument = rng.choice(list(sources))
        header: dict[str, str] = {}
        for source in rng.sample(sources[instrument], rng.randint(1, len(sources[instrument]))):
            header = {**source.draw(rng), **header}
        odd = {"NIX", "", "UNDEFINED", f" {instrument} "}
        word = instrument.upper() if rng.random() < 0.95 else rng.choice(sorted(odd))
        rows.append({"dataset": f"d{number}", **header, "INSTRUME": word})
        if rng.random() < 0.01:
            del rows[-1]["INSTRUME"]
    return rows


def _sources(context: Context, instrument: str) -> Iterable[Any]:
    for reftype in context.reftypes(instrument):
        reference = context.type_rules(instrument, reftype).reference
        if reference is not None:
            yield Headers(reference)
