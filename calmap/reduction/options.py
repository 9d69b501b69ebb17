"""Options of steps used as in stpipe: declared in ``spec``, and under names that older code has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from reduce.errors import ParameterError
from reduce.parameters import Option

GENERAL: Final = MappingProxyType(
    {
        "skip": False,
        "save_results": False,
        "output_dir": None,
        "output_file": None,
        "suffix": None,
        "overwrite": False,
        "allow_missing": (),
        "cache": None,
        "context": None,
        "observatory": None,
        "name": None,
        "parent": None,
    }
)
"""Options of every step, with their defaults."""
_RENAMED: Final = MappingProxyType(
    {
        "ramp_fit": {"num_coadd": "coadd"},
        "combine_frames": {
            "error_calc": "error",
            "sigma_thresh_low": "low",
            "sigma_thresh_high": "high",
            "do_sigma_clip": "reject",
        },
        "calc_bkg_imager": {"box_size": "box"},
    }
)
_CLIPPING: Final = MappingProxyType({"true": "sigma", "false": "none"})
_ENTRY: Final = re.compile(r"(\w+)\s*=\s*(\w+)\((.*)\)\s*(?:#\s*(.*))?", re.ASCII)
_ARGUMENT: Final = re.compile(r"""\s*(?:(\w+)\s*=\s*)?("[^"]*"|'[^']*'|[^,]*?)\s*(?:,|$)""")
_KINDS: Final = MappingProxyType(
    {"boolean": bool, "integer": int, "float": float, "string": str, "option": str}
)
_NONE: Final = ("None", "")


def current_names(step: str, given: Mapping[str, object]) -> dict[str, object]:
    """Parameters of a step under the names that they have here."""
    names = _RENAMED.get(step, {})
    values = {}
    for name, value in given.items():
        if name == "do_sigma_clip" and name in names:
            value = _CLIPPING.get(str(value).lower(), value)
        values[names.get(name, name)] = value
    return values


def older_names(step: str) -> frozenset[str]:
    """Other names of a step's parameters."""
    return frozenset(_RENAMED.get(step, ()))


def declared(spec: str) -> tuple[Option, ...]:
    """The options that a ``spec`` of stpipe declares, such as ``size = integer(default=3) # of a box``.

    Kinds are boolean, integer, float, string and option; the least and the most value come first.

    Raises
    ------
    ParameterError
        If a line is of another form.
    """
    return tuple(_declared(line.strip()) for line in spec.splitlines() if line.strip()[:1] not in ("", "#"))


def _declared(line: str) -> Option:
    entry = _ENTRY.fullmatch(line)
    if entry is None or entry[2] not in _KINDS:
        raise ParameterError(f"'{line}' declares no parameter", f"kinds are {', '.join(_KINDS)}")
    name, kind = entry[1], _KINDS[entry[2]]
    named = {key: value for key, value in _arguments(entry[3]) if key}
    listed = [value for key, value in _arguments(entry[3]) if not key and value]
    default = named.get("default")
    optional = default in (None, *_NONE)
    limits: dict[str, Any] = {}
    if entry[2] == "option":
        limits["choices"] = tuple(listed)
    elif kind in (int, float):
        limits |= {key: float(value) for key, value in zip(("least", "most"), listed, strict=False)}
        limits |= {key: float(named[old]) for old, key in (("min", "least"), ("max", "most")) if old in named}
    blank = Option(name, kind, True, None, entry[4] or "", **limits)
    return Option(
        name, kind, optional, None if optional else blank.value(default, "spec"), blank.help, **limits
    )


def _arguments(text: str) -> Iterator[tuple[str, str]]:
    for argument in _ARGUMENT.finditer(text):
        if argument[0]:
            yield argument[1] or "", argument[2].strip("\"'")
