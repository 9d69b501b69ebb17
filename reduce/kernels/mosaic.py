"""Mosaics: frames on a common grid by drizzling, or by whole pixels and combination."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reduce.arrays import Flags, Image
from reduce.dq import DQ
from reduce.errors import DataError, ParameterError

if TYPE_CHECKING:
    from astropy.wcs import WCS

PixelMap: TypeAlias = NDArray[np.float64]
"""Where pixels come to lie: columns and rows of the grid, counted from 0, shape (ny, nx, 2)."""
Kernel: TypeAlias = Literal["square", "turbo", "point"]
Convention: TypeAlias = Literal["nominal", "pixel", "brightness"]

KERNELS = ("square", "turbo", "point")
CONVENTIONS = ("nominal", "pixel", "brightness")
_NOTHING = np.uint32(DQ.DO_NOT_USE | DQ.NON_SCIENCE)


class DrizzleInput(NamedTuple):
    """A frame to drizzle.

    Parameters
    ----------
    sci, variance
        The image, shape (ny, nx), and its variance.
    dq
        Data-quality bits, (ny, nx); ``DO_NOT_USE`` leaves a pixel out.
    place
        The frame's celestial coordinates, or a `PixelMap` that is at hand.
    weight
        Weight of all its pixels: the exposure time for rates, or one over the typical variance.
    """

    sci: Image
    variance: Image
    dq: Flags
    place: WCS | PixelMap
    weight: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Mosaic:
    """Frames on a common grid.

    Parameters
    ----------
    sci
        The image, shape (ny, nx) float32; 0 where no frame reaches.
    variance
        Variance of each pixel alone. Neighbours are correlated; see `correlation_factor`.
    weight
        Sum of the weights, each times the part of an input pixel that fell there.
    dq
        All bits of the pixels that took part; ``DO_NOT_USE`` and ``NON_SCIENCE`` where none did.
    count
        How many frames took part, uint16.
    correlation
        By how much the noise of a sum over a large area is greater than `variance` says, where the mosaic is
        deep; see `drizzle_frames`.
    """

    sci: Image
    variance: Image
    weight: Image
    dq: Flags
    count: NDArray[np.uint16]
    correlation: float


def drizzle_frames(
    frames: Iterable[DrizzleInput],
    output_wcs: WCS | None,
    shape: tuple[int, int],
    *,
    pixfrac: float = 1.0,
    kernel: Kernel = "square",
    convention: Convention = "nominal",
) -> Mosaic:
    """Put frames on a grid by drizzling (Fruchter & Hook 2002, PASP 114, 144).

    A pixel of the mosaic is Σ a w d / Σ a w over the input pixels, d their values, w their weights and a the
    part of each shrunken pixel that falls into it; its variance is Σ a²w²σ² / (Σ a w)². Both hold exactly for
    one pixel. Neighbours share input pixels, so a sum over many of them is noisier than their variances say:
    the variance of Σ_k Σ_i a_ik w_i d_i / W_k, W = Σ a w, is Σ_i w_i²σ_i² (Σ_k a_ik / W_k)². Where W varies
    slowly this is A Σ_k Σ_i a_ik w_i²σ_i² / W_k², A = Σ_k a_ik. Its ratio to the sum of the variances is
    `Mosaic.correlation` squared, with the typical variance of each frame and over the pixels that have more
    than half of the greatest weight. Many frames at even offsets come close to `correlation_factor`.

    Flux is conserved as far as the weights are even: where pixels of different weight or small `pixfrac`
    leave the coverage of a star uneven, so is the weight of its parts.

    Parameters
    ----------
    frames
        One at a time is in memory if they come from a generator.
    output_wcs
        Celestial coordinates of the grid; None if every frame brings its `PixelMap`.
    shape
        Rows and columns of the grid.
    pixfrac
        Side of the shrunken pixel over that of the whole one, above 0 to 1.
    kernel
        ``square``; ``turbo``, which takes the sides along the grid's; ``point``. Others don't conserve flux.
    convention
        What the values are: ``nominal`` is flux in pixels of the frame's average area, as after division by
        a flat; ``pixel`` flux in each pixel's own area, which optics may distort; ``brightness`` flux in
        a fixed area. The first two are multiplied by the grid's pixel area over the frame's, so the mosaic is
        flux in a pixel of the grid.

    Raises
    ------
    DataError
        No frames, arrays of different shapes, or a frame without coordinates.
    ParameterError
        A value that is not allowed.
    """
    from drizzle.resample import Drizzle

    _check_options(shape, pixfrac, kernel, convention)
    driz = Drizzle(kernel=kernel, out_shape=shape, fillval="0", fillval2="0")
    noise = _LargeAreas(shape)
    number = 0
    for number, frame in enumerate(frames, 1):
        prepared = _prepared(frame, output_wcs, convention, number)
        typical = _typical(prepared)
        driz.add_image(
            prepared.sci,
            1.0,
            prepared.pixel_map,
            data2=[prepared.variance, np.full_like(prepared.variance, typical)],
            dq=prepared.dq,
            weight_map=prepared.weight,
            pixel_scale_ratio=prepared.area**-0.5,
            pixfrac=pixfrac,
        )
        noise.add(driz.out_wht, prepared.weight, typical, frame.weight)
    if number == 0:
        raise DataError("there are no frames to drizzle")
    empty = ~((driz.out_wht > 0) & np.isfinite(driz.out_img) & np.isfinite(driz.out_img2[0]))
    sci, variance = (np.where(empty, np.float32(0), image) for image in (driz.out_img, driz.out_img2[0]))
    return Mosaic(
        sci,
        variance,
        driz.out_wht,
        np.where(empty, _NOTHING, driz.out_dq),
        _set_bits(driz.out_ctx),
        noise.correlation(driz.out_img2[1]),
    )


class _LargeAreas:
    """Adds up, frame by frame, what the noise of large areas follows from; see `drizzle_frames`."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._weight = np.zeros(shape, dtype=np.float32)
        self._spread = np.zeros(shape, dtype=np.float32)
        self._given = 0.0

    def add(self, weight: Image, given: Image, variance: float, scale: float) -> None:
        """A frame that has been added: the weights so far and its own, its typical variance and weight."""
        with np.errstate(over="ignore", invalid="ignore"):
            self._spread += (weight - self._weight) * np.float32(scale * variance)
        self._weight = weight.copy()
        self._given += float(given.sum(dtype=np.float64))

    def correlation(self, single: Image) -> float:
        """The factor, given the variance of single pixels with the typical variance of each frame."""
        deep = self._weight > self._weight.max(initial=0) / 2
        alone = float(single[deep].sum(dtype=np.float64))
        if alone <= 0:
            return 1.0
        part = float(self._weight.sum(dtype=np.float64)) / self._given
        together = float((self._spread[deep] / self._weight[deep].astype(np.float64) ** 2).sum())
        return float(np.sqrt(part * together / alone))


