"""Gain and read noise: from pairs of equal exposures at several levels of light."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reduce.dq import DQ, flagged
from reduce.errors import DataError
from reduce.files.reader import read_ramp
from reduce.kernels.photon_transfer import photon_transfer, pixel_read_noise
from reduce.making.exposures import DETECTOR, READOUT, Exposure, require_raw
from reduce.making.frames import Ready, brought, listing, made_record, records, stacked, without_border
from reduce.making.order import Made, Order
from reduce.making.readout import LAST_MINUS_FIRST, tasks
from reduce.parameters import option
from reduce.pipeline import Task
from reduce.provenance import StepRecord
from reduce.recipe import Level
from reduce.step import NoParameters

KINDS = ("FLAT", "DARK", "BIAS")
_STEPS: Final = ("dq_init", "saturation", "refpix", "bias", "nonlin_corr")
_READS: Final = 2
_SLACK: Final = 5.0
"""DN by which the levels of a pair may differ where there is hardly any light."""
_CHANNEL: Final = 64
_MOST_LOST: Final = 0.5
_ENOUGH: Final = 3


@dataclass(frozen=True, slots=True)
class GainMaking:
    """Parameters of gains and read noises."""

    channels: int | None = option(
        None, "Strips of columns that are measured by themselves; none is one for 64 columns.", least=1
    )
    quadratic: bool = option(False, "Fit the curvature of the variance too.")
    tolerance: float = option(0.05, "By which share the levels of a pair may differ.", least=0, most=0.5)
    readnoise: str = option(
        "channel",
        "Of what it is measured; of each pixel it takes several darks.",
        choices=("channel", "pixel"),
    )


class _Pair(NamedTuple):
    """Places of two exposures of one level."""

    first: int
    second: int


class _Curve(NamedTuple):
    """Gain, its error, read noise, its error: (ny, nx); and the mean of a channel's gain."""

    planes: tuple[NDArray[np.float32], ...]
    unknown: NDArray[np.bool_]
    gains: NDArray[np.float64]
    noises: NDArray[np.float64]


def make_gain(exposures: Sequence[Exposure], order: Order) -> tuple[Made, ...]:
    """The gain and the read noise by photon transfer, each a number a channel.

    Images are the last read of a ramp minus its first: the bias and the noise of the reset are gone.
    """
    require_raw(exposures, "gain")
    parameters: GainMaking = order.parameters
    usable = [exposure for exposure in exposures if _reads(exposure) >= _READS]
    if not usable:
        raise DataError(
            f"{exposures[0].path} has one read",
            "the gain takes two or more, whose difference is free of the noise of the reset",
        )
    order = order.without("gain", "readnoise")
    steps = (*tasks(order, _STEPS), Task(LAST_MINUS_FIRST, NoParameters()))
    frames = brought(usable, order, Level.L1, lambda *_: steps)
    images, bits = stacked(frames, order, "gain")
    frames, lost = _levelled(frames, images, bits)
    pairs = tuple(_pairs(frames, lost, parameters.tolerance))
    if len(pairs) < _READS:
        raise DataError(
            f"{len(pairs)} pair of equal exposures among {len(frames)} is too few",
            "take two exposures at each of several levels",
        )
    used = sorted({place for pair in pairs for place in pair})
    mask = np.bitwise_or.reduce([flagged(bits[place]) for place in used])
    curve = _curve(images, pairs, mask, parameters)
    history = records([frames[place] for place in used], made_record("gain", parameters))
    notes = _notes(exposures, frames, used, lost)
    return tuple(_made(images, frames, bits, used, curve, history, notes, parameters))


def _reads(exposure: Exposure) -> int:
    return read_ramp(exposure.path).reads.shape[3]


def _levelled(
    frames: Sequence[Ready], images: NDArray[Any], bits: NDArray[Any]
) -> tuple[tuple[Ready, ...], tuple[float, ...]]:
    """Frames with their levels, and which share of the pixels of each is lost."""
    levels, lost = [], []
    for image, flags in zip(images, bits, strict=True):
        pixels = ~flagged(flags, DQ.REFERENCE_PIXEL | DQ.NON_SCIENCE)
        good = ~flagged(flags)
        lost.append(1 - good.sum() / max(pixels.sum(), 1))
        levels.append(float(np.median(image[good])) if good.any() else 0.0)
    return tuple(replace(frame, level=level) for frame, level in zip(frames, levels, strict=True)), tuple(
        lost
    )


def _pairs(frames: Sequence[Ready], lost: Sequence[float], tolerance: float) -> Iterator[_Pair]:
    """Exposures that follow each other, were read alike and have the same level."""
    places = [place for place in range(len(frames)) if lost[place] <= _MOST_LOST]
    for _, some in groupby(places, key=lambda place: _readout(frames[place])):
        taken = -1
        for first, second in pairwise(some):
            here, there = frames[first].level, frames[second].level
            near = abs(here - there) <= tolerance * max(abs(here), abs(there)) + _SLACK
            if near and first != taken:
                taken = second
                yield _Pair(first, second)


def _readout(frame: Ready) -> tuple[str, ...]:
    said = frame.exposure.said
    return frame.exposure.kind, said("NREADS"), said("EXPTIME"), said("FILTER")


