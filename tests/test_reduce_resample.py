"""The step that makes a mosaic: its grid, its header, where its parameters come from."""

import numpy as np
import pytest
from reduce_files import frame, header, write

from reduce.dq import DQ, flagged
from reduce.errors import DataError
from reduce.frame import by_rows
from reduce.kernels.mosaic import correlation_factor
from reduce.library import Library
from reduce.pipeline import Task, combine
from reduce.provenance import Provenance
from reduce.references import NoReferences, Overrides
from reduce.steps import STEPS

SHAPE = (30, 40)
STEP = STEPS["resample"]
SCALE = 0.004 / 3600


def exposure(dx=0.0, dy=0.0, seed=1, **cards):
    """A piece of even sky, seen with an offset in pixels."""
    sky = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 10.0, "CRVAL2": 20.0, "CUNIT1": "deg"}
    sky |= {"CUNIT2": "deg", "CRPIX1": 20.5 + dx, "CRPIX2": 15.5 + dy, "CD1_1": -SCALE, "CD2_2": SCALE}
    sky |= {"CD1_2": 0.0, "CD2_1": 0.0, "SKYLEVEL": 3.0, "BUNIT": "electron / s"}
    rng = np.random.default_rng(seed)
    return by_rows(
        frame(
            SHAPE,
            sci=rng.normal(5, 2, SHAPE).astype(np.float32),
            variances={"POISSON": np.full(SHAPE, 3, np.float32), "RNOISE": np.ones(SHAPE, np.float32)},
            dq=np.zeros(SHAPE, np.uint32),
            header=header(**{"SUBSTRT1": 7, "SUBSTRT2": 5, "SUBARRID": 0, "SUBSIZE1": 40, **cards}),
            sci_header=header(sky),
            planes={},
            provenance=Provenance(),
        ),
        f"{seed}.fits",
    )


def dithered(count=5, **cards):
    rng = np.random.default_rng(9)
    return [exposure(*rng.uniform(-3, 3, 2), seed=seed, **cards) for seed in range(count)]


def mosaic(frames, library=None, **parameters):
    return combine(frames, Task(STEP, STEP.parameters(**parameters)), library or Library(NoReferences()))


def drizpars(path, rows, columns=("NUMIMAGES", "PIXFRAC", "KERNEL", "SCALE")):
    kinds = {"NUMIMAGES": "i4", "PIXFRAC": "f8", "KERNEL": "S10", "SCALE": "f8"}
    given = [tuple(dict(zip(kinds, row, strict=True))[name] for name in columns) for row in rows]
    write(path, ("DRIZPARS", np.array(given, dtype=[(name, kinds[name]) for name in columns])))
    return Library(Overrides({"drizpars": path}, NoReferences()))


def test_a_mosaic_has_coordinates_and_noise_of_its_own():
    result = mosaic(dithered())

    good = ~flagged(result.dq)
    assert result.sci.shape > SHAPE
    assert np.mean(result.sci[good]) == pytest.approx(5, abs=0.1)
    deep = result.planes["NFRAMES"] == 5
    spread = np.std(result.sci[deep]) / np.sqrt(np.mean(result.variances["OTHER"][deep]))
    assert spread == pytest.approx(1, abs=0.1)
    assert result.wcs is not None
    assert result.wcs.pixel_to_world_values(0, 0) is not None
    for keyword in ("SKYLEVEL", "CD1_1", "CD2_2"):
        assert keyword not in result.sci_header
    for keyword in ("SUBARRAY", "SUBARRID", "SUBSTRT1", "SUBSTRT2", "SUBSIZE1"):
        assert keyword not in result.header
    assert result.header["INSTRUME"] == "IRIS"
    assert result.sci_header["BUNIT"] == "electron / s"


def test_noise_of_a_large_area_is_that_of_this_mosaic():
    """Whole pixels apart, frames are not correlated more than one, for which the general formula is wrong."""
    whole = mosaic([exposure(), exposure(2, 1, seed=2), exposure(-1, 3, seed=3)])
    one = mosaic([exposure()])
    many = mosaic(dithered(20))

    assert one.sci_header["CORRNOIS"] == pytest.approx(1, abs=0.01)
    assert whole.sci_header["CORRNOIS"] == pytest.approx(1, abs=0.01)
    assert many.sci_header["CORRNOIS"] == pytest.approx(correlation_factor(1, 1), rel=0.08)


def test_frames_weigh_by_their_exposure_time():
    frames = [exposure(EXPTIME=10.0), exposure(seed=2, EXPTIME=30.0)]

    result = mosaic(frames)

    expected = (frames[0].sci + 3 * frames[1].sci) / 4
    inside = slice(5, -5), slice(5, -5)
    found = result.sci[flagged(result.dq) == 0].reshape(SHAPE)
    np.testing.assert_allclose(found[inside], expected[inside], rtol=1e-4)


def test_parameters_of_the_reference_are_those_for_so_many_frames(tmp_path):
    rows = [(1, 1.0, "square", 0.0), (4, 0.8, "turbo", 5.0), (9, 0.5, "point", 0.0)]
    library = drizpars(tmp_path / "d.fits", rows)

    result = mosaic(dithered(5), library)

    assert result.sci_header["PIXFRAC"] == 0.8
    assert abs(result.sci_header["CDELT2"]) == pytest.approx(0.005 / 3600, rel=1e-6)
    assert mosaic(dithered(2), library).sci_header["PIXFRAC"] == 1.0
    assert mosaic(dithered(5), library, pixfrac=0.9).sci_header["PIXFRAC"] == 0.9
    few = drizpars(tmp_path / "few.fits", rows[2:], ("NUMIMAGES", "PIXFRAC", "KERNEL"))
    assert mosaic(dithered(5), few).sci_header["PIXFRAC"] == 0.5


def test_references_that_tell_nothing_that_can_be_done(tmp_path):
    lanczos = drizpars(tmp_path / "l.fits", [(1, 1.0, "lanczos3", 0.0)])
    with pytest.raises(DataError, match="the kernel 'lanczos3' does not conserve flux"):
        mosaic(dithered(2), lanczos)
    short = drizpars(tmp_path / "s.fits", [(1, 1.0, "square", 0.0)], ("NUMIMAGES", "PIXFRAC"))
    with pytest.raises(DataError, match="has no table DRIZPARS with NUMIMAGES, PIXFRAC and KERNEL"):
        mosaic(dithered(2), short)


def test_outliers_are_left_out_if_that_is_asked_for():
    frames = dithered(5)
    frames[2].sci[15, 20] = 500

    spoilt, clean = mosaic(frames), mosaic(frames, outliers=5.0)

    assert spoilt.sci.max() > 50
    assert clean.sci.max() < 20


def test_frames_without_coordinates_are_named():
    blank = exposure(seed=4)
    for keyword in ("CTYPE1", "CTYPE2"):
        blank.sci_header.remove(keyword)

    with pytest.raises(DataError, match=r"4\.fits has no celestial coordinates") as caught:
        mosaic([exposure(), blank])
    assert "assign_wcs" in caught.value.hint


def test_bits_of_what_took_part_are_kept():
    frames = [exposure(), exposure(seed=2)]
    frames[0].dq[10, 10], frames[1].dq[10, 10] = DQ.DO_NOT_USE | DQ.HOT, DQ.WARM

    result = mosaic(frames)

    assert int(np.bitwise_or.reduce(result.dq[~flagged(result.dq)])) == DQ.WARM
