"""A copy of the demonstration cache, and references to insert into it."""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path

from astropy.io import fits
from click.testing import CliRunner, Result

from calmap.cli.main import cli
from calmap.cli.options import Invocation

CHECKOUT = Path(__file__).resolve().parent.parent
FLAT = "IRIS_IMG1_FLAT_20241106T000000_0.0.1.fits"
NEW = "IRIS_IMG1_FLAT_20241201T000000_0.0.1.fits"
DARK = "IRIS_IMG1_DARK_20250312T000000_0.0.1.fits"


def demo_cache(folder: Path) -> Path:
    """A copy of the demonstration cache below a folder."""
    for name in ("mappings", "references", "config"):
        shutil.copytree(CHECKOUT / name, folder / "cache" / name)
    return folder / "cache"


def reference(folder: Path, name: str = NEW, like: str = FLAT, **header: object) -> Path:
    """A reference like one of the demonstration cache, with other keywords; None takes one away."""
    source = next((CHECKOUT / "references").rglob(like))
    path = folder / "new" / name
    path.parent.mkdir(exist_ok=True)
    with fits.open(source) as file:
        for keyword, value in {"FILENAME": name, "USEAFTER": "2024-12-01T00:00:00", **header}.items():
            keyword = keyword.replace("_OF_", "-")
            if value is None:
                file[0].header.remove(keyword, ignore_missing=True)
            else:
                file[0].header[keyword] = value
        file.writeto(path, overwrite=True)
    return path


def calmap(cwd: Path, *arguments: object, **variables: str) -> Result:
    """Run a command as in a terminal of 80 columns."""
    return CliRunner().invoke(
        cli, [str(word) for word in arguments], obj=Invocation(variables, cwd), env={"COLUMNS": "80"}
    )


def tree(cache: Path) -> dict[str, str]:
    """Every file of a cache with its hash; not what calmap and Git keep for themselves."""
    found = {path.relative_to(cache): path for path in sorted(cache.rglob("*")) if path.is_file()}
    return {
        name.as_posix(): sha256(path.read_bytes()).hexdigest()
        for name, path in found.items()
        if name.parts[0] not in (".calmap", ".git")
    }


def changed_lines(old: str, new: str) -> tuple[list[str], list[str]]:
    """Lines that only the first text has, and lines that only the second has."""
    before, after = old.splitlines(), new.splitlines()
    return [line for line in before if line not in after], [line for line in after if line not in before]
