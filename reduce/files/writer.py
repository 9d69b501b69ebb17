"""Writes frames, ramps and reference files: whole or not at all, the same bytes every time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from reduce.arrays import Rows
from reduce.errors import DataError, OutputError, ParameterError
from reduce.files.atomic import new_file
from reduce.files.cards import without_structure
from reduce.files.layouts import NOT_PLANES, SCIENCE, VARIANCE, Layout
from reduce.files.stamps import commented, stamp
from reduce.files.streams import Hdu, write_hdu
from reduce.files.tables import Table, dq_table, provenance_tables
from reduce.files.text import printable
from reduce.frame import Frame, Ramp
from reduce.provenance import Provenance
from reduce.schemas import Model, model_of, models, validate

if TYPE_CHECKING:
    from astropy.io.fits import Header

_IMAGE: Final = "ImagerModel"


def write_frame(
    frame: Frame,
    path: Path,
    *,
    layout: Layout = "standard",
    model: str | None = None,
    overwrite: bool = False,
) -> None:
    """Write a frame: the image, ERR, DQ, the parts of the variance, other planes, and tables.

    Parameters
    ----------
    frame
        What to write. Its header gets the keywords of its provenance, DATAMODL and FILENAME.
    path
        The file.
    layout
        ``standard`` calls the image SCI, ``liger`` DATA as the Liger/IRIS pipeline does.
    model
        Value of DATAMODL; if not given that of the header stays, if it is one of images.
    overwrite
        Whether it may replace a file.

    Raises
    ------
    OutputError
        If it can't be written or may not be replaced; nothing is left of it then.
    """
    header = _primary(frame.header, frame.provenance, model or _image_model(frame.header), path)
    _write(path, header, _frame_hdus(frame, layout), frame.provenance, overwrite=overwrite)


def write_ramp(
    ramp: Ramp, path: Path, *, layout: Layout = "standard", model: str = "RampModel", overwrite: bool = False
) -> None:
    """Write a ramp: the reads, their times, the bits of the reads and of the pixels, and tables.

    The standard layout has SCI, GROUPDQ and PIXELDQ. That of the Liger/IRIS pipeline has DATA and one DQ of
    16 bits for each read, in which there is no room for the bits from 16 on.

    Parameters
    ----------
    ramp
        What to write; its reads may still be in another file.
    path, layout, model, overwrite
        As for `write_frame`.

    Raises
    ------
    OutputError
        If it can't be written or may not be replaced; nothing is left of it then.
    """
    header = _primary(ramp.header, ramp.provenance, model, path)
    _write(path, header, _ramp_hdus(ramp, layout), ramp.provenance, overwrite=overwrite)


def write_reference(
    kind: str,
    path: Path,
    *,
    header: Header,
    arrays: Mapping[str, Rows],
    units: Mapping[str, str] | None = None,
    comments: Mapping[str, str] | None = None,
    provenance: Provenance | None = None,
    overwrite: bool = False,
) -> None:
    """Write a reference file.

    Parameters
    ----------
    kind
        Its type, such as ``dark`` or ``nonlincoeff``; becomes REFTYPE and decides DATAMODL.
    path
        The file.
    header
        Its primary header, without these two.
    arrays
        Images and structured arrays by the names of their extensions, in order. After DQ there is DQ_DEF.
    units, comments
        BUNIT and a COMMENT of some of the extensions.
    provenance
        What it was made from.
    overwrite
        Whether it may replace a file.

    Raises
    ------
    ParameterError
        If there is no such type.
    DataError
        If the header lacks a keyword that the rules or other programs need, or says something not allowed; or
        if there is no array that such a file has to have.
    OutputError
        If it can't be written or may not be replaced; nothing is left of it then.
    """
    model = model_of(kind)
    history = provenance or Provenance()
    cards = header.copy()
    cards["REFTYPE"] = model.reftype
    cards = _primary(cards, history, model.name, path)
    _require_complete(path, model, cards, arrays)
    hdus = (
        Hdu(_extension_header((units or {}).get(name, ""), (comments or {}).get(name, "")), array, name)
        for name, array in arrays.items()
    )
    _write(path, cards, hdus, history, definitions="DQ" in arrays, overwrite=overwrite)


def _image_model(header: Header) -> str:
    model = models().get(str(header.get("DATAMODL")))
    if model is None or model.arrays[:1] != ("SCI",) or model.name == "RampModel":
        return _IMAGE
    return model.name


def _primary(header: Header, provenance: Provenance, model: str, path: Path) -> Header:
    result = stamp(without_structure(header), provenance)
    result["DATAMODL"] = model
    result["FILENAME"] = printable(path.name)
    return commented(result)


def _write(
    path: Path,
    header: Header,
    hdus: Iterator[Hdu],
    provenance: Provenance,
    *,
    overwrite: bool,
    definitions: bool = True,
) -> None:
    from astropy.io import fits

    try:
        with new_file(path, overwrite=overwrite) as stream:
            write_hdu(stream, Hdu(header, None, ""))
            for hdu in hdus:
                write_hdu(stream, hdu)
            for table in _tables(provenance, definitions=definitions):
                write_hdu(stream, Hdu(fits.Header(), table.rows, table.name))
    except (ValueError, fits.VerifyError) as problem:
        raise OutputError(f"{path} can't be written as FITS: {problem}") from problem


def _tables(provenance: Provenance, *, definitions: bool) -> Iterator[Table]:
    if definitions:
        yield dq_table()
    if provenance.steps or provenance.inputs:
        yield from provenance_tables(provenance)


def _frame_hdus(frame: Frame, layout: Layout) -> Iterator[Hdu]:
    unit = frame.unit
    yield Hdu(without_structure(frame.sci_header), frame.sci, SCIENCE[layout])
    if frame.variances:
        yield Hdu(_error_header(unit), _Error(frame), "ERR")
    yield Hdu(_extension_header(), frame.dq, "DQ")
    for name, variance in frame.variances.items():
        yield Hdu(_extension_header(_squared(unit)), variance, f"{VARIANCE}{name}")
    for name, plane in frame.planes.items():
        if name in NOT_PLANES or name.startswith(VARIANCE):
            raise ParameterError(f"a plane can't be called {name}")
        yield Hdu(_extension_header(), plane, name)


def _ramp_hdus(ramp: Ramp, layout: Layout) -> Iterator[Hdu]:
    yield Hdu(without_structure(ramp.sci_header), ramp.reads, SCIENCE[layout])
    yield Hdu(_extension_header("s"), ramp.times, "TIMES")
    if layout == "liger":
        yield Hdu(_extension_header(), _BothFlags(ramp), "DQ")
    else:
        if ramp.groupdq is not None:
            yield Hdu(_extension_header(), ramp.groupdq, "GROUPDQ")
        yield Hdu(_extension_header(), ramp.pixeldq, "PIXELDQ")
    for name, plane in ramp.planes.items():
        yield Hdu(_extension_header(), plane, name)


class _Error:
    """The error of a frame, of which rows are computed when it is sliced."""

    def __init__(self, frame: Frame) -> None:
        self._variances = tuple(frame.variances.values())
        self.shape = frame.sci.shape
        self.dtype = frame.sci.dtype

    def __getitem__(self, key: slice) -> Any:
        total = np.zeros((len(range(self.shape[0])[key]), *self.shape[1:]), dtype=self.dtype)
        for variance in self._variances:
            total += variance[key]
        return np.sqrt(total, out=total)


class _BothFlags:
    """The bits of each read with those of its pixel, 16 of them."""

    def __init__(self, ramp: Ramp) -> None:
        self._ramp = ramp
        self.shape = ramp.reads.shape
        self.dtype = np.dtype(np.uint16)

    def __getitem__(self, key: slice) -> Any:
        some = self._ramp
        result = np.zeros((len(range(self.shape[0])[key]), *self.shape[1:]), dtype=np.uint16)
        result |= some.pixeldq[key].astype(np.uint16)[:, :, None, None]
        if some.groupdq is not None:
            result |= some.groupdq[key]
        return result


def _extension_header(unit: str = "", comment: str = "") -> Header:
    from astropy.io import fits

    header = fits.Header()
    if unit:
        header["BUNIT"] = unit
    if comment:
        header["COMMENT"] = comment
    return header


def _error_header(unit: str) -> Header:
    header = _extension_header(unit)
    header["UTYPE"] = ("StdDevUncertainty", "kind of uncertainty")
    return header


def _squared(unit: str) -> str:
    """The square of a unit, such as ``electron2 / s2``."""
    from astropy.units import Unit

    try:
        return str((Unit(unit) ** 2).to_string()) if unit else ""
    except ValueError:
        return f"({unit})**2"


def _require_complete(path: Path, model: Model, header: Header, arrays: Mapping[str, Rows]) -> None:
    wrong = [str(problem) for problem in validate(header, model.name)]
    wrong += [f"it has no array {name}" for name in model.arrays if not {name, *_also(name)} & set(arrays)]
    if wrong:
        raise DataError(f"{path} would be no {model.title.lower()} that others can use: {'; '.join(wrong)}")


def _also(name: str) -> tuple[str, ...]:
    return ("DATA",) if name == "SCI" else ()
