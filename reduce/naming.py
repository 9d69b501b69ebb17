"""File names of exposures and calibrations, taken apart and put together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from reduce.errors import DataError

_SCIENCE: Final = re.compile(
    r"(?P<semester>\d{4}[AB])-(?P<program>[^-_/]+)-(?P<observation>[^-_/]+)"
    r"_(?P<instrument>[^_/]+)_(?P<detector>[^_/]+)_(?P<kind>[A-Za-z0-9]+)(?:-(?P<what>[^/]+-[^-/]+-[^-/]+))?"
    r"_LVL(?P<level>\d)_(?P<exposure>\d{4,})(?:-(?P<subarray>\d\d))?\.fits",
    re.ASCII,
)
_CALIBRATION: Final = re.compile(
    r"(?P<instrument>[^_/]+)_(?P<detector>[^_/]+)_(?P<reftype>[^_/]+)"
    r"_(?P<day>\d{8})(?P<separator>T?)(?P<time>\d{6})_(?P<version>\d+\.\d+\.\d+)\.fits",
    re.ASCII,
)
_EXAMPLES: Final = (
    "2024B-P123-008_IRIS_IMG1_SCI-J1458+1013-Y-4.0_LVL1_0001-00.fits",
    "IRIS_IMG1_DARK_20240924T000000_0.0.1.fits",
)


@dataclass(frozen=True, slots=True)
class Pointing:
    """What a science exposure was of, as its name says.

    Parameters
    ----------
    target
        The target; it may have ``+``, ``-``, ``.`` and ``_`` in it.
    filter
        The filter, without ``-``.
    scale
        Milliarcseconds of a pixel, as written, such as ``4.0``.
    """

    target: str
    filter: str
    scale: str


@dataclass(frozen=True, slots=True)
class ScienceName:
    """Name of an exposure or of what was made of it.

    Parameters
    ----------
    semester, program, observation
        Such as ``2024B``, ``P123`` and ``008``.
    instrument, detector
        Such as ``IRIS`` and ``IMG1``.
    kind
        What was exposed, such as ``SCI``.
    pointing
        Target, filter and scale; None in names without them.
    level
        Level of the data, 0 to 9.
    exposure
        Number of the exposure.
    subarray
        Number of the subarray, 0 for the full frame; None in names without it.
    """

    semester: str
    program: str
    observation: str
    instrument: str
    detector: str
    kind: str
    pointing: Pointing | None
    level: int
    exposure: int
    subarray: int | None = 0

    def __post_init__(self) -> None:
        what = self.pointing
        parts = {
            "semester": self.semester,
            "program": self.program,
            "observation": self.observation,
            "instrument": self.instrument,
            "detector": self.detector,
            "kind": self.kind,
            "level": str(self.level),
        }
        _require_form(_SCIENCE, str(self), parts)
        if what is not None and (
            "-" in what.filter + what.scale or not (what.target and what.filter and what.scale)
        ):
            raise DataError(f"filter {what.filter!r} and scale {what.scale!r} can't be in the name of a file")

    def __str__(self) -> str:
        what = self.pointing
        shown = f"{self.kind}-{what.target}-{what.filter}-{what.scale}" if what else self.kind
        number = f"{self.exposure:04d}" + ("" if self.subarray is None else f"-{self.subarray:02d}")
        return (
            f"{self.semester}-{self.program}-{self.observation}_{self.instrument}_{self.detector}_{shown}"
            f"_LVL{self.level}_{number}.fits"
        )


@dataclass(frozen=True, slots=True)
class CalibrationName:
    """Name of a reference file.

    Parameters
    ----------
    instrument, detector, reftype
        Such as ``IRIS``, ``IMG1`` and ``DARK``.
    when
        Its date, to the second.
    version
        Such as ``0.0.1``.
    separator
        Between day and time: ``T``, or nothing as newer pipelines write it.
    """

    instrument: str
    detector: str
    reftype: str
    when: datetime
    version: str = "0.0.1"
    separator: Literal["T", ""] = "T"

    def __post_init__(self) -> None:
        parts = {
            "instrument": self.instrument,
            "detector": self.detector,
            "reftype": self.reftype,
            "version": self.version,
        }
        _require_form(_CALIBRATION, str(self), parts)

    def __str__(self) -> str:
        moment = f"{self.when:%Y%m%d}{self.separator}{self.when:%H%M%S}"
        return f"{self.instrument}_{self.detector}_{self.reftype}_{moment}_{self.version}.fits"


def parse_name(name: str) -> ScienceName | CalibrationName:
    """The parts of a file name, without folders.

    Raises
    ------
    DataError
        If it has neither form, or its date is none.
    """
    if match := _SCIENCE.fullmatch(name):
        return _science(match)
    if match := _CALIBRATION.fullmatch(name):
        return _calibration(name, match)
    raise DataError(f"the name {name!r} has no known form", f"such as {_EXAMPLES[0]} or {_EXAMPLES[1]}")


def semester(day: date) -> str:
    """The semester of a night at Keck and TMT: A from February to July, B from August to January.

    Examples
    --------
    >>> semester(date(2025, 1, 31))
    '2024B'
    """
    if day.month == 1:
        return f"{day.year - 1:04d}B"
    return f"{day.year:04d}{'A' if day.month < 8 else 'B'}"


def _science(match: re.Match[str]) -> ScienceName:
    what, subarray = match["what"], match["subarray"]
    return ScienceName(
        semester=match["semester"],
        program=match["program"],
        observation=match["observation"],
        instrument=match["instrument"],
        detector=match["detector"],
        kind=match["kind"],
        pointing=None if what is None else Pointing(*what.rsplit("-", 2)),
        level=int(match["level"]),
        exposure=int(match["exposure"]),
        subarray=None if subarray is None else int(subarray),
    )


def _calibration(name: str, match: re.Match[str]) -> CalibrationName:
    try:
        when = datetime.strptime(match["day"] + match["time"], "%Y%m%d%H%M%S")
    except ValueError as problem:
        raise DataError(f"the name {name!r} has a date that is none: {problem}") from problem
    return CalibrationName(
        instrument=match["instrument"],
        detector=match["detector"],
        reftype=match["reftype"],
        when=when,
        version=match["version"],
        separator="T" if match["separator"] else "",
    )


def _require_form(form: re.Pattern[str], name: str, parts: Mapping[str, str]) -> None:
    """Refuse parts that would be read back as others."""
    match = form.fullmatch(name)
    if match is None or any(match[part] != value for part, value in parts.items()):
        raise DataError(f"{name!r} can't be the name of a file: its parts could not be told apart again")
