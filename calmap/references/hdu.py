"""What an HDU of a FITS file holds, by its header as astropy reads it."""

from __future__ import annotations

from typing import Any, Final

_UNSIGNED: Final = {
    ("uint8", -128): "int8",
    ("int16", 2**15): "uint16",
    ("int32", 2**31): "uint32",
    ("int64", 2**63): "uint64",
}
_BITPIX: Final = {8: "uint8", 16: "int16", 32: "int32", 64: "int64", -32: "float32", -64: "float64"}


def label(hdu: Any, index: int) -> str:
    """An HDU as it is called in messages: ``extension 1 (SCI)``."""
    name, version = hdu_name(hdu), hdu_version(hdu)
    if index == 0 and name in {"", "PRIMARY"}:
        return "primary HDU"
    shown = name if version == 1 else f"{name},{version}"
    return f"extension {index} ({shown})" if shown else f"extension {index}"


def hdu_name(hdu: Any) -> str:
    """EXTNAME of an HDU in upper case, ``PRIMARY`` for the first if it has none."""
    return str(hdu.name).strip().upper()


def hdu_version(hdu: Any) -> int:
    """EXTVER of an HDU; 1 if it has none, or a wrong one."""
    try:
        return int(hdu.ver)
    except (TypeError, ValueError):
        return 1


def kind_of(hdu: Any) -> str:
    """``image``, ``table`` or ``none`` if there are no data."""
    if hasattr(type(hdu), "columns") and not is_compressed(hdu):
        return "table"
    return "image" if image_shape(hdu) else "none"


def is_compressed(hdu: Any) -> bool:
    """True for an image that is stored compressed in a table."""
    return type(hdu).__name__ == "CompImageHDU"


def image_shape(hdu: Any) -> tuple[int, ...]:
    """Shape of an image as numpy counts axes."""
    return tuple(int(axis) for axis in hdu.shape) if hasattr(type(hdu), "section") else ()


def image_type(hdu: Any) -> str:
    """Numpy name of the type of the pixels of an image as they are read."""
    header = hdu.header
    stored = _BITPIX.get(header.get("BITPIX"), "")
    zero, scale = header.get("BZERO", 0), header.get("BSCALE", 1)
    return _scaled(stored, zero, scale, small=stored in {"uint8", "int16"})


def column_type(column: Any) -> str:
    """Numpy name of the type of the values of a column as they are read; ``str`` for text."""
    import numpy as np

    letter = str(column.format).lstrip("0123456789")[:1].upper()
    if letter in {"P", "Q"}:
        return "object"
    if letter in {"L", "X"}:
        return "bool"
    dtype = np.dtype(column.dtype)
    base = dtype.base if dtype.subdtype is None else dtype.subdtype[0]
    if base.kind in "SU":
        return "str"
    zero = 0 if column.bzero in ("", None) else column.bzero
    scale = 1 if column.bscale in ("", None) else column.bscale
    return _scaled(base.newbyteorder("=").name, zero, scale, small=False)


def table_rows(hdu: Any) -> int:
    """Number of rows of a table, or of random groups."""
    return int(hdu.header.get("GCOUNT" if type(hdu).__name__ == "GroupsHDU" else "NAXIS2", 0))


def item_size(hdu: Any) -> int:
    """Bytes of a pixel."""
    return max(1, abs(int(hdu.header["BITPIX"])) // 8)


def _scaled(stored: str, zero: Any, scale: Any, *, small: bool) -> str:
    """Type of values after ``scale * stored + zero``."""
    if not stored or (zero == 0 and scale == 1) or stored.startswith(("float", "complex")):
        return stored
    unsigned = _UNSIGNED.get((stored, zero)) if scale == 1 else None
    return unsigned or ("float32" if small else "float64")
