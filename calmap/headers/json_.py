"""Headers in JSON files: one header, nested or flat, or many by the names of their datasets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from calmap.errors import HeaderError
from calmap.headers.flatten import TooMuchError, flat_header
from calmap.headers.input import open_file

MAX_WHOLE: Final = 64 * 2**20
"""Bytes of a file that is one JSON value; a file of one value a line may have any size."""

MAX_LINE: Final = 8 * 2**20
_TREES: Final = frozenset({"META", "ROMAN"})


def read_json(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Headers in a JSON file by the names of their datasets, or else of the file and its lines.

    Raises
    ------
    HeaderError
        If the file is no JSON, or holds no headers.
    """
    with open_file(path) as stream:
        line = stream.readline(MAX_LINE)
        try:
            whole = not isinstance(json.loads(line), dict)
        except (ValueError, RecursionError):
            whole = True
        if whole:
            yield from _of_whole(path, line + stream.read(MAX_WHOLE + 1 - len(line)))
            return
        number = 0
        while line:
            number += 1
            if len(line) >= MAX_LINE:
                raise HeaderError(f"{path}:{number}: the line is longer than {MAX_LINE} bytes")
            following = stream.readline(MAX_LINE)
            if line.strip():
                name = str(path) if number == 1 and not following.strip() else f"{path}:{number}"
                yield from _headers(path, _loads(path, line, number - 1), name)
            line = following


def _of_whole(path: Path, data: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    if len(data) > MAX_WHOLE:
        raise HeaderError(
            f"{path} is larger than {MAX_WHOLE // 2**20} MiB", hint="write one {dataset: header} a line"
        )
    yield from _headers(path, _loads(path, data, 0), str(path))


def _loads(path: Path, data: bytes, before: int) -> object:
    try:
        return json.loads(data)
    except json.JSONDecodeError as error:
        raise HeaderError(f"{path}:{error.lineno + before}:{error.colno}: no JSON: {error.msg}") from None
    except RecursionError:
        raise HeaderError(f"{path}: nested too deep for a header") from None
    except ValueError as error:
        raise HeaderError(f"{path}: no JSON: {error}") from None


def _headers(path: Path, data: object, name: str) -> Iterator[tuple[str, dict[str, str]]]:
    if not isinstance(data, dict):
        raise HeaderError(f"{path} has no keywords", hint='expected {"KEYWORD": value}')
    try:
        if _is_many(data):
            for dataset, header in data.items():
                yield dataset, flat_header(header)
        else:
            yield name, flat_header(data)
    except TooMuchError as error:
        raise HeaderError(f"{path}: {error}, too much for a header") from None


def _is_many(data: Mapping[str, object]) -> bool:
    """True if the values are flat headers, and the keys no parts of a data model."""
    return bool(data) and all(
        isinstance(value, dict)
        and name.upper() not in _TREES
        and not any(isinstance(inner, dict) for inner in value.values())
        for name, value in data.items()
    )
