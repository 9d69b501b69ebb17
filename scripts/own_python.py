"""Importing this runs the script by the Python of .venv, unless calmap and numpy are there already."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / ".venv"
NEEDED = ("calmap", "numpy")


def ensure() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if not missing:
        return
    python = FOLDER / "bin" / "python"
    if python.exists() and Path(sys.prefix).resolve() != FOLDER.resolve():
        os.execv(python, [str(python), *sys.argv])
    sys.exit(f"{' and '.join(missing)} can't be imported: run scripts/setup, which installs them into .venv")


ensure()
