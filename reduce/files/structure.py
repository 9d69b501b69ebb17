"""Whether a file is whole: a walk from header to header, by the sizes that they give."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from reduce.errors import DataError

BLOCK: Final = 2880
_CARD: Final = 80
_MOST: Final = 999
"""Axes or columns that an HDU may have (FITS standard 4.0, sections 4.4.1 and 7.2.1)."""
_MOST_BLOCKS: Final = 10_000
_NUMBER: Final = re.compile(rb"(BITPIX|NAXIS\d*|PCOUNT|GCOUNT|TFIELDS) *= +([+-]?\d{1,18}) *(?:/.*)?")
_NAME: Final = re.compile(rb"EXTNAME *= *'((?:[^']|'')*)'.*")
_SUM: Final = re.compile(rb"DATASUM *= *'? *(\d{1,10}) *'?.*")
_COUNTED: Final = (b"BITPIX", b"NAXIS", b"PCOUNT", b"GCOUNT", b"TFIELDS")
_BITS: Final = (8, 16, 32, 64, -32, -64)
CUT_OFF: Final = "the file was cut off, perhaps while it was copied; get it again"
DAMAGED: Final = "the file is damaged; get it again"


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, fewer only at the end."""


class Hdu(NamedTuple):
    """What a header says of the data that follow it.

    Parameters
    ----------
    name
        EXTNAME, empty without.
    size
        Bytes of the data, without padding.
    datasum
        DATASUM, None without.
    """

    name: str
    size: int
    datasum: int | None


def require_whole(path: Path) -> None:
    """Go through a FITS file that is not packed, without reading its data.

    Raises
    ------
    DataError
        If a header does not end, or says how long its data are in a way that can't be, or if the file ends
        before its data do.
    """
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        place = 0
        while place < size:
            stream.seek(place)
            hdu = next_hdu(path, stream)
            if hdu is None:
                return
            end = stream.tell() + hdu.size
            if end > size:
                raise DataError(
                    f"{path} is not a whole FITS file: its data end at byte {end}, the file at {size}",
                    CUT_OFF,
                )
            place = -(-end // BLOCK) * BLOCK


def next_hdu(path: Path, stream: Readable) -> Hdu | None:
    """What the header at the place of a stream says, whose data then are next; None after the last HDU.

    Raises
    ------
    DataError
        If the header does not end, or says how long its data are in a way that can't be.
    """
    numbers: dict[str, int] = {}
    name, datasum = "", None
    for number, card in enumerate(_cards(path, stream)):
        if number == 0 and not card.startswith((b"SIMPLE  =", b"XTENSION=")):
            return None
        if card.startswith(_COUNTED):
            _count(path, card, numbers)
        elif match := _NAME.fullmatch(card):
            name = match[1].decode("ascii", "replace").strip()
        elif match := _SUM.fullmatch(card):
            datasum = int(match[1])
    return Hdu(name, _data_size(path, numbers), datasum)


def _count(path: Path, card: bytes, numbers: dict[str, int]) -> None:
    """Add the number of a card."""
    match = _NUMBER.fullmatch(card.rstrip())
    if match is None and card[:8].rstrip() in (*_COUNTED, b"NAXIS1"):
        raise DataError(f"{path}: the card {card.decode('ascii', 'replace').rstrip()!r} can't be", DAMAGED)
    if match is not None:
        numbers.setdefault(match[1].decode(), int(match[2]))


def _cards(path: Path, stream: Readable) -> Iterator[bytes]:
    """Cards of a header up to its END; the stream is then behind its last block."""
    for _ in range(_MOST_BLOCKS):
        block = stream.read(BLOCK)
        if len(block) < BLOCK:
            break
        cards = [block[first : first + _CARD] for first in range(0, BLOCK, _CARD)]
        for card in cards:
            if card.rstrip() == b"END":
                return
            yield card
    raise DataError(f"{path} is not a whole FITS file: a header has no END card", CUT_OFF)


def _data_size(path: Path, numbers: dict[str, int]) -> int:
    """Bytes of the data before padding (FITS standard 4.0, section 4.4.1)."""
    count = numbers.get("NAXIS", -1)
    axes = [numbers.get(f"NAXIS{axis}", -1) for axis in range(1, min(count, _MOST) + 1)]
    columns = numbers.get("TFIELDS", 0)
    if not 0 <= count <= _MOST or not 0 <= columns <= _MOST or any(length < 0 for length in axes):
        raise DataError(f"{path}: a header gives its data {count} axes of the lengths {axes[:9]}", DAMAGED)
    if (bits := numbers.get("BITPIX", 8)) not in _BITS:
        raise DataError(f"{path}: a header has BITPIX {bits}, which stands for no kind of number", DAMAGED)
    groups, extra = numbers.get("GCOUNT", 1), numbers.get("PCOUNT", 0)
    if groups < 0 or extra < 0:
        raise DataError(f"{path}: a header has PCOUNT {extra} and GCOUNT {groups}", DAMAGED)
    if not axes:
        return 0
    elements = prod(axes[1:] if axes[0] == 0 and groups > 1 else axes)
    return abs(bits) // 8 * groups * (extra + elements)
