"""A night of IRIS's imager that never was: raw exposures, and the truth about their stars.

Calibrations come first: biases, darks, flats, pairs of flats at several levels, and ramps up to saturation.
Then the sky, a field of standard stars and dithered exposures of a crowded field. The detector is
`detector_of`; there are more cosmic rays than in a real one, so that a small frame has some.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reduce.files.atomic import new_file, write_all
from reduce.files.layouts import Layout
from reduce.files.writer import write_ramp
from reduce.frame import Ramp
from reduce.kernels.zero_point import rate_of
from reduce.naming import Pointing, ScienceName, semester
from reduce.obstypes import observation_of
from reduce.references import Value
from reduce.scene import dithered, jittered_grid, star_field, tangent_wcs
from reduce.sim import Detector, Exposure, expose, read_times

if TYPE_CHECKING:
    from astropy.io.fits import Header

SCALE: Final = 0.004
"""Arcsec a pixel."""
FWHM: Final = 3.0
"""Pixels."""
ZERO_POINT: Final = 27.0
"""Magnitude of 1 e-/s."""
SKY: Final = 5.0
"""e-/s a pixel, on average over the night."""
FILTER: Final = "K"
_ON_SKY = ("SCI", "SKY")
_START = datetime(2025, 6, 20, 1, 0, 0)
_SEMESTER, _PROGRAM = semester(_START), "P301"
_OVERHEAD = timedelta(seconds=30)
_OUTSIDE = 14
"""Pixels around the detector in which there are stars too: those that a dither moves in."""
_DITHERS = ((0.0, 0.0), (0.0402, 0.0183), (-0.0258, 0.0371), (-0.0391, -0.0297), (0.0223, -0.0412))
_SKY_LEVELS = (1.0, 1.06, 0.95, 1.1, 0.91)
_FLAT_LEVELS = (20, 100, 300, 1000, 2000, 4000, 6000, 8000)


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """Stars on the sky.

    Parameters
    ----------
    centre
        Right ascension and declination, degrees.
    sky
        Those of each star, (n, 2), degrees.
    pixels
        x and y of each star, (n, 2), counted from 0, when the telescope points to the centre.
    magnitudes, rates
        Of each star, (n,); e-/s where the detector's response is 1.
    """

    name: str
    centre: tuple[float, float]
    sky: NDArray[np.float64]
    pixels: NDArray[np.float64]
    magnitudes: NDArray[np.float64]
    rates: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shot:
    """An exposure of the plan.

    Parameters
    ----------
    kind
        IMTYPE.
    target
        OBJECT; the name of a field, or what a calibration is for.
    observation
        OBSNUM: exposures that belong together have the same.
    reads, interval
        Number of reads, and seconds between them.
    light
        e-/s a pixel, of the lamp or the sky.
    dither
        Arcsec to the east and to the north.
    """

    kind: str
    target: str
    observation: int
    reads: int
    interval: float
    light: float = 0.0
    dither: tuple[float, float] = (0.0, 0.0)

    @property
    def duration(self) -> float:
        """Seconds from the reset to the last read."""
        return self.reads * self.interval


class Taken(NamedTuple):
    """An exposure that was taken.

    Parameters
    ----------
    name
        Its file's name.
    """

    name: str
    shot: Shot
    ramp: Ramp
    exposure: Exposure


class Night(NamedTuple):
    """A night on disk.

    Parameters
    ----------
    exposures
        Raw exposures, in order.
    catalogues
        The truth about the stars of each field, ECSV.
    """

    exposures: tuple[Path, ...]
    catalogues: tuple[Path, ...]
    detector: Detector
    fields: tuple[Field, ...]


def write_night(
    folder: Path, *, size: int = 256, seed: int = 1, layout: Layout = "standard", overwrite: bool = False
) -> Night:
    """Write all exposures of the night, and a catalogue of each field.

    Parameters
    ----------
    folder
        Where to; it is made if need be.
    size
        Rows and columns of the detector. The number of stars grows with its area.
    seed
        Same seed, same night.
    layout, overwrite
        See `reduce.files.writer.write_ramp`.

    Raises
    ------
    OutputError
        If a file is there already or can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    detector, fields = detector_of(size, seed), fields_of(size, seed)
    written = write_exposures(folder, detector, fields, plan(), seed=seed, layout=layout, overwrite=overwrite)
    paths, catalogues = tuple(written), tuple(write_catalogues(folder, fields, overwrite=overwrite))
    return Night(paths, catalogues, detector, fields)


