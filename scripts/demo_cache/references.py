"""The contents of the simulated reference files."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from astropy.io import fits

from demo_cache.catalogue import IRIS_CHANGE, REFERENCES, Reference
from demo_cache.detector import (
    DEAD,
    DO_NOT_USE,
    HOT,
    NO_FLAT_FIELD,
    NO_LIN_CORR,
    SHAPE,
    Detector,
)
from demo_cache.fitsfile import Card, Extension, fits_bytes
from demo_cache.patterns import normal, quantised

TELESCOPES = {"IRIS": "TMT", "Liger": "Keck-I"}
MODELS = {
    "DARK": "DarkModel",
    "DQ": "DQModel",
    "DRIZPARS": "DrizParsModel",
    "FLAT": "FlatModel",
    "NONLINCOEFF": "NonlinearCorrectionModel",
}
DARK_ERROR = 2.0**-8
FLAT_ERROR = 2.0**-9


def reference_files() -> Iterator[tuple[Reference, bytes]]:
    """Every reference file with its bytes."""
    for reference in REFERENCES:
        yield reference, fits_bytes(_cards(reference), _extensions(reference))


def _cards(reference: Reference) -> list[Card]:
    new = reference.when >= IRIS_CHANGE
    kind = reference.kind.lower()
    cards: list[Card] = [
        ("FILENAME", reference.name),
        ("TELESCOP", TELESCOPES[reference.instrument]),
        ("INSTRUME", reference.instrument),
        ("DETECTOR", reference.detector),
        ("INSTERA" if new else "ERA", reference.era, "era of the instrument"),
        ("REFTYPE", reference.kind, "type of reference file"),
        ("REFVER", reference.version, "version of this reference file"),
        ("DATAMODL", MODELS[reference.kind]),
        ("USEAFTER", reference.when.isoformat(), "start of validity"),
        ("PEDIGREE", "SIMULATION"),
        ("AUTHOR", "scripts/make_demo_cache.py"),
        ("DESCRIP", f"Simulated {kind} of {reference.instrument} {reference.detector}"),
    ]
    if reference.kind in ("DARK", "FLAT", "NONLINCOEFF"):
        cards.append(("READMODE", reference.readmode))
    if reference.kind == "DARK":
        cards.append(("SUBARRAY", "FULL"))
    if reference.kind == "DQ":
        cards.append(("SUBARRAY", "GENERIC"))
    if reference.kind == "FLAT":
        cards += [("FILTER", reference.band), ("PUPIL", "CLEAR")]
    cards.append(("HISTORY", "Simulated for the demonstration cache; not a measurement."))
    return cards


def _extensions(reference: Reference) -> list[Extension]:
    detector = Detector(reference.instrument, reference.detector)
    match reference.kind:
        case "DARK":
            return _dark(reference, detector)
        case "FLAT":
            return _flat(reference, detector)
        case "DQ":
            return [Extension("DQ", detector.flags(reference.when)), Extension("DQ_DEF", _definitions())]
        case "NONLINCOEFF":
            return _nonlincoeff(reference, detector)
        case _:
            return [Extension("DRIZPARS", _drizpars(reference))]


def _dark(reference: Reference, detector: Detector) -> list[Extension]:
    truth = detector.dark_rate(reference.when)
    measured = truth + DARK_ERROR * normal(reference.name, SHAPE)
    error = np.full(SHAPE, DARK_ERROR, dtype=np.float32)
    return [
        Extension("DATA", quantised(measured, 2.0**-14), (("BUNIT", "electron / s"),)),
        Extension("ERR", error, (("BUNIT", "electron / s"),)),
        Extension("DQ", detector.flags(reference.when).astype(np.uint16)),
    ]


def _flat(reference: Reference, detector: Detector) -> list[Extension]:
    truth = detector.sensitivity(reference.band)
    measured = (truth + FLAT_ERROR * normal(reference.name, SHAPE)) * detector.lit
    unlit = ~detector.lit * np.uint32(NO_FLAT_FIELD)
    return [
        Extension("DATA", quantised(measured, 2.0**-14)),
        Extension("ERR", np.full(SHAPE, FLAT_ERROR, dtype=np.float32)),
        Extension("DQ", (detector.flags(reference.when) | unlit).astype(np.uint32)),
    ]


def _nonlincoeff(reference: Reference, detector: Detector) -> list[Extension]:
    uncorrectable = detector.dead * np.uint32(NO_LIN_CORR)
    remark: Card = ("COMMENT", "linear = sum over k of COEFFS[y, x, k] * raw**k")
    return [
        Extension("COEFFS", detector.linearity().astype(np.float32), (remark,)),
        Extension("DQ", (detector.flags(reference.when) | uncorrectable).astype(np.uint32)),
    ]


def _definitions() -> fits.FITS_rec:
    rows = [
        (0, DO_NOT_USE, "DO_NOT_USE"),
        (10, DEAD, "DEAD"),
        (11, HOT, "HOT"),
        (18, NO_FLAT_FIELD, "NO_FLAT_FIELD"),
        (20, NO_LIN_CORR, "NO_LIN_CORR"),
    ]
    bits, values, names = zip(*rows, strict=True)
    return fits.FITS_rec.from_columns(
        [
            fits.Column("BIT", "J", array=np.array(bits)),
            fits.Column("VALUE", "J", array=np.array(values)),
            fits.Column("NAME", "16A", array=np.array(names)),
        ]
    )


def _drizpars(reference: Reference) -> fits.FITS_rec:
    scale = 4.0 if reference.instrument == "IRIS" else 10.0
    return fits.FITS_rec.from_columns(
        [
            fits.Column("NUMIMAGES", "J", array=np.array([1, 2, 4, 8])),
            fits.Column("PIXFRAC", "E", array=np.array([1.0, 1.0, 0.875, 0.75])),
            fits.Column("KERNEL", "8A", array=np.array(["square"] * 4)),
            fits.Column("SCALE", "E", unit="mas", array=np.array([scale] * 4)),
        ]
    )
