"""The demonstration exposures: frames as the two keyword eras of the pipelines write them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from demo_cache.detector import SHAPE, Detector
from demo_cache.fitsfile import Card, Extension, fits_bytes
from demo_cache.patterns import SIZE, Image, normal, quantised, star
from demo_cache.references import TELESCOPES

SKY = {"Y": 0.5, "J": 1.5, "H": 4.0, "K": 8.0, "BrGamma": 6.0}
READ_NOISE = 9.0
READ_TIME = 1.5
PEDESTAL = 1000.0
STARS = ((23.25, 40.5, 4000.0), (44.0, 12.75, 900.0))


@dataclass(frozen=True, slots=True)
class Exposure:
    """One frame.

    Parameters
    ----------
    semester, program, observation, number
        The first and last parts of the name.
    kind
        The part of the name that says what was exposed.
    when
        When it began; None for a frame that lost its date.
    new_keywords
        INSTERA, INSTMODE, EXPDTST and EXPJDST in place of ERA, MODE and DATE.
    window
        First column and row (from 1) and size of a subarray; None for a full frame.
    reads
        Number of reads of a ramp; 0 for a slope image.
    """

    semester: str
    program: str
    observation: str
    instrument: str
    detector: str
    mode: str
    target: str
    band: str
    when: datetime | None
    number: int
    new_keywords: bool = True
    era: str = "0.1.0"
    readmode: str = "DEFAULT"
    kind: str = "SCI"
    window: tuple[int, int, int] | None = None
    reads: int = 0

    @property
    def scale(self) -> float:
        """Milliarcseconds per pixel."""
        return 4.0 if self.instrument == "IRIS" else 10.0

    @property
    def name(self) -> str:
        """Name of the file."""
        program = f"{self.semester}-{self.program}-{self.observation}"
        what = f"{self.kind}-{self.target}-{self.band}-{self.scale}"
        level = 0 if self.reads else 1
        place = f"LVL{level}_{self.number:04d}-{int(self.window is not None):02d}"
        return f"{program}_{self.instrument}_{self.detector}_{what}_{place}.fits"

    @property
    def seconds(self) -> float:
        """Integration time."""
        return self.reads * READ_TIME if self.reads else 120.0


EXPOSURES = (
    Exposure(
        "2024B", "P123", "008", "IRIS", "IMG1", "IMG", "J1458+1013", "Y",
        datetime(2024, 10, 5, 6), 1, new_keywords=False, era="0.0.0",
    ),
    Exposure(
        "2024B", "P123", "008", "IRIS", "IMG1", "IMG", "J1458+1013", "Y",
        datetime(2024, 10, 30, 6), 2, new_keywords=False, era="0.0.0", window=(17, 9, 32),
    ),
    Exposure(
        "2024B", "P123", "009", "IRIS", "IMG1", "IMG", "J1458+1013", "BrGamma",
        datetime(2024, 10, 5, 9), 3, new_keywords=False, era="0.0.0",
    ),
    Exposure(
        "2025A", "P207", "002", "IRIS", "IMG1", "IMG", "M92", "K",
        datetime(2025, 6, 1, 9), 1, readmode="MCDS", reads=10,
    ),
    Exposure("2025A", "P207", "003", "IRIS", "IFU", "SLICER", "M92", "K", datetime(2025, 6, 1, 12), 2),
    Exposure("2025A", "P207", "004", "IRIS", "IMG3", "IMG", "M92", "K", None, 3),
    Exposure(
        "2025A", "U045", "001", "Liger", "IMG", "IMG", "Arches", "H", datetime(2025, 7, 4, 12), 7, era="0.0.0"
    ),
)  # fmt: skip


def exposure_files() -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every exposure."""
    for exposure in EXPOSURES:
        yield exposure.name, fits_bytes(_cards(exposure), _extensions(exposure))


def _cards(exposure: Exposure) -> list[Card]:
    new = exposure.new_keywords
    return [
        ("FILENAME", exposure.name),
        ("TELESCOP", TELESCOPES[exposure.instrument]),
        ("INSTRUME", exposure.instrument),
        ("DETECTOR", exposure.detector),
        ("INSTERA" if new else "ERA", exposure.era, "era of the instrument"),
        *_mode(exposure),
        ("FILTER", exposure.band),
        ("PUPIL", "CLEAR"),
        ("SCALE", exposure.scale / 1000, "arcsec / pixel"),
        ("IMTYPE", exposure.kind),
        ("READMODE", exposure.readmode),
        *_subarray(exposure),
        *_date(exposure),
        ("EXPTIME" if new else "ITIME", exposure.seconds, "s"),
        ("NFRAMES", 1),
        ("NGROUPS", 1),
        ("NREADS", exposure.reads or 80),
        ("EXPNUM", exposure.number),
        ("SEMID", exposure.semester),
        ("PROGNUM", exposure.program),
        ("OBSNUM", exposure.observation),
        ("OBJECT", exposure.target),
        ("DATALVL", 0 if exposure.reads else 1),
        ("DATAQUAL", "GOOD"),
        ("DATAMODL", _model(exposure)),
        ("HISTORY", "Simulated by scripts/make_demo_cache.py."),
    ]


