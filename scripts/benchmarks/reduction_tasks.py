"""What is measured of the reduction."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import reduction_data as data
from benchmarks import reduction_peers as peers
from benchmarks.measuring import Limit, Sample, Task, here, process
from benchmarks.processes import calmap_program
from reduce.kernels import cosmic_rays, sky
from reduce.kernels.combine import Source, combine
from reduce.kernels.ramp.fit import RampFit
from reduce.kernels.ramp.gls import fit_gls

FULL, HALF, PART = 4096, 2048, 1024
FRAMES = 11
NAMES = ("fit", "jumps", "ols", "likely", "reduce", "first", "help")
NAMES += ("combine", "memory", "sky", "skyscale", "cosmic")
_MEMORY = 2e8


def _makers(scratch: Path) -> Mapping[str, Callable[[], Task]]:
    return {
        "fit": lambda: _fit("fit", "GLS fit", jumps=False, limit=1.0),
        "jumps": lambda: _fit("jumps", "GLS fit with jumps", jumps=True, limit=5.0),
        "ols": lambda: _against_stcal("ols", jumps=False),
        "likely": lambda: _against_stcal("likely", jumps=True),
        "reduce": lambda: _reduce(scratch),
        "first": lambda: _first(scratch),
        "help": _help,
        "combine": _combine,
        "memory": lambda: _memory(scratch),
        "sky": _sky,
        "skyscale": _sky_scale,
        "cosmic": _cosmic,
    }


def tasks(scratch: Path, names: Collection[str]) -> Iterator[Task]:
    """The tasks named, each prepared when it is reached."""
    makers = _makers(scratch)
    return (makers[name]() for name in NAMES if name in names)


def _fit(name: str, what: str, *, jumps: bool, limit: float) -> Task:
    ramps = data.ramps(FULL)
    noise = np.full((FULL, FULL), data.NOISE, np.float32)
    fit_gls(ramps.reads[:1], ramps.times, read_noise=noise[:1], find_jumps=jumps)
    return Task(
        name,
        f"{what}, {FULL}² × {data.READS} reads",
        here(lambda: fit_gls(ramps.reads, ramps.times, read_noise=noise, find_jumps=jumps)),
        Limit(limit),
    )


def _against_stcal(name: str, *, jumps: bool) -> Task:
    """The same ramps by stcal's least squares, and by its likelihood, which always looks for jumps."""
    ramps = data.ramps(PART, dtype="f4", hits=0.01 if jumps else 0.0)
    algorithm = "LIKELY" if jumps else "OLS_C"
    theirs = peers.stcal_fit(ramps, "LIKELY" if jumps else "OLS_C")
    fits: list[RampFit] = []
    slopes: list[NDArray[np.floating]] = []

    def fit() -> None:
        fits[:] = [fit_gls(ramps.reads, ramps.times, read_noise=data.NOISE, find_jumps=jumps)]

    def note() -> str:
        error = np.sqrt(fits[0].var_poisson + fits[0].var_rnoise)
        apart = np.abs(slopes[0] - fits[0].rate) / error
        ours, other = (np.std((rate - ramps.rate) / error) for rate in (fits[0].rate, slopes[0]))
        return (
            f"slopes differ by {np.median(apart):.1g} σ in the median, {np.percentile(apart, 99):.1g} σ"
            f" in 1 of 100; scatter about the truth {ours:.4f} σ and {other:.4f} σ"
        )

    fit()
    what = f"GLS fit{' with jumps' if jumps else ''}, {PART}² × {data.READS} reads"
    other = {f"stcal {algorithm.lower()}": here(lambda: slopes.__setitem__(slice(None), [theirs()]))}
    return Task(name, what, here(fit), peers=other, note=note)


def _command(scratch: Path, side: int) -> list[str]:
    """The program for an exposure that is made first."""
    folder = scratch / f"exposure{side}"
    if not folder.exists():
        folder.mkdir()
        data.exposure(folder, side)
    command = [calmap_program(), "reduce", str(folder / "raw_LVL0_0001.fits"), "--no-cache"]
    for path in (*sorted(folder.glob("[!r]*.fits")), folder / "readnoise.fits"):
        command += ["--override", f"{path.stem}={path}"]
    return [*command, "--out", str(folder), "--overwrite"]


