"""Programs run as their users run them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.reference import settings
from benchmarks.timing import seconds_of


def calmap_program() -> str:
    """The program ``calmap`` of this environment."""
    return str(Path(sys.executable).with_name("calmap"))


def process(command: Sequence[str], cache: Path | None = None, **variables: str) -> Callable[[], float]:
    """A measurement of a whole process, with more variables of the environment; with a cache, one of crds.

    Raises
    ------
    RuntimeError
        If it fails; findings and differences are no failure.
    """
    mine = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("CRDS_", "CALMAP_", "PYTHONDONTWRITE"))
    }
    environment = mine | (settings(cache) if cache else {}) | variables

    def run() -> None:
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode not in (0, 1) or "Traceback" in done.stderr:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")

    return lambda: seconds_of(run)
