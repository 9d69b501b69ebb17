"""Small frames, ramps and FITS files for tests of `reduce`."""

from pathlib import Path

import numpy as np
from astropy.io import fits

from reduce.dq import DQ
from reduce.frame import Frame, Ramp
from reduce.provenance import InputFile, Provenance, ReferenceUse, StepRecord
from reduce.references import Reference

CARDS = {
    "TELESCOP": "TMT",
    "INSTRUME": "IRIS",
    "INSTERA": "0.1.0",
    "DETECTOR": "IMG1",
    "INSTMODE": "IMG",
    "FILTER": "K",
    "PUPIL": "CLEAR",
    "IMTYPE": "SCI",
    "READMODE": "DEFAULT",
    "SUBARRAY": "FULL",
    "EXPDTST": "20250601090000",
    "EXPTIME": 15.0,
    "OBJECT": "M92",
}
WCS_CARDS = {
    "CTYPE1": "RA---TAN",
    "CTYPE2": "DEC--TAN",
    "CRPIX1": 3.0,
    "CRPIX2": 4.0,
    "CRVAL1": 259.28,
    "CRVAL2": 43.136,
    "CD1_1": -1.0e-6,
    "CD1_2": 2.0e-7,
    "CD2_1": 2.0e-7,
    "CD2_2": 1.0e-6,
    "CUNIT1": "deg",
    "CUNIT2": "deg",
}


def header(cards: dict[str, object] = CARDS, **more: object) -> fits.Header:
    result = fits.Header()
    for keyword, value in {**cards, **more}.items():
        result[keyword] = value
    return result


def frame(shape: tuple[int, int] = (7, 5), seed: int = 1, **fields: object) -> Frame:
    rng = np.random.default_rng(seed)
    dq = np.zeros(shape, dtype=np.uint32)
    dq[0, 0] = DQ.DO_NOT_USE | DQ.REFERENCE_PIXEL
    dq[-1, -1] = DQ.NO_FLAT_FIELD
    values = {
        "sci": rng.normal(10, 1, shape).astype(np.float32),
        "variances": {
            "POISSON": rng.random(shape, dtype=np.float32),
            "RNOISE": rng.random(shape, dtype=np.float32),
        },
        "dq": dq,
        "header": header(),
        "sci_header": header(WCS_CARDS, BUNIT="electron / s"),
        "planes": {"CHI2": rng.random(shape, dtype=np.float32), "NREADS": np.full(shape, 9, dtype=np.uint8)},
        "provenance": history(),
    }
    return Frame(**{**values, **fields})


def ramp(shape: tuple[int, int, int, int] = (6, 5, 2, 4), seed: int = 2, **fields: object) -> Ramp:
    rng = np.random.default_rng(seed)
    pixeldq = np.zeros(shape[:2], dtype=np.uint32)
    pixeldq[2, 1] = DQ.HOT
    groupdq = np.zeros(shape, dtype=np.uint8)
    groupdq[3, 2, :, 1:] = DQ.SATURATED
    values = {
        "reads": rng.integers(0, 65536, shape).astype(np.uint16),
        "times": np.tile(1.5 * np.arange(1, shape[3] + 1), (shape[2], 1)),
        "groupdq": groupdq,
        "pixeldq": pixeldq,
        "header": header(DATAMODL="RampModel"),
        "sci_header": header({"BUNIT": "DN"}),
    }
    return Ramp(**{**values, **fields})


def history() -> Provenance:
    dark = Reference(
        "dark",
        Path("/cache/references/ligeriri/iris/IRIS_IMG1_DARK_20250312T000000_0.0.1.fits"),
        "cache",
        "ligeriri_0002.pmap",
        "ligeriri_iris_dark_0002.rmap:27",
        "the closest in time",
    )
    flat = Reference("flat", Path("/data/Königs flat ' .fits"), "override", reason="named by the user")
    return Provenance(
        recipe="imager",
        version="0.1.0",
        inputs=(InputFile("/data/raw ü.fits", "ab" * 32), InputFile("sky.fits ", "cd" * 32, "sky")),
        steps=(
            StepRecord("dark", "S_DARK", "COMPLETE", {"scale": "1.0"}, (ReferenceUse(dark, "12" * 32),)),
            StepRecord("flat_field", "S_FLAT", "COMPLETE", {}, (ReferenceUse(flat, "34" * 32),)),
            StepRecord(
                "bias",
                "S_BIAS",
                "SKIPPED",
                {"a": "λ 1\n"},
                (ReferenceUse(Reference("bias", None, "cache"), ""),),
                "N/A",
            ),
        ),
    )


def write(path: Path, *hdus: tuple[str, object], cards: dict[str, object] = CARDS) -> Path:
    """A file with some extensions, as astropy writes it; an array named PRIMARY is in the primary HDU."""
    rest = [one for one in hdus if one[0] != "PRIMARY"]
    first = dict(hdus).get("PRIMARY")
    extensions = [
        fits.BinTableHDU(data, name=name)
        if getattr(data, "dtype", np.dtype(int)).names
        else fits.ImageHDU(data, name=name)
        for name, data in rest
    ]
    fits.HDUList([fits.PrimaryHDU(first, header=header(cards)), *extensions]).writeto(path)
    return path


def same(one: object, other: object) -> bool:
    """True if two frames have the same arrays and history."""
    return (
        np.array_equal(one.sci, other.sci, equal_nan=True)
        and np.array_equal(one.dq, other.dq)
        and one.variances.keys() == other.variances.keys()
        and all(
            np.array_equal(one.variances[name], other.variances[name], equal_nan=True)
            for name in one.variances
        )
        and one.planes.keys() == other.planes.keys()
        and all(np.array_equal(one.planes[name], other.planes[name]) for name in one.planes)
        and one.provenance == other.provenance
    )
