"""Stars of the simulated night come out of the whole reduction as bright as they went in."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
sys.path.insert(0, str(SCRIPTS))
RECOVERY: Any = import_module("truthing.recovery")
sys.path.pop(0)


@pytest.fixture(scope="module")
def recovery(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Raw reads to calibrated frames and a mosaic, by the program itself."""
    return RECOVERY.recovered(tmp_path_factory.mktemp("truth") / "night", size=256, seed=1)


@pytest.mark.slow
def test_fluxes_are_unbiased_and_their_errors_right(recovery: Any) -> None:
    pulls = recovery.pulls

    assert len(pulls) >= 500
    assert abs(pulls.mean()) <= 0.1
    assert 0.95 <= pulls.std() <= 1.05
    assert np.abs(pulls).max() < 5


@pytest.mark.slow
def test_bright_and_faint_stars_alike(recovery: Any) -> None:
    magnitudes = np.concatenate([stars.magnitudes for stars in recovery.frames])
    for bright, faint in ((18.5, 20.5), (20.5, 22.5)):
        pulls = recovery.pulls[(magnitudes >= bright) & (magnitudes < faint)]

        assert abs(pulls.mean()) <= 4 / np.sqrt(len(pulls))
        assert 0.9 <= pulls.std() <= 1.12


@pytest.mark.slow
def test_where_the_quality_is_good_values_and_errors_are_sound(recovery: Any) -> None:
    assert [stars.broken for stars in (*recovery.frames, recovery.mosaic)] == [0] * 6


@pytest.mark.slow
def test_the_mosaic_is_unbiased_and_its_errors_are_right(recovery: Any) -> None:
    pulls = recovery.mosaic.pulls

    assert len(pulls) > 100
    assert abs(pulls.mean()) <= 3 / np.sqrt(len(pulls))
    assert 0.93 <= pulls.std() <= 1.08
    deeper = recovery.mosaic.errors.mean() / np.mean([stars.errors.mean() for stars in recovery.frames])
    assert deeper == pytest.approx(1 / np.sqrt(5), rel=0.4)
