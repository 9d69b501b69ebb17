"""The header of a reference file: what it is for, where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from reduce.errors import DataError
from reduce.files.text import printable
from reduce.making.exposures import Exposure, counted
from reduce.making.order import Description, Made
from reduce.naming import CalibrationName
from reduce.windows import is_full

if TYPE_CHECKING:
    from astropy.io.fits import Header

AUTHOR: Final = "calmap make"
_PLACE: Final = ("SUBSIZE1", "SUBSIZE2", "DETXSIZE", "DETYSIZE", "FASTAXIS", "SLOWAXIS")
_SIMULATED: Final = "SIMULATION"


def name_of(made: Made, exposures: Sequence[Exposure], description: Description) -> str:
    """Its file's name.

    Raises
    ------
    DataError
        If the exposures don't say which instrument and detector they are of.
    """
    first = exposures[0]
    for keyword in ("INSTRUME", "DETECTOR"):
        if not first.said(keyword):
            raise DataError(f"{first.path} has no {keyword}")
    return str(
        CalibrationName(
            first.said("INSTRUME"),
            first.said("DETECTOR").replace("/", ""),
            made.reftype.upper(),
            useafter(exposures, description),
            description.version,
        )
    )


def header_of(
    kind: str, made: Made, exposures: Sequence[Exposure], description: Description, notes: Sequence[str]
) -> Header:
    """Its primary header."""
    from astropy.io import fits

    first = exposures[0]
    header = fits.Header()
    for keyword in (*made.keywords, *_PLACE):
        value = first.values.get(keyword, first.said(keyword))
        if value != "":
            header[keyword] = value
    if made.reftype == "dq" and is_full(first.values):
        header["SUBARRAY"] = "GENERIC"
    if description.serves is not None:
        header.update(description.serves(first.values, made.reftype))
    header["USEAFTER"] = f"{useafter(exposures, description):%Y-%m-%dT%H:%M:%S}"
    header["REFVER"] = description.version
    header["PEDIGREE"] = _SIMULATED if any(map(_is_simulated, exposures)) else "GROUND"
    header["AUTHOR"] = printable(description.author) or AUTHOR
    listed = " and ".join(counted(exposures))
    title = f"{made.reftype.capitalize()} of {first.said('INSTRUME')} {first.said('DETECTOR')} from {listed}"
    header["DESCRIP"] = printable(description.descrip) or title
    header["NINPUT"] = (len(exposures), "exposures it is made from")
    for keyword, (value, comment) in made.cards.items():
        header[keyword] = (value, comment)
    header["HISTORY"] = f"Made by calmap make {kind} from {listed}."
    for note in (*notes, *made.notes):
        header["HISTORY"] = printable(note[:1].upper() + note[1:] + ".")
    return header


def useafter(exposures: Sequence[Exposure], description: Description) -> datetime:
    """Start of validity: what somebody said, or the start of the earliest exposure, to the second."""
    moment = description.useafter
    if moment is None:
        try:
            moment = min(exposure.start for exposure in exposures)
        except DataError as problem:
            raise DataError(problem.message, f"{problem.hint}, or name a date with --useafter") from problem
    return moment.replace(microsecond=0)


def _is_simulated(exposure: Exposure) -> bool:
    """True if an exposure says that it is a simulation."""
    if exposure.said("PEDIGREE").upper().startswith("SIMUL"):
        return True
    return any(
        str(line).lower().startswith("simulated")
        for keyword in ("HISTORY", "COMMENT")
        for line in exposure.header.get(keyword, ())
    )
