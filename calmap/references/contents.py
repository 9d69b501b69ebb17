"""What a reference file holds: its header, and the shapes and types of its arrays and tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from calmap.errors import HeaderError
from calmap.headers import read_header
from calmap.references.fitsfile import FitsFile
from calmap.references.hdu import (
    column_type,
    hdu_name,
    hdu_version,
    image_shape,
    image_type,
    kind_of,
    label,
    table_rows,
)
from calmap.references.opening import is_fits, open_fits

Kind = Literal["image", "table", "none"]
_NUMBER: Final = re.compile(r"\d{1,18}")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; ``data_type`` is numpy's name of the type, ``str`` for text."""

    name: str
    data_type: str
    unit: str


@dataclass(frozen=True, slots=True)
class Extension:
    """A part of a file with data of its own.

    Parameters
    ----------
    index
        Its number in the file; that of the primary HDU is 0.
    name, version
        EXTNAME in upper case, and EXTVER.
    kind
        What the data are; ``none`` if there are none.
    shape
        Of an image, the axes in the order of numpy; of a table, the number of rows.
    data_type
        Numpy's name of the type of an image, empty for a table.
    columns
        Of a table.
    """

    index: int
    name: str
    version: int
    kind: Kind
    shape: tuple[int, ...]
    data_type: str
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class Contents:
    """A reference file: its merged header, and its extensions."""

    path: Path
    header: Mapping[str, str]
    extensions: tuple[Extension, ...]


def read_contents(path: Path) -> Contents:
    """Read what a file holds without reading its data.

    Arrays of ASDF files are extensions named as in the header; JSON and YAML
    files have none.

    Raises
    ------
    HeaderError
        If the file can't be read.
    """
    header = read_header(path)
    if not is_fits(path):
        return Contents(path, header, _arrays_of_tree(header))
    with open_fits(path) as file:
        return Contents(path, header, tuple(_extension(file, index) for index in range(len(file.hdus))))


def array(path: Path, extension: int | str | tuple[str, int]) -> Any:
    """Pixels of an image, as a numpy array.

    Parameters
    ----------
    path
        A FITS file.
    extension
        Number of the extension, its name, or name and version.

    Raises
    ------
    HeaderError
        If there is no such image.
    """
    with _fits_data(path) as file:
        index = find_extension(file, extension)
        if kind_of(file.hdus[index]) != "image":
            raise HeaderError(f"{path}: {label(file.hdus[index], index)} is no image")
        return file.image(index)


def column(path: Path, extension: int | str | tuple[str, int], name: str) -> Any:
    """Values of a column of a table, as a numpy array; case of names does not matter.

    Raises
    ------
    HeaderError
        If there is no such column.
    """
    with _fits_data(path) as file:
        index = find_extension(file, extension)
        names = {str(each.name).upper(): each.name for each in getattr(file.hdus[index], "columns", ())}
        if name.upper() not in names:
            raise HeaderError(
                f"{path}: {label(file.hdus[index], index)} has no column {name!r}",
                hint=f"columns: {', '.join(map(str, names.values()))}" if names else "it is no table",
            )
        return file.column(index, names[name.upper()])


def find_extension(file: FitsFile, extension: int | str | tuple[str, int]) -> int:
    """Number of an extension of an open file.

    Raises
    ------
    HeaderError
        If there is none.
    """
    if isinstance(extension, int):
        if 0 <= extension < len(file.hdus):
            return extension
        raise HeaderError(f"{file.path} has no extension {extension}", hint=_extensions(file))
    name, version = extension if isinstance(extension, tuple) else (extension, None)
    for index, hdu in enumerate(file.hdus):
        if hdu_name(hdu) == name.strip().upper() and version in (None, hdu_version(hdu)):
            return index
    wanted = name if version is None else f"{name},{version}"
    raise HeaderError(f"{file.path} has no extension {wanted!r}", hint=_extensions(file))


def _extensions(file: FitsFile) -> str:
    return "it has " + ", ".join(label(hdu, index) for index, hdu in enumerate(file.hdus))


def _fits_data(path: Path) -> Any:
    if not is_fits(path):
        raise HeaderError(
            f"{path} is not a FITS file", hint="arrays and columns are read from FITS files only"
        )
    return open_fits(path)


def _extension(file: FitsFile, index: int) -> Extension:
    hdu = file.hdus[index]
    try:
        kind = kind_of(hdu)
        name, version = hdu_name(hdu), hdu_version(hdu)
        if kind == "table":
            columns = tuple(Column(str(c.name), column_type(c), str(c.unit or "")) for c in hdu.columns)
            return Extension(index, name, version, "table", (table_rows(hdu),), "", columns)
        if kind == "image":
            return Extension(index, name, version, "image", image_shape(hdu), image_type(hdu))
        return Extension(index, name, version, "none", (), "")
    except HeaderError:
        raise
    except Exception as error:  # whatever astropy makes of a damaged header
        raise file.damaged(index, error) from None


def _arrays_of_tree(header: Mapping[str, str]) -> tuple[Extension, ...]:
    """Arrays of an ASDF file, by the shape and type that stand in its tree."""
    names = [
        keyword.removesuffix(".SOURCE")
        for keyword in header
        if keyword.endswith(".SOURCE") and f"{keyword.removesuffix('.SOURCE')}.DATATYPE" in header
    ]
    return tuple(
        Extension(index, name, 1, "image", _shape(header, name), header[f"{name}.DATATYPE"])
        for index, name in enumerate(names)
    )


def _shape(header: Mapping[str, str], name: str) -> tuple[int, ...]:
    return tuple(int(number) for number in _NUMBER.findall(header.get(f"{name}.SHAPE", "")))
