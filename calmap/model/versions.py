"""Versions of calibration software as headers and rules write them."""

from __future__ import annotations

import re

_VERSION = re.compile(r"(\d{1,8}(?:\.\d{1,8}(?:\.\d{1,8})?)?)[a-zA-Z0-9_+\-.]{0,128}")
_RELATION = re.compile(
    r"(?P<relation><=|<|==|=|)\s*(?P<number>[-+]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d++)?)\s*"
)


class VersionError(ValueError):
    """A text that is no version."""


def version_parts(text: str) -> tuple[int, int, int]:
    """Major, minor and patch number; what follows them, such as ``rc1``, does not count.

    Raises
    ------
    VersionError
        If the text does not begin like ``1.2.3``.
    """
    match = _VERSION.fullmatch(text)
    if match is None:
        raise VersionError(f"'{text[:64]}' is not a version such as 1.2.3")
    numbers = [int(part) for part in match[1].split(".")]
    major, minor, patch = (*numbers, 0, 0)[:3]
    return major, minor, patch


def version_relation(text: str) -> tuple[float, str]:
    """Sort key of a SelectVersion key: the number and ``<``, ``<=`` or ``=``; ``default`` comes last.

    CRDS sorts keys and compares a header's version, taken as ``=version``, with
    them one by one; the first key that isn't smaller is chosen. So ``=5`` is
    chosen for every version up to and including 5, and ``<=5`` only below 5.

    Raises
    ------
    VersionError
        If the text is no relation to a number.
    """
    if text.replace("=", "").strip() == "default":
        return float("inf"), "="
    match = _RELATION.fullmatch(text)
    if match is None:
        raise VersionError(f"'{text[:64]}' is not a relation such as '<3.1', '=5' or 'default'")
    relation = match["relation"]
    return float(match["number"]), "=" if relation in ("", "==") else relation
