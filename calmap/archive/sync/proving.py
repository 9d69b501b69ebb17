"""What a FITS file shows of itself: is it whole, and do its own checksums hold."""

from __future__ import annotations

from pathlib import Path

from calmap.cache.remote.trouble import DamagedError
from calmap.cache.remote.verification import Proof
from calmap.errors import HeaderError
from calmap.headers.reading import require_whole
from calmap.references.opening import is_fits, open_fits


def own_proof(path: Path, name: str, proof: Proof) -> tuple[Proof, str]:
    """What shows that a file is right, and what speaks against it, where no digest does.

    Parameters
    ----------
    path
        The file.
    name
        What it is called.
    proof
        What shows that it is right so far.

    Raises
    ------
    DamagedError
        If it was cut off or is no FITS file though it begins as one.
    """
    if proof.is_digest:
        return proof, ""
    try:
        if not is_fits(path):
            return proof, ""
        require_whole(path)
        held, broken = _checksums(path)
    except HeaderError as problem:
        raise DamagedError(f"{name}: {problem.message.rpartition(': ')[2]}", problem.hint) from problem
    if broken:
        return proof, f"its own {broken} does not hold"
    return (Proof.FITS if held else proof), ""


def _checksums(path: Path) -> tuple[bool, str]:
    """Whether every HDU has checksums that hold, and which keyword has one that doesn't."""
    complete = True
    with open_fits(path, raw=True) as file:
        for hdu in file.hdus:
            try:
                found = {"DATASUM": hdu.verify_datasum(), "CHECKSUM": hdu.verify_checksum()}
            except Exception:  # a DATASUM that is no number, and whatever else astropy can't use
                return False, "DATASUM"
            broken = next((key for key, value in found.items() if value == 0), "")
            if broken:
                return False, broken
            complete = complete and all(value == 1 for value in found.values())
    return complete, ""
