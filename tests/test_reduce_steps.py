"""What steps do with parameters, headers and references, beyond their kernels."""

import numpy as np
import pytest
from astropy.io import fits
from reduce_files import frame, header, ramp, write

from reduce.dq import DQ, flagged
from reduce.errors import DataError
from reduce.frame import by_rows
from reduce.library import Library
from reduce.pipeline import Task, combine, run
from reduce.provenance import Provenance, StepRecord
from reduce.references import NoReferences, Overrides
from reduce.steps import STEPS

SHAPE = (6, 5, 1, 5)
READS = np.cumsum(np.full(SHAPE, 20.0, np.float32), axis=3)
NONE = Library(NoReferences())


def tasks(*names, **parameters):
    *before, last = names
    return [
        *(Task(STEPS[name], STEPS[name].parameters()) for name in before),
        Task(STEPS[last], STEPS[last].parameters(**parameters)),
    ]


def reads(unit="DN", **cards):
    return ramp(
        SHAPE,
        reads=READS,
        groupdq=None,
        pixeldq=np.zeros(SHAPE[:2], np.uint32),
        header=header(**cards),
        sci_header=header({"BUNIT": unit}),
    )


def references(folder, **arrays):
    paths = {}
    for reftype, (name, array) in arrays.items():
        paths[reftype] = write(folder / f"{reftype}.fits", (name, np.asarray(array, np.float32)))
    return Library(Overrides(paths, NoReferences()))


# -- reads -------------------------------------------------------------------------------------------


def test_read_noise_grows_with_the_correction_of_the_counts(tmp_path):
    """linear = 3 raw has three times the noise of raw, whatever the count."""
    coefficients = np.zeros((*SHAPE[:2], 2))
    coefficients[..., 1] = 3
    library = references(tmp_path, nonlincoeff=("COEFFS", coefficients))
    plain = run(reads(), tasks("gain_scale", "ramp_fit", read_noise=5), NONE)

    steep = run(reads(), tasks("nonlin_corr", "gain_scale", "ramp_fit", read_noise=5), library)

    np.testing.assert_allclose(steep.sci, 3 * plain.sci, rtol=1e-5)
    assert (steep.variances["RNOISE"] > 4 * plain.variances["RNOISE"]).all()


def test_gain_and_read_noise_come_from_parameters_then_the_header():
    given, said, neither = (
        run(reads(**cards), tasks("gain_scale", **parameters), NONE).reads[0, 0, 0, 0]
        for cards, parameters in (({"GAIN": 2.0}, {"gain": 3.0}), ({"GAIN": 2.0}, {}), ({}, {}))
    )
    assert (given, said, neither) == (60, 40, 20)
    fits_of = (
        run(reads("electron", **cards), tasks("ramp_fit", method="cds", **parameters), NONE)
        for cards, parameters in (({"READNOIS": 4.0}, {"read_noise": 2.0}), ({"READNOIS": 4.0}, {}), ({}, {}))
    )
    noises = [one.variances["RNOISE"] for one in fits_of]
    np.testing.assert_allclose(noises[1] / noises[0], 4, rtol=1e-5)
    np.testing.assert_allclose(noises[2] / noises[1], (9 / 4) ** 2, rtol=1e-5)


def test_reads_in_counts_are_not_fitted():
    with pytest.raises(DataError, match="ramp_fit takes reads in electrons, and these are in DN") as caught:
        run(reads(), tasks("ramp_fit"), NONE)
    assert caught.value.hint == "run gain_scale before it"


@pytest.mark.parametrize(("cards", "channels"), [({}, 2), ({"NOUTPUTS": 4}, 4)])
def test_channels_are_those_of_the_header_or_of_64_columns(cards, channels):
    """Each channel drifts by itself; what is left is what channels share that are taken as one."""
    flags = np.full((16, 128), DQ.REFERENCE_PIXEL, np.uint32)
    flags[4:-4, 4:-4] = 0
    drift = np.repeat(np.array([0, 40, 10, 80], np.float32), 32)
    values = np.zeros((16, 128, 1, 3), np.float32) + 1000
    values[..., 1:] += drift[:, None, None]
    data = ramp(
        values.shape, reads=values, groupdq=None, pixeldq=flags, header=header(**cards),
        sci_header=header({"BUNIT": "DN"}),
    )  # fmt: skip

    result = run(data, tasks("refpix", sides=False), NONE)

    spread = np.ptp(result.reads[8, 4:-4, 0, 2])
    assert (spread < 1) == (channels == 4)


# -- frames ------------------------------------------------------------------------------------------


def looked(find_jumps="true", status="COMPLETE"):
    return Provenance(steps=(StepRecord("ramp_fit", "S_RAMPFI", status, {"find_jumps": find_jumps}),))


