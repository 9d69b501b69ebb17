"""Linearity: the correction of each pixel, and where it saturates, from ramps of a steady lamp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Flags, Image
from reduce.dq import DQ, flagged
from reduce.errors import DataError, MissingReferenceError
from reduce.frame import Ramp
from reduce.headers import plain
from reduce.kernels.acceleration import blocks
from reduce.kernels.linearity_fit import LinearityFit, linearity_fit
from reduce.library import Gathered
from reduce.making.exposures import DETECTOR, READOUT, Exposure, require_raw
from reduce.making.frames import Ready, listing, made_record, opened, unique, without_border
from reduce.making.order import Made, Order
from reduce.making.readout import tasks
from reduce.parameters import option
from reduce.pipeline import CorrectedReads, corrected_reads
from reduce.step import Need, NoParameters, Prepared, RampStep
from reduce.steps.detector import header_number
from reduce.steps.slope import READ_NOISE
from reduce.windows import region

KINDS = ("FLAT",)
_STEPS: Final = ("dq_init", "refpix", "bias")
_BLOCK_BYTES: Final = 64_000_000
_HIGHEST: Final = 65535
_MOST: Final = 0.5


@dataclass(frozen=True, slots=True)
class LinearityMaking:
    """Parameters of linearity corrections."""

    order: int = option(3, "The highest power of the counts.", least=2, most=6)
    tolerance: float = option(
        0.02,
        "Corrections with a larger error at the highest counts are left out.",
        least=1e-4,
        most=1,
    )
    saturation: bool = option(True, "Write the levels of saturation too, if the ramps reach them.")
    gain: float | None = option(
        None,
        "Where there is no reference; none is GAIN of the header, or 1.",
        least=1e-3,
        unit="electron / DN",
    )
    read_noise: float | None = option(
        None,
        "Where there is no reference; none is READNOIS of the header, or 9.",
        least=1e-3,
        unit="electron",
    )


class _Known(NamedTuple):
    """What other references tell, each (ny, nx) or a number: in e-/DN, e-, DN and DN."""

    gain: Image | float
    read_noise: Image | float
    bias: Image | float
    saturation: Image | None
    uses: Gathered


class _Fit(NamedTuple):
    """What `LinearityFit` has and is written, in 32 bits."""

    coefficients: NDArray[np.float32]
    errors: NDArray[np.float32]
    saturation: NDArray[np.float32]
    dq: Flags

    @classmethod
    def of(cls, fit: LinearityFit) -> _Fit:
        kind = np.float32
        return cls(
            fit.coefficients.astype(kind), fit.errors.astype(kind), fit.saturation.astype(kind), fit.dq
        )


_KNOWN = RampStep(
    "linearity_fit",
    "",
    "fit the linearity correction",
    (Need("gain", False), Need("readnoise", False), Need("saturation", False), Need("bias", False)),
    NoParameters,
    prepare=lambda ramp, _, __: Prepared(ramp, lambda block: block),
)


def make_linearity(exposures: Sequence[Exposure], order: Order) -> tuple[Made, ...]:
    """The correction that makes ramps straight, linear = Σ c_k raw^k above the bias; and saturation."""
    require_raw(exposures, "linearity correction")
    parameters: LinearityMaking = order.parameters
    order = order.without("nonlincoeff", "linearity")
    ramps = [_corrected(exposure, order) for exposure in exposures]
    _require_same_times(ramps, exposures)
    known = _known(ramps[0].ramp, order, parameters)
    fit, pixeldq = _fitted(ramps, known, parameters)
    steps = unique(
        [record for each in ramps for record in each.ramp.provenance.steps],
        made_record("linearity", parameters),
    )
    steps = (*steps[:-1], replace(steps[-1], references=known.uses.uses))
    frames = [Ready(exposure, cast(Any, None)) for exposure in exposures]
    dq = without_border((pixeldq & _lasting()) | (fit.dq & np.uint32(DQ.NO_LIN_CORR)))
    correction = Made(
        "nonlincoeff",
        {
            "COEFFS": fit.coefficients,
            "COEFFS_ERR": fit.errors,
            "DQ": dq,
            "EXPOSURES": listing(frames),
        },
        {},
        READOUT,
        {"LINFORM": ("sum", "linear = sum of COEFFS[k] * DN**k, above the bias")},
        steps,
        _notes(ramps, fit),
    )
    level = _saturation(fit, known, pixeldq)
    if level is None or not parameters.saturation:
        return (correction,)
    return correction, replace(level, records=steps, arrays={**level.arrays, "EXPOSURES": listing(frames)})


def _corrected(exposure: Exposure, order: Order) -> CorrectedReads:
    data = opened(exposure)
    assert isinstance(data, Ramp)
    order.watch(exposure.path).begun(_KNOWN)
    return corrected_reads(data, tasks(order, _STEPS), order.library)


def _require_same_times(ramps: Sequence[CorrectedReads], exposures: Sequence[Exposure]) -> None:
    for ramp, exposure in zip(ramps, exposures, strict=True):
        if ramp.ramp.times.shape != ramps[0].ramp.times.shape or not np.allclose(
            ramp.ramp.times, ramps[0].ramp.times
        ):
            raise DataError(
                f"{exposure.path} was not read at the times at which {exposures[0].path} was",
                "fit ramps that were read alike",
            )


def _known(ramp: Ramp, order: Order, parameters: LinearityMaking) -> _Known:
    gathered = order.library.gather(_KNOWN, plain(ramp.header), region(ramp.header, ramp.shape))
    images = {
        reftype: np.asarray(file.image("SCI", "DATA")[:], dtype=np.float32)
        for reftype, file in gathered.files.items()
    }
    if "bias" not in images and "bias" not in order.request.allowed:
        raise MissingReferenceError(
            "bias",
            "the linearity correction is for counts above the bias, and there is no bias",
            "name one with --override bias=FILE, or take the counts as they are with --allow-missing bias",
        )
    saturation = images.get("saturation")
    bias: Image | float = images.get("bias", 0.0)
    return _Known(
        images.get("gain", parameters.gain or header_number(ramp, "GAIN") or 1.0),
        images.get("readnoise", parameters.read_noise or header_number(ramp, "READNOIS") or READ_NOISE),
        bias,
        None if saturation is None else np.asarray(saturation - bias),
        gathered,
    )


def _fitted(
    ramps: Sequence[CorrectedReads], known: _Known, parameters: LinearityMaking
) -> tuple[_Fit, Flags]:
    """The fit of all rows, and the bits of the pixels."""
    ny, nx, _, reads = ramps[0].ramp.reads.shape
    size = max(1, _BLOCK_BYTES // (8 * len(ramps) * nx * reads))
    times = ramps[0].ramp.times[0]
    parts, flags = [], []
    for rows in blocks(ny, size):
        some = [ramp.rows(rows.start, rows.stop) for ramp in ramps]
        fit = linearity_fit(
            np.stack([_counts(block) for block in some]),
            times,
            gain=_some(known.gain, rows),
            read_noise=_some(known.read_noise, rows),
            order=parameters.order,
            saturation=None if known.saturation is None else known.saturation[rows],
            tolerance=parameters.tolerance,
        )
        parts.append(_Fit.of(fit))
        flags.append(np.bitwise_or.reduce([block.pixeldq for block in some]))
    return _Fit(*(np.concatenate(planes) for planes in zip(*parts, strict=True))), np.concatenate(flags)


def _counts(block: Ramp) -> NDArray[Any]:
    """The first group of a ramp, (ny, nx, nreads); NaN where a read can't be used."""
    reads = cast(NDArray[Any], block.reads)[:, :, 0].astype(np.float64)
    if block.groupdq is None:
        return reads
    return np.where(flagged(np.asarray(block.groupdq[:])[:, :, 0]), np.nan, reads)


