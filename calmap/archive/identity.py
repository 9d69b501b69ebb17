"""What the rows of a table are called."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from calmap.archive.tables.columns import text_values
from calmap.archive.tables.reading import Partition
from calmap.errors import HeaderError, UsageError

USUAL = (
    *("dataset", "dataset_id", "filename", "file_name", "path", "file", "rootname", "product_id"),
    *("meta.filename", "productfilename", "filesetname", "sci_data_set_name", "obs_id", "observationid"),
)
"""Names of columns that identify datasets, in order of preference; case does not matter."""
FALLBACK = "dataset"


def identity_column(columns: Sequence[str], wanted: str | None) -> str | None:
    """The column that identifies datasets, or None if there is none of the usual names.

    Parameters
    ----------
    columns
        Names of all columns.
    wanted
        The one that the user names.

    Raises
    ------
    UsageError
        If there is no column of that name.
    """
    if wanted in columns:
        return wanted
    known = {name.lower(): name for name in reversed(columns)}
    if wanted is not None:
        if wanted.lower() not in known:
            raise UsageError(f"there is no column '{wanted}'", f"there are {listed(columns)}")
        return known[wanted.lower()]
    return next((known[name] for name in USUAL if name in known), None)


def identities(partition: Partition, batch: pa.RecordBatch, first: int, column: str | None) -> pa.Array:
    """Names of the rows of a batch.

    Parameters
    ----------
    partition, batch
        The rows and where they are from.
    first
        How many rows of the file come before.
    column
        The one that identifies them; where it says nothing, or is None, it is done by the file and the number
        of the row, from 1.

    Raises
    ------
    HeaderError
        If the cells of the column are lists or the like.
    """
    numbers = pa.array(np.arange(first + 1, first + 1 + batch.num_rows)).cast(pa.string())
    places = pc.binary_join_element_wise(pa.scalar(partition.place), numbers, ":")
    if column in batch.schema.names:
        return pc.coalesce(text_values(batch.column(column)), places)
    if column in partition.columns:
        raise HeaderError(f"column '{column}' of {partition.place} can't name datasets: it has no texts")
    return places


def listed(names: Sequence[str], most: int = 12) -> str:
    """Names, of which the first are shown, for messages."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}" if names else "none"
