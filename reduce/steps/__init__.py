"""The steps of the reduction, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reduce.parameters import unknown
from reduce.step import PARAMETERS, Step
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

REFTYPES: Mapping[str, str] = MappingProxyType({"nonlin": "nonlincoeff", "background": "sky", "mask": "dq"})
"""Reference types by other names that the Liger/IRIS pipeline has for them."""

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


def known_reftype(name: str) -> str:
    """A reference type, by any of its names, that one of the steps uses, for itself or for its parameters.

    Raises
    ------
    ParameterError
        If there is none.
    """
    reftype = REFTYPES.get(name.lower(), name.lower())
    types = {need.reftype for step in STEPS.values() for need in step.needs}
    types |= {f"{PARAMETERS}{step}" for step in STEPS}
    if reftype not in types:
        raise unknown("reference type that a step uses", reftype, sorted(types))
    return reftype