def _some(value: Image | float, rows: slice) -> Image | float:
    return value[rows] if isinstance(value, np.ndarray) else value


def _lasting() -> np.uint32:
    return np.uint32(DQ.REFERENCE_PIXEL | DQ.NON_SCIENCE | DQ.DEAD | DQ.DO_NOT_USE)


def _saturation(fit: _Fit, known: _Known, pixeldq: Flags) -> Made | None:
    """The levels of saturation in DN as they are read; None if they were given or no ramp reached them."""
    seen = ~flagged(fit.dq, DQ.NO_SAT_CHECK) & ~flagged(pixeldq)
    if known.saturation is not None or not seen.any():
        return None
    level = np.clip(fit.saturation + known.bias, 1, _HIGHEST)
    level = np.where(seen, level, np.median(level[seen])).astype(np.float32)
    flags = (pixeldq & _lasting()) | np.where(seen, 0, np.uint32(DQ.NO_SAT_CHECK)).astype(np.uint32)
    return Made(
        "saturation",
        {"SCI": level, "DQ": without_border(flags)},
        {"SCI": "DN"},
        DETECTOR,
        {"NMEASURE": (int(seen.sum()), "pixels whose level was measured")},
    )


def _notes(ramps: Sequence[CorrectedReads], fit: _Fit) -> tuple[str, ...]:
    notes = []
    if len(ramps) < 3:
        notes.append(f"{len(ramps)} of the 3 ramps that it takes to leave out cosmic rays")
    light = ~flagged(fit.dq, DQ.NO_LIN_CORR)
    unseen = flagged(fit.dq, DQ.NO_SAT_CHECK)[light]
    if unseen.size and unseen.mean() > _MOST:
        notes.append("most ramps don't reach saturation: above their counts the correction is a guess")
    return tuple(notes)
