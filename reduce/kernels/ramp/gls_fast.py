"""The compiled fit of many ramps: in tiles, and one by one those with flagged reads or a likely jump."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from reduce.kernels.ramp import gls_ramp_fast as ramp
from reduce.kernels.ramp import gls_tile_fast as tiles
from reduce.kernels.ramp.gls_sampling import Sampling, differences
from reduce.kernels.ramp.jumps import MINIMUM_FOR_TWO

if TYPE_CHECKING:
    from reduce.kernels.ramp.gls import Block, Output, Settings

Array = NDArray[Any]

USED = ramp.DO_NOT_USE | ramp.SATURATED | ramp.JUMP
MARGIN = 0.99


def fit(block: Block, output: Output, settings: Settings) -> None:
    """Fit a block of pixels."""
    samples = settings.samples
    stacked = np.stack([samples.times, samples.blur, samples.share, samples.group.astype(np.float64)])
    limits = np.array(settings.limits or (), dtype=np.float64)
    flags = np.zeros((0, 0), np.uint8) if block.flags is None else block.flags
    _fit(
        _read_only(block.reads),
        _read_only(flags),
        _read_only(block.noise),
        stacked,
        _table(samples),
        limits,
        settings.passes,
        *output,
    )


def _read_only(array: Array) -> Array:
    """A view of the one type that the compiled code takes."""
    view = array.view()
    view.flags.writeable = False
    return view


def _table(samples: Sampling) -> Array:
    """What all pixels without flags share, (quantities, differences), float32."""
    every = differences(samples)
    number = every.last.size
    covariance = np.diag(every.noise) + np.diag(every.noise_link[1:], 1) + np.diag(every.noise_link[1:], -1)
    response = np.linalg.solve(covariance, every.span)
    goes_on = np.zeros(number)
    goes_on[:-1] = every.linked[1:]
    return np.stack(
        [
            every.span,
            every.noise,
            every.photons,
            every.noise_link,
            every.photons_link,
            response / (response @ every.span) if number else response,
            samples.share[every.last],
            np.where(every.linked, 0, samples.share[every.last - 1]),
            goes_on,
            goes_on * (samples.share[every.last] < 1) * (number >= MINIMUM_FOR_TWO),
        ]
    ).astype(np.float32)


@njit(nogil=True, cache=True, error_model="numpy")
def _flagged(flags: Array, start: int, count: int, suspicion: Array) -> None:
    """Flagged pixels are suspicious."""
    any_set = 0
    for p in range(start, start + count):
        for read in range(flags.shape[1]):
            any_set |= flags[p, read]
    if any_set & USED:
        for p in range(count):
            for read in range(flags.shape[1]):
                if flags[start + p, read] & USED:
                    suspicion[p] = tiles.ONE


@njit(nogil=True, cache=True, error_model="numpy")
def _fit(
    reads: Array,
    flags: Array,
    noise: Array,
    samples: Array,
    table: Array,
    limits: Array,
    passes: int,
    rate: Array,
    var_poisson: Array,
    var_rnoise: Array,
    dq: Array,
    groupdq: Array,
    chi2: Array,
    reads_used: Array,
) -> None:
    """Fit pixels, tile by tile."""
    pixels, reads_all = reads.shape
    transposed = table.T.copy()
    number = transposed.shape[0]
    last = np.empty(number, np.intp)
    found = 0
    for read in range(1, reads_all):
        if samples[3, read] == samples[3, read - 1]:
            last[found] = read
            found += 1
    lane = np.zeros((9, tiles.TILE), np.float32)
    lane[tiles.VARIANCE] = tiles.ONE
    tile = np.zeros((number + 2, 8, tiles.TILE), np.float32)
    q = np.zeros((ramp.QUANTITIES, reads_all + 2))
    values = np.empty(reads_all)
    own = np.zeros(reads_all, np.uint8)
    out = np.empty(5)
    for start in range(0, pixels, tiles.TILE):
        count = min(tiles.TILE, pixels - start)
        if number > 0:
            tiles.load(reads, noise, start, count, last, lane, tile)
            tiles.solve(lane, tile, transposed, passes)
            if limits.size > 0:
                tiles.search(
                    lane, tile, transposed, np.float32(MARGIN * limits[0]), np.float32(MARGIN * limits[1])
                )
            tiles.finish(lane)
        suspicion = lane[tiles.SUSPICION]
        if flags.size > 0:
            _flagged(flags, start, count, suspicion)
        for p in range(count):
            at = start + p
            total = (
                lane[tiles.RATE, p]
                + lane[tiles.CHI2, p]
                + lane[tiles.BY_PHOTONS, p]
                + lane[tiles.BY_NOISE, p]
            )
            if number > 0 and suspicion[p] <= 0 and np.isfinite(total):
                rate[at] = lane[tiles.RATE, p]
                var_poisson[at] = lane[tiles.BY_PHOTONS, p]
                var_rnoise[at] = lane[tiles.BY_NOISE, p]
                chi2[at] = lane[tiles.CHI2, p] if number > 1 else np.nan
                reads_used[at] = reads_all
                continue
            for read in range(reads_all):
                values[read] = reads[at, read]
            marks = flags[at] if flags.size > 0 else own
            sigma = noise[at] if noise.size > 1 else noise[0]
            bits = ramp.pixel(q, values, marks, groupdq[at], samples, sigma, limits, passes, out)
            rate[at], var_poisson[at], var_rnoise[at], chi2[at] = out[0], out[1], out[2], out[3]
            reads_used[at] = out[4]
            if bits != 0:
                dq[at] = bits
