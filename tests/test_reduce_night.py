"""The demonstration night holds together."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from reduce.errors import OutputError
from reduce.keywords import date, find
from reduce.naming import ScienceName, parse_name
from reduce.night import (
    FWHM,
    SCALE,
    SKY,
    ZERO_POINT,
    Night,
    Shot,
    detector_of,
    exposures,
    fields_of,
    image_of,
    plan,
    write_night,
)
from reduce.pointing import pointing
from reduce.scene import tangent_wcs
from reduce.schemas import validate


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    return write_night(tmp_path_factory.mktemp("raw"), size=48, seed=4)


def test_every_exposure_of_the_plan_is_there(night: Night) -> None:
    assert len(night.exposures) == len(plan())
    assert len(set(night.exposures)) == len(plan())
    for path, shot in zip(night.exposures, plan(), strict=True):
        header = fits.getheader(path)
        assert path.name == header["FILENAME"]
        name = parse_name(path.name)
        assert isinstance(name, ScienceName)
        assert (name.semester, name.program, name.observation) == ("2025A", "P301", header["OBSNUM"])
        assert (name.kind, name.level, name.exposure) == (shot.kind, 0, header["EXPNUM"])
        assert (name.pointing.target if name.pointing else shot.target) == header["OBJECT"]
        assert not validate(dict(header), "RampModel")


def test_files_are_sound(night: Night) -> None:
    for path in night.exposures[::9]:
        with fits.open(path, checksum=True) as hdus:
            hdus.verify("exception")
            reads, header = hdus["SCI"].data, hdus[0].header
            assert reads.dtype == np.uint16
            assert reads.shape == (48, 48, 1, header["NREADS"])[: reads.ndim]
            assert hdus["TIMES"].data[0, -1] == header["EXPTIME"]


def test_exposures_follow_each_other(night: Night) -> None:
    headers = [dict(fits.getheader(path)) for path in night.exposures]
    starts = [date(header) for header in headers]
    ends = [
        start + timedelta(seconds=header["EXPTIME"]) for start, header in zip(starts, headers, strict=True)
    ]
    assert all(end < start for end, start in zip(ends[:-1], starts[1:], strict=True))
    for header, start in zip(headers, starts, strict=True):
        days = date({"EXPJDST": header["EXPJDST"]})
        assert abs(days - start) < timedelta(seconds=1)


def test_kinds_of_exposures(night: Night) -> None:
    headers = [dict(fits.getheader(path)) for path in night.exposures]
    names = {(find(h, "IMTYPE"), find(h, "OBSTYPE"), find(h, "OBSNAME")) for h in headers}
    assert names == {
        ("BIAS", "CAL", None),
        ("DARK", "CAL", "IMG1-DRK"),
        ("FLAT", "CAL", "IMG1-NFF"),
        ("SCI", "SCI", "IMG1-SCI"),
        ("SKY", "SCI", "IMG1-SKY"),
    }


def test_the_same_night_again(night: Night, tmp_path: Path) -> None:
    detector, fields = detector_of(48, 4), fields_of(48, 4)
    last = list(exposures(detector, fields, plan()[:3], seed=4))[-1]
    with fits.open(night.exposures[2]) as hdus:
        assert np.array_equal(hdus["SCI"].data, last.ramp.reads)
    other = next(exposures(detector, fields, plan()[:1], seed=5))
    assert not np.array_equal(fits.getdata(night.exposures[0], "SCI"), other.ramp.reads)


def test_nothing_is_replaced_unasked(night: Night) -> None:
    before = night.exposures[0].stat().st_mtime_ns
    with pytest.raises(OutputError):
        write_night(night.exposures[0].parent, size=48)
    assert night.exposures[0].stat().st_mtime_ns == before


def test_catalogues_tell_the_truth(night: Night) -> None:
    for path, field in zip(night.catalogues, night.fields, strict=True):
        table = Table.read(path, format="ascii.ecsv")
        assert len(table) == len(field.rates)
        assert table.meta["zero_point"] == ZERO_POINT
        assert str(table["rate"].unit) == "electron / s"
        assert np.allclose(table["rate"], 10 ** (-0.4 * (table["magnitude"] - ZERO_POINT)))
        wcs = tangent_wcs((48, 48), field.centre, SCALE)
        x, y = wcs.all_world2pix(table["ra"], table["dec"], 0)
        assert np.allclose(x, table["x"], atol=1e-5)
        assert np.allclose(y, table["y"], atol=1e-5)


def test_stars_are_where_the_header_says() -> None:
    field = next(field for field in fields_of(128, 1) if field.name == "M92")
    shot = Shot("SCI", "M92", 1, 2, 10.0, SKY, (0.0402, 0.0183))
    taken = next(exposures(detector_of(128, 1), (field,), (shot,), seed=1))
    where = pointing(dict(taken.ramp.header))
    wcs = tangent_wcs((128, 128), (where.ra, where.dec), where.scale, angle=where.angle)
    image = image_of(field, shot, (128, 128)) - SKY
    rows, columns = np.mgrid[:128, :128]
    for (x, y), rate in zip(wcs.all_world2pix(field.sky, 0), field.rates, strict=True):
        if min(x, y) > 12 and max(x, y) < 116:
            near = np.hypot(columns - x, rows - y) < 2.3 * FWHM
            assert image[near].sum() == pytest.approx(rate, rel=1e-3)
            assert (image * columns)[near].sum() / image[near].sum() == pytest.approx(x, abs=0.02)
            assert (image * rows)[near].sum() / image[near].sum() == pytest.approx(y, abs=0.02)


def test_light_of_the_field_reaches_the_detector() -> None:
    detector = replace(detector_of(96, 1), row_drift=0.0, channel_drift=0.0)
    fields = fields_of(96, 1)
    shot = Shot("SCI", "SF1", 1, 5, 5.0, SKY)
    taken = next(exposures(detector, fields, (shot,), seed=1))
    truth = taken.exposure.truth.rate
    assert np.allclose(truth, image_of(fields[0], shot, (96, 96)) * detector.flat + detector.dark)
    assert not taken.exposure.truth.saturated[~detector.hot].any()


def test_science_and_standards_do_not_saturate_but_ramps_do() -> None:
    detector, fields = detector_of(64, 1), fields_of(64, 1)
    for taken in exposures(detector, fields, plan(), seed=1):
        share = taken.exposure.truth.saturated[detector.light][..., -1].mean()
        if taken.shot.target == "RAMPS":
            assert share > 0.9
        else:
            assert share < 0.002, taken.name


def test_a_large_detector_has_more_than_500_stars() -> None:
    field = fields_of(512, 1)[1]
    inside = ((field.pixels > 12) & (field.pixels < 499)).all(axis=1)
    assert inside.sum() >= 500
    distances = np.hypot(*(field.pixels[:, None] - field.pixels[None]).transpose(2, 0, 1))
    distances[np.diag_indices(len(field.pixels))] = np.inf
    assert distances.min() > 5 * FWHM - 1e-3