def _mode(exposure: Exposure) -> list[Card]:
    if exposure.new_keywords:
        return [("INSTMODE", exposure.mode)]
    return [("MODE", "IMG" if exposure.mode == "IMG" else "IFU")]


def _model(exposure: Exposure) -> str:
    if exposure.reads:
        return "RampModel"
    return "IFUImageModel" if exposure.detector == "IFU" else "ImagerModel"


def _date(exposure: Exposure) -> list[Card]:
    when = exposure.when
    if when is None:
        return []
    if not exposure.new_keywords:
        return [("DATE", when.isoformat(), "UTC")]
    julian = when.toordinal() + 1721424.5 + (when.hour * 3600 + when.minute * 60 + when.second) / 86400
    return [
        ("EXPDTST", when.strftime("%Y%m%d%H%M%S"), "UTC start of exposure"),
        ("EXPJDST", julian, "Julian date of the start"),
    ]


def _subarray(exposure: Exposure) -> list[Card]:
    column, row, size = exposure.window or (1, 1, SIZE)
    return [
        ("SUBARRAY", "CUSTOM" if exposure.window else "FULL"),
        ("SUBARRID", int(exposure.window is not None)),
        ("SUBSTRT1", column),
        ("SUBSTRT2", row),
        ("SUBSIZE1", size),
        ("SUBSIZE2", size),
        ("DETXSIZE", SIZE),
        ("DETYSIZE", SIZE),
    ]


def _rate(exposure: Exposure) -> Image:
    """Electrons per second that arrive: dark current and what the sky and the stars leave."""
    detector = Detector(exposure.instrument, exposure.detector)
    scene = np.full(SHAPE, SKY[exposure.band])
    for row, column, flux in STARS:
        scene += star(row, column, flux)
    when = exposure.when or datetime(2025, 6, 1)
    return detector.dark_rate(when) + detector.sensitivity(exposure.band) * scene


def _extensions(exposure: Exposure) -> list[Extension]:
    return _ramp(exposure) if exposure.reads else _slope(exposure)


def _slope(exposure: Exposure) -> list[Extension]:
    rate = _rate(exposure)
    noise = READ_NOISE / exposure.seconds
    error = np.sqrt(rate / exposure.seconds + noise * noise)
    data = rate + error * normal(exposure.name, SHAPE)
    cut = _window(exposure)
    unit: tuple[Card, ...] = (("BUNIT", "electron / s"),)
    wcs = () if exposure.detector == "IFU" else _wcs(exposure)
    return [
        Extension("DATA", quantised(data, 2.0**-12)[cut], unit + wcs),
        Extension("ERR", quantised(error, 2.0**-12)[cut], unit),
        Extension("DQ", np.zeros(SHAPE, dtype=np.uint16)[cut]),
    ]


def _window(exposure: Exposure) -> tuple[slice, slice]:
    column, row, size = exposure.window or (1, 1, SIZE)
    return slice(row - 1, row - 1 + size), slice(column - 1, column - 1 + size)


def _wcs(exposure: Exposure) -> tuple[Card, ...]:
    column, row, _ = exposure.window or (1, 1, SIZE)
    step = round(exposure.scale / 3.6e6, 15)
    return (
        ("CTYPE1", "RA---TAN"),
        ("CTYPE2", "DEC--TAN"),
        ("CRPIX1", 33.0 - column),
        ("CRPIX2", 33.0 - row),
        ("CRVAL1", 224.5),
        ("CRVAL2", 10.25),
        ("CDELT1", -step),
        ("CDELT2", step),
        ("CUNIT1", "deg"),
        ("CUNIT2", "deg"),
    )


def _ramp(exposure: Exposure) -> list[Extension]:
    """Non-destructive reads of one ramp; the raw counts that the linearity coefficients make straight."""
    shape = (*SHAPE, 1, exposure.reads)
    steps = _rate(exposure)[..., np.newaxis, np.newaxis] * READ_TIME
    charge = np.cumsum(steps + np.sqrt(steps) * normal(f"{exposure.name} photons", shape), axis=-1)
    linear = PEDESTAL + charge + READ_NOISE * normal(f"{exposure.name} reads", shape)
    square, cube = np.moveaxis(
        Detector(exposure.instrument, exposure.detector).linearity()[..., np.newaxis, np.newaxis, 2:], -1, 0
    )
    raw = linear
    for _ in range(4):
        raw = linear - square * raw * raw - cube * raw * raw * raw
    times = READ_TIME * np.arange(1, exposure.reads + 1, dtype=np.float64).reshape(1, -1)
    return [
        Extension("TIMES", times, (("BUNIT", "s"),)),
        Extension("DATA", np.rint(raw).astype(np.uint16), (("BUNIT", "electron"),)),
        Extension("DQ", np.zeros(shape, dtype=np.uint16)),
    ]
