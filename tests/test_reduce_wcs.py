"""Coordinates of an image: read, refused, made from keywords."""

import numpy as np
import pytest
from astropy.io.fits import Header

from reduce.errors import DataError, ParameterError
from reduce.frame import Frame
from reduce.pointing import Pointing, celestial_cards, pointing
from reduce.wcs import Distortion, assign, celestial, pixels_of, shifted, sky_of, with_distortion

SHAPE = (100, 200)


def good():
    return celestial_cards(Pointing(224.5, 10.25, 30.0, 0.004), (100.5, 50.5))


def exposure(**more):
    return {"RA": 224.5, "DEC": 10.25, "POSANG": 30.0, "SCALE": 0.004, **more}


def changed(**cards):
    header = good()
    for keyword, value in cards.items():
        if value is None:
            del header[keyword]
        else:
            header[keyword] = value
    return header


@pytest.mark.parametrize("cards", [{}, {"CTYPE1": "LINEAR", "CTYPE2": "LINEAR"}, {"CTYPE1": "WAVE"}])
def test_no_celestial_axis_is_no_wcs(cards):
    assert celestial(Header(cards)) is None


@pytest.mark.parametrize(
    ("cards", "message"),
    [
        ({"CTYPE2": None}, "CTYPE1 is a celestial axis; there have to be two"),
        ({"CTYPE2": "GLON-TAN"}, "Inconsistent"),
        ({"CTYPE1": "RA---QQQ", "CTYPE2": "DEC--QQQ"}, "QQQ"),
        ({"CRVAL1": None, "CRPIX2": None}, "lack CRPIX2, CRVAL1"),
        ({"CDELT1": None}, "lack CDELT1"),
        ({"CRVAL1": "abc"}, "CRVAL1 is 'abc', not a number"),
        ({"CDELT1": 0.0}, "singular"),
        ({"CD1_1": 0.0}, "singular"),
        ({"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 1e-5}, "doesn't end in -SIP"),
        ({"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 2, "A_2_0": 1e-5}, "B_ORDER"),
        ({"CTYPE1": "RA---TAB", "CTYPE2": "DEC--TAB"}, "broken"),
    ],
)
def test_broken_coordinates_are_refused_with_the_reason(cards, message):
    with pytest.raises(DataError, match=message):
        celestial(changed(**cards))


def test_what_astropy_mends_on_the_way_is_no_warning():
    wcs = celestial(changed(**{"DATE-OBS": "01/01/99", "CUNIT1": "DEG"}))
    assert np.allclose(sky_of(wcs, [[99.5, 49.5]]), [[224.5, 10.25]])


def test_a_third_axis_is_left_aside():
    wcs = celestial(changed(WCSAXES=3, CTYPE3="WAVE", CRVAL3=1e-6, CDELT3=1e-9, CRPIX3=1.0))
    assert wcs.naxis == 2
    assert np.allclose(sky_of(wcs, [[99.5, 49.5]]), [[224.5, 10.25]])


def test_a_frame_has_the_coordinates_of_its_image():
    zeros = np.zeros(SHAPE, dtype=np.float32)
    dq = np.zeros(SHAPE, dtype=np.uint32)
    frame = Frame(zeros, {}, dq, Header(), good())
    assert np.allclose(sky_of(frame.wcs, [[99.5, 49.5]]), [[224.5, 10.25]])
    assert Frame(zeros, {}, dq, Header(), Header()).wcs is None


def test_no_places_are_no_places():
    wcs = celestial(good())
    assert sky_of(wcs, []).shape == pixels_of(wcs, []).shape == (0, 2)
    with pytest.raises(DataError, match=r"shape \(n, 2\)"):
        sky_of(wcs, [1.0, 2.0])


def test_a_distortion_that_folds_the_image_can_not_be_inverted():
    wcs = celestial(with_distortion(good(), Distortion({(2, 0): 0.01}, {(0, 2): 0.01})))
    with pytest.raises(DataError, match="inverted"):
        pixels_of(wcs, [[224.5 + 5e-3, 10.25]])


def test_a_full_frame_is_centred_on_the_pointing():
    wcs = celestial(assign(exposure(), Header(), SHAPE))
    assert np.allclose(sky_of(wcs, [[99.5, 49.5]]), [[224.5, 10.25]], atol=1e-12)


def test_a_subarray_sees_what_its_part_of_the_full_frame_sees():
    full = celestial(assign(exposure(DETXSIZE=200, DETYSIZE=100), Header(), SHAPE))
    window = exposure(SUBARRAY="CUSTOM", SUBSTRT1=41, SUBSTRT2=11, DETXSIZE=200, DETYSIZE=100)
    part = celestial(assign(window, Header(), (30, 50)))
    assert np.allclose(sky_of(part, [[3.0, 4.0]]), sky_of(full, [[43.0, 14.0]]), atol=1e-11, rtol=0)
    named = celestial(assign(window, Header(), (30, 50), reference_pixel=(41.0, 11.0)))
    assert np.allclose(sky_of(named, [[0.0, 0.0]]), [[224.5, 10.25]], atol=1e-12)


def test_a_subarray_of_a_detector_of_unknown_size_is_refused():
    with pytest.raises(DataError, match="DETXSIZE"):
        assign(exposure(SUBARRAY="CUSTOM", SUBSTRT1=41, SUBSTRT2=11), Header(), (30, 50))


def test_the_images_own_reference_pixel_is_not_shifted():
    window = exposure(SUBARRAY="CUSTOM", SUBSTRT1=41, SUBSTRT2=11)
    left_over = Header({"CRPIX1": 1.0, "CRPIX2": 1.0, "CD1_1": 5.0, "CDELT1": 3.0})
    result = assign(window, left_over, (30, 50))
    assert np.allclose(sky_of(celestial(result), [[0.0, 0.0]]), [[224.5, 10.25]], atol=1e-12)
    assert "CD1_1" not in result
    assert left_over["CD1_1"] == 5.0


def test_coordinates_that_are_there_are_kept():
    sci_header = changed(BUNIT="electron/s")
    result = assign({}, sci_header, SHAPE)
    assert result == sci_header
    assert result is not sci_header
    with_sip = assign({}, sci_header, SHAPE, distortion=Distortion({(2, 0): 1e-7}))
    assert celestial(with_sip).sip is not None
    assert assign({}, with_sip, SHAPE, distortion=Distortion({(2, 0): 1e-3})) == with_sip


def test_broken_coordinates_that_are_there_are_not_replaced():
    with pytest.raises(DataError, match="lack"):
        assign(exposure(), changed(CRVAL1=None), SHAPE)


@pytest.mark.parametrize(
    ("keywords", "found"),
    [
        ({"RA": "14:58:00.0", "DEC": "-10:15:00"}, (224.5, -10.25)),
        ({"RA": "14 58 00.0", "DEC": "+10 15 00"}, (224.5, 10.25)),
        ({"RA": "224.5", "DEC": "10.25"}, (224.5, 10.25)),
        ({"RA": -10.0, "DEC": 0}, (350.0, 0.0)),
    ],
)
def test_pointings_in_degrees_and_in_sexagesimal_text(keywords, found):
    result = pointing(exposure(**keywords))
    assert (result.ra, result.dec) == pytest.approx(found)
    assert (result.system, result.equinox) == ("ICRS", None)


def test_an_older_equinox_is_of_fk5():
    result = pointing(exposure(EQUINOX=1975.0))
    assert (result.system, result.equinox) == ("FK5", 1975.0)
    assert celestial(celestial_cards(result, (1.0, 1.0))).wcs.equinox == 1975.0


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"RA": "abc:def"}, "RA is 'abc:def', not an angle"),
        ({"RA": True}, "RA is True, not a number"),
        ({"DEC": 91.0}, "between -90 and 90"),
        ({"SCALE": 4.0}, "4.0 arcsec a pixel"),
        ({"SCALE": 0}, "0.0 arcsec a pixel"),
        ({"POSANG": "nan"}, "POSANG is 'nan', not a number"),
    ],
)
def test_keywords_that_mean_nothing_are_named(keywords, message):
    with pytest.raises(DataError, match=message):
        pointing(exposure(**keywords))


