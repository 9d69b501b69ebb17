"""The checksum that a mapping records of itself."""

from __future__ import annotations

import hashlib


def checksum(text: str) -> str:
    """Hexadecimal SHA-1 of the text without every line that has ``sha1sum`` in it.

    Line ends count as ``\\n`` whatever the file uses, as CRDS reads them.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (line for line in text.splitlines(keepends=True) if "sha1sum" not in line)
    return hashlib.sha1("".join(kept).encode("utf-8"), usedforsecurity=False).hexdigest()
