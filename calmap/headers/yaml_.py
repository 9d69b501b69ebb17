"""Headers in YAML files, and in the YAML at the beginning of ASDF files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from calmap.errors import HeaderError
from calmap.headers.flatten import TooMuchError, flat_header
from calmap.headers.input import open_file
from calmap.yamltree import YamlTable, YamlTreeError, parse_yaml

MAX_TREE: Final = 8 * 2**20
"""Bytes of YAML that are read."""

_BINARY: Final = b"\xd3BLK"
_END: Final = (b"\n...\n", b"\n...\r\n")


def read_yaml(path: Path) -> dict[str, str]:
    """Header in a YAML file; values stay as they are written.

    Raises
    ------
    HeaderError
        If the file is no YAML, or no mapping.
    """
    return _header(path, _beginning(path), 0)


def read_asdf(path: Path) -> dict[str, str]:
    """Header in the tree of an ASDF file.

    Only the text of the tree is read: no tag is acted upon, no extension is
    loaded, and the ``asdf`` package isn't needed.

    Raises
    ------
    HeaderError
        If the file has no readable tree.
    """
    data = _beginning(path, until=_BINARY)
    start = data.find(b"%YAML")
    if not data.startswith(b"#ASDF") or start < 0:
        raise HeaderError(
            f"{path} is not an ASDF file with a tree", hint="it should begin with #ASDF and %YAML"
        )
    ends = [found for found in (data.find(mark, start) for mark in _END) if found >= 0]
    skipped = data.count(b"\n", 0, start)
    return _header(path, data[start : min(ends)] if ends else data[start:], skipped)


def _beginning(path: Path, until: bytes | None = None) -> bytes:
    with open_file(path) as stream:
        data = stream.read(MAX_TREE + 1)
    found = data.find(until) if until else -1
    if found >= 0:
        return data[:found]
    if len(data) > MAX_TREE:
        raise HeaderError(f"{path} has more than {MAX_TREE // 2**20} MiB of YAML, too much for a header")
    return data


def _header(path: Path, data: bytes, skipped: int) -> dict[str, str]:
    try:
        tree = parse_yaml(data.decode("utf-8-sig"), aliases=True)
        if not isinstance(tree, YamlTable):
            raise HeaderError(f"{path} has no keywords", hint="expected 'KEYWORD: value' lines")
        return flat_header(tree)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1 + skipped
        raise HeaderError(f"{path}:{line}: not UTF-8 text") from None
    except YamlTreeError as error:
        raise HeaderError(f"{path}:{error.line + skipped}: not readable as YAML: {error.message}") from None
    except TooMuchError as error:
        raise HeaderError(f"{path}: {error}, too much for a header") from None