@pytest.mark.parametrize("keyword", ["RA", "DEC", "POSANG", "SCALE"])
def test_missing_keywords_are_named(keyword):
    header = exposure(PARANG=12.0)
    del header[keyword]
    with pytest.raises(DataError, match=f"no {keyword}"):
        assign(header, Header(), SHAPE)


def test_what_the_header_lacks_can_be_given():
    result = pointing({"RA": 1.0, "DEC": 2.0}, angle=3.0, scale=0.01)
    assert (result.angle, result.scale) == (3.0, 0.01)


def test_cards_have_comments_in_the_images_header():
    assert assign(exposure(), Header(), SHAPE).comments["CRPIX1"] == "[pixel] reference pixel, from 1"


def test_a_distortion_replaces_the_one_before():
    once = with_distortion(good(), Distortion({(3, 0): 1e-9}))
    twice = with_distortion(once, Distortion(b={(0, 2): 1e-7}))
    assert "A_3_0" not in twice
    assert twice["CTYPE1"] == "RA---TAN-SIP"
    with pytest.raises(ParameterError, match="9, 9"):
        with_distortion(good(), Distortion({(9, 9): 1.0}))


def test_a_header_without_coordinates_is_not_shifted():
    assert len(shifted(Header(), 3, 4)) == 0
