"""The step from reads to rates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from reduce.dq import DQ, flagged
from reduce.errors import DataError
from reduce.frame import Frame, Ramp
from reduce.kernels.ramp.dispatch import METHODS, fit_ramps
from reduce.kernels.ramp.fit import RampFit
from reduce.kernels.ramp.selection import select_reads
from reduce.parameters import option
from reduce.step import FitStep, Need, References
from reduce.steps.detector import header_number, plane
from reduce.steps.units import ELECTRON, require_unit, same_unit

READ_NOISE = 9.0
"""Electrons; of the detectors of Liger and IRIS."""


@dataclass(frozen=True, slots=True)
class RampFitting:
    """Parameters of ``ramp_fit``."""

    method: str = option("gls", "How slopes are fitted; utr is ols.", choices=METHODS)
    find_jumps: bool = option(True, "Find jumps in the ramps and leave them out.")
    jump_threshold: float = option(4.5, "How unlikely a jump has to be.", least=1, unit="sigma")
    coadd: int = option(3, "Reads that mcds averages at either end.", least=1)
    reads: str = option("all", "Reads of each group to be used, counted from 0, such as 1-8 or 1,3,5:.")
    read_noise: float | None = option(
        None,
        "Where there is no reference; none is READNOIS of the header, or 9.",
        least=1e-3,
        unit="electron",
    )


def _ramp_fit(ramp: Ramp, references: References, parameters: RampFitting) -> Callable[[Ramp], Frame]:
    if ramp.unit and not same_unit(ramp.unit, ELECTRON):
        raise DataError(
            f"ramp_fit takes reads in electrons, and these are in {ramp.unit}", "run gain_scale before it"
        )
    reference = references.get("readnoise")
    if reference:
        require_unit(reference, ELECTRON)
    image = reference.image("SCI", "DATA") if reference else None
    value = parameters.read_noise or header_number(ramp, "READNOIS") or READ_NOISE
    header = ramp.sci_header.copy()
    header["BUNIT"] = "electron / s"

    def fit(block: Ramp) -> Frame:
        here = plane(image, block)
        noise: NDArray[Any] = np.asarray(value if here is None else here, dtype=np.float32)
        if block.noise_factor is not None:
            noise = noise * block.noise_factor
        return _frame(block, _fitted(block, noise, parameters), header)

    return fit


def _fitted(block: Ramp, noise: NDArray[Any], parameters: RampFitting) -> RampFit:
    reads, times, groupdq = cast(NDArray[Any], block.reads), block.times, cast(Any, block.groupdq)
    if parameters.reads != "all":
        reads, times, groupdq = select_reads(reads, times, groupdq, keep=parameters.reads)
    return fit_ramps(
        reads,
        times,
        method=parameters.method,
        read_noise=noise if noise.ndim else float(noise),
        groupdq=groupdq,
        find_jumps=parameters.find_jumps,
        jump_threshold=parameters.jump_threshold,
        coadd=parameters.coadd,
    )


def _frame(block: Ramp, fit: RampFit, header: Any) -> Frame:
    flags = fit.dq | block.pixeldq
    flags[flagged(flags, DQ.REFERENCE_PIXEL)] |= np.uint32(DQ.NON_SCIENCE | DQ.DO_NOT_USE)
    return Frame(
        fit.rate,
        {"POISSON": fit.var_poisson, "RNOISE": fit.var_rnoise},
        flags,
        block.header,
        header,
        {"CHI2": fit.chi2, "NREADS": fit.reads_used},
    )


RAMP_FIT = FitStep(
    "ramp_fit", "S_RAMPFI", "fit slopes", (Need("readnoise", False),), RampFitting, prepare=_ramp_fit
)
