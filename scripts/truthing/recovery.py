"""The demonstration night made, reduced by the program itself, and measured."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from click.testing import CliRunner
from numpy.typing import NDArray

from calmap.cli.main import cli
from calmap.cli.options import Invocation
from truthing.stars import Stars, measured

BIAS: Final = 0.1
WIDTH: Final = (0.95, 1.05)
FEWEST: Final = 500
_TARGET, _SKY = "M92", "BLANK"
_KINDS: Final = (("bias", "001"), ("linearity", "005"), ("dark", "002"), ("flat", "003"))
"""Kinds of references in the order in which they need each other, and the OBSNUM of their exposures.

A gain of the night would have an error that is common to all stars, for a new zero point to take up."""


class Recovery(NamedTuple):
    """What became of the stars.

    Parameters
    ----------
    frames
        On each calibrated exposure.
    mosaic
        On the mosaic of them.
    """

    frames: tuple[Stars, ...]
    mosaic: Stars

    @property
    def pulls(self) -> NDArray[np.float64]:
        """Of all stars on single exposures."""
        return np.concatenate([stars.pulls for stars in self.frames])

    @property
    def broken(self) -> int:
        """Pixels of good quality without a sound value or error."""
        return sum(stars.broken for stars in self.frames)

    @property
    def passed(self) -> bool:
        """True if the fluxes are unbiased and their errors right."""
        width = float(self.pulls.std())
        return (
            len(self.pulls) >= FEWEST
            and abs(float(self.pulls.mean())) <= BIAS
            and WIDTH[0] <= width <= WIDTH[1]
            and self.broken + self.mosaic.broken == 0
        )


def recovered(folder: Path, *, size: int, seed: int, remade: bool = False) -> Recovery:
    """Make a night in a new folder, reduce its exposures of the star field, and measure the stars.

    Parameters
    ----------
    remade
        Make references from the night's own calibrations first, in place of those of a month before.
    """
    _run(folder.parent, "simulate", str(folder), "--size", str(size), "--seed", str(seed), "--quiet")
    if remade:
        _remake(folder)
    exposures = [str(path) for target in (_TARGET, _SKY) for path in _raw(folder, f"-{target}-")]
    _run(folder, "reduce", *exposures, "--out", "products", "--to", "L3", "--quiet")
    catalogue = folder / "truth" / f"{_TARGET}.ecsv"
    frames, mosaics = (
        [
            measured(path, catalogue)
            for path in sorted((folder / "products").glob(f"*-{_TARGET}-*_{level}_*.fits"))
        ]
        for level in ("LVL2", "LVL3")
    )
    return Recovery(tuple(frames), mosaics[0])


def _remake(folder: Path) -> None:
    for kind, observation in _KINDS:
        exposures = [str(path) for path in _raw(folder, f"-{observation}_")]
        _run(folder, "make", kind, *exposures, "--out", f"new/{kind}", "--quiet")
        made = [str(path) for path in sorted((folder / "new" / kind).glob("*.fits"))]
        _run(folder, "insert-reference", *made, "--quiet")


def _raw(folder: Path, part: str) -> list[Path]:
    return sorted((folder / "raw").glob(f"*{part}*.fits"))


def _run(cwd: Path, *arguments: str) -> None:
    result = CliRunner().invoke(cli, arguments, obj=Invocation({}, cwd.absolute()), prog_name="calmap")
    if result.exit_code:
        raise RuntimeError(f"calmap {arguments[0]} ended with {result.exit_code}: {result.output}")
