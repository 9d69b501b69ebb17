"""Text in FITS files, which is ASCII: other characters are escaped and read back."""

from __future__ import annotations


def escaped(text: str) -> str:
    r"""A text in printable ASCII, from which `unescaped` makes the same text again.

    Backslashes are doubled and other characters are written as Python does, such as ``\xe9``. So are blanks
    at the end, which FITS would drop.

    Examples
    --------
    >>> escaped("dark é")
    'dark \\xe9'
    """
    plain = text.encode("unicode_escape").decode("ascii")
    kept = plain.rstrip(" ")
    return kept + r"\x20" * (len(plain) - len(kept))


def unescaped(text: str) -> str:
    r"""The text that `escaped` was given.

    Raises
    ------
    ValueError
        If it is not such a text.
    """
    return text.encode("ascii").decode("unicode_escape")


def printable(text: str) -> str:
    """A text for a header's card: as it is if it can be, otherwise escaped."""
    return text if text.isascii() and text.isprintable() else escaped(text)
