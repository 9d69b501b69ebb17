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
    terms = observatory.reference_headers
    keywords = terms.type_keywords
    named = [(keyword, str(header[keyword]).strip()) for keyword in keywords if header.get(keyword)]
    if not named:
        raise HeaderError(
            "the header names no reference type", f"set {' or '.join(keywords)}, or give --type"
        )
    keyword, value = named[0]
    reftype = terms.types.get(instrument.lower(), {}).get(value.upper(), value.lower())
    types = sorted(name.lower() for name in known)
    if types and reftype not in types:
        near = get_close_matches(reftype, types, n=1)
        advice = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(types)}"
        raise HeaderError(
            f"{keyword} = {value!r} is no reference type of {instrument}", f"{advice}; --type chooses one"
        )
    return reftype
