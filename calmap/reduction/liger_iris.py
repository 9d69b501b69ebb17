"""Steps, pipelines and models under the names that the Liger/IRIS pipeline has.

Code that was written for that pipeline works with another import:

>>> from calmap.reduction.liger_iris import DarkSubtractionStep
>>> DarkSubtractionStep().get_reference_file("exposure.fits", "dark")  # doctest: +SKIP
'/cache/references/ligeriri/iris/IRIS_IMG1_DARK_20240924T000000_0.0.1.fits'
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from calmap.reduction.inputs import Exposures
from calmap.reduction.pipelines import LigerIRISPipeline
from calmap.reduction.referencing import ReferencePipeline
from calmap.reduction.step import LigerIRISStep
from reduce.errors import DataError
from reduce.frame import Frame, Ramp
from reduce.recipe import Level
from reduce.session import opened

__all__ = [
    "AssignWCSStep",
    "BiasSubtractionStep",
    "CalculateBackgroundImagerStep",
    "CombineFramesStep",
    "CosmicRaysStep",
    "CreateDark",
    "CreateFlatfield",
    "DQInitStep",
    "DarkModel",
    "DarkSubtractionStep",
    "FitRampStep",
    "FlatFieldStep",
    "FlatModel",
    "FluxCalibrationStep",
    "GainScaleStep",
    "ImagerModel",
    "ImagerStage2Pipeline",
    "LigerIRISPipeline",
    "LigerIRISStep",
    "MergeSubarraysStep",
    "NonlinearCorrectionStep",
    "NormalizeStep",
    "ParseSubarrayMapStep",
    "RampModel",
    "ReferencePixelStep",
    "ResampleStep",
    "SaturationStep",
    "Stage1Pipeline",
    "SubtractBackgroundImagerStep",
]


class DQInitStep(LigerIRISStep, step="dq_init"):
    """Flags known bad pixels."""


class SaturationStep(LigerIRISStep, step="saturation"):
    """Flags saturated reads."""


class ReferencePixelStep(LigerIRISStep, step="refpix"):
    """Subtracts the drift that reference pixels see."""


class BiasSubtractionStep(LigerIRISStep, step="bias"):
    """Subtracts the bias."""


class NonlinearCorrectionStep(LigerIRISStep, step="nonlin_corr"):
    """Corrects nonlinearity."""


class GainScaleStep(LigerIRISStep, step="gain_scale"):
    """Converts reads to electrons."""


class FitRampStep(LigerIRISStep, step="ramp_fit"):
    """Fits slopes to reads."""


class ParseSubarrayMapStep(LigerIRISStep, step="parse_subarrays"):
    """Finds subarrays in the map of an exposure."""


class DarkSubtractionStep(LigerIRISStep, step="dark_sub"):
    """Subtracts the dark."""


class FlatFieldStep(LigerIRISStep, step="flat_field"):
    """Divides by the flat."""


class CosmicRaysStep(LigerIRISStep, step="cosmic_rays"):
    """Flags cosmic rays on a single frame."""


class CalculateBackgroundImagerStep(LigerIRISStep, step="calc_bkg_imager"):
    """Makes a sky frame of several frames."""


class SubtractBackgroundImagerStep(LigerIRISStep, step="subtract_bkg"):
    """Subtracts the sky, which is given as ``background`` or ``override_sky``."""


class AssignWCSStep(LigerIRISStep, step="assign_wcs"):
    """Assigns world coordinates."""


class FluxCalibrationStep(LigerIRISStep, step="flux_cal"):
    """Calibrates fluxes."""


class CombineFramesStep(LigerIRISStep, step="combine_frames"):
    """Combines frames."""


class ResampleStep(LigerIRISStep, step="resample"):
    """Puts frames onto one grid on the sky."""


class NormalizeStep(LigerIRISStep, step="normalize"):
    """Divides a frame by its typical value."""


class MergeSubarraysStep(LigerIRISStep, step="merge_subarrays"):
    """Puts frames of subarrays back into the full frame."""


_SKY_STEPS = ("parse_subarrays", "dark_sub", "flat_field", "assign_wcs")


class Stage1Pipeline(LigerIRISPipeline):
    """From raw reads to rates: L0 to L1."""

    class_alias = "stage1"
    levels = (Level.L0, Level.L1)
    step_defs = MappingProxyType(
        {
            "dq_init": DQInitStep,
            "saturation": SaturationStep,
            "refpix": ReferencePixelStep,
            "bias": BiasSubtractionStep,
            "nonlin_corr": NonlinearCorrectionStep,
            "gain_scale": GainScaleStep,
            "ramp_fit": FitRampStep,
        }
    )


class ImagerStage2Pipeline(LigerIRISPipeline):
    """From rates to calibrated frames: L1 to L2.

    It takes ``{"SCI": […], "SKY": […]}``, an association, or what any step takes. With frames of the sky, one
    sky frame is made of them and subtracted. Raw reads are fitted first, by the recipe for the exposure.
    """

    class_alias = "imager_stage2"
    step_defs = MappingProxyType(
        {
            "parse_subarray_map": ParseSubarrayMapStep,
            "dark_sub": DarkSubtractionStep,
            "flat_field": FlatFieldStep,
            "cosmic_rays": CosmicRaysStep,
            "background_sub": SubtractBackgroundImagerStep,
            "assign_wcs": AssignWCSStep,
            "flux_cal": FluxCalibrationStep,
        }
    )

    def _more_steps(self, given: dict[str, Any]) -> None:
        self.calc_background = CalculateBackgroundImagerStep(parent=self, **given.pop("calc_background", {}))
        self.calc_background._files = self._files

    def _results(self, found: Exposures) -> tuple[list[Any], list[Path]]:
        science = Exposures(found.science or found.sky)
        if not (found.sky and found.science) or self.calc_background.skip or self.background_sub.skip:
            return super()._results(science)
        self.prefetch_references([exposure.source for exposure in found.all])
        before = self.background_sub.override_sky
        try:
            self.background_sub.override_sky = self._sky(found)
            return super()._results(science)
        finally:
            self.background_sub.override_sky = before

    def _sky(self, found: Exposures) -> Path | Frame:
        """The sky frame that is made of exposures of the sky: a file if results are saved."""
        frames: list[Any] = [self._stepped(exposure.data(), _SKY_STEPS) for exposure in found.sky]
        if not self.save_results:
            sky: Frame = self.calc_background.process(frames)
            return sky
        paths = self.save(frames, [exposure.path for exposure in found.sky])
        saving = replace(self._saving(), level=Level.L3, file=None)
        return saving.written(self.calc_background.process(paths), saving.path(found.sky[0].path, "sky"))


class CreateDark(ReferencePipeline):
    """Makes a dark of exposures with IMTYPE DARK."""

    class_alias = "create_dark"
    kind = "dark"
    step_defs = MappingProxyType({**Stage1Pipeline.step_defs, "combine_frames": CombineFramesStep})


class CreateFlatfield(ReferencePipeline):
    """Makes a flat of exposures with IMTYPE FLAT, from which the dark is subtracted."""

    class_alias = "create_flatfield"
    kind = "flat"
    step_defs = MappingProxyType(
        {
            **Stage1Pipeline.step_defs,
            "dark_sub": DarkSubtractionStep,
            "combine_frames": CombineFramesStep,
            "normalize": NormalizeStep,
        }
    )

    def _kind_parameters(self) -> dict[str, object]:
        return {"typical": self.normalize.method}


def ImagerModel(path: str | Path) -> Frame:  # noqa: N802
    """The frame of a file; see `reduce.files.reader.read_frame` for what is raised."""
    data = opened(Path(path).expanduser())
    if not isinstance(data, Frame):
        raise DataError(f"{path} has raw reads and is no frame", "open it with RampModel")
    return data


def DarkModel(path: str | Path) -> Frame:  # noqa: N802
    """The frame of a dark."""
    return ImagerModel(path)


def FlatModel(path: str | Path) -> Frame:  # noqa: N802
    """The frame of a flat field."""
    return ImagerModel(path)


def RampModel(path: str | Path) -> Ramp:  # noqa: N802
    """The reads of a file; see `reduce.files.reader.read_ramp` for what is raised."""
    data = opened(Path(path).expanduser())
    if not isinstance(data, Ramp):
        raise DataError(f"{path} has no raw reads", "open it with ImagerModel")
    return data
