"""Values of a rule's keywords in a dataset's header, whatever the header calls them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from calmap.errors import HeaderError
from calmap.model.values import UNDEFINED
from calmap.observatories.converters import CONVERTERS
from calmap.observatories.definition import KeywordSource, Observatory


class KeywordResolver:
    """The values that rules ask for, taken from headers; made once, used for many headers.

    Parameters
    ----------
    observatory
        Says where each keyword may be found.
    parkeys
        The keywords that the rules use.
    upper_keys
        Promise that the headers' keys are in upper case, which saves looking.
    """

    __slots__ = ("_plan", "_upper_keys")

    def __init__(self, observatory: Observatory, parkeys: Iterable[str], *, upper_keys: bool = False) -> None:
        self._plan = tuple(_steps(parkey, observatory.sources(parkey)) for parkey in dict.fromkeys(parkeys))
        self._upper_keys = upper_keys

    def resolve(self, header: Mapping[str, Any]) -> dict[str, str]:
        """Values by keyword as the rules spell it, as text; keywords without a value are left out.

        A value ``UNDEFINED`` or None counts as none. Nothing is ever filled in:
        an exposure without a date stays without.
        """
        found: dict[str, str] = {}
        folded = header if self._upper_keys else None
        for key, upper, direct, sources in self._plan:
            value = header.get(upper) if direct else None
            if value is None or value == UNDEFINED:
                if folded is None:
                    folded = _upper(header)
                others = sources[1:] if direct and folded is header else sources
                value = _look_up(folded, others) if others else None
                if value is None:
                    continue
            found[key] = value if type(value) is str else str(value)
        return found


def accepted_keywords(observatory: Observatory, parkey: str) -> tuple[str, ...]:
    """What a header may say to give a keyword its value, in order of precedence, for messages.

    Examples
    --------
    >>> from calmap.observatories import load_observatory
    >>> accepted_keywords(load_observatory("jwst"), "META.EXPOSURE.TYPE")
    ('META.EXPOSURE.TYPE', 'EXP_TYPE')
    """
    sources = observatory.sources(parkey)
    whole = [s for s in sources if not any(set(s.names) < set(other.names) for other in sources)]
    return tuple(dict.fromkeys(str(source) for source in whole))


def missing_keyword_hint(observatory: Observatory, parkey: str, *, in_fits: bool = False) -> str:
    """What to set when a keyword has no value: ``set A, B and C, or D``.

    Parameters
    ----------
    observatory, parkey
        The telescope and the keyword.
    in_fits
        Leave out names with dots, which FITS headers can't have, if there are others.
    """
    names = accepted_keywords(observatory, parkey)
    plain = tuple(name for name in names if "." not in name) if in_fits else ()
    return f"set {_either(plain or names)}"


def instrument_of(
    observatory: Observatory, header: Mapping[str, Any], known: Collection[str] | None = None
) -> str:
    """Name of the instrument, in lower case.

    Parameters
    ----------
    observatory, header
        The telescope and a dataset's header.
    known
        Instruments to choose from; those of the definition if not given.

    Raises
    ------
    HeaderError
        If the header names none, or one that isn't known.
    """
    names = observatory.instrument_keywords
    first = header.get(names[0]) if names else None
    if type(first) is str and known is not None and (instrument := first.strip().lower()) in known:
        return instrument
    value = _look_up(_upper(header), tuple(KeywordSource((name,)) for name in names))
    if value is None or not value.strip():
        raise HeaderError("the header names no instrument", hint=f"set {_either(names)}")
    instrument = value.strip().lower()
    allowed = sorted(name.lower() for name in (observatory.instruments if known is None else known))
    if instrument not in allowed:
        near = get_close_matches(instrument, allowed, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(allowed)}"
        raise HeaderError(f"{observatory.name} has no instrument {value.strip()!r}", hint=hint)
    return instrument


def _steps(
    parkey: str, sources: tuple[KeywordSource, ...]
) -> tuple[str, str, bool, tuple[KeywordSource, ...]]:
    """Plan for one keyword: as rules spell it, its own name, whether that comes first, where to look."""
    upper = parkey.upper()
    direct = bool(sources) and sources[0] == KeywordSource((upper,))
    return parkey, upper, direct, sources


def _upper(header: Mapping[str, Any]) -> Mapping[str, Any]:
    """The header with its keys in upper case; a key that already is wins."""
    if all(map(str.isupper, header)):
        return header
    folded = {key.upper(): value for key, value in header.items()}
    folded.update((key, value) for key, value in header.items() if key.isupper())
    return folded


def _look_up(header: Mapping[str, Any], sources: tuple[KeywordSource, ...]) -> str | None:
    for source in sources:
        value = _value(header, source)
        if value is not None:
            return value
    return None


def _value(header: Mapping[str, Any], source: KeywordSource) -> str | None:
    parts: list[str] = []
    for name in source.names:
        value = header.get(name)
        if value is None or value == UNDEFINED:
            return None
        parts.append(str(value))
    text = parts[0] if len(parts) == 1 else " ".join(part.strip() for part in parts)
    if source.values is not None:
        return source.values.get(text.strip().upper())
    return CONVERTERS[source.format](text) if source.format else text


def _either(names: tuple[str, ...]) -> str:
    if len(names) == 1:
        return names[0]
    comma = "," if any(" and " in name for name in names) else ""
    return f"{', '.join(names[:-1])}{comma} or {names[-1]}"
