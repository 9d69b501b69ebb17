"""Ramps in files: the axes, times and quality bits of each layout."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reduce import keywords
from reduce.arrays import Flags, Rows
from reduce.errors import DataError
from reduce.files.contents import Contents, Extension
from reduce.files.layouts import NOT_PLANES, SCIENCE_NAMES
from reduce.files.sections import DetectorRows, FileRows, ReadFlags, pixel_flags
from reduce.frame import Ramp
from reduce.provenance import Provenance

_BLOCK_BYTES = 32_000_000
_LONGEST = 1e7
"""No ramp takes as many seconds, nearly four months."""
_SECONDS = frozenset({"s", "sec", "second", "seconds"})
_NOT_PLANES = NOT_PLANES | {"GROUPDQ", "PIXELDQ", "TIMES", "ZEROFRAME"}


def is_ramp(found: Contents) -> bool:
    """True if a file has an image with the axes of a ramp, or times of reads."""
    extension = found.find(*SCIENCE_NAMES)
    if extension is None or extension.rows is None:
        return False
    return len(extension.rows.shape) == 4 or found.image("TIMES") is not None


def ramp_of(found: Contents, values: dict[str, int], provenance: Provenance) -> Ramp:
    """The ramp in a file.

    Parameters
    ----------
    found
        What is in the file.
    values
        What its DQ_DEF says, see `reduce.dq.translated`.
    provenance
        What was done to it.

    Raises
    ------
    DataError
        If there is none, or its arrays do not fit together.
    """
    science = _science(found)
    jwst = _is_jwst(found, science)
    assert science.rows is not None
    _require_times(found)
    reads = _canonical(science.rows) if jwst else science.rows
    if 0 in reads.shape:
        raise DataError(
            f"{found.path}: the ramp has no reads: {science.name} has the shape {science.rows.shape}"
        )
    if reads.dtype.kind not in "iuf":
        raise DataError(f"{found.path}: the reads have the type {reads.dtype}; numbers were expected")
    times = _times(found, reads.shape)
    pixeldq, groupdq = _quality(found, values, reads, jwst=jwst)
    try:
        return Ramp(
            reads=reads,
            times=times,
            groupdq=groupdq,
            pixeldq=pixeldq,
            header=found.primary,
            sci_header=science.header,
            provenance=provenance,
            planes=_planes(found, reads.shape[:2]),
        )
    except DataError as problem:
        raise DataError(problem.about(found.path), problem.hint) from problem


def _science(found: Contents) -> Extension:
    extension = found.find(*SCIENCE_NAMES)
    if extension is None or extension.rows is None:
        raise DataError(f"{found.path} has no reads in SCI or DATA; it has {found.listing}")
    axes = len(extension.rows.shape)
    if axes != 4 and not (axes == 3 and extension.name == "SCI"):
        raise DataError(
            f"{found.path}: a ramp with four axes was expected, and {extension.name} has the shape"
            f" {extension.rows.shape}",
            "reduce a slope image from level 1 on" if axes == 2 else None,
        )
    return extension


def _is_jwst(found: Contents, science: Extension) -> bool:
    """True if the axes are (integration, group, row, column)."""
    times = found.image("TIMES")
    assert science.rows is not None
    if times is not None and len(science.rows.shape) == 4:
        return False
    return science.name == "SCI" and not _is_by_rows(found, science.rows.shape)


def _is_by_rows(found: Contents, shape: tuple[int, ...]) -> bool:
    """True if only (row, column, group, read) goes with the quality of the pixels."""
    pixels = found.image("PIXELDQ")
    return len(shape) == 4 and pixels is not None and pixels.shape == shape[:2] != shape[2:]


def _require_times(found: Contents) -> None:
    """Refuse a ramp that does not say when its reads were taken."""
    if found.image("TIMES") is None and keywords.find(found.primary, "TGROUP") is None:
        raise DataError(
            f"{found.path} has no TIMES: it does not say when each read was taken",
            "a ramp has an image TIMES, groups by reads, in seconds; or TGROUP in its header",
        )


def _canonical(rows: Rows) -> DetectorRows:
    """Reads with the axes (integration, group, row, column), the first of which may be left out."""
    *reads, height, width = rows.shape
    integrations, groups = reads if len(reads) == 2 else (1, *reads)
    flat: Rows
    if isinstance(rows, FileRows):
        flat = FileRows(
            rows.path, rows.offset, (integrations * groups * height, width), rows.stored, rows.dtype
        )
    else:
        flat = rows[slice(None)].reshape(integrations * groups * height, width)
    return DetectorRows(flat, (height, width, integrations, groups))


def _times(found: Contents, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Seconds from the reset to each read, (ngroups, nreads)."""
    groups, reads = shape[2:]
    extension = found.find("TIMES")
    if extension is None or extension.rows is None:
        interval = keywords.real(found.primary, "TGROUP")
        if not 0 < interval < _LONGEST:
            raise DataError(
                f"{found.path}: the time between reads is {interval} s; it has to be positive, and below"
                f" {_LONGEST:.0e} s"
            )
        return np.tile(interval * np.arange(1, reads + 1, dtype=np.float64), (groups, 1))
    times = np.asarray(extension.rows[:], dtype=np.float64)
    if times.ndim == 1 and times.size == groups * reads:
        times = times.reshape(groups, reads)
    if times.shape != (groups, reads):
        raise DataError(
            f"{found.path}: TIMES has the shape {times.shape}, and there are {groups} groups of {reads} reads"
        )
    seconds = _seconds(found, str(extension.header.get("BUNIT") or "s"))
    if not ((times >= 0) & (times < _LONGEST / seconds)).all():
        raise DataError(
            f"{found.path}: TIMES has {_strangest(times)}; times of reads are seconds since the reset, 0 or"
            f" more and below {_LONGEST:.0e}"
        )
    if (np.diff(times, axis=1) <= 0).any():
        raise DataError(f"{found.path}: the times of the reads do not increase within each group")
    return times * seconds


