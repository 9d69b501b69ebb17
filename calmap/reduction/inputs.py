"""What steps used as in stpipe can be given: files, frames, lists of them, associations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calmap.reduction.memory import frame_digest, is_ccddata
from reduce.associations import Association, is_association, read_associations
from reduce.ccddata import from_ccddata
from reduce.errors import DataError
from reduce.files.reader import read_header
from reduce.files.rows import open_rows
from reduce.frame import Frame, Ramp, by_rows
from reduce.headers import plain
from reduce.pipeline import Data
from reduce.references import Value
from reduce.session import Product, opened

_ROLES = {"SCI": "science", "SCIENCE": "science", "SKY": "sky", "BACKGROUND": "sky"}


@dataclass(frozen=True, slots=True)
class Exposure:
    """One exposure: a file, or data in memory."""

    source: Path | Data

    def data(self) -> Data:
        """A frame or ramp; of a file it is opened now."""
        return opened(self.source) if isinstance(self.source, Path) else self.source

    def product(self, number: int) -> Product:
        """The exposure as one of several that are combined."""
        if isinstance(self.source, Path):
            return Product(self.source, open_rows(self.source))
        if isinstance(self.source, Ramp):
            raise DataError("ramps can't be combined", "fit slopes first")
        name = f"in memory, number {number}"
        return Product(Path(name), by_rows(self.source, name), frame_digest(self.source))

    @property
    def header(self) -> dict[str, Value]:
        """Its primary header."""
        found = read_header(self.source) if isinstance(self.source, Path) else self.source.header
        return plain(found)

    @property
    def path(self) -> Path:
        """Its file, or the name of the file that it came from."""
        if isinstance(self.source, Path):
            return self.source
        return Path(Path(str(self.source.header.get("FILENAME") or "frame.fits")).name)


@dataclass(frozen=True, slots=True)
class Exposures:
    """What a step is given.

    Parameters
    ----------
    science, sky
        Exposures by their roles.
    several
        False if it was one exposure, so that its result is wanted and not a list.
    """

    science: tuple[Exposure, ...]
    sky: tuple[Exposure, ...] = ()
    several: bool = True

    @property
    def all(self) -> tuple[Exposure, ...]:
        """Every exposure, the science first."""
        return (*self.science, *self.sky)


def exposures(given: object) -> Exposures:
    """The exposures that somebody means.

    Parameters
    ----------
    given
        A path of a FITS file or an association; a `Frame`, `Ramp` or ``CCDData``; a sequence of these; or a
        mapping with the lists ``SCI`` and ``SKY``.

    Raises
    ------
    DataError
        If it is something else, or a file can't be used.
    """
    if isinstance(given, (str, Path)):
        path = Path(given).expanduser()
        if is_association(path):
            return _associated(read_associations(path))
        return Exposures((Exposure(path),), several=False)
    if isinstance(given, (Frame, Ramp)):
        return Exposures((Exposure(given),), several=False)
    if is_ccddata(given):
        return Exposures((Exposure(from_ccddata(given)),), several=False)
    if isinstance(given, Mapping):
        return _by_role(given)
    if isinstance(given, Sequence):
        parts = [exposures(one) for one in given]
        return Exposures(
            tuple(one for part in parts for one in part.science),
            tuple(one for part in parts for one in part.sky),
        )
    raise DataError(
        f"a {type(given).__name__} can't be reduced",
        "give a file, a Frame, a Ramp, a CCDData, a list of these, or an association",
    )


def header_of(given: object) -> Mapping[str, Value]:
    """What the rules look at: the header of the first exposure, or the words of a model of stpipe's."""
    parameters = getattr(given, "get_crds_parameters", None)
    if callable(parameters):
        return _plain(parameters())
    if isinstance(given, Mapping) and not _roles(given):
        return _plain(given)
    found = exposures(given).all
    if not found:
        raise DataError("there is no exposure to select references for")
    return found[0].header


def _plain(header: Mapping[Any, Any]) -> dict[str, Value]:
    return {
        str(key): value for key, value in header.items() if key and isinstance(value, (str, int, float, bool))
    }


def _roles(given: Mapping[Any, Any]) -> bool:
    return bool(given) and all(str(role).upper() in _ROLES for role in given)


def _by_role(given: Mapping[Any, Any]) -> Exposures:
    if not _roles(given):
        raise DataError(
            f"exposures are given by SCI and SKY, and not by {', '.join(map(str, given)) or 'nothing'}"
        )
    by_role: dict[str, list[Exposure]] = {"science": [], "sky": []}
    for role, members in given.items():
        listed = members if isinstance(members, (list, tuple)) else [members]
        by_role[_ROLES[str(role).upper()]] += exposures(listed).all
    return Exposures(tuple(by_role["science"]), tuple(by_role["sky"]))


def _associated(found: tuple[Association, ...]) -> Exposures:
    return Exposures(
        tuple(Exposure(path) for association in found for path in association.science),
        tuple(Exposure(path) for association in found for path in association.sky),
    )