def _reduce(scratch: Path) -> Task:
    command = _command(scratch, FULL)
    process(command)()
    return Task(
        "reduce",
        f"L0 to L2 from file to file, {FULL}² × {data.READS} reads, whole process",
        process(command),
        Limit(15.0, 1500.0),
    )


def _first(scratch: Path) -> Task:
    """What compiled code costs where it is used for the first time."""
    command = _command(scratch, PART)
    compiled = scratch / "compiled"
    empty = process(command, {"NUMBA_CACHE_DIR": str(compiled)})

    def run() -> Sample:
        shutil.rmtree(compiled, ignore_errors=True)
        return empty()

    process(command)()
    return Task(
        "first",
        f"L0 to L2 of {PART}² × {data.READS} reads, compiled first",
        run,
        peers={"compiled before": process(command)},
    )


def _help() -> Task:
    return Task("help", "calmap reduce --help", process([calmap_program(), "reduce", "--help"]), Limit(0.3))


def _combine() -> Task:
    stack = data.stack(FRAMES, HALF)
    frames = [Source(sci, (variance,), dq) for sci, variance, dq in zip(*stack, strict=True)]
    combine([Source(frame.sci[:1], (frame.variances[0][:1],), None) for frame in frames])
    return Task(
        "combine",
        f"mean of {FRAMES} frames {HALF}², clipped at 4 σ",
        here(lambda: combine(frames)),
        peers={"ccdproc": peers.ccdproc_mean(stack), "astropy sigma_clip": peers.astropy_mean(stack)},
        faster=5.0,
    )


def _memory(scratch: Path) -> Task:
    """Files of 55 MB each, by rows."""
    from astropy.io import fits

    from reduce.files.writer import write_frame
    from reduce.frame import Frame

    paths = []
    for number, (sci, variance, dq) in enumerate(zip(*data.stack(FRAMES, HALF), strict=True)):
        paths.append(str(scratch / f"frame{number}.fits"))
        header = fits.Header([("BUNIT", "electron / s")])
        write_frame(Frame(sci, {"OTHER": variance}, dq, fits.Header(), header), Path(paths[-1]))
    program = Path(__file__).with_name("reduction_memory.py")
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    return Task(
        "memory",
        f"the same from {FRAMES} files with {_MEMORY / 1e6:g} MB to work in, whole process",
        process([sys.executable, str(program), f"{_MEMORY:g}", *paths], environment),
        Limit(megabytes=500.0),
        peers={"with 2 GB to work in": process([sys.executable, str(program), "2e9", *paths], environment)},
    )


def _sky() -> Task:
    frames = [data.stars(HALF, seed) for seed in range(FRAMES)]
    sci, variance = (np.stack(planes) for planes in zip(*frames, strict=True))
    dq = np.zeros(sci.shape, np.uint32)
    sky.make_sky(sci[:, :256, :256], variance[:, :256, :256], dq[:, :256, :256])
    return Task("sky", f"sky of {FRAMES} frames {HALF}²", here(lambda: sky.make_sky(sci, variance, dq)))


def _sky_scale() -> Task:
    sci, variance = data.stars(FULL)
    dq = np.zeros(sci.shape, np.uint32)
    model = sky.Sky(
        np.ones_like(sci), np.zeros_like(sci), dq, np.zeros(0), np.zeros((0, *sci.shape), np.bool_)
    )
    return Task(
        "skyscale", f"level of the sky, {FULL}²", here(lambda: sky.sky_scale(sci, variance, dq, model))
    )


def _cosmic() -> Task:
    sci, variance = data.stars(HALF)
    dq = np.zeros(sci.shape, np.uint32)
    work = here(lambda: cosmic_rays.flag(sci, {"OTHER": variance}, dq))
    return Task("cosmic", f"cosmic rays on a single frame (L.A.Cosmic), {HALF}²", work)
