"""The exposures that a reference file is made from, and whether they go together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from reduce import keywords
from reduce.errors import DataError
from reduce.files.contents import contents
from reduce.files.integrity import checked_sha256
from reduce.files.ramps import is_ramp
from reduce.files.reader import read_ramp
from reduce.files.rows import open_rows
from reduce.headers import plain
from reduce.obstypes import observation_of
from reduce.provenance import InputFile
from reduce.recipe import Level
from reduce.references import Value
from reduce.session import level_of

if TYPE_CHECKING:
    from astropy.io.fits import Header

DETECTOR: Final = ("TELESCOP", "INSTRUME", "INSTERA", "DETECTOR", "SUBARRAY", "SUBSTRT1", "SUBSTRT2")
"""Keywords that are the same in all exposures of one reference file."""
READOUT: Final = (*DETECTOR, "READMODE")
LIGHT: Final = (*READOUT, "INSTMODE", "FILTER", "PUPIL", "GRATING", "SCALE")
_OTHER_NAMES: Final = {"DRK": "DARK", "NFF": "FLAT"}


class Candidate(NamedTuple):
    """A file that may be used.

    Parameters
    ----------
    named
        True if somebody named the file itself, and not a folder or a list that it is in.
    """

    path: Path
    named: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """A file that is used.

    Parameters
    ----------
    kind
        What was exposed, such as ``DARK``.
    level
        How far it has been reduced.
    shape
        Rows and columns.
    """

    path: Path
    header: Header
    kind: str
    level: Level
    shape: tuple[int, int]
    file: InputFile

    @property
    def values(self) -> dict[str, Value]:
        """Keywords and values of its header."""
        return plain(self.header)

    @property
    def start(self) -> datetime:
        """When it began, UTC.

        Raises
        ------
        DataError
            If its header does not say.
        """
        try:
            return keywords.date(self.values)
        except DataError as problem:
            raise DataError(problem.about(self.path), problem.hint) from problem

    def said(self, keyword: str) -> str:
        """The value of a keyword as text, empty without one."""
        value = keywords.find(self.values, keyword)
        return "" if value is None else str(value)


def chosen(
    candidates: Sequence[Candidate], kinds: Collection[str], what: str
) -> tuple[tuple[Exposure, ...], tuple[str, ...]]:
    """The exposures among some files, in the order of time, and notes on what was left out.

    Parameters
    ----------
    candidates
        The files. Those that were named have to fit; of others those that don't are left out.
    kinds
        Values of IMTYPE.
    what
        The reference type, for messages.

    Raises
    ------
    DataError
        If a file can't be used, or two are the same.
    """
    found: dict[Path, Exposure] = {}
    left = 0
    for path, named in candidates:
        exposure = opened(path)
        unfit = _unfit(exposure, kinds, what)
        if unfit and named:
            raise DataError(f"{path} {unfit}", f"a {what} is made of exposures with IMTYPE {_either(kinds)}")
        if unfit:
            left += 1
        else:
            found[path.absolute()] = exposure
    if not found:
        raise DataError(f"there is no exposure with IMTYPE {_either(kinds)} to make a {what} of")
    exposures = tuple(sorted(found.values(), key=_order))
    _refuse_twins(exposures)
    notes = (f"{_files(left)} of other kinds left out",) if left else ()
    return exposures, notes


def opened(path: Path) -> Exposure:
    """What is in a file, without its pixels.

    Raises
    ------
    DataError
        If it is no exposure.
    """
    raw = is_ramp(contents(path))
    data = read_ramp(path) if raw else open_rows(path)
    values = plain(data.header)
    kind = str(keywords.find(values, "IMTYPE") or "").upper().partition("-")[0]
    known = None if kind else observation_of(values)
    kind = known.imtype if known else kind
    level = Level.L0 if raw else level_of(values)
    file = InputFile(str(path), checked_sha256(path), kind.lower() or "exposure")
    return Exposure(path, data.header, _OTHER_NAMES.get(kind, kind), level, data.shape, file)


def require_alike(exposures: Sequence[Exposure], names: Sequence[str], what: str) -> None:
    """Refuse exposures that differ in what a reference file is for.

    Raises
    ------
    DataError
        Naming the first file that differs, the keyword and both values.
    """
    first = exposures[0]
    for other in exposures[1:]:
        for name in names:
            if other.said(name) != first.said(name):
                raise DataError(
                    f"{other.path} has {name}={_shown(other.said(name))}, and {first.path} has"
                    f" {_shown(first.said(name))}",
                    f"the exposures of one {what} have the same {name}",
                )
        if other.shape != first.shape:
            raise DataError(
                f"{other.path} has {other.shape[0]} rows and {other.shape[1]} columns, and {first.path}"
                f" {first.shape[0]} and {first.shape[1]}"
            )


def require_raw(exposures: Sequence[Exposure], what: str) -> None:
    """Refuse exposures that are no longer reads."""
    for exposure in exposures:
        if exposure.level > Level.L0:
            raise DataError(f"{exposure.path} has no reads; a {what} is made of raw exposures")


def _unfit(exposure: Exposure, kinds: Collection[str], what: str) -> str:
    """Why a file can't be used; empty if it can."""
    if exposure.said("REFTYPE"):
        return f"is a reference file of type {exposure.said('REFTYPE')}, and no exposure"
    if exposure.level >= Level.L3:
        return f"is a combination of exposures; make the {what} of the exposures themselves"
    if exposure.said("DATAQUAL") == "BAD":
        return "has DATAQUAL='BAD'"
    if exposure.kind not in kinds:
        return f"has IMTYPE={_shown(exposure.kind)}"
    return ""


def _refuse_twins(exposures: Sequence[Exposure]) -> None:
    seen: dict[str, Path] = {}
    for exposure in exposures:
        twin = seen.setdefault(exposure.file.sha256, exposure.path)
        if twin != exposure.path:
            raise DataError(f"{exposure.path} is a copy of {twin}", "leave one of them out")


def _order(exposure: Exposure) -> tuple[str, str]:
    return exposure.said("DATE-BEG"), str(exposure.path)


def _shown(text: str) -> str:
    return f"'{text}'" if text else "none"


def _either(kinds: Collection[str]) -> str:
    return " or ".join(kinds)


def _files(number: int) -> str:
    return f"{number} file" + ("" if number == 1 else "s")


def counted(exposures: Sequence[Exposure]) -> Iterator[str]:
    """How many there are of each kind, such as ``7 dark exposures``."""
    for kind in dict.fromkeys(exposure.kind for exposure in exposures):
        number = sum(exposure.kind == kind for exposure in exposures)
        yield f"{number} {kind.lower()} exposure{'' if number == 1 else 's'}"
