"""Which type of reference a header belongs to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from calmap.errors import HeaderError
from calmap.observatories.definition import Observatory


def reftype_of(
    observatory: Observatory, instrument: str, header: Mapping[str, Any], known: Collection[str] = ()
) -> str:
    """Reference type that a header names, in lower case.

    Parameters
    ----------
    observatory, instrument
        The telescope and the instrument of the reference.
    header
        The reference's header, keywords in upper case.
    known
        Types to choose from; any if empty.

    Raises
    ------
    HeaderError
        If the header names none, or one that isn't known.
    """
    keyword, value = _named(observatory, header)
    if not keyword:
        keywords = " or ".join(observatory.reference_headers.type_keywords)
        raise HeaderError("the header names no reference type", f"set {keywords}, or give --type")
    reftype = _meant(observatory, instrument, value)
    types = sorted(name.lower() for name in known)
    if types and reftype not in types:
        near = get_close_matches(reftype, types, n=1)
        advice = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(types)}"
        raise HeaderError(
            f"{keyword} = {value!r} is no reference type of {instrument}",
            f"{advice}; --type chooses one, and calmap new-mapping makes rules for a new one",
        )
    return reftype


def named_type(observatory: Observatory, instrument: str, header: Mapping[str, Any]) -> str | None:
    """Reference type that a header names, known or not, in lower case; None if it names none."""
    keyword, value = _named(observatory, header)
    return _meant(observatory, instrument, value) if keyword else None


def _named(observatory: Observatory, header: Mapping[str, Any]) -> tuple[str, str]:
    """The first keyword of the type that has a value, and the value; empty if there is none."""
    keywords = observatory.reference_headers.type_keywords
    named = ((keyword, str(header.get(keyword) or "").strip()) for keyword in keywords)
    return next(((keyword, value) for keyword, value in named if value), ("", ""))


def _meant(observatory: Observatory, instrument: str, value: str) -> str:
    types = observatory.reference_headers.types.get(instrument.lower(), {})
    return types.get(value.upper(), value.lower())