def write_exposures(
    folder: Path,
    detector: Detector,
    fields: tuple[Field, ...],
    shots: tuple[Shot, ...],
    *,
    seed: int,
    layout: Layout = "standard",
    overwrite: bool = False,
) -> Iterator[Path]:
    """Take the exposures of a plan and write them, one after the other; see `write_night`."""
    for taken in exposures(detector, fields, shots, seed=seed):
        path = folder / taken.name
        write_ramp(taken.ramp, path, layout=layout, overwrite=overwrite)
        yield path


def write_catalogues(folder: Path, fields: tuple[Field, ...], *, overwrite: bool = False) -> Iterator[Path]:
    """Write what is true about the stars of each field; see `write_night`."""
    for field in fields:
        path = folder / f"{field.name}.ecsv"
        with new_file(path, overwrite=overwrite) as stream:
            write_all(stream, _catalogue(field).encode())
        yield path


def detector_of(size: int, seed: int) -> Detector:
    """The detector of the night."""
    return Detector.simulated((size, size), seed, cosmic_rate=5.0)


def fields_of(size: int, seed: int) -> tuple[Field, ...]:
    """The fields of the night: standard stars in ``SF1``, many stars in ``M92``, and few in ``BLANK``."""
    area = (size / 256) ** 2
    return (
        _field("SF1", (246.3512, 12.4071), size, max(4, round(9 * area)), (17.0, 18.5), seed + 1),
        _field("M92", (259.2808, 43.1359), size, round(180 * area), (18.5, 22.5), seed + 2),
        _field("BLANK", (259.3308, 43.2359), size, max(2, round(8 * area)), (20.0, 22.5), seed + 3),
    )


def plan() -> tuple[Shot, ...]:
    """What is exposed, in order."""
    flats = chain.from_iterable(repeat(light, 2) for light in _FLAT_LEVELS)
    steps = tuple(zip(_DITHERS, _SKY_LEVELS, strict=True))
    return (
        *repeat(Shot("BIAS", "BIAS", 1, 1, 1.44), 9),
        *repeat(Shot("DARK", "DARK", 2, 10, 10.0), 7),
        *repeat(Shot("FLAT", "FLAT", 3, 10, 5.0, 800.0), 7),
        *(Shot("FLAT", "PAIRS", 4, 2, 5.0, float(light)) for light in flats),
        *repeat(Shot("FLAT", "RAMPS", 5, 24, 5.0, 1000.0), 5),
        *(Shot("SCI", "SF1", 6, 5, 5.0, SKY * level, dither) for dither, level in steps[:3]),
        *(Shot("SCI", "M92", 7, 10, 10.0, SKY * level, dither) for dither, level in steps),
        *(Shot("SKY", "BLANK", 8, 10, 10.0, SKY * level, dither) for dither, level in steps),
    )


def exposures(
    detector: Detector, fields: tuple[Field, ...], shots: tuple[Shot, ...], *, seed: int
) -> Iterator[Taken]:
    """Take the exposures of a plan, one after the other."""
    known = {field.name: field for field in fields}
    start = _START
    for number, shot in enumerate(shots, 1):
        field = known.get(shot.target)
        scene = shot.light if field is None else image_of(field, shot, detector.shape)
        times = read_times(1, shot.reads, shot.interval)
        exposure = expose(detector, scene, times, seed=seed * 10_000 + number)
        yield Taken(
            _name(shot, number), shot, _ramp(detector, shot, field, number, start, exposure), exposure
        )
        start += timedelta(seconds=shot.duration) + _OVERHEAD


def image_of(field: Field, shot: Shot, shape: tuple[int, int]) -> NDArray[np.float64]:
    """What falls on the detector in an exposure of a field, e-/s a pixel."""
    wcs = tangent_wcs(shape, field.centre, SCALE, offset=shot.dither)
    places = wcs.all_world2pix(field.sky, 0)
    return star_field(shape, places, field.rates, fwhm=FWHM, sky=shot.light)


