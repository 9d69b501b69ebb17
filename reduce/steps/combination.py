"""Steps that make one frame of several, and that scale one: skies, combined frames, normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from reduce.errors import DataError
from reduce.frame import Frame, FrameRows
from reduce.kernels import sky
from reduce.kernels.combine import METHODS, ErrorKind, Method, Rejection, Source, combine
from reduce.kernels.normalization import Statistic, normalize
from reduce.kernels.rejection import REJECTIONS
from reduce.kernels.sky_stack import Method as SkyMethod
from reduce.parameters import option
from reduce.step import FramesStep, FrameStep, References


@dataclass(frozen=True, slots=True)
class Combination:
    """Parameters of ``combine_frames``."""

    method: str = option("mean", "How frames are combined.", choices=METHODS)
    reject: str = option("sigma", "How outliers are found.", choices=REJECTIONS)
    low: float = option(4.0, "Values lower by more than this are left out.", least=0, unit="sigma")
    high: float = option(4.0, "Values higher by more than this are left out.", least=0, unit="sigma")
    error: str = option(
        "propagate",
        "Errors from those of the frames, or from their scatter.",
        choices=("propagate", "measure"),
    )
    memory: float = option(5e8, "Working memory.", least=1e6, unit="bytes")


def _combine_frames(frames: Sequence[FrameRows], _: References, parameters: Combination) -> Frame:
    return combined(frames, parameters)


def combined(
    frames: Sequence[FrameRows], parameters: Combination, scales: Sequence[float] | None = None
) -> Frame:
    """The combination of frames; its header is the first one's, its variance is of the part ``OTHER``."""
    same_configuration(frames)
    result = combine(
        [Source(frame.sci, tuple(frame.variances.values()), frame.dq) for frame in frames],
        method=cast(Method, parameters.method),
        reject=cast(Rejection, parameters.reject),
        low=parameters.low,
        high=parameters.high,
        error=cast(ErrorKind, parameters.error),
        memory=parameters.memory,
        scales=scales,
    )
    return Frame(
        result.sci,
        {"OTHER": result.variance},
        result.dq,
        frames[0].header,
        frames[0].sci_header,
        {"NFRAMES": result.count},
    )


@dataclass(frozen=True, slots=True)
class SkyMaking:
    """Parameters of ``calc_bkg_imager``."""

    method: str = option("mean", "How frames are combined.", choices=("mean", "median"))
    clip: float = option(3.0, "Values that lie farther off are left out.", least=1, unit="sigma")
    box: int = option(64, "Cells in which the background is measured.", least=4, unit="pixel")


def _calc_bkg_imager(frames: Sequence[FrameRows], _: References, parameters: SkyMaking) -> Frame:
    same_configuration(frames)
    result = sky.make_sky(
        np.stack([frame.sci[:] for frame in frames]),
        np.stack([np.square(frame.loaded().err) for frame in frames]),
        np.stack([frame.dq[:] for frame in frames]),
        method=cast(SkyMethod, parameters.method),
        clip=parameters.clip,
        box=parameters.box,
    )
    header = frames[0].sci_header.copy()
    header["BUNIT"] = ""
    header["SKYLEVEL"] = (float(result.levels.mean()), f"{frames[0].unit}, mean level of the sky")
    return Frame(result.sci, {"SKY": result.variance}, result.dq, frames[0].header, header)


@dataclass(frozen=True, slots=True)
class Normalization:
    """Parameters of ``normalize``."""

    method: str = option("median", "What becomes 1.", choices=("mean", "median", "mode"))


def _normalize(frame: Frame, _: References, parameters: Normalization) -> Frame:
    result = normalize(frame.sci, frame.variances, frame.dq, statistic=cast(Statistic, parameters.method))
    header = frame.sci_header.copy()
    header["BUNIT"] = ""
    header["NORMFAC"] = (result.factor.value, f"{frame.unit}, divided by this")
    header["NORMERR"] = (result.factor.error, "standard deviation of NORMFAC")
    return replace(frame.corrected(result.arrays), sci_header=header)


def same_configuration(frames: Sequence[FrameRows]) -> None:
    """Refuse to combine frames that don't go together.

    Raises
    ------
    DataError
        If their shapes or units differ.
    """
    for frame in frames[1:]:
        if frame.shape != frames[0].shape:
            raise DataError(f"frames of the shapes {frames[0].shape} and {frame.shape} can't be combined")
        if frame.unit != frames[0].unit:
            raise DataError(f"frames in '{frames[0].unit}' and '{frame.unit}' can't be combined")


STEPS = (
    FramesStep("combine_frames", "S_COMBIN", "combine frames", parameters=Combination, apply=_combine_frames),
    FramesStep(
        "calc_bkg_imager", "S_BKGIMG", "make a sky frame", parameters=SkyMaking, apply=_calc_bkg_imager
    ),
    FrameStep(
        "normalize", "S_NORMAL", "divide by the typical value", parameters=Normalization, apply=_normalize
    ),
)
