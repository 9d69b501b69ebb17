#!/usr/bin/env python3
"""Add, replace and remove files of the demonstration cache: driver.py CACHE REFERENCE."""

from __future__ import annotations

import sys
from pathlib import Path

from calmap.cache.layout import Layout
from calmap.cache.store import file_digest
from calmap.cache.transaction import FileChange, changing

SPARE = "references/ligeriri/iris/spare.fits"
RENAMED = ("ligeriri_0001.pmap", "ligeriri_0002.pmap")


def main() -> None:
    root, reference = Path(sys.argv[1]), Path(sys.argv[2])
    folder = root / "mappings" / "ligeriri"
    rmap = folder / "ligeriri_iris_flat_0001.rmap"
    with changing(Layout(root), title="driver") as transaction:
        text = rmap.read_bytes().replace(b"Flats belong", b"Every flat belongs")
        pmap = (folder / RENAMED[0]).read_bytes().replace(RENAMED[0].encode(), RENAMED[1].encode())
        transaction.commit(
            "add, replace and remove",
            [
                FileChange(folder / RENAMED[1], signed(RENAMED[1], pmap), None),
                FileChange(rmap, signed(rmap.name, text), file_digest(rmap)),
                FileChange(root / "references/ligeriri/new" / reference.name, reference, None),
                FileChange(root / SPARE, None, file_digest(root / SPARE)),
            ],
        )


def signed(name: str, data: bytes) -> bytes:
    """A mapping with its right checksum."""
    from calmap.diagnostics import apply_edits
    from calmap.model.mapping import parse_mapping
    from calmap.model.recording import update_checksum

    mapping = parse_mapping(Path(name), data)
    edit = update_checksum(mapping)
    return apply_edits(mapping.text, [edit] if edit else []).encode()


if __name__ == "__main__":
    main()
