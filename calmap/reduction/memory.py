"""Reference data that are given in memory, as the files that they could be."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from reduce.calibration import Held
from reduce.ccddata import from_ccddata
from reduce.files.contents import Contents, Extension
from reduce.files.layouts import VARIANCE
from reduce.frame import Frame
from reduce.references import Reference

if TYPE_CHECKING:
    from astropy.nddata import CCDData


def is_ccddata(item: object) -> TypeGuard[CCDData]:
    """True if something is a CCDData; astropy is not imported to tell."""
    return any(kind.__name__ == "CCDData" for kind in type(item).__mro__)


def is_reference(item: object) -> bool:
    """True if something can stand for a reference file: a frame, CCDData, or arrays by extension."""
    return isinstance(item, (Frame, Mapping)) or is_ccddata(item)


def held_reference(reftype: str, item: object) -> Reference:
    """A reference that somebody gave as data.

    Parameters
    ----------
    reftype
        Its type.
    item
        A `Frame`, a ``CCDData``, or a mapping of arrays by the names of their extensions, such as
        ``{"COEFFS": array}``.
    """
    frame = from_ccddata(item) if is_ccddata(item) else item
    if isinstance(frame, Frame):
        name = str(frame.header.get("DATAMODL") or "Frame")
        extensions = _of_frame(frame)
    else:
        assert isinstance(frame, Mapping)
        name = "arrays"
        extensions = _of_arrays(frame)
    path = Path(name)
    held = Held(Contents(path, extensions), digest(extensions))
    return Reference(reftype, path, "memory", reason="given by the user as data", held=held)


def frame_digest(frame: Frame) -> str:
    """The sha256 of the arrays of a frame."""
    return digest(_of_frame(frame))


def digest(extensions: tuple[Extension, ...]) -> str:
    """The sha256 of names, types, shapes and elements of arrays, in hexadecimal."""
    total = hashlib.sha256()
    for extension in extensions:
        if extension.rows is not None:
            array = np.asarray(extension.rows[:])
            plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
            total.update(f"{extension.name} {plain.dtype.str} {plain.shape}\n".encode())
            total.update(plain.data.cast("B"))
    return total.hexdigest()


def _of_frame(frame: Frame) -> tuple[Extension, ...]:
    from astropy.io import fits

    arrays: dict[str, Any] = {"DQ": frame.dq}
    if frame.variances:
        arrays["ERR"] = frame.err
    arrays |= {f"{VARIANCE}{name}": variance for name, variance in frame.variances.items()}
    arrays |= frame.planes
    return (
        Extension("PRIMARY", frame.header),
        Extension("SCI", frame.sci_header, frame.sci),
        *(Extension(name, fits.Header(), array) for name, array in arrays.items()),
    )


def _of_arrays(arrays: Mapping[Any, Any]) -> tuple[Extension, ...]:
    from astropy.io import fits

    return (
        Extension("PRIMARY", fits.Header()),
        *(Extension(str(name).upper(), fits.Header(), np.asarray(array)) for name, array in arrays.items()),
    )
