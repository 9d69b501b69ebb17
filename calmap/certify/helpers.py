"""Functions that the expressions of constraints may call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from calmap.certify.arrays import ArrayInfo, is_of_type
from calmap.model.values import UNDEFINED

FULL_FRAME: Final = frozenset({"FULL", "GENERIC", "N/A", "ANY", "*"})
SUBARRAY_KEYWORDS: Final = ("SUBARRAY", "SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2")
"""What has to be known of a subarray."""

_IMAGING: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "NRC": frozenset(("IMAGE", "TACQ", "TACONF", "CORON", "TSIMAGE", "FOCUS", "DARK", "FLAT", "LED")),
        "MIR": frozenset(("IMAGE", "TACQ", "LYOT", "4QPM", "DARK", "FLATIMAGE", "CORONCAL")),
        "NRS": frozenset(
            ("CONFIRM", "DARK", "FOCUS", "IMAGE", "MIMF", "TACONFIRM", "TACQ", "TASLIT", "VERIFY")
        ),
        "NIS": frozenset(("IMAGE", "TACQ", "TACONFIRM", "AMI", "FOCUS", "DARK", "LAMP")),
        "FGS": frozenset(("IMAGE", "FOCUS", "SKYFLAT", "INTFLAT", "DARK", "ID-STACK")),
    }
)
"""Exposure types of JWST that are images, by what they begin with."""


class HelperError(ValueError):
    """A function that was called with what it can't use."""


def array_exists(info: Any) -> bool:
    """True if the file has the array."""
    return isinstance(info, ArrayInfo)


def is_table(info: Any) -> bool:
    """True for a table."""
    return isinstance(info, ArrayInfo) and info.is_table


def is_image(info: Any) -> bool:
    """True for an image."""
    return isinstance(info, ArrayInfo) and not info.is_table


def has_columns(info: Any, names: Any) -> bool:
    """True if a table has all the columns, and maybe others."""
    return isinstance(info, ArrayInfo) and all(
        str(name).upper() in info.column_names for name in _listed(names)
    )


def has_type(info: Any, types: Any) -> bool:
    """True if the pixels of an image are of one of the types."""
    if not isinstance(info, ArrayInfo) or info.is_table:
        return False
    return any(is_of_type(info.extension.data_type, str(wanted)) for wanted in _listed(types))


def has_column_type(info: Any, name: Any, types: Any) -> bool:
    """True if a column of a table is of one of the types."""
    if not isinstance(info, ArrayInfo):
        return False
    found = info.column_type(str(name))
    if found is None:
        raise HelperError(f"there is no column '{name}'")
    return any(found == "object" or is_of_type(found, str(wanted)) for wanted in _listed(types))


def ndim(info: Any, count: Any) -> bool:
    """True if an array has so many dimensions."""
    if not isinstance(info, ArrayInfo):
        raise HelperError("ndim() of what is no array")
    return bool(len(info.extension.shape) == count)


def is_imaging_mode(exposure_type: Any) -> bool:
    """True for the exposure types of JWST that are images."""
    instrument, _, mode = str(exposure_type).partition("_")
    return mode in _IMAGING.get(instrument, ())


def is_full_frame(subarray: Any) -> bool:
    """True for subarrays that are the whole detector, or any."""
    return subarray in FULL_FRAME


def is_subarray(subarray: Any) -> bool:
    """True for a real subarray."""
    return subarray != UNDEFINED and not is_full_frame(subarray)


def is_irs2(pattern: Any) -> bool:
    """True for the readout patterns of JWST with IRS2."""
    return "IRS2" in str(pattern)


def is_defined(value: Any) -> bool:
    """True if there is a value."""
    return value is not None and not (isinstance(value, str) and value == UNDEFINED)


def warn_only(flag: Any) -> Any:
    """What makes an expression that is false a warning."""
    return True if flag else "W"


def _listed(names: Any) -> tuple[Any, ...]:
    return tuple(names) if isinstance(names, list | tuple) else (names,)


def _length(value: Any) -> int:
    if not hasattr(value, "__len__"):
        raise HelperError(f"len() of {value!r}")
    return len(value)


def _code(letter: str) -> Callable[..., Any]:
    """Function that turns what is true into a code for presence."""

    def code(flag: Any = True) -> Any:
        return letter if flag else False

    return code


def _all(values: Any) -> bool:
    return bool(values.all()) if hasattr(values, "all") else bool(values)


def _any(values: Any) -> bool:
    return bool(values.any()) if hasattr(values, "any") else bool(values)


HELPERS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {
        "array_exists": array_exists,
        "has_column_type": has_column_type,
        "has_columns": has_columns,
        "has_type": has_type,
        "is_defined": is_defined,
        "is_full_frame": is_full_frame,
        "is_image": is_image,
        "is_imaging_mode": is_imaging_mode,
        "is_irs2": is_irs2,
        "is_subarray": is_subarray,
        "is_table": is_table,
        "ndim": ndim,
        "warn_only": warn_only,
        "len": _length,
        "np.all": _all,
        "np.any": _any,
        "all_subarray": _code("A"),
        "full_frame": _code("F"),
        "optional": _code("O"),
        "required": _code("R"),
        "subarray": _code("S"),
        "warning": _code("W"),
        "excluded": _code("E"),
    }
)
"""By the name that expressions have for them."""

METHODS: Final = ("startswith", "endswith", "lower", "upper", "strip")
"""What may be called of a text."""
