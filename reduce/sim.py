"""A detector that is known, and its exposures: what the reduction has to find again.

An exposure is made the way an H4RG makes one. Light times the flat, and the dark current, collect as Poisson
increments between the reads; cosmic rays add to them; the reset leaves kTC noise. The charge in DN goes
through the inverse of the linearity correction and stops at the well. Bias, drifts of the readout and read
noise come on top; then it is rounded to 16 bits.

Every effect draws from a stream of its own, so leaving one out changes no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reduce.arrays import Image, Mask
from reduce.errors import DataError, ParameterError
from reduce.kernels.acceleration import in_blocks

Numbers: TypeAlias = NDArray[np.float32]
Effect = Literal["charge", "reset", "noise", "cosmic rays", "drift"]

_EFFECTS: tuple[Effect, ...] = ("charge", "reset", "noise", "cosmic rays", "drift")
_ROWS = 32
"""Rows that share a random stream; another value is another simulation."""
_WELL = 1.01
"""Counts at which a pixel is full, in units of those that are taken as saturated."""
_HIGHEST = 65535


@dataclass(frozen=True, slots=True, eq=False)
class Detector:
    """An infrared array and its readout.

    Parameters
    ----------
    gain
        e-/DN, a number or (ny, nx).
    read_noise
        e- rms of a read, a number or (ny, nx).
    ktc
        e- rms that a reset leaves.
    dark
        e-/s, (ny, nx).
    bias
        DN, (ny, nx).
    flat
        Response to light, (ny, nx): about 1, and 0 where a pixel is dead or not sensitive.
    coefficients
        Of the linearity correction, (ny, nx, ncoef): ``linear = sum(c_k raw**k)``, both in DN above the bias.
    saturation
        DN as they are read, with the bias, from which they can't be used, (ny, nx). The well is full 1 %
        above.
    hot, dead
        Where, (ny, nx).
    border
        Width of the frame of reference pixels, which see neither light nor dark current.
    channels
        Outputs, each of them reads a strip of columns.
    channel_drift
        DN rms by which each channel's even and odd columns shift from read to read.
    row_drift
        DN rms of a 1/f drift that all channels share, from row to row.
    cosmic_rate
        Hits a cm² and second.
    cosmic_charge
        Median of the electrons of a hit; their logarithm has a scatter of 0.8.
    pitch
        µm from pixel to pixel.
    """

    gain: float | Image
    read_noise: float | Image
    ktc: float
    dark: Image
    bias: Image
    flat: Image
    coefficients: Image
    saturation: Image
    hot: Mask
    dead: Mask
    border: int = 4
    channels: int = 1
    channel_drift: float = 0.0
    row_drift: float = 0.0
    cosmic_rate: float = 0.025
    cosmic_charge: float = 1500.0
    pitch: float = 10.0

    def __post_init__(self) -> None:
        for name in ("bias", "flat", "saturation", "hot", "dead"):
            if getattr(self, name).shape != self.shape:
                raise DataError(f"{name} has the shape {getattr(self, name).shape}, the dark {self.shape}")
        if self.coefficients.shape[:2] != self.shape:
            raise DataError(f"coefficients have the shape {self.coefficients.shape}, the dark {self.shape}")
        if not 1 <= self.channels <= self.shape[1]:
            raise ParameterError(f"{self.channels} channels for {self.shape[1]} columns")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, with the reference pixels."""
        rows, columns = self.dark.shape
        return rows, columns

    @property
    def light(self) -> Mask:
        """Where pixels see light, (ny, nx): inside the frame of reference pixels."""
        inside = np.zeros(self.shape, dtype=np.bool_)
        edge = self.border
        inside[edge : self.shape[0] - edge, edge : self.shape[1] - edge] = True
        return inside

    @classmethod
    def simulated(
        cls,
        shape: tuple[int, int],
        seed: int,
        *,
        gain: float = 2.0,
        read_noise: float = 9.0,
        ktc: float = 30.0,
        dark: float = 0.025,
        hot: float = 0.003,
        dead: float = 0.002,
        border: int = 4,
        channels: int | None = None,
        channel_drift: float = 3.0,
        row_drift: float = 1.0,
        cosmic_rate: float = 0.025,
        nonlinearity: float = 1.0,
    ) -> Detector:
        """A plausible H4RG: the same for the same seed.

        Parameters
        ----------
        hot, dead
            Share of the pixels. A hot one has 1 to 100 e-/s.
        channels
            64 columns each by default.
        nonlinearity
            1 for 6 % at 50000 DN, 0 for none.
        """
        rng = np.random.default_rng(seed)
        rows, columns = shape
        outputs = channels or max(1, columns // 64)
        y, x = np.ogrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
        flat = (1 - 0.07 * (x**2 + y**2)) * rng.normal(1, 0.01, shape)
        offsets = rng.normal(0, 30, outputs)[_channel_of(columns, outputs)]
        bias = 3000 + offsets + rng.normal(0, 20, shape)
        currents = rng.gamma(4, dark / 4, shape)
        coefficients = np.zeros((*shape, 4), dtype=np.float32)
        coefficients[..., 1] = 1
        coefficients[..., 2] = nonlinearity * rng.normal(1e-6, 5e-8, shape)
        coefficients[..., 3] = nonlinearity * rng.normal(4e-12, 2e-13, shape)
        saturation = rng.normal(55000, 400, shape)
        chance = rng.random(shape)
        inside = np.zeros(shape, dtype=np.bool_)
        inside[border : rows - border, border : columns - border] = True
        is_hot, is_dead = inside & (chance < hot), inside & (chance > 1 - dead)
        currents[is_hot] = 10 ** rng.uniform(0, 2, int(is_hot.sum()))
        currents[~inside] = 0
        flat /= np.median(flat[inside & ~is_dead])
        flat[is_dead | ~inside] = 0
        return cls(
            gain=gain,
            read_noise=read_noise,
            ktc=ktc,
            dark=currents.astype(np.float32),
            bias=bias.astype(np.float32),
            flat=flat.astype(np.float32),
            coefficients=coefficients,
            saturation=saturation.astype(np.float32),
            hot=is_hot,
            dead=is_dead,
            border=border,
            channels=outputs,
            channel_drift=channel_drift,
            row_drift=row_drift,
            cosmic_rate=cosmic_rate,
        )


class CosmicRays(NamedTuple):
    """Hits of single pixels, one element each.

    Parameters
    ----------
    rows, columns, groups
        Where and in which group.
    reads
        The first read that has the charge; 0 if it came before every read, so that no jump is seen.
    electrons
        How much.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    groups: NDArray[np.intp]
    reads: NDArray[np.intp]
    electrons: Numbers


class Truth(NamedTuple):
    """What an exposure really was.

    Parameters
    ----------
    rate
        Expected slope, e-/s, (ny, nx): the scene times the flat, plus the dark current.
    cosmic_rays
        Every pixel that was hit.
    saturated
        Reads at or above the saturation level, (ny, nx, ngroups, nreads).
    """

    rate: Image
    cosmic_rays: CosmicRays
    saturated: Mask


class Exposure(NamedTuple):
    """Reads of a simulated detector.

    Parameters
    ----------
    reads
        DN, (ny, nx, ngroups, nreads).
    times
        Seconds from the reset, (ngroups, nreads).
    """

    reads: NDArray[np.uint16]
    times: NDArray[np.float64]
    truth: Truth


def read_times(groups: int, reads: int, interval: float) -> NDArray[np.float64]:
    """Seconds from the reset to reads every `interval`, the first after one `interval`: (groups, reads)."""
    return np.tile(interval * np.arange(1.0, reads + 1), (groups, 1))


def expose(
    detector: Detector, rate: float | Image, times: ArrayLike, *, seed: int, cosmic_rays: bool = True
) -> Exposure:
    """Expose a detector.

    Parameters
    ----------
    rate
        Light that falls on it, e-/s a pixel of response 1: a number or (ny, nx).
    times
        Seconds from the reset to each read, (ngroups, nreads), increasing within a group.
    seed
        Same seed, same exposure; give each exposure its own.
    cosmic_rays
        Whether there are any.

    Raises
    ------
    DataError
        If shapes don't fit, a rate is negative or not finite, or times don't increase.
    """
    clock = np.asarray(times, dtype=np.float64)
    light = np.asarray(rate, dtype=np.float64)
    if light.shape not in ((), detector.shape):
        raise DataError(f"the scene has the shape {light.shape}, the detector {detector.shape}")
    if not (np.isfinite(light).all() and (light >= 0).all()):
        raise DataError("the scene has rates that are negative or not finite")
    if clock.ndim != 2 or 0 in clock.shape or not (np.diff(clock, axis=1, prepend=0) >= 0).all():
        raise DataError("times have to be groups of reads, increasing from the reset")
    slope = detector.flat * light + detector.dark
    hits = _hits(detector, clock, seed) if cosmic_rays else _no_hits()
    drift = _drift(detector, clock.shape, seed)
    reads = np.empty((*detector.shape, *clock.shape), dtype=np.uint16)
    saturated = np.empty(reads.shape, dtype=np.bool_)

    def work(rows: slice) -> None:
        charge = _charge(slope[rows], clock, hits, rows, seed)
        planes, full = _read_out(detector, charge, drift, rows, seed)
        reads[rows] = np.moveaxis(planes, (0, 1), (2, 3))
        saturated[rows] = np.moveaxis(full, (0, 1), (2, 3))

    in_blocks(detector.shape[0], work, size=_ROWS)
    return Exposure(reads, clock, Truth(slope, hits, saturated))


def _stream(seed: int, effect: Effect, block: int = 0) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_EFFECTS.index(effect), block)))


def _charge(slope: Image, times: NDArray[np.float64], hits: CosmicRays, rows: slice, seed: int) -> Numbers:
    """Electrons collected at each read, (ngroups, nreads, rows, nx)."""
    steps = np.diff(times, axis=1, prepend=0)[:, :, None, None]
    charge = _stream(seed, "charge", rows.start).poisson(slope * steps).astype(np.float32)
    here = slice(*np.searchsorted(hits.rows, (rows.start, rows.stop)))
    where = (hits.groups[here], hits.reads[here], hits.rows[here] - rows.start, hits.columns[here])
    np.add.at(charge, where, hits.electrons[here])
    return np.cumsum(charge, axis=1, out=charge)


def _read_out(
    detector: Detector, charge: Numbers, drift: tuple[Numbers, Numbers], rows: slice, seed: int
) -> tuple[NDArray[np.uint16], Mask]:
    """Counts and where they are saturated, both (ngroups, nreads, rows, nx); `charge` is used up."""
    gain = np.broadcast_to(np.asarray(detector.gain, dtype=np.float32), detector.shape)[rows]
    noise = np.broadcast_to(np.asarray(detector.read_noise, dtype=np.float32), detector.shape)[rows] / gain
    bias = detector.bias[rows].astype(np.float32)
    coefficients = np.moveaxis(detector.coefficients[rows], -1, 0).astype(np.float32)
    level = detector.saturation[rows].astype(np.float32) - bias
    groups, _, height, width = charge.shape
    reset = _stream(seed, "reset", rows.start).standard_normal((groups, 1, height, width), dtype=np.float32)
    linear = charge
    linear += np.float32(detector.ktc) * reset
    linear /= gain
    saturated = linear >= _polynomial(level, coefficients)
    np.minimum(linear, _polynomial(level * np.float32(_WELL), coefficients), out=linear)
    counts = _raw(linear, coefficients)
    read = _stream(seed, "noise", rows.start).standard_normal(charge.shape, dtype=np.float32)
    read *= noise
    counts += read
    counts += bias
    by_column, by_row = drift
    counts += by_column
    counts += by_row[:, :, rows]
    np.rint(counts, out=counts)
    return np.clip(counts, 0, _HIGHEST, out=counts).astype(np.uint16), saturated


def _polynomial(raw: Numbers, coefficients: Numbers) -> Numbers:
    result = np.broadcast_to(coefficients[-1], raw.shape).astype(np.float32)
    for coefficient in coefficients[-2::-1]:
        result *= raw
        result += coefficient
    return result


def _raw(linear: Numbers, coefficients: Numbers) -> Numbers:
    """Counts that the linearity correction turns into `linear`, by Newton's method."""
    powers = np.arange(1, len(coefficients), dtype=np.float32)[:, None, None]
    slopes = coefficients[1:] * powers
    raw = linear.copy()
    for _ in range(4):
        raw -= (_polynomial(raw, coefficients) - linear) / _polynomial(raw, slopes)
    return raw


def _channel_of(columns: int, channels: int) -> NDArray[np.intp]:
    return np.arange(columns) * channels // columns


def _drift(detector: Detector, reads: tuple[int, ...], seed: int) -> tuple[Numbers, Numbers]:
    """Shifts by column, (ngroups, nreads, 1, nx), and by row, (ngroups, nreads, ny, 1), in DN."""
    rng = _stream(seed, "drift")
    rows, columns = detector.shape
    shifts = rng.normal(0, 1, (*reads, 1, detector.channels, 2))
    parity = np.arange(columns) % 2
    by_column = detector.channel_drift * shifts[..., _channel_of(columns, detector.channels), parity]
    spectrum = np.fft.rfft(rng.normal(0, 1, (*reads, rows)), axis=-1)
    spectrum /= np.sqrt(np.maximum(np.arange(spectrum.shape[-1]), 1))
    wander = np.fft.irfft(spectrum, rows, axis=-1)
    wander *= detector.row_drift / max(float(np.sqrt(np.mean(wander**2))), 1e-12)
    return by_column.astype(np.float32), wander[..., None].astype(np.float32)


def _hits(detector: Detector, times: NDArray[np.float64], seed: int) -> CosmicRays:
    """Straight tracks, a few pixels long, at random times; sorted by row."""
    rng = _stream(seed, "cosmic rays")
    rows, columns = detector.shape
    area = rows * columns * (detector.pitch * 1e-4) ** 2
    numbers = rng.poisson(detector.cosmic_rate * area * times[:, -1])
    count = int(numbers.sum())
    group = np.repeat(np.arange(len(times)), numbers)
    moment = rng.random(count) * times[group, -1]
    start = rng.random((count, 2)) * (rows, columns)
    angle = rng.uniform(0, 2 * np.pi, count)
    length = 1 + rng.exponential(1.0, count).astype(np.intp)
    electrons = detector.cosmic_charge * np.exp(rng.normal(0, 0.8, count)) / length
    direction = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    direction /= np.abs(direction).max(axis=1, keepdims=True)
    hit = np.repeat(np.arange(count), length)
    along = np.arange(len(hit)) - np.repeat(np.cumsum(length) - length, length)
    row, column = np.floor(start[hit] + along[:, None] * direction[hit]).astype(np.intp).T
    reads = (moment[:, None] > times[group]).sum(axis=1)
    sensitive = np.pad(detector.light & ~detector.dead, 1)
    seen = sensitive[np.clip(row + 1, 0, rows + 1), np.clip(column + 1, 0, columns + 1)]
    order = np.flatnonzero(seen)[np.argsort(row[seen], kind="stable")]
    pixel = hit[order]
    charge = electrons[pixel].astype(np.float32)
    return CosmicRays(row[order], column[order], group[pixel], reads[pixel], charge)


def _no_hits() -> CosmicRays:
    none = np.empty(0, dtype=np.intp)
    return CosmicRays(none, none, none, none, np.empty(0, dtype=np.float32))
