"""Simulated calibration exposures in files, and reference files made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reduce.files.writer import write_ramp
from reduce.making.exposures import Candidate
from reduce.making.maker import Wish, make
from reduce.making.order import Description, Written
from reduce.night import Shot, exposures
from reduce.pipeline import Unwatched
from reduce.products import Output
from reduce.references import NoReferences, Overrides
from reduce.session import Request
from reduce.settings import Settings, command_line
from reduce.sim import Detector

MISSING = frozenset({"dq", "nonlincoeff", "dark", "flat"})
SETTINGS = ("gain_scale.gain=2", "refpix.channels=1")


def write_exposures(
    folder: Path, detector: Detector, shots: Sequence[Shot], seed: int = 1, **cards: object
) -> list[Path]:
    """Write exposures; `cards` change the headers of all of them, PEDIGREE what they say of their origin."""
    return list(_written(folder, detector, shots, seed, cards))


def _written(
    folder: Path, detector: Detector, shots: Sequence[Shot], seed: int, cards: dict[str, object]
) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for taken in exposures(detector, (), tuple(shots), seed=seed):
        taken.ramp.header.update(cards)
        if "PEDIGREE" in cards:
            del taken.ramp.header["HISTORY"]
        write_ramp(taken.ramp, folder / taken.name)
        yield folder / taken.name


def made(
    kind: str,
    paths: Sequence[Path],
    out: Path,
    overrides: dict[str, Path] | None = None,
    settings: Sequence[str] = (),
    *,
    named: bool = True,
    description: Description | None = None,
    **parameters: Any,
) -> tuple[Written, ...]:
    """Make reference files of a kind without a cache."""
    request = Request(
        Overrides(overrides or {}, NoReferences()),
        settings=Settings((command_line([*SETTINGS, *settings]),)),
        allowed=MISSING,
    )
    candidates = [Candidate(path, named) for path in paths]
    wish = Wish(kind, candidates, request, parameters, description or Description())
    return make(wish, Output(out), lambda _: Unwatched())