def _field(
    name: str, centre: tuple[float, float], size: int, count: int, range_: tuple[float, float], seed: int
) -> Field:
    side = size + 2 * _OUTSIDE
    places = jittered_grid((side, side), count, separation=5 * FWHM, margin=2.0, seed=seed) - _OUTSIDE
    magnitudes = np.random.default_rng(seed).uniform(*range_, count).round(3)
    sky = tangent_wcs((size, size), centre, SCALE).all_pix2world(places, 0)
    return Field(name, centre, sky, places, magnitudes, rate_of(magnitudes, ZERO_POINT))


def _name(shot: Shot, number: int) -> str:
    what = Pointing(shot.target, FILTER, f"{SCALE * 1000:.1f}") if shot.kind in _ON_SKY else None
    observation = f"{shot.observation:03d}"
    return str(
        ScienceName(
            _SEMESTER, _PROGRAM, observation, "IRIS", "IMG1", shot.kind, what, level=0, exposure=number
        )
    )


def _ramp(
    detector: Detector, shot: Shot, field: Field | None, number: int, start: datetime, exposure: Exposure
) -> Ramp:
    from astropy.io import fits

    header = _header(detector, shot, number, start)
    if field is not None:
        ra, dec = dithered(field.centre, shot.dither)
        header.update(
            {"RA": ra, "DEC": dec, "EQUINOX": 2000.0, "RADESYS": "ICRS", "POSANG": 0.0, "AIRMASS": 1.1}
        )
    pixeldq = np.zeros(detector.shape, dtype=np.uint32)
    unit = fits.Header([("BUNIT", "DN", "")])
    return Ramp(exposure.reads, exposure.times, None, pixeldq, header, unit)


def instrument_cards() -> dict[str, Value]:
    """Keywords of what the light goes through."""
    return {
        "TELESCOP": "TMT",
        "INSTRUME": "IRIS",
        "INSTERA": "0.1.0",
        "DETECTOR": "IMG1",
        "INSTMODE": "IMG",
        "FILTER": FILTER,
        "PUPIL": "CLEAR",
        "SCALE": SCALE,
    }


def _header(detector: Detector, shot: Shot, number: int, start: datetime) -> Header:
    """Keywords of era C."""
    from astropy.io import fits
    from astropy.time import Time

    rows, columns = detector.shape
    header = fits.Header(instrument_cards())
    header.update({"IMTYPE": shot.kind, "OBSTYPE": "SCI" if shot.kind in _ON_SKY else "CAL"})
    what = observation_of(header)
    if what is not None:
        header["OBSNAME"] = what.obsname
    header.update({"OBJECT": shot.target, "READMODE": "DEFAULT", "EXPTIME": shot.duration})
    header.update({"NFRAMES": 1, "NGROUPS": 1, "NREADS": shot.reads, "TGROUP": shot.interval})
    header.update({"EXPNUM": number, "EXPDTST": f"{start:%Y%m%d%H%M%S}", "EXPJDST": float(Time(start).jd)})
    header.update({"SUBARRAY": "FULL", "SUBARRID": 0, "SUBSTRT1": 1, "SUBSTRT2": 1})
    header.update({"SUBSIZE1": columns, "SUBSIZE2": rows, "DETXSIZE": columns, "DETYSIZE": rows})
    header["NOUTPUTS"] = detector.channels
    header.update({"FASTAXIS": 0, "SLOWAXIS": 1, "SEMID": _SEMESTER, "PROGNUM": _PROGRAM})
    header.update({"OBSNUM": f"{shot.observation:03d}", "DATALVL": 0, "DATAQUAL": "GOOD"})
    header["HISTORY"] = "Simulated; not a measurement."
    return header


def _catalogue(field: Field) -> str:
    """The truth about the stars of a field, ECSV."""
    from astropy.table import Table

    table = Table(
        {
            "name": [f"{field.name}-{number:04d}" for number in range(1, len(field.rates) + 1)],
            "ra": field.sky[:, 0],
            "dec": field.sky[:, 1],
            "x": field.pixels[:, 0],
            "y": field.pixels[:, 1],
            "magnitude": field.magnitudes,
            "rate": field.rates,
        },
        units={"ra": "deg", "dec": "deg", "x": "pix", "y": "pix", "magnitude": "mag", "rate": "electron / s"},
        meta={"field": field.name, "filter": FILTER, "zero_point": ZERO_POINT},
    )
    text = StringIO()
    table.write(text, format="ascii.ecsv")
    return text.getvalue()
