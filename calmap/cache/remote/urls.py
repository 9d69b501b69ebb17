"""URLs of caches, told from paths, and the names of their mirrors."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

from calmap.errors import UsageError

_URL: Final = re.compile(r"(?P<protocol>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_USER: Final = re.compile(r"(?<=://)[^/@]*@")
_WILD: Final = re.compile(r"[\x00-\x20\x7f?#*\\]")
_ODD: Final = re.compile(r"[^A-Za-z0-9.-]+")
_LONGEST: Final = 60


def is_url(text: object) -> bool:
    """True for text such as ``s3://bucket/crds``, false for every path."""
    return isinstance(text, str) and _URL.match(text) is not None


def normal_url(url: str) -> str:
    """The URL of a cache as it is kept: the protocol in lower case, no slash at the end.

    Raises
    ------
    UsageError
        If it is none, or names no place below which files can be.
    """
    match = _URL.fullmatch(url)
    rest = match["rest"].rstrip("/") if match else ""
    if match is None or _WILD.search(rest) or "::" in url:
        hint = "such as s3://bucket/crds, https://host/crds or file:///data/crds"
        raise UsageError(f"{shown_url(url)!r} can't be the URL of a cache", hint)
    protocol = match["protocol"].lower()
    if protocol in ("file", "local"):
        return f"file://{Path(match['rest']).absolute()}"
    if not rest:
        raise UsageError(f"{shown_url(url)} names no place", "a bucket, a host or a folder was expected")
    return f"{protocol}://{rest}"


def shown_url(url: str) -> str:
    """A URL as it may be shown: without a password."""
    return _USER.sub("", url)


def mirror_name(url: str) -> str:
    """Name of the folder for the mirror of a URL, readable, with a hash that tells it from others."""
    normal = normal_url(url)
    words = _ODD.sub("-", shown_url(normal).replace("://", "-")).strip("-.")
    return f"{words[:_LONGEST]}-{hashlib.sha256(normal.encode()).hexdigest()[:10]}"
