"""The step that finds cosmic rays on a single frame."""

from __future__ import annotations

from dataclasses import dataclass

from reduce.frame import Frame
from reduce.headers import plain
from reduce.kernels import cosmic_rays
from reduce.keywords import find
from reduce.parameters import option
from reduce.step import FrameStep, References, Skipped

_FEW_READS = 3
"""With so many reads no jump can be told from a slope."""


@dataclass(frozen=True, slots=True)
class CosmicRays:
    """Parameters of ``cosmic_rays``."""

    sigma: float = option(4.5, "How sharp a cosmic ray has to be.", least=1, unit="sigma")
    neighbour_fraction: float = option(0.3, "Part of it that is enough next to one.", least=0.01, most=1)
    contrast: float = option(5.0, "Least contrast to the underlying image; more spares stars.", least=0)
    iterations: int = option(4, "At most so many rounds.", least=1)
    always: bool = option(False, "Look also where jumps were found in the ramps.")
    clean: bool = option(False, "Fill such pixels with the mean of their neighbours.")


def _cosmic_rays(frame: Frame, _: References, parameters: CosmicRays) -> Frame | Skipped:
    if not parameters.always and _jumps_found(frame):
        return Skipped("cosmic rays were found as jumps in the ramps")
    seconds = find(plain(frame.header), "EXPTIME")
    arrays = cosmic_rays.flag(
        frame.sci,
        frame.variances,
        frame.dq,
        exposure_time=float(seconds) if seconds else 1.0,
        sigma=parameters.sigma,
        neighbour_fraction=parameters.neighbour_fraction,
        contrast=parameters.contrast,
        iterations=parameters.iterations,
        clean=parameters.clean,
    )
    return frame.corrected(arrays)


def _jumps_found(frame: Frame) -> bool:
    """True if the fit of the slopes looked for jumps, and there were reads enough to find any."""
    looked = any(
        record.step == "ramp_fit"
        and record.status == "COMPLETE"
        and record.parameters.get("find_jumps") == "true"
        for record in frame.provenance.steps
    )
    reads = find(plain(frame.header), "NREADS")
    return looked and reads is not None and int(reads) > _FEW_READS


COSMIC_RAYS = FrameStep(
    "cosmic_rays", "S_CRFLAG", "flag cosmic rays", parameters=CosmicRays, apply=_cosmic_rays
)
