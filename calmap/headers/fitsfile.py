"""Headers of FITS files, all HDUs merged, without importing astropy for ordinary files."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Final

from calmap.errors import HeaderError
from calmap.headers.cards import CARD, OddCardError, card_values, is_end
from calmap.headers.input import ByteInput, open_bytes

BLOCK: Final = 2880
MAX_HEADER: Final = 32 * 2**20
"""More bytes of headers than this in one file is no telescope's doing."""

_COUNTS: Final = frozenset({"TFIELDS", "ZNAXIS"})
_APPENDED: Final = frozenset({"COMMENT", "HISTORY"})
_Pairs = list[tuple[str, str]]


def read_fits(path: Path) -> dict[str, str]:
    """Keywords and values of all HDUs of a file; the first value of a keyword wins.

    COMMENT and HISTORY cards are joined by line ends.

    Raises
    ------
    HeaderError
        If the file is no FITS file or its headers can't be read.
    """
    with open_bytes(path) as stream:
        headers = list(_headers(path, stream))
    if any(("ZIMAGE", "True") in pairs for pairs in headers):
        _refuse_endless(path, headers)
        headers = _with_astropy(path)
    return _merged(pair for pairs in headers for pair in pairs)


def primary_header(path: Path, stream: IO[bytes]) -> bytes:
    """The blocks of the primary header of a FITS file that isn't compressed.

    Raises
    ------
    HeaderError
        If the file is another kind of file.
    """
    block = stream.read(BLOCK)
    if not block.startswith(b"SIMPLE  ="):
        raise HeaderError(f"{path} can't be updated", hint="only FITS files that aren't compressed can be")
    end = _to_end(path, ByteInput(path, stream, None), block, MAX_HEADER)
    if end is None:
        raise HeaderError(f"{path}: the header has no END card", hint="the file was cut off")
    length = _padded(len(end) + CARD)
    stream.seek(0)
    data = stream.read(length)
    if len(data) < length:
        raise HeaderError(
            f"{path}: the header is not filled up to {BLOCK} bytes", hint="the file was cut off"
        )
    return data


def _merged(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    header: dict[str, str] = {}
    commentary: dict[str, list[str]] = {}
    for keyword, value in pairs:
        if keyword in _APPENDED:
            lines = commentary.setdefault(keyword, [])
            if lines != [value]:
                lines.append(value)
        else:
            header.setdefault(keyword, value)
    header.update((keyword, "\n".join(lines)) for keyword, lines in commentary.items())
    return header


def require_whole(path: Path) -> None:
    """Go through a FITS file without looking at its data.

    Raises
    ------
    HeaderError
        If it ends before its last HDU does.
    """
    with open_bytes(path) as stream:
        for _ in _headers(path, stream, whole=True):
            pass


def _headers(path: Path, stream: ByteInput, *, whole: bool = False) -> Iterator[_Pairs]:
    """Cards of each HDU that is there; a file cut off ends with its last whole header, or is refused."""
    budget = MAX_HEADER
    first = True
    while True:
        block = stream.read(BLOCK)
        if first and not block.startswith(b"SIMPLE  ="):
            raise HeaderError(f"{path} is not a FITS file", hint="it should begin with the keyword SIMPLE")
        if not first and not block.startswith(b"XTENSION"):
            return
        data = _to_end(path, stream, block, budget)
        if data is None:
            if first or whole:
                raise HeaderError(f"{path}: the header has no END card", hint="the file was cut off")
            return
        budget -= _padded(len(data) + CARD)
        pairs = _parsed(path, data)
        yield pairs
        if first and ("SIMPLE", "True") not in pairs:
            return
        if not stream.skip(_padded(_data_size(path, pairs))):
            if whole:
                raise HeaderError(f"{path} ends before its data do", hint="the file was cut off")
            return
        first = False


def _to_end(path: Path, stream: ByteInput, block: bytes, budget: int) -> bytes | None:
    """Bytes of a header up to its END card; None if the file ends before it."""
    blocks: list[bytes] = []
    size = 0
    while block:
        size += len(block)
        if size > budget:
            raise HeaderError(
                f"{path}: no END card within {MAX_HEADER // 2**20} MiB of headers",
                hint="the file is damaged",
            )
        for offset in range(0, len(block) - 2, CARD) if b"END" in block else ():
            if is_end(block[offset : offset + CARD]):
                return b"".join((*blocks, block[:offset]))
        blocks.append(block)
        block = stream.read(BLOCK)
    return None


def _parsed(path: Path, data: bytes) -> _Pairs:
    try:
        if data.isascii():
            return card_values(data.decode("ascii"))
    except OddCardError:
        pass
    return _header_with_astropy(path, data)


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _data_size(path: Path, pairs: _Pairs) -> int:
    """Bytes of data after a header, before padding (FITS standard 4.0, section 4.4.1)."""
    values = dict(reversed(pairs))

    def number(keyword: str, default: str = "", lowest: int = 0, highest: int = 2**63) -> int:
        text = values.get(keyword, default)
        try:
            value = int(text)
        except ValueError:
            value = lowest - 1
        if not lowest <= value <= highest:
            found = f"{text!r}" if text else "missing"
            raise HeaderError(f"{path}: {keyword} is {found}, expected a whole number in range")
        return value

    bits = abs(number("BITPIX", lowest=-64, highest=64))
    axes = [number(f"NAXIS{axis}") for axis in range(1, number("NAXIS", highest=999) + 1)]
    if axes and axes[0] == 0 and values.get("GROUPS") == "True":
        axes = axes[1:]
    elements = math.prod(axes) if axes else 0
    return bits * number("GCOUNT", "1") * (number("PCOUNT", "0") + elements) // 8 if axes else 0


def _refuse_endless(path: Path, headers: Iterable[_Pairs]) -> None:
    """Refuse numbers of axes and columns that would keep astropy busy for ages."""
    for keyword, value in (pair for pairs in headers for pair in pairs):
        if keyword in _COUNTS and not (value.isdecimal() and len(value) <= 3):
            raise HeaderError(f"{path}: {keyword} is {value!r}, expected a whole number up to 999")


def _header_with_astropy(path: Path, data: bytes) -> _Pairs:
    """Cards of one odd header."""
    import warnings

    from astropy.io import fits

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _cards(fits.Header.fromstring(data))
        except Exception as error:  # whatever astropy makes of a damaged header
            raise HeaderError(f"{path}: a card can't be read: {_first_line(error)}") from None


def _with_astropy(path: Path) -> list[_Pairs]:
    """Cards of all HDUs, compressed images shown as the images they are."""
    import warnings

    from astropy.io import fits

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with fits.open(path, mode="readonly", checksum=False) as hdus:
                return [_cards(hdu.header) for hdu in hdus]
        except Exception as error:  # whatever astropy makes of a damaged file
            raise HeaderError(f"{path}: not readable as FITS: {_first_line(error)}") from None


def _cards(header: object) -> _Pairs:
    from astropy.io.fits.card import Undefined

    pairs: _Pairs = []
    for card in header.cards:  # type: ignore[attr-defined]
        card.verify("fix")
        if card.keyword and not isinstance(card.value, Undefined):
            pairs.append((card.keyword.upper(), str(card.value)))
    return pairs


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
