"""Stars measured on a product, and how far off they are in units of their errors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from reduce.dq import DQ, flagged
from reduce.files.reader import read_frame
from reduce.frame import Frame
from reduce.kernels.photometry import Photometry, aperture_photometry
from reduce.night import FWHM, SCALE
from reduce.scene import star_field
from reduce.wcs import celestial

RADIUS = 5.0
"""Of the aperture, in pixels of the detector: what is outside of it, 0.07 %, harms no neighbour."""
ANNULUS = (7.5, 15.0)
_EVEN = 0.7
"""Part of the usual weight that a pixel of a mosaic needs: a star with a hole in one of its frames, where the
others don't look at the same parts of it, has a wrong shape."""


class Stars(NamedTuple):
    """Stars of one product whose apertures have no flag.

    Parameters
    ----------
    magnitudes
        What they were made with, (n,).
    rates, errors, truth
        Measured, its error, and what they were made with, e-/s, (n,).
    broken
        Pixels of the product whose quality is good, but whose value or error is not finite, or whose error is
        zero.
    """

    name: str
    magnitudes: NDArray[np.float64]
    rates: NDArray[np.float64]
    errors: NDArray[np.float64]
    truth: NDArray[np.float64]
    broken: int

    @property
    def pulls(self) -> NDArray[np.float64]:
        """Measured less true, over the error, (n,)."""
        return (self.rates - self.truth) / self.errors


def measured(product: Path, catalogue: Path) -> Stars:
    """Measure the stars of a catalogue at their places by the product's own coordinates.

    The flux is turned back into electrons by the zero point that the product was calibrated with, whose error
    is common to all stars and not in theirs. An aperture holds the part of a star that the point spread
    function of the night puts there.
    """
    frame, table = _even(read_frame(product)), Table.read(catalogue)
    wcs = celestial(frame.sci_header)
    assert wcs is not None
    places = wcs.all_world2pix(np.column_stack([table["ra"], table["dec"]]), 0)
    side = float(np.sqrt(wcs.proj_plane_pixel_area().to_value("arcsec2"))) / SCALE
    correlation = float(frame.sci_header.get("CORRNOIS", 1.0))
    found = _photometry(frame, places, side, correlation)
    truth = np.asarray(table["rate"], dtype=np.float64)
    unit = float(frame.sci_header["PHOTFACT"])
    good = found.good & _inside(places, frame.shape)
    part = _enclosed(places[good], _width(frame, side) / side, RADIUS / side)
    return Stars(
        product.name,
        np.asarray(table["magnitude"], dtype=np.float64)[good],
        found.flux[good] / unit / part,
        found.flux_err[good] / unit / part,
        truth[good],
        _broken(frame),
    )


def _photometry(frame: Frame, places: NDArray[np.float64], side: float, correlation: float) -> Photometry:
    return aperture_photometry(
        frame.sci,
        np.square(frame.err, dtype=np.float64),
        frame.dq,
        places,
        radius=RADIUS / side,
        annulus=(ANNULUS[0] / side, ANNULUS[1] / side),
        correlation=correlation,
    )


def _inside(places: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_]:
    return np.all((places > 0) & (places < np.array(shape[::-1]) - 1), axis=1)


def _even(frame: Frame) -> Frame:
    """A mosaic without the pixels to which some of the frames did not contribute."""
    weight = frame.planes.get("WEIGHT")
    if weight is None:
        return frame
    full = frame.planes["NFRAMES"] == frame.planes["NFRAMES"].max()
    uneven = weight < _EVEN * np.median(weight[full])
    return replace(frame, dq=np.where(uneven, frame.dq | np.uint32(DQ.DO_NOT_USE), frame.dq))


def _width(frame: Frame, side: float) -> float:
    """Full width of a star, in pixels of the detector; drizzling spreads it over both kinds of pixel."""
    if "PIXFRAC" not in frame.sci_header:
        return FWHM
    spread = (float(frame.sci_header["PIXFRAC"]) ** 2 + side**2) / 12
    pixel = 1 / 12
    return float(np.sqrt(FWHM**2 + 8 * np.log(2) * (spread + pixel - side**2 / 12)))


def _enclosed(places: NDArray[np.float64], fwhm: float, radius: float) -> NDArray[np.float64]:
    """The part of each star within its aperture, by an image of it alone without noise."""
    half = int(np.ceil(3 * radius))
    shape = (2 * half + 1, 2 * half + 1)
    parts = []
    for place in places:
        here = half + place - np.rint(place)
        image = star_field(shape, here, np.ones(1), fwhm=fwhm)
        found = aperture_photometry(
            image, np.ones(shape), np.zeros(shape, np.uint32), here[None], radius=radius, annulus=None
        )
        parts.append(float(found.flux[0]))
    return np.array(parts)


def _broken(frame: Frame) -> int:
    good = ~flagged(frame.dq)
    sound = np.isfinite(frame.sci) & np.isfinite(frame.err) & (frame.err > 0)
    return int((good & ~sound).sum())
