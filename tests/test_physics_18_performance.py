"""How fast ramps are fitted and frames combined, and how much memory a whole reduction takes.

Limits are those for 4096² × 10 reads on two processors, in proportion to fewer pixels, and thrice that, as a
machine that runs tests does other things too. `scripts/bench reduce` measures the full size.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from reduce.files.writer import write_frame
from reduce.frame import Frame
from reduce.kernels import acceleration
from reduce.kernels.combine import Source, combine
from reduce.kernels.ramp.gls import fit_gls

FULL, PART, READS = 4096, 1024, 10
NOISY = 3.0
PROCESSORS = 2
TIMES = 1.5 * np.arange(1, READS + 1)[None]

pytestmark = pytest.mark.skipif(not acceleration.available(), reason="numba is not installed")


def processor_seconds(work) -> float:
    """The least of three runs, shared by the processors there are for it: no wait for other programs."""
    taken = []
    for _ in range(3):
        start = time.process_time()
        work()
        taken.append((time.process_time() - start) / PROCESSORS)
    return min(taken)


@pytest.fixture(scope="module")
def reads():
    rng = np.random.default_rng(1)
    counts = np.cumsum(rng.poisson(30, (PART, 128, READS)), axis=-1) + rng.normal(200, 10, (PART, 128, READS))
    hit = rng.random(counts.shape[:2]) < 0.01
    counts[hit, 4:] += 500
    return np.tile(np.rint(counts).astype(np.uint16), (1, PART // 128, 1))[:, :, None]


@pytest.mark.parametrize(("find_jumps", "limit"), [(False, 1.0), (True, 5.0)])
def test_ramps_are_fitted_in_time(reads, find_jumps, limit):
    fit_gls(reads[:1], TIMES, read_noise=10.0, find_jumps=find_jumps)

    taken = processor_seconds(lambda: fit_gls(reads, TIMES, read_noise=10.0, find_jumps=find_jumps))

    assert taken <= NOISY * limit * (PART / FULL) ** 2


def test_frames_are_combined_much_faster_than_by_sorting_all_of_them():
    """A median by NumPy alone, without clipping or errors, takes longer than a clipped mean with both."""
    rng = np.random.default_rng(2)
    sci = rng.normal(100, 10, (11, 512, 512)).astype(np.float32)
    frames = [Source(image, (np.full_like(image, 100),), np.zeros(image.shape, np.uint32)) for image in sci]
    combine(frames)

    assert processor_seconds(lambda: combine(frames)) < processor_seconds(lambda: np.median(sci, axis=0))


def test_combination_stays_within_its_memory(tmp_path, scripts):
    """Eleven frames of 13 MB in files, with room for 30 MB: that, the result, and what comes with files."""
    image = np.random.default_rng(3).normal(100, 10, (1024, 1024)).astype(np.float32)
    frame = Frame(image, {"OTHER": image}, np.zeros(image.shape, np.uint32), fits.Header(), fits.Header())
    paths = [str(tmp_path / f"{number}.fits") for number in range(11)]
    for path in paths:
        write_frame(frame, Path(path))
    program = str(scripts / "benchmarks" / "reduction_memory.py")

    one, all_of_them = (megabytes(program, "3e7", *some) for some in (paths[:1], paths))

    assert all_of_them - one <= 30 + 10


def test_reduction_stays_within_its_memory(tmp_path, scripts, monkeypatch):
    """A whole reduction may take 1.5 GB for 4096² × 10 reads; what it takes grows no faster than that.

    The first run compiles what is not compiled yet, which takes memory too.
    """
    monkeypatch.syspath_prepend(str(scripts))
    from benchmarks.reduction_data import exposure

    taken = []
    for number, side in enumerate((256, 256, 1024)):
        folder = tmp_path / str(number)
        folder.mkdir()
        raw, references = exposure(folder, side)
        named = [text for kind, path in references.items() for text in ("--override", f"{kind}={path}")]
        command = ["reduce", str(raw), "--no-cache", *named, "--out", str(folder), "--overwrite"]
        taken.append(megabytes("-m", "calmap", *command))

    _, small, large = taken
    assert (large - small) / (1024**2 - 256**2) <= 1500 / FULL**2


@pytest.fixture
def scripts(repo_root: Path) -> Path:
    return repo_root / "scripts"


def megabytes(*arguments: str) -> float:
    """The most memory that Python had with some arguments."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout.split()[-1]) / 1e3


MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""The system counts what a process was forked from too; this one is small."""
