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
"""Single precision is suspicious a little early; double precision decides."""
CHUNK = 1 << 15
"""Pixels whose differences fit in the processor's cache."""


def fit(block: Block, output: Output, settings: Settings) -> None:
    """Fit a block of pixels, some tiles at a time."""
    samples = settings.samples
    stacked = np.stack([samples.times, samples.blur, samples.share, samples.group.astype(np.float64)])
    limits = np.array(settings.limits or (), dtype=np.float64)
    table = _table(samples)
    last = differences(samples).last
    reads, noise = _read_only(block.reads), _read_only(block.noise)
    flags = _read_only(np.zeros((0, 0), np.uint8) if block.flags is None else block.flags)
    pixels = reads.shape[0]
    again = np.ones(pixels, np.uint8)
    turned = np.zeros((-(-min(pixels, CHUNK) // tiles.TILE), last.size, tiles.TILE), np.float32)
    for first in range(0, pixels if last.size else 0, CHUNK):
        _turn(reads, last, first, turned)
        _fit(turned, flags, noise, table, limits, settings.passes, first, again, *output)
    index = np.flatnonzero(again)
    if index.size:
        _fit_singly(
            reads[index].astype(np.float64),
            flags[index] if flags.size else flags,
            noise,
            index,
            stacked,
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
    """What all pixels without flags share, (differences, quantities), float32."""
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
        ],
        axis=1,
        dtype=np.float32,
    )


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
def _turn(reads: Array, last: Array, first: int, turned: Array) -> None:
    """Differences of successive reads from a pixel on, in tiles (tiles, differences, TILE)."""
    for number in range(turned.shape[0]):
        start = first + number * tiles.TILE
        count = min(tiles.TILE, reads.shape[0] - start)
        for i in range(last.size):
            end = last[i]
            value = turned[number, i]
            for p in range(count):
                value[p] = tiles.ONE * reads[start + p, end] - tiles.ONE * reads[start + p, end - 1]


@njit(nogil=True, cache=True, error_model="numpy")
def _fit(
    turned: Array,
    flags: Array,
    noise: Array,
    table: Array,
    limits: Array,
    passes: int,
    first: int,
    again: Array,
    rate: Array,
    var_poisson: Array,
    var_rnoise: Array,
    dq: Array,
    groupdq: Array,
    chi2: Array,
    reads_used: Array,
) -> None:
    """Fit tiles of pixels; `again` stays 1 for those that have to be fitted singly."""
    number = table.shape[0]
    lane = np.zeros((tiles.LANES, tiles.TILE), np.float32)
    tile = np.zeros((number + 2, tiles.ROWS, tiles.TILE), np.float32)
    suspicion = lane[tiles.SUSPICION]
    for k in range(turned.shape[0]):
        start = first + k * tiles.TILE
        count = min(tiles.TILE, rate.size - start)
        tiles.load(turned[k], noise, start, count, lane, tile)
        tiles.solve(lane, tile, table, passes)
        if limits.size > 0:
            tiles.search(lane, tile, table, np.float32(MARGIN * limits[0]), np.float32(MARGIN * limits[1]))
        tiles.finish(lane)
        if flags.size > 0:
            _flagged(flags, start, count, suspicion)
        for p in range(count):
            at = start + p
            total = lane[tiles.RATE, p] + lane[tiles.CHI2, p]
            total += lane[tiles.BY_PHOTONS, p] + lane[tiles.BY_NOISE, p]
            rate[at] = lane[tiles.RATE, p]
            var_poisson[at] = lane[tiles.BY_PHOTONS, p]
            var_rnoise[at] = lane[tiles.BY_NOISE, p]
            chi2[at] = lane[tiles.CHI2, p] if number > 1 else np.nan
            reads_used[at] = groupdq.shape[1]
            again[at] = not (suspicion[p] <= 0 and np.isfinite(total))


@njit(nogil=True, cache=True, error_model="numpy")
def _fit_singly(
    reads: Array,
    flags: Array,
    noise: Array,
    index: Array,
    samples: Array,
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
    """Fit pixels one by one."""
    q = np.zeros((ramp.QUANTITIES, reads.shape[1] + 2))
    own = np.zeros(reads.shape[1], np.uint8)
    out = np.empty(5)
    for k in range(index.size):
        at = index[k]
        marks = flags[k] if flags.size > 0 else own
        sigma = noise[at] if noise.size > 1 else noise[0]
        bits = ramp.pixel(q, reads[k], marks, groupdq[at], samples, sigma, limits, passes, out)
        rate[at], var_poisson[at], var_rnoise[at], chi2[at] = out[0], out[1], out[2], out[3]
        reads_used[at] = out[4]
        dq[at] = bits
