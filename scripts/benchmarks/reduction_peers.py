"""Public packages that do what the reduction does: stcal, ccdproc, and astropy."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import Run, Sample, here
from benchmarks.reduction_data import INTERVAL, NOISE, READS, Ramps, Stack

_CLIP = 4.0
_STCAL_FLAGS = {
    "DO_NOT_USE": 1,
    "SATURATED": 2,
    "JUMP_DET": 4,
    "PERSISTENCE": 32,
    "CHARGELOSS": 128,
    "NO_GAIN_VALUE": 1 << 19,
    "UNRELIABLE_SLOPE": 1 << 24,
}


def missing() -> list[str]:
    """Packages that are not installed."""
    return [name for name in ("stcal", "ccdproc") if find_spec(name) is None]


def stcal_fit(data: Ramps, algorithm: Literal["OLS_C", "LIKELY"]) -> Callable[[], NDArray[Any]]:
    """A fit of stcal in one process, as it is fastest here; gives the slopes."""
    from stcal.ramp_fitting import ramp_fit, ramp_fit_class

    side = len(data.reads)
    cube = np.ascontiguousarray(data.reads[:, :, 0].transpose(2, 0, 1), dtype=np.float32)[None]

    def fit() -> NDArray[Any]:
        some = ramp_fit_class.RampData()
        some.set_arrays(
            cube,
            np.zeros((1, READS, side, side), np.uint8),
            np.zeros((side, side), np.uint32),
            np.zeros((side, side), np.float32),
        )
        some.set_meta("IRIS", INTERVAL, INTERVAL, 0, 1, 0)
        some.set_dqflags(_STCAL_FLAGS)
        some.algorithm, some.start_row, some.num_rows = algorithm, 0, side
        noise = np.full((side, side), NOISE * np.sqrt(2), np.float32)
        gain = np.ones((side, side), np.float32)
        image, *_ = ramp_fit.ramp_fit_data(some, False, noise, gain, algorithm, "optimal", "none")
        slope: NDArray[Any] = image["slope"]
        return slope

    return fit


def ccdproc_mean(data: Stack) -> Run:
    """The mean of frames, clipped by the median absolute deviation, by ccdproc."""
    import ccdproc
    from astropy.nddata import CCDData, StdDevUncertainty

    frames = [
        CCDData(sci, unit="electron/s", uncertainty=StdDevUncertainty(np.sqrt(variance)), mask=dq != 0)
        for sci, variance, dq in zip(*data, strict=True)
    ]

    def combine() -> object:
        combiner = ccdproc.Combiner(frames, dtype=np.float32)
        combiner.sigma_clipping(low_thresh=_CLIP, high_thresh=_CLIP, func="median", dev_func="mad_std")
        return combiner.average_combine()

    return _quiet(combine)


def astropy_mean(data: Stack) -> Run:
    """The same by astropy's sigma_clip and NumPy, without an error."""
    from astropy.stats import sigma_clip

    def combine() -> object:
        cube = np.ma.array(data.sci.copy(), mask=data.dq != 0)
        clipped = sigma_clip(
            cube, sigma=_CLIP, cenfunc="median", stdfunc="mad_std", axis=0, masked=False, copy=False
        )
        return np.nanmean(clipped, axis=0)

    return _quiet(combine)


def _quiet(work: Callable[[], object]) -> Run:
    measured = here(work)

    def run() -> Sample:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return measured()

    return run