def _typical(prepared: _Prepared) -> float:
    """The median variance of the pixels that take part; 0 without any."""
    variance = prepared.variance[prepared.weight > 0]
    return float(np.median(variance)) if variance.size else 0.0


def correlation_factor(pixfrac: float, scale: float) -> float:
    """By how much the noise over a large area is greater than that of single pixels, added as independent.

    For many frames at even subpixel offsets (Fruchter & Hook 2002, §7; Casertano et al. 2000, AJ 120, 2747):
    with r = p/s it is 1/(1 − r/3) for r ≤ 1 and r/(1 − 1/(3r)) for r ≥ 1.

    Parameters
    ----------
    pixfrac
        p, side of the shrunken pixel in input pixels.
    scale
        s, side of a pixel of the grid in input pixels.
    """
    if not (pixfrac >= 0 and scale > 0):
        raise ParameterError(f"pixfrac {pixfrac} and scale {scale} must be positive")
    ratio = pixfrac / scale
    return ratio / (1 - 1 / (3 * ratio)) if ratio > 1 else 1 / (1 - ratio / 3)


def pixel_map(wcs: WCS, shape: tuple[int, int], output_wcs: WCS) -> PixelMap:
    """Where the pixels of a frame come to lie on a grid, shape (ny, nx, 2).

    Parameters
    ----------
    wcs, shape
        Celestial coordinates of the frame, with their distortion, and its rows and columns.
    output_wcs
        Those of the grid.
    """
    from astropy.wcs.utils import wcs_to_celestial_frame

    rows, columns = np.indices(shape, dtype=np.float64)
    if wcs_to_celestial_frame(wcs).is_equivalent_frame(wcs_to_celestial_frame(output_wcs)):
        places = output_wcs.world_to_pixel_values(*wcs.pixel_to_world_values(columns, rows))
    else:
        places = output_wcs.world_to_pixel(wcs.pixel_to_world(columns, rows))
    return np.stack(places, axis=-1)


