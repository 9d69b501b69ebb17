"""The step that turns rates into fluxes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reduce.calibration import ReferenceFile
from reduce.errors import DataError
from reduce.frame import Frame
from reduce.kernels.zero_point import flux_calibrate, flux_cards
from reduce.parameters import option
from reduce.step import FrameStep, Need, References, Skipped


@dataclass(frozen=True, slots=True)
class FluxCalibration:
    """Parameters of ``flux_cal``."""

    zero_point: float | None = option(
        None, "AB magnitude of 1 electron / s, instead of the reference's.", unit="mag"
    )
    zero_point_error: float = option(0.0, "Its standard deviation.", least=0, unit="mag")


def _flux_cal(frame: Frame, references: References, parameters: FluxCalibration) -> Frame | Skipped:
    value, error = parameters.zero_point, parameters.zero_point_error
    if value is None and "photom" in references:
        value, error = _zero_point(references["photom"])
    if value is None:
        return Skipped("the zero point is not known: there are no rules for photom, and no parameter")
    header = frame.sci_header.copy()
    for keyword, card in flux_cards(value, error).items():
        header[keyword] = card
    arrays = flux_calibrate(frame.sci, frame.variances, frame.dq, zero_point=value)
    return replace(frame.corrected(arrays), sci_header=header)


def _zero_point(reference: ReferenceFile) -> tuple[float, float]:
    """Zero point and its error in the header of a photom reference."""
    numbers = [reference.header.get(keyword) for keyword in ("PHOTZP", "PHOTZPER")]
    value, error = (None if isinstance(each, (str, bool)) else each for each in numbers)
    if value is None:
        raise DataError(f"{reference.path} has no number PHOTZP, the AB magnitude of 1 electron / s")
    return float(value), float(error or 0.0)


FLUX_CAL = FrameStep(
    "flux_cal",
    "S_FLUXCL",
    "calibrate fluxes",
    (Need("photom", required=False),),
    FluxCalibration,
    apply=_flux_cal,
)
