"""Headers of FITS files compared, one HDU with another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, NamedTuple

_COMMENTARY: Final = ("COMMENT", "HISTORY", "")
_STRUCTURE: Final = ("NAXIS*", "TFIELDS", "PCOUNT", "THEAP", "TTYPE*", "TFORM*", "TUNIT*", "EXTEND")
"""Keywords that say what is told of arrays and columns."""

_STANDARD: Final = ("SIMPLE", "XTENSION", "BITPIX", "GCOUNT", "GROUPS")
"""Keywords with comments that come from the program that wrote the file."""


class KeywordChange(NamedTuple):
    """A keyword that differs.

    Parameters
    ----------
    place
        Which extension, as it is called in the old file; empty in files without extensions.
    keyword
        Its name.
    old, new
        Values, those of FITS headers as they are written there, with texts in
        quotes; None where there is no such keyword.
    of
        Whether these are values or comments.
    """

    place: str
    keyword: str
    old: str | None
    new: str | None
    of: Literal["value", "comment"] = "value"


def compare_headers(old: Any, new: Any, place: str, ignore: Sequence[str]) -> tuple[KeywordChange, ...]:
    """Compare the headers of two HDUs, except for keywords that follow from the data.

    Parameters
    ----------
    old, new
        Headers, by astropy.
    place
        What to call the HDU.
    ignore
        Keywords, or patterns of them, that may differ.
    """
    from astropy.io.fits import HeaderDiff

    before, after = _readable(old), _readable(new)
    left_out = [*ignore, *_STRUCTURE, *_COMMENTARY]
    found = HeaderDiff(before, after, ignore_keywords=left_out, ignore_comments=[*left_out, *_STANDARD])
    removed, added = found.diff_keywords or ((), ())
    changes = [KeywordChange(place, keyword, _value(before, keyword), None) for keyword in removed]
    changes += [KeywordChange(place, keyword, None, _value(after, keyword)) for keyword in added]
    for keyword in sorted({*found.diff_keyword_values, *found.diff_duplicate_keywords}):
        changes.append(KeywordChange(place, keyword, _value(before, keyword), _value(after, keyword)))
    valued = {change.keyword for change in changes}
    for keyword in sorted(set(found.diff_keyword_comments) - valued):
        changes.append(
            KeywordChange(place, keyword, _comments(before, keyword), _comments(after, keyword), "comment")
        )
    shown = sorted(changes, key=lambda change: (change.keyword, change.of))
    return (*shown, *_commentary_changes(before, after, place, ignore))


def text_of(value: object) -> str:
    """A value as in FITS."""
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, bool):
        return "T" if value else "F"
    return str(value)


def _value(header: Any, keyword: str) -> str:
    from astropy.io.fits.card import Undefined

    values = [card.value for card in header.cards if card.keyword == keyword]
    return ", ".join("" if isinstance(value, Undefined) else text_of(value) for value in values)


def _comments(header: Any, keyword: str) -> str:
    return "; ".join(str(card.comment) for card in header.cards if card.keyword == keyword)


def _commentary_changes(old: Any, new: Any, place: str, ignore: Sequence[str]) -> Iterator[KeywordChange]:
    """Lines of commentary in one header only; neither their order matters nor blank ones."""
    for keyword in ("COMMENT", "HISTORY"):
        if any(fnmatchcase(keyword, pattern.upper()) for pattern in ignore):
            continue
        before, after = _lines(old, keyword), _lines(new, keyword)
        removed, added = Counter(before) - Counter(after), Counter(after) - Counter(before)
        yield from (KeywordChange(place, keyword, line, None) for line in removed.elements())
        yield from (KeywordChange(place, keyword, None, line) for line in added.elements())


def _lines(header: Any, keyword: str) -> list[str]:
    lines = header.get(keyword, ())
    return [text for text in (str(line).rstrip() for line in lines) if text]


def _readable(header: Any) -> Any:
    """A header in which cards that can't be parsed are texts."""
    from astropy.io.fits import Header

    copy = Header()
    for card in header.cards:
        try:
            _ = card.keyword, card.value, card.comment
            copy.append(card, end=True)
        except Exception:  # whatever astropy makes of a damaged card
            image = "".join(c if c.isascii() and c.isprintable() else "?" for c in str(card.image))
            copy.append((image[:8].strip() or "?", image[9:60].strip()), end=True)
    return copy
