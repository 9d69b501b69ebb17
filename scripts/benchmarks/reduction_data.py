"""Data to measure the reduction with: ramps, frames, and a whole exposure with its reference files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

READS, INTERVAL, NOISE = 10, 1.5, 10.0
_TILE = 256
_DETECTOR = 512
_RAMP_KEYWORDS = {
    "TELESCOP": "TMT",
    "INSTRUME": "IRIS",
    "DETECTOR": "IMG1",
    "INSTERA": "0.1.0",
    "INSTMODE": "IMG",
    "FILTER": "K",
    "PUPIL": "CLEAR",
    "SCALE": 0.004,
    "IMTYPE": "SCI",
    "READMODE": "DEFAULT",
    "SUBARRAY": "FULL",
    "SUBARRID": 0,
    "EXPDTST": "20250620060000",
    "EXPTIME": READS * INTERVAL,
    "NREADS": READS,
    "NGROUPS": 1,
    "OBJECT": "M92",
    "DATALVL": 0,
    "RA": 259.28,
    "DEC": 43.13,
    "POSANG": 0.0,
}
_REFERENCE_KEYWORDS = {
    "TELESCOP": "TMT",
    "INSTRUME": "IRIS",
    "DETECTOR": "IMG1",
    "INSTERA": "0.1.0",
    "READMODE": "DEFAULT",
    "SUBARRAY": "FULL",
    "FILTER": "K",
    "PUPIL": "CLEAR",
    "USEAFTER": "2025-06-01T00:00:00",
    "PEDIGREE": "SIMULATION",
    "AUTHOR": "benchmark",
    "DESCRIP": "benchmark",
    "REFVER": "0.0.1",
}
_UNITS = {
    "dark": "electron / s",
    "bias": "DN",
    "gain": "electron / DN",
    "readnoise": "electron",
    "saturation": "DN",
}


class Ramps(NamedTuple):
    """Linear ramps in electrons: reads (side, side, 1, reads), times (1, reads) in s, rates in e-/s."""

    reads: NDArray[Any]
    times: NDArray[np.float64]
    rate: NDArray[np.float64]


def ramps(side: int, *, dtype: str = "u2", hits: float = 0.01) -> Ramps:
    """Ramps with rates of 1 to some hundreds e-/s, some of them with a cosmic ray."""
    rng = np.random.default_rng(1)
    tile = min(side, _TILE)
    rate = np.exp(rng.normal(3.0, 1.2, (tile, tile)))
    counts = np.cumsum(rng.poisson(rate[..., None] * INTERVAL, (tile, tile, READS)), axis=-1)
    counts = counts + rng.normal(200.0, NOISE, counts.shape)
    row, column = np.nonzero(rng.random(rate.shape) < hits)
    late = np.arange(READS) >= rng.integers(1, READS, row.size)[:, None]
    counts[row, column] += np.where(late, 500.0, 0.0)
    rounded = np.rint(counts).astype(dtype) if np.dtype(dtype).kind in "iu" else counts.astype(dtype)
    times = INTERVAL * np.arange(1, READS + 1)[None]
    return Ramps(_tiled(rounded, side)[:, :, None], times, _tiled(rate, side))


class Stack(NamedTuple):
    """Frames with their variances and DQ, each (n, side, side)."""

    sci: NDArray[np.float32]
    variance: NDArray[np.float32]
    dq: NDArray[np.uint32]


def stack(count: int, side: int) -> Stack:
    """Frames of a level of 100 ± 10, half a percent of it outliers and one percent bad."""
    rng = np.random.default_rng(2)
    shape = (count, side, side)
    sci = rng.standard_normal(shape, dtype=np.float32) * 10 + 100
    sci[rng.random(shape, dtype=np.float32) < 0.005] += 2000
    dq = (rng.random(shape, dtype=np.float32) < 0.01).astype(np.uint32)
    return Stack(sci, np.full(shape, 100, np.float32), dq)


def stars(side: int, seed: int = 3) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A frame in electrons, with a sky of 400, stars and cosmic rays; and its variance."""
    rng = np.random.default_rng(seed)
    down, across = np.mgrid[:side, :side].astype(np.float32) / side
    image = 400 * (1 + 0.01 * np.sin(6 * down) * across).astype(np.float32)
    near = np.arange(-7, 8)
    profile = np.exp(-(near[:, None] ** 2 + near**2) / 4.5)
    for y, x in rng.integers(8, side - 8, (side * side // 8000, 2)):
        image[y - 7 : y + 8, x - 7 : x + 8] += 10 ** rng.uniform(2, 4) * profile
    image += rng.standard_normal(image.shape, dtype=np.float32) * np.sqrt(image)
    image.reshape(-1)[rng.integers(0, image.size, side * side // 5000)] += 3000
    return image, np.maximum(image, 1)


def exposure(folder: Path, side: int) -> tuple[Path, Mapping[str, Path]]:
    """Raw reads and reference files by type, as a detector of that many rows and columns gives them.

    A simulated detector of 512 pixels is repeated to the full size.
    """
    from astropy.io import fits

    from reduce.files.writer import write_ramp, write_reference
    from reduce.frame import Ramp
    from reduce.sim import Detector, expose

    tile = min(side, _DETECTOR)
    detector = Detector.simulated((tile, tile), 1)
    times = INTERVAL * np.arange(1, READS + 1)[None]
    reads = _tiled(expose(detector, _field(tile), times, seed=3).reads, side)
    header, counts = fits.Header(_RAMP_KEYWORDS.items()), fits.Header([("BUNIT", "DN")])
    raw = folder / "raw_LVL0_0001.fits"
    write_ramp(
        Ramp(reads, times, None, np.zeros((side, side), np.uint32), header, counts), raw, layout="liger"
    )
    header = fits.Header(_REFERENCE_KEYWORDS.items())
    references = {}
    for kind, arrays in _references(detector, side).items():
        references[kind] = folder / f"{kind}.fits"
        units = {"SCI": _UNITS.get(kind, "")}
        write_reference(kind, references[kind], header=header, arrays=arrays, units=units)
    return raw, references


def _field(side: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side]
    rate = np.full((side, side), 5.0)
    for _ in range(side * side // 4400):
        row, column = rng.uniform(0, side, 2)
        rate += rng.uniform(50, 3000) * np.exp(-((y - row) ** 2 + (x - column) ** 2) / 3)
    return rate


def _references(detector: Any, side: int) -> dict[str, dict[str, NDArray[Any]]]:
    shape = detector.shape

    def whole(values: Any) -> NDArray[np.float32]:
        plane: NDArray[np.float32] = np.broadcast_to(values, shape).astype(np.float32)
        return _tiled(plane, side)

    flags = np.zeros(shape, np.uint32)
    flags[detector.dead] |= 1 | 1024
    flags[detector.hot] |= 2048
    none = np.zeros((side, side), np.uint32)
    flat = np.where(detector.flat > 0.05, detector.flat, 0.5)
    return {
        "dq": {"DQ": _tiled(flags, side)},
        "bias": {"SCI": whole(detector.bias), "ERR": whole(0.1), "DQ": none},
        "dark": {"SCI": whole(detector.dark), "ERR": whole(0.01), "DQ": none},
        "flat": {"SCI": whole(flat), "ERR": whole(0.002), "DQ": none},
        "nonlincoeff": {"COEFFS": _tiled(detector.coefficients.astype(np.float32), side), "DQ": none},
        "gain": {"SCI": whole(detector.gain), "ERR": whole(0.01), "DQ": none},
        "readnoise": {"SCI": whole(detector.read_noise), "ERR": whole(0.01), "DQ": none},
        "saturation": {"SCI": whole(detector.saturation), "DQ": none},
    }


def _tiled(array: NDArray[Any], side: int) -> NDArray[Any]:
    """An array repeated along its first two axes."""
    times = -(-side // array.shape[0])
    repeated = np.tile(array, (times, times) + (1,) * (array.ndim - 2))
    return np.ascontiguousarray(repeated[:side, :side])
