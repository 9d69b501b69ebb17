"""Constraints on arrays: their kind, dimensions, types and columns, and checks of their data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from calmap.certify.arrays import ArrayInfo, find_array, is_of_type
from calmap.certify.finding import Fault
from calmap.diagnostics import Severity
from calmap.observatories.constraints import Constraint
from calmap.references.contents import Contents

_TOLERANCE: Final = 1e-6


def property_faults(constraint: Constraint, info: ArrayInfo) -> Iterator[Fault]:
    """What is wrong with the properties of an array."""
    found = info.extension
    if constraint.kind is not None and found.kind != constraint.kind:
        yield Fault(f"is {_a(found.kind)}, expected {_a(constraint.kind)}")
        return
    if constraint.ndim and len(found.shape) not in constraint.ndim:
        expected = " or ".join(map(str, constraint.ndim))
        yield Fault(f"has {_count(len(found.shape), 'dimension')} {_shape(found.shape)}, expected {expected}")
    if constraint.shape and not _fits(found.shape, constraint.shape):
        yield Fault(f"has the shape {_shape(found.shape)}, expected {_shape(constraint.shape)}")
    if constraint.type is not None and not is_of_type(found.data_type, constraint.type):
        yield Fault(f"has values of type {found.data_type or found.kind}, expected {constraint.type}")
    missing = [name for name in constraint.columns if name not in info.column_names]
    if missing:
        has = ", ".join(info.column_names)
        yield Fault(
            f"lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}",
            f"it has {has}" if has else None,
        )


def _kernel_unity(info: ArrayInfo, _: Contents) -> Iterator[Fault]:
    """The sum of each kernel is one."""
    import numpy as np

    data = np.asarray(info.data(), dtype=float)
    if data.ndim < 2 or not data.size:
        yield Fault("is no kernel: it has fewer than two dimensions")
        return
    kernels = data.T.reshape((-1, *data.T.shape[-2:]))
    sums = kernels.sum(axis=(1, 2))
    wrong = np.flatnonzero(~(np.abs(sums - 1.0) <= _TOLERANCE))
    if wrong.size:
        first = f"has a sum of {sums[wrong[0]]:.7g} in kernel {int(wrong[0])}, expected 1"
        more = f" (and {wrong.size - 1} more)" if wrong.size > 1 else ""
        yield Fault(first + more, "an interpixel-capacitance kernel keeps the charge")
    middle = kernels[:, kernels.shape[1] // 2, kernels.shape[2] // 2]
    if not (middle >= 1.0).all():
        message = f"has {float(middle.min()):.7g} in the middle of a kernel, expected at least 1"
        yield Fault(message, "is this the kernel that corrects, not the one that blurs?", Severity.WARNING)


def _flagged(info: ArrayInfo, contents: Contents) -> Iterator[Fault]:
    """Each pixel without a finite value has a flag in the array DQ; its first axes are those of the data."""
    import numpy as np

    data = info.data()
    wrong = ~np.isfinite(data)
    quality = find_array(contents, "DQ")
    if quality is not None and not quality.is_table:
        flags = np.asarray(quality.data())
        if data.shape[: flags.ndim] == flags.shape:
            wrong &= (flags == 0).reshape(flags.shape + (1,) * (data.ndim - flags.ndim))
    count = int(np.count_nonzero(wrong))
    if count:
        first = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        place = ", ".join(str(int(index) + 1) for index in reversed(first))
        message = (
            f"has {_count(count, 'value')} not finite without a flag in DQ, the first in pixel ({place})"
        )
        yield Fault(message, "flag bad pixels in DQ, such as with DO_NOT_USE")


def _all_alike(highest: int | None) -> Callable[[ArrayInfo, Contents], Iterator[Fault]]:
    """Every version of an extension has one shape and type; the highest number of a version may be given."""

    def check(info: ArrayInfo, contents: Contents) -> Iterator[Fault]:
        versions = [each for each in contents.extensions if each.name == info.extension.name]
        first = versions[0]
        for other in versions[1:]:
            if (other.shape, other.data_type) != (first.shape, first.data_type):
                yield Fault(
                    f"is {other.data_type} {_shape(other.shape)} in version {other.version}, "
                    f"but {first.data_type} {_shape(first.shape)} in version {first.version}"
                )
        last = max(each.version for each in versions)
        if highest is not None and last != highest:
            yield Fault(f"has versions up to {last}, expected {highest}")

    return check


ARRAY_CHECKS: Final[Mapping[str, Callable[[ArrayInfo, Contents], Iterator[Fault]]]] = MappingProxyType(
    {
        "flagged": _flagged,
        "kernelunity": _kernel_unity,
        "isomorphicfitsver": _all_alike(None),
        "isomorphicfitsver1": _all_alike(1),
        "isomorphicfitsver2": _all_alike(2),
        "isomorphicfitsver4": _all_alike(4),
    }
)
"""Checks of the data of an array, by name; they raise HeaderError if the data can't be read."""


def _fits(found: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(found) == len(wanted) and all(b is None or a == b for a, b in zip(found, wanted, strict=True))


def _shape(lengths: tuple[int | None, ...]) -> str:
    listed = ", ".join("any" if length is None else str(length) for length in lengths)
    return f"({listed})"


def _a(kind: str) -> str:
    return {"image": "an image", "table": "a table"}.get(kind, "without data")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
