"""Answers of rows as columns of an Arrow table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from calmap.bestref.tables.answers import BAD_HEADER, FOUND, NONE, STATUSES, Answers, width_of
from calmap.bestref.tables.encoding import Codes

STATUS = pa.dictionary(pa.int8(), pa.string())
FILES = pa.dictionary(pa.int32(), pa.string())
_STATUSES = pa.array(STATUSES, pa.string())


def status_name(reftype: str) -> str:
    """Name of the column that says what the rules say of a type."""
    return f"{reftype}_status"


def schema_of(reftypes: Sequence[str]) -> Any:
    """The `pyarrow.Schema` of answers of some types."""
    fields = [((reftype, FILES), (status_name(reftype), STATUS)) for reftype in reftypes]
    return pa.schema([field for pair in fields for field in pair])


def files_type(answers: Answers) -> Any:
    """Type of the smallest column of files that will do."""
    width = pa.from_numpy_dtype(width_of(len(answers.files)))
    return pa.dictionary(width, pa.string())


def files_column(codes: Codes, answers: Answers, dictionary: Any, width: Any = None) -> Any:
    """Column of files: a dictionary array, null where none was found.

    Parameters
    ----------
    codes
        Numbers of answers, shape (rows,).
    answers
        What they mean.
    dictionary
        The files as an Arrow array.
    width
        Type of the indices; the smallest that will do if None.
    """
    kind = width or width_of(len(answers.files))
    empty = codes < FOUND
    indices = np.maximum(codes, FOUND)
    indices -= FOUND
    return dictionary_column(indices.astype(kind, copy=False), empty, dictionary)


def status_column(codes: Codes) -> Any:
    """Column of statuses: a dictionary array, null where the type has no answer."""
    indices = np.minimum(codes, FOUND).astype(np.int8)
    indices[indices == FOUND] = 0
    return dictionary_column(indices, codes == NONE, _STATUSES)


def files_dictionary(answers: Answers) -> Any:
    """The files of a type as an Arrow array."""
    return pa.array(answers.files, pa.string())


def without_answers(rows: int, bad: Codes | None) -> Codes:
    """Numbers where no row has the type: none, or a bad header."""
    codes = np.full(rows, NONE, np.int8)
    if bad is not None:
        codes[bad] = BAD_HEADER
    return codes


def dictionary_column(indices: Codes, empty: Codes, dictionary: Any) -> Any:
    """A dictionary array of indices, null where a row is empty."""
    count = int(np.count_nonzero(empty))
    valid = pa.py_buffer(np.packbits(~empty, bitorder="little")) if count else None
    kind = pa.from_numpy_dtype(indices.dtype)
    whole = pa.Array.from_buffers(kind, len(indices), [valid, pa.py_buffer(indices)], count)
    return pa.DictionaryArray.from_arrays(whole, dictionary, safe=False)
