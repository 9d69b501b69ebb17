"""Reading headers from files of any kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from calmap.errors import HeaderError
from calmap.headers.fitsfile import read_fits
from calmap.headers.fitsfile import require_whole as require_whole_fits
from calmap.headers.input import open_file

_FITS_BEGINNINGS: Final = (b"SIMPLE  =", b"\x1f\x8b", b"BZh")
_JSON_SUFFIXES: Final = frozenset({".json", ".jsonl", ".ndjson"})
_YAML_SUFFIXES: Final = frozenset({".yaml", ".yml"})
_KINDS: Final = "FITS (also .gz, .bz2, .fz), ASDF, JSON and YAML"


def read_header(path: Path) -> dict[str, str]:
    """Header of a dataset: keywords in upper case and their values as text.

    The HDUs of a FITS file are merged, the first value of a keyword wins.
    Nested data of ASDF, JSON and YAML get dotted names, as ``META.EXPOSURE.TYPE``.

    Raises
    ------
    HeaderError
        If the file can't be read or has more than one header.
    """
    headers = read_headers(path)
    first = next(headers, None)
    if first is None:
        raise HeaderError(f"{path} has no header")
    if next(headers, None) is not None:
        raise HeaderError(f"{path} has headers of more than one dataset", hint="read them one by one")
    return first[1]


def read_headers(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Names of datasets and their headers in a file: one, or many in the JSON dumps of CRDS.

    Raises
    ------
    HeaderError
        If the file can't be read.
    """
    kind = _kind(path)
    if kind == "fits":
        yield str(path), read_fits(path)
    elif kind == "json":
        from calmap.headers.json_ import read_json

        yield from read_json(path)
    else:
        from calmap.headers.yaml_ import read_asdf, read_yaml

        yield str(path), (read_asdf if kind == "asdf" else read_yaml)(path)


def require_whole(path: Path) -> None:
    """See that a file is all there, as far as its headers tell.

    Raises
    ------
    HeaderError
        If it is a FITS file that was cut off.
    """
    if _kind(path) == "fits":
        require_whole_fits(path)


def _kind(path: Path) -> str:
    """Format of a file by its first bytes, or else by its extension."""
    with open_file(path) as stream:
        head = stream.read(9)
    if head.startswith(_FITS_BEGINNINGS):
        return "fits"
    if head.startswith(b"#ASDF"):
        return "asdf"
    suffixes = [suffix.lower() for suffix in path.suffixes]
    last = suffixes[-1] if suffixes else ""
    if last in _JSON_SUFFIXES or head.lstrip()[:1] == b"{":
        return "json"
    if last in _YAML_SUFFIXES:
        return "yaml"
    if last == ".asdf":
        return "asdf"
    if {".fits", ".fit", ".fts", ".fz"} & set(suffixes):
        return "fits"
    raise HeaderError(f"{path} is of no known kind", hint=f"calmap reads {_KINDS}")
