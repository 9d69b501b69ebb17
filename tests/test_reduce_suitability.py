"""References that don't suit, and data whose reduction would mean nothing, are refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from reduce.errors import DataError, ParameterError
from reduce.files.writer import write_frame
from reduce.frame import Frame
from reduce.recipe import parsed
from reduce.references import NoReferences, Overrides
from reduce.session import Request, opened, planned, reduced

RECIPE = "steps: {L2: [dark_sub, flat_field]}"


def frame(value: float = 2.0, error: float = 0.1, dq: int = 0, **keywords: str) -> Frame:
    header = fits.Header([("INSTRUME", "IRIS"), ("DETECTOR", "IMG1"), ("DATALVL", 1), *keywords.items()])
    sci_header = fits.Header([("BUNIT", "electron / s")])
    shape = (8, 8)
    variances = {"RNOISE": np.full(shape, np.float32(error**2))}
    return Frame(
        np.full(shape, np.float32(value)), variances, np.full(shape, dq, np.uint32), header, sci_header
    )


@pytest.fixture
def exposure(tmp_path: Path) -> Path:
    path = tmp_path / "exposure.fits"
    write_frame(frame(IMTYPE="SCI", INSTMODE="IMG"), path)
    return path


@pytest.fixture
def dark(tmp_path: Path) -> Path:
    path = tmp_path / "dark.fits"
    write_frame(frame(0.5, REFTYPE="DARK"), path)
    return path


def result_of(path: Path, **overrides: Path | None):
    resolver = Overrides(overrides, NoReferences())
    request = Request(resolver, parsed(RECIPE, "test"), allowed=("flat",))
    data = opened(path)
    return reduced(data, planned(data, path, request), request)


def test_a_suitable_reference_is_used(exposure, dark):
    np.testing.assert_allclose(result_of(exposure, dark=dark).sci, 1.5)


@pytest.mark.parametrize(
    ("keyword", "value", "says"),
    [
        ("REFTYPE", "FLAT", "is of type flat by its REFTYPE, and dark is needed"),
        ("DETECTOR", "IMG3", "is for DETECTOR IMG3, and the exposure is of IMG1"),
        ("INSTRUME", "Liger", "is for INSTRUME Liger, and the exposure is of IRIS"),
    ],
)
def test_a_reference_of_something_else_is_refused(exposure, dark, keyword, value, says):
    fits.setval(dark, keyword, value=value)

    with pytest.raises(DataError, match=says):
        result_of(exposure, dark=dark)


@pytest.mark.parametrize("names", [{"allowed": ("drak",)}, {"resolver": Overrides({"drak": None})}])
def test_a_misspelt_type_is_refused_with_the_nearest(names):
    with pytest.raises(ParameterError) as caught:
        Request(**{"resolver": NoReferences(), **names})

    assert caught.value.message == "there is no reference type that a step uses 'drak'"
    assert caught.value.hint == "did you mean 'dark'?"


@pytest.mark.parametrize("variances", [{}, {"OTHER": np.zeros((8, 8), np.float32)}])
def test_a_frame_without_errors_is_refused(tmp_path, dark, variances):
    path = tmp_path / "bare.fits"
    write_frame(replace(frame(), variances=variances), path)

    with pytest.raises(DataError, match="its errors are not known"):
        result_of(path, dark=dark)


def test_a_product_without_a_good_pixel_is_refused(tmp_path, dark):
    path = tmp_path / "bad.fits"
    write_frame(frame(dq=3), path)

    with pytest.raises(DataError, match="no pixel can be used after all steps; quality bits: SATURATED 100%"):
        result_of(path, dark=dark)


def test_negative_errors_of_a_reference_are_not_believed(exposure, dark):
    with fits.open(dark, mode="update") as hdus:
        hdus["ERR"].data[:4] = -0.1
        del hdus["VAR_RNOISE"]

    flags = result_of(exposure, dark=dark).dq & 1

    assert flags[:4].all()
    assert not flags[4:].any()