def _curve(
    images: NDArray[Any], pairs: Sequence[_Pair], mask: NDArray[np.bool_], parameters: GainMaking
) -> _Curve:
    """The photon transfer of each channel."""
    shape = images.shape[1:]
    channels = parameters.channels or max(1, shape[1] // _CHANNEL)
    if channels > shape[1]:
        raise DataError(f"{channels} channels for {shape[1]} columns")
    planes = tuple(np.zeros(shape, dtype=np.float32) for _ in range(4))
    unknown = np.zeros(shape, dtype=np.bool_)
    gains, noises = np.full((2, channels), np.nan)
    edges = [shape[1] * channel // channels for channel in range(channels + 1)]
    strips = [slice(left, right) for left, right in pairwise(edges)]
    for channel, strip in enumerate(strips):
        values = _measured(images, pairs, mask, strip, parameters)
        unknown[:, strip] = values is None
        if values is not None:
            gains[channel], noises[channel] = values[0], values[2]
            for plane, value in zip(planes, values, strict=True):
                plane[:, strip] = value
    if np.isnan(gains).all():
        raise DataError("the gain can't be measured: the variance does not grow with the level")
    planes[0][unknown], planes[2][unknown] = np.nanmedian(gains), np.nanmedian(noises)
    return _Curve(planes, unknown, gains, noises)


def _measured(
    images: NDArray[Any],
    pairs: Sequence[_Pair],
    mask: NDArray[np.bool_],
    strip: slice,
    parameters: GainMaking,
) -> tuple[float, ...] | None:
    """Gain, its error, read noise and its error of a channel; None if it can't be measured."""
    first, second = (np.stack([images[pair[member]][:, strip] for pair in pairs]) for member in (0, 1))
    try:
        found = photon_transfer(
            first, second, mask=mask[:, strip], reads_per_image=_READS, quadratic=parameters.quadratic
        )
    except DataError:
        return None
    return tuple(
        float(each[0]) for each in (found.gain, found.gain_error, found.read_noise, found.read_noise_error)
    )


def _made(
    images: NDArray[Any],
    frames: Sequence[Ready],
    bits: NDArray[Any],
    used: Sequence[int],
    curve: _Curve,
    history: tuple[StepRecord, ...],
    notes: tuple[str, ...],
    parameters: GainMaking,
) -> Iterator[Made]:
    gain, gain_error, noise, noise_error = curve.planes
    border = np.bitwise_and.reduce([bits[place] for place in used]) & np.uint32(DQ.REFERENCE_PIXEL)
    flags = without_border(border | np.where(curve.unknown, np.uint32(DQ.NO_GAIN_VALUE | DQ.DO_NOT_USE), 0))
    table = listing([frames[place] for place in used])
    channels = (len(curve.gains), "channels that were measured by themselves")
    mean = (float(np.nanmean(curve.gains)), "electron / DN, mean gain of the channels")
    yield Made(
        "gain",
        {"SCI": gain, "ERR": gain_error, "DQ": flags, "EXPOSURES": table},
        {"SCI": "electron / DN", "ERR": "electron / DN"},
        DETECTOR,
        {"NCHANNEL": channels, "GAIN": mean},
        history,
        notes,
    )
    flags = np.where(curve.unknown, np.uint32(DQ.UNRELIABLE_ERROR), np.uint32(0)) | border
    if parameters.readnoise == "pixel":
        noise, noise_error = _pixelwise(images, bits, frames, gain)
    yield Made(
        "readnoise",
        {"SCI": noise, "ERR": noise_error, "DQ": flags.astype(np.uint32), "EXPOSURES": table},
        {"SCI": "electron", "ERR": "electron"},
        READOUT,
        {
            "NCHANNEL": channels,
            "READNOIS": (float(np.nanmean(curve.noises)), "electron, mean read noise of the channels"),
        },
        history,
        notes,
    )


def _pixelwise(
    images: NDArray[Any], bits: NDArray[Any], frames: Sequence[Ready], gain: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read noise of each pixel from darks that were read alike."""
    darks = [place for place, frame in enumerate(frames) if frame.exposure.kind in ("DARK", "BIAS")]
    kinds = [_readout(frames[place]) for place in darks]
    alike = [
        place
        for place, kind in zip(darks, kinds, strict=True)
        if kinds.count(kind) == max(map(kinds.count, kinds))
    ]
    alike = [place for place in alike if _readout(frames[place]) == _readout(frames[alike[0]])]
    if len(alike) < _ENOUGH:
        raise DataError(
            f"the read noise of each pixel takes {_ENOUGH} darks that were read alike, not {len(alike)}",
            "give more darks, or --set make.readnoise=channel",
        )
    stack = np.stack([images[place] for place in alike])
    noise, error = pixel_read_noise(stack, gain=gain, reads_per_image=_READS)
    return noise.astype(np.float32), error.astype(np.float32)


def _notes(
    exposures: Sequence[Exposure], frames: Sequence[Ready], used: Sequence[int], lost: Sequence[float]
) -> tuple[str, ...]:
    """What was left out."""
    notes = []
    single = len(exposures) - len(frames)
    if single:
        notes.append(f"{single} with one read left out: the noise of the reset would be in their differences")
    saturated = sum(share > _MOST_LOST for share in lost)
    if saturated:
        notes.append(f"{saturated} left out: most of their pixels are saturated or bad")
    alone = len(frames) - len(used) - saturated
    if alone > 0:
        notes.append(f"{alone} without a partner of the same level left out")
    return tuple(notes)
