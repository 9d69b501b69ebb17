"""A cache before and after a change, and as many copies of it as are wanted."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from killing.driver import SPARE

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
CALMAP = (sys.executable, "-m", "calmap")
PROGRAM = CHECKOUT / "calmap" / "__main__.py"
LEDGER = ".calmap"
TEMPLATE = "references/ligeriri/iris/IRIS_IMG1_FLAT_20250313T000000_0.0.1.fits"
REFERENCE = "IRIS_IMG1_FLAT_20250801T000000_0.0.1.fits"
DRIVERS = ("insert-reference", "in-place", "undo", "transaction")

Tree = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A program that changes a cache: its file and arguments; CACHE stands for the cache."""

    program: Path
    arguments: tuple[str, ...]

    def command(self, cache: Path) -> list[str]:
        """How to run it."""
        return [sys.executable, str(self.program), *self._filled(cache)]

    def faulty(self, cache: Path, call: int, side: str, log: Path) -> list[str]:
        """How to run it so that it kills itself."""
        fault = (sys.executable, str(HERE / "fault.py"), str(cache), str(call), side, str(log))
        return [*fault, str(self.program), *self._filled(cache)]

    def _filled(self, cache: Path) -> list[str]:
        return [str(cache) if argument == "CACHE" else argument for argument in self.arguments]


RECOVERY = Run(PROGRAM, ("undo", "--recover", "--cache", "CACHE"))


@dataclass(frozen=True, slots=True)
class Scene:
    """A cache, what changes it, and what it is before and after.

    Attributes
    ----------
    seconds, commit
        How long the change takes, and from when on there is a journal until its end.
    calls
        Calls of the system that concern the cache.
    """

    folder: Path
    run: Run
    old: Tree
    new: Tree
    seconds: float
    commit: float
    calls: int

    def copy(self, name: str) -> Path:
        """A fresh cache."""
        return shutil.copytree(self.folder / "cache", self.folder / name)


def prepare(folder: Path, driver: str, source: Path) -> Scene:
    """Set a scene, and see that the cache is right both before and after the change."""
    cache, reference = folder / "cache", folder / REFERENCE
    for name in ("mappings", "references", "config"):
        shutil.copytree(source / name, cache / name)
    shutil.copy(source / TEMPLATE, cache / SPARE)
    write_reference(source / TEMPLATE, reference)
    run = _run(driver, reference)
    if driver == "undo":
        subprocess.run(
            _run("insert-reference", reference).command(cache), check=True, stdout=subprocess.DEVNULL
        )
    changed, counted = shutil.copytree(cache, folder / "changed"), shutil.copytree(cache, folder / "counted")
    seconds, commit = timed(run.command(changed), changed)
    log = folder / "calls"
    subprocess.run(run.faulty(counted, 0, "before", log), check=True, stdout=subprocess.DEVNULL)
    old, new = tree(cache), tree(changed)
    if old == new or tree(counted) != new:
        raise SystemExit(f"{driver} does not make the same change each time")
    for state in (cache, changed):
        subprocess.run([*CALMAP, "check", str(state)], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(changed)
    shutil.rmtree(counted)
    return Scene(folder, run, old, new, seconds, commit, int(log.read_text()))


def write_reference(template: Path, path: Path) -> None:
    """A flat that no rule covers yet."""
    from astropy.io import fits

    with fits.open(template) as file:
        file[0].header.update(FILENAME=path.name, FILTER="H", USEAFTER="2025-08-01T00:00:00")
        file.writeto(path)


def timed(command: list[str], cache: Path) -> tuple[float, float]:
    """Seconds that a change takes in all, and how many of them its journal is there."""
    start = time.monotonic()
    begun: float | None = None
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        if begun is None and has_journal(cache):
            begun = time.monotonic()
        time.sleep(0.0005)
    end = time.monotonic()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return end - start, end - (begun or end)


def has_journal(cache: Path) -> bool:
    """True while a change is being made, or was broken off."""
    return (cache / LEDGER / "journal").exists()


def tree(cache: Path) -> Tree:
    """Every file and folder of a cache, with a hash of each file; not what calmap keeps for itself."""
    found = []
    for path in sorted(cache.rglob("*")):
        name = path.relative_to(cache)
        if name.parts[0] != LEDGER:
            found.append((name.as_posix(), sha256(path.read_bytes()).hexdigest() if path.is_file() else ""))
    return tuple(found)


def _run(driver: str, reference: Path) -> Run:
    insert = ("insert-reference", str(reference), "--cache", "CACHE")
    if driver == "insert-reference":
        return Run(PROGRAM, insert)
    if driver == "in-place":
        return Run(PROGRAM, (*insert, "--in-place"))
    if driver == "undo":
        return Run(PROGRAM, ("undo", "--cache", "CACHE"))
    return Run(HERE / "driver.py", ("CACHE", str(reference)))
