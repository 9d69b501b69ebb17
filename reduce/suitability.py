"""Whether a reference file is one of the type and the detector that a step needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reduce.calibration import ReferenceFile
from reduce.errors import DataError
from reduce.keywords import find
from reduce.references import Value

_SAME: Final = {"mask": "dq", "data_quality": "dq", "linearity": "nonlincoeff", "nonlin": "nonlincoeff"}
_HARDWARE: Final = ("INSTRUME", "DETECTOR")


def require_suitable(file: ReferenceFile, header: Mapping[str, Value]) -> None:
    """Refuse a reference of another type, or of another detector than the exposure's.

    The rules of a cache may let a file serve several detectors; so only a file that somebody named is held
    against instrument and detector. What its header does not say can't be wrong.

    Parameters
    ----------
    file
        The reference.
    header
        Of the exposure.

    Raises
    ------
    DataError
        If it does not suit.
    """
    reftype = file.reference.reftype
    said = str(find(file.header, "REFTYPE") or "").lower()
    if said and _SAME.get(said, said) != _SAME.get(reftype, reftype):
        raise DataError(
            f"{file.path} is of type {said} by its REFTYPE, and {reftype} is needed",
            f"name a file of that type with --override {reftype}=FILE",
        )
    if file.reference.origin != "override":
        return
    for keyword in _HARDWARE:
        theirs, ours = str(find(file.header, keyword) or ""), str(find(header, keyword) or "")
        if theirs and ours and theirs.upper() != ours.upper():
            raise DataError(
                f"{file.path} is for {keyword} {theirs}, and the exposure is of {ours}",
                f"name a file of that detector with --override {reftype}=FILE",
            )
