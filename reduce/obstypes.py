"""OBSTYPE and OBSNAME: what an observation is, from the part of the instrument and the kind of exposure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from reduce.errors import DataError
from reduce.keywords import Header, find

_IMAGER: Final = "IMG"


class Kind(NamedTuple):
    """A kind of exposure.

    Parameters
    ----------
    suffix
        Last part of OBSNAME, such as ``NFF``.
    obstype
        ``SCI``, ``CAL`` or ``ENG``.
    imtype
        The value of IMTYPE, such as ``FLAT``.
    modes
        Modes of the instrument in which there is such an exposure.
    description
        What it is.
    """

    suffix: str
    obstype: str
    imtype: str
    modes: tuple[str, ...]
    description: str


class Observation(NamedTuple):
    """What an observation is.

    Parameters
    ----------
    obstype, obsname
        The values of the keywords, such as ``CAL`` and ``IMG1-NFF``.
    mode
        ``IMG``, ``SLICER`` or ``LENSLET``.
    imtype
        The value of IMTYPE.
    description
        What it is.
    """

    obstype: str
    obsname: str
    mode: str
    imtype: str
    description: str


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind of exposure by the last part of its OBSNAME."""
    entries = _data()["kinds"]
    return MappingProxyType(
        {
            suffix: Kind(
                suffix, entry["obstype"], entry["imtype"], tuple(entry["modes"]), entry["description"]
            )
            for suffix, entry in entries.items()
        }
    )


def observation(mode: str, detector: str, imtype: str) -> Observation:
    """What an exposure is.

    Parameters
    ----------
    mode
        ``IMG``, ``SLICER`` or ``LENSLET``.
    detector
        The detector, which names the part of an imager.
    imtype
        The kind of exposure, such as ``FLAT``.

    Raises
    ------
    DataError
        If there is no such exposure.
    """
    part = detector if mode == _IMAGER else _data()["parts"].get(mode)
    for kind in kinds().values():
        if kind.imtype == imtype and mode in kind.modes and part:
            return Observation(kind.obstype, f"{part}-{kind.suffix}", mode, imtype, kind.description)
    known = ", ".join(kind.imtype for kind in kinds().values() if mode in kind.modes)
    raise DataError(
        f"there is no OBSNAME for IMTYPE {imtype!r} in the mode {mode!r}",
        f"known are {known}" if known else f"the modes are {_IMAGER}, {', '.join(_data()['parts'])}",
    )


def named(obsname: str) -> Observation:
    """What an OBSNAME stands for.

    Raises
    ------
    DataError
        If it stands for nothing known.
    """
    part, _, suffix = obsname.rpartition("-")
    kind = kinds().get(suffix)
    modes = {prefix: mode for mode, prefix in _data()["parts"].items()}
    mode = modes.get(part, _IMAGER if part.startswith(_IMAGER) else "")
    if kind is None or mode not in kind.modes:
        raise DataError(f"OBSNAME {obsname!r} is not known", "it is like IMG1-SCI, SLI-NFF or LEN-SPX")
    return Observation(kind.obstype, obsname, mode, kind.imtype, kind.description)


def observation_of(header: Header) -> Observation | None:
    """What an exposure is by its header: by OBSNAME, or by mode, detector and IMTYPE; None if unknown."""
    values = {name: str(find(header, name) or "") for name in ("OBSNAME", "INSTMODE", "DETECTOR", "IMTYPE")}
    try:
        if values["OBSNAME"]:
            return named(values["OBSNAME"])
        return observation(values["INSTMODE"], values["DETECTOR"], _imtype(values["IMTYPE"]))
    except DataError:
        return None


def observed(header: Header) -> dict[str, str]:
    """INSTMODE and IMTYPE of an exposure: by its OBSNAME, or as its header has them; empty texts without."""
    known = observation_of(header)
    if known is not None:
        return {"INSTMODE": known.mode, "IMTYPE": known.imtype}
    return {name: str(find(header, name) or "") for name in ("INSTMODE", "IMTYPE")}


def _imtype(value: str) -> str:
    """The kind of exposure of an older header, such as ``SCI-M92-K`` or ``sky``."""
    return value.upper().partition("-")[0]


@cache
def _data() -> dict[str, Any]:
    import yaml

    text = (files("reduce") / "schemas" / "observations.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.safe_load(text)
    return data
