import sys

import numpy as np
import pytest

from reduce.dq import DQ, flagged
from reduce.errors import DataError, ParameterError
from reduce.kernels import cosmic_rays

pytest.importorskip("astroscrappy")

SHAPE = (200, 220)
TIME = 50.0


def exposure() -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """A rate with stars and cosmic rays, its variance and DQ, and where the rays are."""
    rng = np.random.default_rng(1)
    y, x = np.indices(SHAPE)
    counts = np.full(SHAPE, 200.0)
    for _ in range(30):
        row, column = rng.uniform(10, 190, 2)
        squared = (y - row) ** 2 + (x - column) ** 2
        counts += 10 ** rng.uniform(3.5, 5) / (2 * np.pi * 1.6**2) * np.exp(-squared / (2 * 1.6**2))
    counts = rng.poisson(counts) + rng.normal(0, 9, SHAPE)
    hits = np.zeros(SHAPE, bool)
    hits[rng.integers(5, 195, 60), rng.integers(5, 215, 60)] = True
    counts[hits] += 1500
    sci = (counts / TIME).astype(np.float32)
    variances = {
        "POISSON": np.maximum(sci, 0) / np.float32(TIME),
        "RNOISE": np.full(SHAPE, (9 / TIME) ** 2, np.float32),
    }
    dq = np.zeros(SHAPE, np.uint32)
    for array in (sci, dq, *variances.values()):
        array.flags.writeable = False
    return sci, variances, dq, hits


def test_hits_are_flagged_and_stars_are_not() -> None:
    sci, variances, dq, hits = exposure()
    arrays = cosmic_rays.flag(sci, variances, dq, exposure_time=TIME)
    found = flagged(arrays.dq)
    assert np.count_nonzero(found & hits) >= 0.95 * np.count_nonzero(hits)
    assert np.count_nonzero(found & ~hits) <= 0.001 * hits.size
    assert (arrays.dq[found] == DQ.OUTLIER | DQ.DO_NOT_USE).all()
    np.testing.assert_array_equal(arrays.sci, sci)


def test_the_unit_does_not_matter_for_what_is_found() -> None:
    sci, variances, dq, _ = exposure()
    electrons = {origin: part * np.float32(TIME**2) for origin, part in variances.items()}
    one = cosmic_rays.flag(sci, variances, dq, exposure_time=TIME)
    other = cosmic_rays.flag(sci * np.float32(TIME), electrons, dq)
    assert np.count_nonzero(one.dq != other.dq) <= 2


def test_cleaning_fills_hits_and_says_so() -> None:
    sci, variances, dq, hits = exposure()
    arrays = cosmic_rays.flag(sci, variances, dq, exposure_time=TIME, clean=True)
    found = arrays.dq != 0
    assert (arrays.dq[found] == DQ.OUTLIER | DQ.FLUX_ESTIMATED | DQ.UNRELIABLE_ERROR).all()
    np.testing.assert_array_equal(arrays.sci[~found], sci[~found])
    assert np.median(arrays.sci[found & hits]) == pytest.approx(200 / TIME, rel=0.1)


def test_bad_pixels_are_neither_looked_at_nor_touched() -> None:
    sci, variances, dq, hits = (array if isinstance(array, dict) else array.copy() for array in exposure())
    row, column = np.argwhere(hits)[0]
    dq[row, column] = DQ.HOT | DQ.DO_NOT_USE
    sci[100, 100] = np.nan
    arrays = cosmic_rays.flag(sci, variances, dq, exposure_time=TIME, clean=True)
    assert arrays.dq[row, column] == DQ.HOT | DQ.DO_NOT_USE
    assert arrays.sci[row, column] == sci[row, column]
    assert arrays.dq[100, 100] == DQ.DO_NOT_USE


def test_a_background_protects_what_is_in_it() -> None:
    sci, variances, dq, hits = exposure()
    lines = np.zeros(SHAPE, np.float32)
    lines[:, 100] = 60.0
    bright = {**variances, "POISSON": variances["POISSON"] + lines / np.float32(TIME)}
    flags = cosmic_rays.flag(sci + lines, bright, dq, lines, exposure_time=TIME).dq
    assert np.count_nonzero(flagged(flags)[:, 100] & ~hits[:, 100]) <= 3


def test_what_can_not_be_done_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    sci, variances, dq, _ = exposure()
    with pytest.raises(ParameterError, match="exposure time"):
        cosmic_rays.flag(sci, variances, dq, exposure_time=0)
    with pytest.raises(ParameterError, match="above zero"):
        cosmic_rays.flag(sci, variances, dq, sigma=0)
    with pytest.raises(DataError, match="no pixel is good"):
        cosmic_rays.flag(np.full(SHAPE, np.nan), variances, dq)
    with pytest.raises(DataError, match="without a variance"):
        cosmic_rays.flag(sci, {}, dq)
    monkeypatch.setitem(sys.modules, "astroscrappy", None)
    with pytest.raises(ParameterError, match="astroscrappy") as caught:
        cosmic_rays.flag(sci, variances, dq)
    assert caught.value.hint == "pip install 'calmap-toolkit[reduce]'"
