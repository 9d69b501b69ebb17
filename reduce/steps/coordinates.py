"""The step that gives a frame its world coordinates."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reduce.frame import Frame
from reduce.headers import plain
from reduce.parameters import option
from reduce.step import FrameStep, References, Skipped
from reduce.wcs import assign, celestial


@dataclass(frozen=True, slots=True)
class Coordinates:
    """Parameters of ``assign_wcs``."""

    angle: float | None = option(None, "Position angle, instead of the header's.", unit="deg")
    scale: float | None = option(None, "Size of a pixel, instead of the header's.", least=1e-6, unit="arcsec")


def _assign_wcs(frame: Frame, _: References, parameters: Coordinates) -> Frame | Skipped:
    primary = plain(frame.header)
    if celestial(frame.sci_header) is None and not {"RA", "DEC"} <= primary.keys():
        return Skipped("the header has neither coordinates nor RA and DEC")
    header = assign(primary, frame.sci_header, frame.shape, angle=parameters.angle, scale=parameters.scale)
    return replace(frame, sci_header=header)


ASSIGN_WCS = FrameStep(
    "assign_wcs", "S_WCS", "assign world coordinates", parameters=Coordinates, apply=_assign_wcs
)
