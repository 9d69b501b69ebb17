"""Simulated detectors: what each pixel truly does, and what a calibration measures of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from demo_cache.patterns import SIZE, Image, normal, pixel_grid, uniform, waves

DO_NOT_USE = 1 << 0
DEAD = 1 << 10
HOT = 1 << 11
NO_FLAT_FIELD = 1 << 18
NO_LIN_CORR = 1 << 20

SHAPE = (SIZE, SIZE)
SLICE_ROWS = 8
GAP_ROWS = 2
FIRST_LIGHT = datetime(2024, 9, 1)

Flags = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Detector:
    """One detector of one instrument, in electrons and seconds."""

    instrument: str
    name: str

    def _label(self, what: str) -> str:
        return f"{self.instrument} {self.name} {what}"

    @property
    def dead(self) -> NDArray[np.bool_]:
        """Pixels that hardly see light."""
        return uniform(self._label("dead"), SHAPE) < 0.002

    def hot(self, when: datetime) -> NDArray[np.bool_]:
        """Pixels with a large dark current; they become more with time."""
        months = (when - FIRST_LIGHT).days / 30
        return uniform(self._label("hot"), SHAPE) < 0.003 + 0.0002 * months

    def dark_rate(self, when: datetime) -> Image:
        """Dark current in e-/s."""
        rows, columns = pixel_grid()
        glow = 0.01 * (1.0 + rows) * (1.0 + columns)
        spikes = self.hot(when) * (0.5 + 3.5 * uniform(self._label("spike"), SHAPE))
        return 0.025 * (1.0 + (when - FIRST_LIGHT).days / 2048) + glow + spikes

    def sensitivity(self, band: str) -> Image:
        """Response to even light, about one; the gaps between an IFU's slices see nothing."""
        rows, columns = pixel_grid()
        vignetting = 1.05 - 0.08 * (rows * rows + columns * columns)
        fringes = 1.0 + 0.01 * waves(sum(band.encode()) / 16)
        response = vignetting * fringes * (1.0 + 0.01 * normal(self._label("response"), SHAPE))
        return np.where(self.dead, 0.02, response) * self.lit

    @property
    def lit(self) -> NDArray[np.bool_]:
        """Pixels on which light can fall."""
        if self.name != "IFU":
            return np.ones(SHAPE, dtype=bool)
        in_slice = np.arange(SIZE) % SLICE_ROWS < SLICE_ROWS - GAP_ROWS
        return np.repeat(in_slice[:, np.newaxis], SIZE, axis=1)

    def linearity(self) -> Image:
        """Coefficients c of linear = sum over k of c[..., k] * raw**k."""
        coefficients = np.zeros((*SHAPE, 4))
        coefficients[..., 1] = 1.0
        coefficients[..., 2] = np.rint(1600 + 40 * normal(self._label("square"), SHAPE)) * 2.0**-32
        coefficients[..., 3] = np.rint(800 + 20 * normal(self._label("cube"), SHAPE)) * 2.0**-50
        return coefficients

    def flags(self, when: datetime) -> Flags:
        """Quality bits that hold for every frame."""
        bad = self.dead * np.uint32(DEAD | DO_NOT_USE)
        return (bad | self.hot(when) * np.uint32(HOT)).astype(np.uint32)
