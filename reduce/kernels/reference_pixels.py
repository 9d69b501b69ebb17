"""Reference pixels: the border that sees no light but drifts with the electronics like all others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Counts, Flags, Image, Mask, Rows
from reduce.dq import DQ, flagged
from reduce.errors import DataError, ParameterError
from reduce.kernels import acceleration
from reduce.kernels.rampdata import (
    RampArrays,
    ReadFlags,
    Reads,
    checked,
    native,
    optional_flag_plane,
    value_plane,
)
from reduce.kernels.reference_statistics import channel_levels, row_levels

_ROWS = 256


class ReferenceLevels(NamedTuple):
    """What is to be subtracted from each read of a frame.

    Parameters
    ----------
    columns
        Level of each column's channel, shape (nx, ngroups, nreads), float32, in DN; NaN for a read without
        any usable reference pixel.
    rows
        Level of each row beyond that, (ny, ngroups, nreads), float32, in DN.
    border
        Width of the frame of reference pixels.
    """

    columns: NDArray[np.float32]
    rows: NDArray[np.float32]
    border: int


def reference_level(
    reads: Rows,
    pixeldq: Counts | None = None,
    *,
    bias: Image | float = 0.0,
    border: int = 4,
    channels: int = 64,
    odd_even: bool = True,
    sides: bool = True,
    side_window: int = 11,
    side_factor: float = 1.0,
) -> ReferenceLevels:
    """Measure the drift of the electronics in each read of a whole frame.

    Each channel's level is the mean of its reference pixels in the first and last rows, without those more
    than three robust standard deviations off their median. What the side columns show beyond that is the
    drift along the rows: the mean of the left and of the right ones in a window of rows, taken alike.

    Parameters
    ----------
    reads
        Counts of the whole detector, (ny, nx, ngroups, nreads), in DN. Only slices of rows are taken, so they
        may come from a file.
    pixeldq
        Bits of each pixel, (ny, nx), or None. Reference pixels with ``BAD_REF_PIXEL`` or ``DO_NOT_USE`` and
        reads that are not finite are not used.
    bias
        In DN, a number or (ny, nx). Give it if the levels are to be taken from bias-subtracted reads.
    border
        Width of the frame of reference pixels.
    channels
        Number of channels, each the same number of neighbouring columns.
    odd_even
        Odd and even columns of a channel have levels of their own.
    sides
        Measure the drift along the rows.
    side_window
        Rows of the window, an odd number; fewer at the frame's ends.
    side_factor
        What the drift along the rows is multiplied by.

    Returns
    -------
    ReferenceLevels
        For `subtract_reference`. A channel without a usable reference pixel has the median level of the
        others, a row without any has no drift.

    Raises
    ------
    DataError
        If shapes differ, the frame is smaller than its border, or no reference pixel can be used.
    ParameterError
        If a parameter is out of range or the columns can't be divided into so many channels.

    Notes
    -----
    The method is that of the JWST pipeline for its near-infrared detectors (jwst-pipeline.readthedocs.io,
    step refpix). For the noise that it follows, see Moseley et al. 2010, Proc. SPIE 7742, 77421B, and
    Rauscher et al. 2017, PASP 129, 105003.
    """
    if len(reads.shape) != 4:
        raise DataError(f"reads have the axes row, column, group, read; these have the shape {reads.shape}")
    parities = 2 if odd_even else 1
    _check_parameters(reads.shape, border, channels, side_window, parities)
    counts = _Counts(reads, _unusable(pixeldq, reads.shape[:2]), _plane(bias, reads.shape[:2]))
    columns = channel_levels(counts.ends(border), channels, parities)
    if np.isnan(columns).all():
        raise DataError("no reference pixel can be used: all are flagged or not finite")
    rows = np.zeros((reads.shape[0], *reads.shape[2:]), dtype=np.float32)
    if sides:
        beyond = counts.sides(border) - np.concatenate([columns[:border], columns[-border:]])
        rows = row_levels(beyond, side_window) * np.float32(side_factor)
    return ReferenceLevels(columns, rows, border)


def subtract_reference(
    reads: Reads,
    groupdq: ReadFlags | None,
    pixeldq: Counts,
    *,
    levels: ReferenceLevels,
    first_row: int = 0,
) -> RampArrays:
    """Take the drift of the electronics from every read.

    Parameters
    ----------
    reads
        Counts of some rows, shape (ny, nx, ngroups, nreads), in DN.
    groupdq
        Bits of each read, the shape of `reads`, uint8; or None. They come back as they are.
    pixeldq
        Bits of each pixel, (ny, nx).
    levels
        From `reference_level` on the whole frame.
    first_row
        The frame's row that `reads` begin with.

    Returns
    -------
    RampArrays
        Float32 counts; reference pixels get the flag ``REFERENCE_PIXEL``. Reads without a level stay as they
        are, with ``DO_NOT_USE`` in `groupdq`.

    Raises
    ------
    DataError
        If `levels` are those of another frame.
    """
    ramp = checked(reads, groupdq, pixeldq)
    rows = levels.rows[first_row : first_row + reads.shape[0]]
    if levels.columns.shape != reads.shape[1:] or rows.shape[0] != reads.shape[0] or first_row < 0:
        frame = (levels.rows.shape[0], *levels.columns.shape)
        raise DataError(
            f"the reference levels are for the shape {frame}, the reads from row {first_row} on have "
            f"the shape {reads.shape}"
        )
    flags = ramp.pixeldq | _border_flags(levels, first_row, reads.shape[:2])
    unknown = np.isnan(levels.columns[0])
    groupdq, columns = ramp.groupdq, native(levels.columns)
    if unknown.any():
        groupdq = np.zeros(reads.shape, dtype=np.uint8) if groupdq is None else groupdq.copy()
        groupdq[:, :, unknown] |= np.uint8(DQ.DO_NOT_USE)
        columns = np.nan_to_num(columns, nan=0.0)
    return RampArrays(_subtracted(ramp.reads, columns, native(rows)), groupdq, flags)


def _check_parameters(shape: tuple[int, ...], border: int, channels: int, window: int, parities: int) -> None:
    rows, columns = shape[:2]
    if border < 1 or 2 * border >= min(rows, columns):
        raise DataError(f"{rows} rows and {columns} columns have no border of {border} reference pixels")
    if channels < 1 or columns % channels or columns // channels < parities:
        raise ParameterError(f"{columns} columns can't be divided into {channels} channels")
    if window < 1 or window % 2 == 0:
        raise ParameterError(f"the window along the rows is an odd number of rows, not {window}")


class _Counts(NamedTuple):
    """Bias-subtracted float32 counts where pixels can be used, NaN elsewhere."""

    reads: Rows
    unusable: Mask
    bias: NDArray[np.float32]

    def ends(self, border: int) -> NDArray[np.float32]:
        """The first and last rows, shape (2 border, nx, ngroups, nreads)."""
        total = self.reads.shape[0]
        everywhere = slice(0, self.reads.shape[1])
        parts = (slice(0, border), slice(total - border, total))
        return np.concatenate([self._usable(rows, everywhere) for rows in parts])

    def sides(self, border: int) -> NDArray[np.float32]:
        """The first and last columns, shape (ny, 2 border, ngroups, nreads)."""
        total, columns = self.reads.shape[:2]
        edges = np.r_[0:border, columns - border : columns]
        return np.concatenate([self._usable(rows, edges) for rows in acceleration.blocks(total, _ROWS)])

    def _usable(self, rows: slice, columns: slice | NDArray[np.intp]) -> NDArray[np.float32]:
        with np.errstate(over="ignore", invalid="ignore"):
            some = np.asarray(self.reads[rows])[:, columns].astype(np.float32)
            counts: NDArray[np.float32] = some - self.bias[rows, columns][:, :, None, None]
        counts[self.unusable[rows, columns] | ~np.isfinite(self.bias[rows, columns])] = np.nan
        counts[~np.isfinite(counts)] = np.nan
        return counts


def _unusable(pixeldq: Counts | None, shape: tuple[int, ...]) -> Mask:
    flags = optional_flag_plane("the pixels' DQ", pixeldq, shape)
    return flagged(flags, DQ.BAD_REF_PIXEL | DQ.DO_NOT_USE)


def _plane(bias: Image | float, shape: tuple[int, ...]) -> NDArray[np.float32]:
    if np.ndim(bias) == 0:
        return np.broadcast_to(value_plane("the bias", bias, (1, 1)), shape)
    return value_plane("the bias", bias, shape)


def _border_flags(levels: ReferenceLevels, first_row: int, shape: tuple[int, ...]) -> Flags:
    flags = np.full(shape, DQ.REFERENCE_PIXEL, dtype=np.uint32)
    rows = first_row + np.arange(shape[0])
    inside = (rows >= levels.border) & (rows < levels.rows.shape[0] - levels.border)
    flags[inside, levels.border : shape[1] - levels.border] = 0
    return flags


def _subtracted(reads: Reads, columns: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.float32]:
    out = np.empty(reads.shape, dtype=np.float32)
    if acceleration.available():
        from reduce.kernels import pixelwise_fast

        shape = (*reads.shape[:2], reads.shape[2] * reads.shape[3])
        flat, result = reads.reshape(shape), out.reshape(shape)
        by_column, by_row = columns.reshape(shape[1:]), rows.reshape(shape[0], shape[2])
        acceleration.in_blocks(
            shape[0],
            lambda block: pixelwise_fast.subtract_columns_and_rows(
                flat[block], by_column, by_row[block], result[block]
            ),
        )
    else:
        for row in range(reads.shape[0]):
            np.subtract(reads[row], columns + rows[row], out=out[row], casting="same_kind")
    return out
