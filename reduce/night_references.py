"""Reference files for the demonstration night: what somebody measured of its detector a month before.

Each is the truth with the noise that such a measurement has, and says so in its error. They are made from the
detector itself, not from exposures; `calmap make` makes newer ones from the exposures of the night.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Image
from reduce.dq import DQ
from reduce.files.writer import write_reference
from reduce.naming import CalibrationName
from reduce.night import FILTER, ZERO_POINT, instrument_cards
from reduce.references import Value
from reduce.sim import Detector

MEASURED: Final = datetime(2025, 5, 20)
"""When they are valid from."""
_BIASES = 25
_DARKS, _DARK_READS, _DARK_INTERVAL = 20, 20, 30.0
_FLATS, _FLAT_ELECTRONS = 30, 40_000.0
_NONLINEARITY_ERROR = 0.002
_GAIN_ERROR = 1e-4
_READ_NOISE_ERROR = 0.01
_SATURATION_MARGIN = 0.99
_ZERO_POINT_ERROR = 0.003
_DRIZZLE = ((1, 1.0, b"square", 4.0), (2, 1.0, b"square", 4.0), (4, 0.8, b"square", 4.0))


class Measured(NamedTuple):
    """A reference before it is written: arrays by extension, their units, and further cards."""

    reftype: str
    arrays: Mapping[str, NDArray[Any]]
    units: Mapping[str, str]
    cards: Mapping[str, Value]


def write_references(folder: Path, detector: Detector, *, seed: int) -> Iterator[Path]:
    """Write a reference file of each type that the reduction of the night needs, one after the other.

    Parameters
    ----------
    folder
        Where to; it has to be there.
    seed
        Same detector and seed, same bytes.

    Raises
    ------
    OutputError
        If one can't be written.
    """
    from astropy.io import fits

    for measured in measurements(detector, seed=seed):
        path = folder / str(CalibrationName("IRIS", "IMG1", measured.reftype.upper(), MEASURED, "0.0.1"))
        header = fits.Header({**_cards(measured.reftype), **measured.cards})
        header["HISTORY"] = "Simulated: the truth about the detector with the noise of a measurement."
        write_reference(measured.reftype, path, header=header, arrays=measured.arrays, units=measured.units)
        yield path


def measurements(detector: Detector, *, seed: int) -> Iterator[Measured]:
    """A measurement of each property of the detector."""
    for number, measure in enumerate(_MEASUREMENTS.values()):
        yield measure(detector, np.random.default_rng([seed, 1000 + number]))


def _cards(reftype: str) -> dict[str, Value]:
    cards = instrument_cards() | {"READMODE": "DEFAULT", "SUBARRAY": "GENERIC" if reftype == "dq" else "FULL"}
    if reftype in ("dark", "bias"):
        cards["P_SUBARR"] = "CUSTOM|FULL"
    return cards | {
        "USEAFTER": f"{MEASURED:%Y-%m-%dT%H:%M:%S}",
        "REFVER": "0.0.1",
        "PEDIGREE": "SIMULATION",
        "AUTHOR": "calmap simulate",
        "DESCRIP": f"Simulated {reftype} of IRIS IMG1",
    }


def _bias(detector: Detector, rng: np.random.Generator) -> Measured:
    noise = np.hypot(detector.read_noise, detector.ktc) / detector.gain / np.sqrt(_BIASES)
    error = np.broadcast_to(noise, detector.shape)
    return _image("bias", _noisy(detector.bias, error, rng), error, _nothing(detector), "DN")


def _dark(detector: Detector, rng: np.random.Generator) -> Measured:
    seconds = _DARK_READS * _DARK_INTERVAL
    read_noise = 12 * np.square(detector.read_noise) / (_DARK_READS * seconds**2)
    error = np.sqrt((detector.dark / seconds + read_noise) / _DARKS)
    flags = _nothing(detector)
    flags[detector.hot] |= np.uint32(DQ.HOT)
    return _image("dark", _noisy(detector.dark, error, rng), error, flags, "electron / s")


def _flat(detector: Detector, rng: np.random.Generator) -> Measured:
    error = np.sqrt(np.maximum(detector.flat, 0) / (_FLATS * _FLAT_ELECTRONS))
    flags = _nothing(detector)
    flags[detector.flat <= 0] |= np.uint32(DQ.NO_FLAT_FIELD)
    return _image("flat", _noisy(detector.flat, error, rng), error, flags, "")


def _dq(detector: Detector, _: np.random.Generator) -> Measured:
    flags = _nothing(detector)
    flags[~detector.light] |= np.uint32(DQ.REFERENCE_PIXEL)
    flags[detector.dead] |= np.uint32(DQ.DEAD | DQ.DO_NOT_USE)
    flags[detector.hot] |= np.uint32(DQ.HOT)
    return Measured("dq", {"DQ": flags}, {}, {})


def _nonlincoeff(detector: Detector, rng: np.random.Generator) -> Measured:
    truth = detector.coefficients
    relative = np.zeros(truth.shape[-1])
    relative[2:] = _NONLINEARITY_ERROR
    error = (np.abs(truth) * relative).astype(np.float32)
    arrays = {"COEFFS": _noisy(truth, error, rng), "COEFFS_ERR": error, "DQ": _nothing(detector)}
    return Measured("nonlincoeff", arrays, {}, {})


def _gain(detector: Detector, rng: np.random.Generator) -> Measured:
    error = np.broadcast_to(np.asarray(detector.gain) * _GAIN_ERROR, detector.shape)
    gain = np.asarray(detector.gain) * (1 + _GAIN_ERROR * _of_channels(detector, rng))
    return _image("gain", gain, error, _nothing(detector), "electron / DN")


def _readnoise(detector: Detector, rng: np.random.Generator) -> Measured:
    noise = np.asarray(detector.read_noise)
    error = np.broadcast_to(noise * _READ_NOISE_ERROR, detector.shape)
    measured = noise * (1 + _READ_NOISE_ERROR * _of_channels(detector, rng))
    return _image("readnoise", measured, error, _nothing(detector), "electron")


def _saturation(detector: Detector, _: np.random.Generator) -> Measured:
    level = (detector.saturation * _SATURATION_MARGIN).astype(np.float32)
    return Measured("saturation", {"SCI": level, "DQ": _nothing(detector)}, {"SCI": "DN"}, {})


def _photom(_: Detector, rng: np.random.Generator) -> Measured:
    value = round(float(rng.normal(ZERO_POINT, _ZERO_POINT_ERROR)), 4)
    return Measured("photom", {}, {}, {"PHOTZP": value, "PHOTZPER": _ZERO_POINT_ERROR})


def _drizpars(_: Detector, __: np.random.Generator) -> Measured:
    types = [("NUMIMAGES", "i4"), ("PIXFRAC", "f4"), ("KERNEL", "S8"), ("SCALE", "f4")]
    return Measured("drizpars", {"DRIZPARS": np.array(list(_DRIZZLE), dtype=types)}, {}, {"FILTER": FILTER})


_MEASUREMENTS: Final = {
    "bias": _bias,
    "dark": _dark,
    "flat": _flat,
    "dq": _dq,
    "nonlincoeff": _nonlincoeff,
    "gain": _gain,
    "readnoise": _readnoise,
    "saturation": _saturation,
    "photom": _photom,
    "drizpars": _drizpars,
}
TYPES: Final = tuple(_MEASUREMENTS)
"""Types of the references."""


def _nothing(detector: Detector) -> NDArray[np.uint32]:
    return np.zeros(detector.shape, dtype=np.uint32)


def _noisy(truth: Image, error: NDArray[Any], rng: np.random.Generator) -> NDArray[np.float32]:
    return (truth + error * rng.standard_normal(truth.shape)).astype(np.float32)


def _of_channels(detector: Detector, rng: np.random.Generator) -> NDArray[np.float64]:
    """A random number for each channel, (ny, nx)."""
    columns = detector.shape[1]
    each = rng.standard_normal(detector.channels)[np.arange(columns) * detector.channels // columns]
    return np.broadcast_to(each, detector.shape)


def _image(
    reftype: str, data: NDArray[Any], error: NDArray[Any], flags: NDArray[np.uint32], unit: str
) -> Measured:
    arrays = {"SCI": data.astype(np.float32), "ERR": error.astype(np.float32), "DQ": flags}
    return Measured(reftype, arrays, {"SCI": unit, "ERR": unit} if unit else {}, {})