def placed(frame: DrizzleInput, output_wcs: WCS | None, number: int) -> PixelMap:
    """Where the pixels of a frame lie; `number` is for messages."""
    shape = frame.sci.shape
    if isinstance(frame.place, np.ndarray):
        if frame.place.shape != (*shape, 2):
            raise DataError(
                f"frame {number}: its pixel map has the shape {frame.place.shape}, not {(*shape, 2)}"
            )
        return frame.place
    if output_wcs is None:
        raise DataError(f"frame {number} has sky coordinates, but the grid has none")
    return pixel_map(frame.place, (shape[0], shape[1]), output_wcs)


def pixel_area(places: PixelMap) -> NDArray[np.float64]:
    """Area of each pixel on the grid, in pixels of the grid, shape (ny, nx)."""
    if min(places.shape[:2]) < 2:
        raise DataError(f"a frame of {places.shape[:2]} pixels is too small to be put on a grid")
    (x_row, x_column), (y_row, y_column) = (np.gradient(places[..., axis]) for axis in (0, 1))
    area: NDArray[np.float64] = np.abs(x_column * y_row - x_row * y_column)
    return area


class _Prepared(NamedTuple):
    """What the drizzle takes: finite numbers, with weight 0 for pixels that don't take part."""

    sci: Image
    variance: Image
    weight: Image
    dq: Flags
    pixel_map: PixelMap
    area: float


def _check_options(shape: tuple[int, int], pixfrac: float, kernel: str, convention: str) -> None:
    if len(shape) != 2 or min(shape) < 1:
        raise ParameterError(f"a mosaic can't have the shape {shape}")
    if not 0 < pixfrac <= 1:
        raise ParameterError(f"pixfrac is {pixfrac}, not above 0 and at most 1")
    for value, allowed, name in ((kernel, KERNELS, "kernel"), (convention, CONVENTIONS, "convention")):
        if value not in allowed:
            raise ParameterError(f"{name} is {value!r}, not one of {', '.join(allowed)}")


def _prepared(frame: DrizzleInput, output_wcs: WCS | None, convention: str, number: int) -> _Prepared:
    for name, array in (("variance", frame.variance), ("DQ", frame.dq)):
        if array.shape != frame.sci.shape:
            raise DataError(f"frame {number}: its {name} has the shape {array.shape}, not {frame.sci.shape}")
    if not (isfinite(frame.weight) and frame.weight > 0):
        raise ParameterError(f"frame {number}: its weight is {frame.weight}, not a positive number")
    places = placed(frame, output_wcs, number)
    area = pixel_area(places)
    with np.errstate(all="ignore"):
        good = (frame.dq & np.uint32(DQ.DO_NOT_USE)) == 0
        good &= np.isfinite(area) & (area > 0)
        mean = float(area[np.isfinite(area)].mean()) if np.isfinite(area).any() else 1.0
        factor: Any = {"brightness": 1.0, "nominal": 1 / mean}.get(convention)
        if factor is None:
            factor = 1 / np.where(good, area, 1.0)
        sci, variance = (
            (frame.sci * factor).astype(np.float32),
            (frame.variance * factor**2).astype(np.float32),
        )
        good &= np.isfinite(sci) & (variance > 0) & (variance < np.inf)
    return _Prepared(
        np.where(good, sci, np.float32(0)),
        np.where(good, variance, np.float32(0)),
        np.where(good, frame.weight, 0).astype(np.float32),
        np.where(good, frame.dq, 0).astype(np.uint32),
        places,
        mean,
    )


def _set_bits(context: NDArray[np.int32]) -> NDArray[np.uint16]:
    """How many bits are set along the first axis of (planes, ny, nx)."""
    count = np.zeros(context.shape[1:], dtype=np.uint16)
    for plane in context:
        for bit in range(32):
            count += ((plane >> bit) & 1).astype(np.uint16)
    return count
