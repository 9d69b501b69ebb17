import numpy as np
import pytest
from astropy import units
from astropy.io import fits
from astropy.nddata import (
    CCDData,
    InverseVariance,
    NDUncertainty,
    StdDevUncertainty,
    UnknownUncertainty,
    VarianceUncertainty,
)
from reduce_files import CARDS, frame, header

from reduce.ccddata import from_ccddata, to_ccddata
from reduce.dq import DQ
from reduce.errors import DataError


def test_a_frame_comes_back_from_ccddata():
    written = frame(planes={})

    back = from_ccddata(to_ccddata(written))

    assert np.array_equal(back.sci, written.sci)
    assert np.array_equal(back.dq, written.dq)
    assert list(back.variances) == ["OTHER"]
    assert np.allclose(back.err, written.err, rtol=1e-6)
    assert back.unit == written.unit
    assert {card: back.header[card] for card in CARDS} == CARDS
    corners = ([0, 4, 0], [0, 0, 6])
    there, here = (one.wcs.pixel_to_world_values(*corners) for one in (back, written))
    assert np.allclose(there, here, rtol=0, atol=1e-12)


def test_ccddata_has_all_parts():
    written = frame()
    ccd = to_ccddata(written)

    assert ccd.unit == units.electron / units.s
    assert isinstance(ccd.uncertainty, StdDevUncertainty)
    assert np.array_equal(ccd.uncertainty.array, written.err)
    assert ccd.mask.sum() == 1
    assert ccd.mask[0, 0]
    assert np.array_equal(ccd.flags, written.dq)
    assert ccd.meta["OBJECT"] == "M92"
    assert "CRVAL1" not in ccd.meta


def test_ccddata_may_be_changed_without_changing_the_frame():
    written = frame()
    ccd = to_ccddata(written)
    ccd.data[:] = 0
    ccd.flags[:] = 0
    ccd.meta["OBJECT"] = "M13"

    assert np.array_equal(written.sci, frame().sci)
    assert np.array_equal(written.dq, frame().dq)
    assert written.header["OBJECT"] == "M92"


def test_a_frame_may_be_calculated_with_by_ccdproc():
    ccd = to_ccddata(frame())

    doubled = ccd.multiply(2)

    assert np.allclose(from_ccddata(doubled).err, 2 * frame().err)


@pytest.mark.parametrize("kind", [StdDevUncertainty, VarianceUncertainty, InverseVariance])
def test_uncertainties_of_every_kind_are_understood(kind):
    values = {StdDevUncertainty: 2.0, VarianceUncertainty: 4.0, InverseVariance: 0.25}
    ccd = CCDData(np.ones((3, 2)), unit="adu", uncertainty=kind(np.full((3, 2), values[kind])))

    assert np.allclose(from_ccddata(ccd).variances["OTHER"], 4)


def test_an_uncertainty_of_no_kind_is_refused():
    ccd = CCDData(np.ones((3, 2)), unit="adu", uncertainty=UnknownUncertainty(np.ones((3, 2))))

    assert isinstance(ccd.uncertainty, NDUncertainty)
    with pytest.raises(DataError, match="kind of the uncertainty"):
        from_ccddata(ccd)


def test_masks_and_values_that_are_no_numbers_are_not_to_be_used():
    data = np.ones((3, 2))
    data[0, 0] = np.nan
    mask = np.zeros((3, 2), bool)
    mask[1, 1] = True

    back = from_ccddata(CCDData(data, unit="adu", mask=mask))

    assert (back.dq == DQ.DO_NOT_USE).sum() == 2
    assert back.variances == {}


def test_integers_become_real_numbers():
    assert from_ccddata(CCDData(np.ones((3, 2), np.uint16), unit="adu")).sci.dtype == np.float32


def test_meta_may_be_a_plain_dictionary():
    ccd = CCDData(np.ones((3, 2)), unit="adu", meta={"object": "M92", "a long keyword": 1.5, "list": [1]})

    back = from_ccddata(ccd)

    assert back.header["OBJECT"] == "M92"
    assert back.header["a long keyword"] == 1.5
    assert "LIST" not in back.header


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("", ""), ("e-/s", "electron / s"), ("DN/s", "DN / s"), ("electron/s", "electron / s")],
)
def test_units_are_understood(unit, expected):
    ccd = to_ccddata(frame(sci_header=header({"BUNIT": unit})))

    assert ccd.unit.to_string() == expected


def test_a_unit_that_is_none_is_refused():
    with pytest.raises(DataError, match="'cakes'"):
        to_ccddata(frame(sci_header=header({"BUNIT": "cakes"})))


def test_a_cube_is_no_frame():
    with pytest.raises(DataError, match="two axes"):
        from_ccddata(CCDData(np.ones((3, 2, 2)), unit="adu"))


def test_cards_of_the_image_go_with_it():
    ccd = to_ccddata(
        frame(sci_header=fits.Header([("BUNIT", "adu"), ("NOTE", "x", "a note"), ("COMMENT", "y")]))
    )

    assert ccd.meta["NOTE"] == "x"
    assert "BUNIT" not in ccd.meta


def test_a_variance_below_zero_is_bad():
    variance = VarianceUncertainty(np.array([[1.0, -1.0, np.nan, 0.0]]))
    found = from_ccddata(CCDData(np.ones((1, 4)), unit="electron / s", uncertainty=variance))

    assert found.dq.tolist() == [[0, DQ.DO_NOT_USE, DQ.DO_NOT_USE, 0]]