def _seconds(found: Contents, unit: str) -> float:
    """How many seconds the unit of TIMES is."""
    if unit.strip().lower() in _SECONDS:
        return 1.0
    from astropy.units import Unit

    try:
        return float(Unit(unit).to("s"))
    except (ValueError, TypeError) as problem:
        raise DataError(
            f"{found.path}: TIMES has BUNIT='{unit}', which is no unit of time", "write times in s"
        ) from problem


def _strangest(times: NDArray[np.float64]) -> float:
    """The time that is most obviously none."""
    if np.isnan(times).any():
        return float("nan")
    return float(times.min() if times.min() < 0 else times.max())


def _quality(
    found: Contents, values: dict[str, int], reads: Rows, *, jwst: bool
) -> tuple[Flags, Rows | None]:
    """Bits of the pixels, and of the reads or None if none is set."""
    pixels = _pixel_plane(found, reads.shape[:2], values)
    rows = found.image("GROUPDQ")
    if rows is None:
        rows = found.image("DQ")
        if rows is not None and len(rows.shape) == 2:
            return pixels | _pixel_plane(found, reads.shape[:2], values, "DQ"), None
    if rows is None:
        return pixels, None
    if rows.dtype.kind not in "iub":
        raise DataError(f"{found.path}: DQ has the type {rows.dtype}; whole numbers were expected")
    if jwst and len(rows.shape) in (3, 4):
        rows = _canonical(rows)
    if rows.shape != reads.shape:
        raise DataError(f"{found.path}: the reads' DQ has the shape {rows.shape}, the reads {reads.shape}")
    row_bytes = int(np.prod(reads.shape[1:], dtype=np.int64)) * 4
    some_pixel, some_read = pixel_flags(rows, values, max(1, _BLOCK_BYTES // row_bytes))
    return pixels | some_pixel, ReadFlags(rows, tuple(values.items())) if some_read else None


def _planes(found: Contents, shape: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    """Images of the size of the detector that have no other meaning here, such as SUBARR_MAP."""
    return {
        extension.name: np.asarray(extension.rows[:])
        for extension in found.extensions
        if extension.name not in _NOT_PLANES and extension.rows is not None and extension.rows.shape == shape
    }


def _pixel_plane(
    found: Contents, shape: tuple[int, ...], values: dict[str, int], name: str = "PIXELDQ"
) -> Flags:
    from reduce.dq import translated

    rows = found.image(name)
    if rows is None:
        return np.zeros(shape, dtype=np.uint32)
    if rows.shape != shape or rows.dtype.kind not in "iub":
        raise DataError(
            f"{found.path}: {name} is {rows.dtype} of the shape {rows.shape}, the image is {shape}"
        )
    return translated(rows[:], values)
