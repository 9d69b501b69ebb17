"""Physics test 9: the error of combined frames is their true one, with cosmic rays, masks and few frames."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from reduce.dq import DQ
from reduce.kernels.combine import ERRORS, METHODS, Source, combine
from reduce.kernels.rejection import REJECTIONS

TRUTH = 50.0
SHAPE = (150, 240)


def stack(frames: int, ratio: float, *, rays: bool):
    """Frames whose σ differ by up to a ratio, and how many values of each pixel are good and hit."""
    rng = np.random.default_rng(frames)
    sources, hits, good = [], np.zeros(SHAPE, int), np.zeros(SHAPE, int)
    for sigma in rng.permutation(np.geomspace(1, ratio, frames)):
        sci = TRUTH + sigma * rng.normal(size=SHAPE)
        hit = (rng.random(SHAPE) < 0.01) & rays
        sci[hit] += 30 + rng.exponential(300, hit.sum())
        bad = rng.random(SHAPE) < 0.02
        sci[bad] = rng.choice([0.0, 1e4, np.nan], bad.sum())
        hits += hit & ~bad
        good += ~bad
        dq = np.where(bad, np.uint32(DQ.DO_NOT_USE | DQ.HOT), np.uint32(0)).astype(np.uint32)
        sources.append(Source(sci, (np.full(SHAPE, sigma**2),), dq))
    return sources, hits, good


@pytest.mark.parametrize("frames", [3, 4, 6, 9, 15])
@pytest.mark.parametrize("ratio", [1.0, 1.4])
def test_error_is_true(frames, ratio):
    with_rays = stack(frames, ratio, rays=True)
    without = stack(frames, ratio, rays=False)
    for method, reject, error in product(METHODS, REJECTIONS, ERRORS):
        if reject == "minmax" and ratio > 1:
            continue
        sources, hits, good = without if reject == "none" else with_rays
        result = combine(sources, method=method, reject=reject, error=error)
        assert (result.variance[good > 0] > 0).all()
        assert np.isfinite(result.variance).all()
        assert (result.dq[good == 0] & DQ.DO_NOT_USE).all()
        assert not (result.dq[good > 0] & DQ.DO_NOT_USE).any()
        fair = (hits <= 1) & (good > 2) if reject == "minmax" else 2 * hits < good
        sure = fair & (result.dq == 0)
        assert sure.sum() > 0.99 * fair.sum()
        ratio_of_errors = np.sqrt(result.variance[sure].mean()) / np.std(result.sci[sure] - TRUTH)
        assert 0.97 <= ratio_of_errors <= 1.03, (method, reject, error)


@pytest.mark.parametrize("reject", ["sigma", "biweight", "variance"])
def test_pixel_hit_in_most_frames_is_told_or_covered(reject):
    sources, hits, good = stack(3, 1.0, rays=True)
    result = combine(sources, reject=reject)
    lost = (2 * hits >= good) & (good > 1)
    assert lost.sum() > 30
    told = (result.dq & DQ.UNRELIABLE_ERROR) != 0
    assert told[lost].mean() > 0.95
    covered = np.abs(result.sci - TRUTH) < 4 * np.sqrt(result.variance)
    assert covered[lost].mean() > 0.95


def test_clipping_costs_no_pixel():
    sources, hits, good = stack(7, 1.0, rays=True)
    result = combine(sources)
    clean = (hits == 0) & (result.dq == 0)
    assert np.mean(result.count[clean] == good[clean]) > 0.998
    assert np.mean(result.count[hits == 1] == good[hits == 1] - 1) > 0.97
