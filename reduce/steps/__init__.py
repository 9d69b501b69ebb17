"""The steps of the reduction, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reduce.step import Step
from reduce.steps import combination, coordinates, correction, cosmic, detector, flux, mosaic, slope, subarray

STEPS: Mapping[str, Step] = MappingProxyType(
    {
        step.name: step
        for step in (
            *detector.STEPS,
            slope.RAMP_FIT,
            *correction.STEPS,
            *subarray.STEPS,
            cosmic.COSMIC_RAYS,
            coordinates.ASSIGN_WCS,
            flux.FLUX_CAL,
            *combination.STEPS,
            mosaic.RESAMPLE,
        )
    }
)

CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "AssignWCSStep": "assign_wcs",
        "CalculateBackgroundImagerStep": "calc_bkg_imager",
        "CombineFramesStep": "combine_frames",
        "DQInitStep": "dq_init",
        "DarkSubtractionStep": "dark_sub",
        "FitRampStep": "ramp_fit",
        "FlatFieldStep": "flat_field",
        "MergeSubarraysStep": "merge_subarrays",
        "NonlinearCorrectionStep": "nonlin_corr",
        "NormalizeStep": "normalize",
        "ParseSubarrayMapStep": "parse_subarrays",
        "SubtractBackgroundImagerStep": "subtract_bkg",
    }
)
"""Steps by the classes that the Liger/IRIS pipeline has for them."""