@pytest.mark.parametrize(
    ("provenance", "reads_in_a_group", "status"),
    [
        (looked(), 10, "SKIPPED"), (looked(), 3, "COMPLETE"), (looked("false"), 10, "COMPLETE"),
        (looked(status="SKIPPED"), 10, "COMPLETE"), (Provenance(), 10, "COMPLETE"),
    ],
)  # fmt: skip
def test_cosmic_rays_are_looked_for_where_jumps_could_not_be_found(provenance, reads_in_a_group, status):
    rng = np.random.default_rng(2)
    sci = rng.normal(10, 1, (40, 40)).astype(np.float32)
    sci[20, 21] = 400
    data = frame((40, 40), sci=sci, dq=np.zeros((40, 40), np.uint32), provenance=provenance,
                 header=header(NREADS=reads_in_a_group))  # fmt: skip

    result = run(data, tasks("cosmic_rays"), NONE)

    assert result.provenance.steps[-1].status == status
    assert flagged(result.dq)[20, 21] == (status == "COMPLETE")
    always = run(data, tasks("cosmic_rays", always=True), NONE)
    assert flagged(always.dq)[20, 21]


def test_the_error_of_the_zero_point_is_in_the_header(tmp_path):
    fits.PrimaryHDU(header=header(PHOTZP=26.5, PHOTZPER=0.02)).writeto(tmp_path / "p.fits")
    library = Library(Overrides({"photom": tmp_path / "p.fits"}, NoReferences()))
    data = frame(provenance=Provenance())

    measured = run(data, tasks("flux_cal"), library)
    own = run(data, tasks("flux_cal", zero_point=25.0, zero_point_error=0.1), library)

    assert (measured.sci_header["PHOTZP"], measured.sci_header["PHOTZPER"]) == (26.5, 0.02)
    assert (own.sci_header["PHOTZP"], own.sci_header["PHOTZPER"]) == (25.0, 0.1)
    np.testing.assert_allclose(measured.sci / data.sci, own.sci / data.sci * 10**-0.6, rtol=1e-5)
    assert run(data, tasks("flux_cal"), NONE).provenance.steps[0].status == "SKIPPED"


def test_the_error_of_the_sky_is_added(tmp_path):
    shape = (48, 48)
    rng = np.random.default_rng(4)
    model = np.ones(shape, np.float32)
    error = np.full(shape, 0.2, np.float32)
    sure = write(tmp_path / "sure.fits", ("SCI", model))
    unsure = write(tmp_path / "unsure.fits", ("SCI", model), ("ERR", error))
    data = frame(shape, sci=rng.normal(50, 1, shape).astype(np.float32), dq=np.zeros(shape, np.uint32),
                 variances={"POISSON": np.ones(shape, np.float32)},
                 planes={}, provenance=Provenance())  # fmt: skip

    without, added = (
        run(data, tasks("subtract_bkg"), Library(Overrides({"sky": path}, NoReferences())))
        for path in (sure, unsure)
    )

    assert without.sci_header["SKYLEVEL"] == pytest.approx(50, abs=0.3)
    assert abs(np.median(without.sci)) < 0.2
    np.testing.assert_allclose(added.variances["SKY"] - without.variances["SKY"], (0.2 * 50) ** 2, rtol=0.02)


def test_coordinates_by_parameters():
    data = frame(
        (20, 20),
        header=header(RA=10.0, DEC=20.0, SCALE=0.004, PA=0.0),
        sci_header=header({}),
        provenance=Provenance(),
    )

    plain = run(data, tasks("assign_wcs", scale=0.01, angle=0.0), NONE).wcs
    turned = run(data, tasks("assign_wcs", scale=0.02, angle=90.0), NONE).wcs

    assert plain is not None
    assert turned is not None
    ratio = turned.proj_plane_pixel_area() / plain.proj_plane_pixel_area()
    assert float(ratio) == pytest.approx(4, rel=1e-6)
    first, second = (
        np.subtract(wcs.pixel_to_world_values(9.5, 10.5), wcs.pixel_to_world_values(9.5, 9.5))
        for wcs in (plain, turned)
    )
    assert abs(first[0]) < 1e-9 < abs(first[1])
    assert abs(second[1]) < 1e-9 < abs(second[0])


# -- several frames ----------------------------------------------------------------------------------


def test_frames_in_different_units_are_not_combined():
    other = frame(sci_header=header({"BUNIT": "DN / s"}))

    with pytest.raises(DataError, match="frames in 'electron / s' and 'DN / s' can't be combined"):
        combine([by_rows(frame()), by_rows(other)], tasks("combine_frames")[0], NONE)


def test_subarrays_are_merged_into_one_full_frame():
    whole = by_rows(frame(header=header(SUBARRID=0)))

    with pytest.raises(DataError, match="one full frame, SUBARRID 0; there are 2"):
        combine([whole, whole], tasks("merge_subarrays")[0], NONE)
    with pytest.raises(DataError, match="has no SUBARR_MAP"):
        combine([whole], tasks("merge_subarrays")[0], NONE)
    named = by_rows(frame(header=header(SUBARRID="two")))
    with pytest.raises(DataError, match="SUBARRID is 'two'"):
        combine([whole, named], tasks("merge_subarrays")[0], NONE)
