"""Texts for the documentation of rules."""

from __future__ import annotations

_ROW = "'2020-01-01 00:00:00' : 'one.fits'"
_HEADER = {
    "derived_from": "'created by hand'",
    "filekind": "'TFILEKIND'",
    "instrument": "'TINSTR'",
    "mapping": "'REFERENCE'",
    "name": "'tobs_tinstr_tfilekind_0001.rmap'",
    "observatory": "'TOBS'",
    "parkey": "(('DETECTOR',), ('DATE-OBS',))",
}


def selector(*rows: str, key: str = "('FUV',)", name: str = "UseAfter") -> str:
    """A selector section with one selector nested in a Match."""
    return f"selector = Match({{\n{nested(*rows, key=key, name=name)}\n}})"


def nested(*rows: str, key: str, name: str = "UseAfter") -> str:
    """A rule of a Match with a selector in it."""
    lines = "".join(f"        {row},\n" for row in rows or (_ROW,))
    return f"    {key} : {name}({{\n{lines}    }}),"


def header(lacking: str = "", **values: str) -> str:
    """A header section of an rmap."""
    entries = {key: value for key, value in sorted((_HEADER | values).items()) if key != lacking}
    return "header = {\n" + "".join(f"    '{key}' : {value},\n" for key, value in entries.items()) + "}"
