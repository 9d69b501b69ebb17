import gzip
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from astropy.io import fits
from reduce_files import CARDS, WCS_CARDS, frame, header, ramp, write

from reduce.dq import DQ, translated
from reduce.errors import DataError, ReduceError
from reduce.files.contents import contents
from reduce.files.reader import (
    open_any,
    read_frame,
    read_header,
    read_provenance,
    read_ramp,
)
from reduce.files.rows import open_rows
from reduce.files.tables import definitions
from reduce.files.writer import write_ramp
from reduce.frame import Frame, Ramp
from reduce.keywords import standard
from reduce.provenance import Provenance

SHAPE = (6, 5)


def image(seed=0, shape=SHAPE):
    return np.random.default_rng(seed).normal(5, 1, shape).astype(np.float32)


def test_every_exposure_of_the_demonstration_is_read(repo_root):
    paths = sorted((repo_root / "exposures").glob("*.fits"))
    kinds = {type(open_any(path)) for path in paths}

    assert len(paths) >= 7
    assert kinds == {Frame, Ramp}
    for path in paths:
        data = open_any(path)
        assert isinstance(data, Ramp) == ("_LVL0_" in path.name)
        assert standard(data.header)["INSTRUME"] in ("IRIS", "Liger")


def test_every_reference_of_the_demonstration_is_read(repo_root):
    paths = sorted((repo_root / "references").rglob("*.fits"))

    assert len(paths) >= 40
    for path in paths:
        kind = read_header(path)["REFTYPE"]
        if kind in ("DARK", "FLAT"):
            loaded = read_frame(path)
            assert list(loaded.variances) == ["OTHER"]
        elif kind == "NONLINCOEFF":
            assert len(contents(path).image("COEFFS").shape) == 3
        elif kind == "DQ":
            assert contents(path).image("DQ").dtype == np.uint32
        else:
            assert "PIXFRAC" in contents(path).table("DRIZPARS").dtype.names


def refusal(reader, path):
    try:
        reader(path)
    except ReduceError as problem:
        return problem.message
    return ""


def test_fits_files_of_other_telescopes_are_read_or_refused(corpus):
    paths = [*(corpus / "files").rglob("*.fits"), *(corpus / "odd").rglob("*.fits")]
    messages = {path: refusal(reader, path) for path in paths for reader in (open_any, read_header)}

    assert any(messages.values())
    assert not all(messages.values())
    assert [path for path, message in messages.items() if message and str(path) not in message] == []


@pytest.mark.parametrize("name", ["SCI", "DATA", "PRIMARY"])
def test_the_image_has_one_of_several_names(tmp_path, name):
    path = write(tmp_path / "f.fits", (name, image()))

    assert np.array_equal(read_frame(path).sci, image())


def test_an_error_alone_becomes_a_variance_of_other_origin(tmp_path):
    path = write(tmp_path / "f.fits", ("DATA", image()), ("ERR", np.full(SHAPE, 3, np.float32)))

    loaded = read_frame(path)

    assert list(loaded.variances) == ["OTHER"]
    assert np.array_equal(loaded.variances["OTHER"], np.full(SHAPE, 9))
    assert np.array_equal(loaded.err, np.full(SHAPE, 3))


def test_parts_of_the_variance_come_before_the_error(tmp_path):
    parts = [(f"VAR_{name}", image(2) ** 2) for name in ("POISSON", "RNOISE")]
    path = write(tmp_path / "f.fits", ("SCI", image()), ("ERR", image(1)), *parts)

    assert list(read_frame(path).variances) == ["POISSON", "RNOISE"]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int16, np.int32])
def test_quality_bits_of_any_width_are_read(tmp_path, dtype):
    flags = np.zeros(SHAPE, dtype=dtype)
    flags[1, 2] = 5
    path = write(tmp_path / "f.fits", ("SCI", image()), ("DQ", flags))

    loaded = read_frame(path)

    assert loaded.dq.dtype == np.uint32
    assert loaded.dq[1, 2] == 5
    assert loaded.dq.sum() == 5


def test_quality_bits_are_translated_by_their_names(tmp_path):
    flags = np.zeros(SHAPE, dtype=np.uint16)
    flags[0, :4] = [1, 2, 4, 64]
    names = np.array(
        [(0, 1, "HOT"), (1, 2, "DO_NOT_USE"), (2, 4, "TBD")],
        dtype=[("BIT", "i4"), ("VALUE", "i4"), ("NAME", "S16")],
    )
    path = write(tmp_path / "f.fits", ("SCI", image()), ("DQ", flags), ("DQ_DEF", names))

    dq = read_frame(path).dq

    assert list(dq[0, :4]) == [DQ.HOT, DQ.DO_NOT_USE, DQ.OTHER_BAD_PIXEL, DQ.AD_FLOOR]
    assert definitions(contents(path)) == {"HOT": 1, "DO_NOT_USE": 2, "TBD": 4}


def test_values_that_are_no_numbers_must_not_be_used(tmp_path):
    sci, error = image(), np.ones(SHAPE, np.float32)
    sci[0, 0], sci[0, 1] = np.nan, np.inf
    error[1, 0], error[1, 1] = np.nan, -1
    path = write(tmp_path / "f.fits", ("SCI", sci), ("ERR", error))

    expected = np.zeros(SHAPE, dtype=np.uint32)
    expected[:2, :2] = DQ.DO_NOT_USE
    assert np.array_equal(read_frame(path).dq, expected)


def test_a_frame_of_nothing_but_nan_is_read_and_wholly_bad(tmp_path):
    path = write(tmp_path / "f.fits", ("SCI", np.full(SHAPE, np.nan, np.float32)))

    assert (read_frame(path).dq == DQ.DO_NOT_USE).all()


def test_other_images_of_the_size_of_the_frame_are_planes(tmp_path):
    regions = np.ones(SHAPE, dtype=np.uint16)
    path = write(tmp_path / "f.fits", ("SCI", image()), ("SUBARR_MAP", regions), ("AREA", np.ones((2, 2))))

    planes = read_frame(path).planes

    assert list(planes) == ["SUBARR_MAP"]
    assert planes["SUBARR_MAP"].dtype == np.uint16


def test_headers_keep_what_is_said_and_not_how_it_is_stored(tmp_path):
    path = write(tmp_path / "f.fits", ("SCI", image()), cards={**CARDS, "HISTORY": "observed"})

    loaded = read_frame(path)

    assert loaded.header["OBJECT"] == "M92"
    assert "observed" in loaded.header["HISTORY"]
    assert {"SIMPLE", "BITPIX", "NAXIS", "EXTEND"}.isdisjoint(loaded.header)
    assert {"XTENSION", "NAXIS1", "EXTNAME", "PCOUNT"}.isdisjoint(loaded.sci_header)


def test_integers_become_real_numbers(tmp_path):
    path = write(tmp_path / "f.fits", ("SCI", np.arange(30, dtype=np.uint16).reshape(SHAPE)))

    loaded = read_frame(path)

    assert loaded.sci.dtype == np.float32
    assert loaded.sci[5, 4] == 29


def test_scaled_integers_are_scaled(tmp_path):
    hdu = fits.ImageHDU(np.arange(30, dtype=np.int16).reshape(SHAPE), name="SCI")
    hdu.header["BSCALE"], hdu.header["BZERO"] = 0.5, 100.0
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / "f.fits")

    with fits.open(tmp_path / "f.fits") as hdus:
        expected = hdus["SCI"].data

    assert np.array_equal(read_frame(tmp_path / "f.fits").sci, expected)


def test_compressed_files_are_read(tmp_path):
    path = write(tmp_path / "f.fits", ("SCI", image()), ("DQ", np.ones(SHAPE, np.uint16)))
    packed = tmp_path / "f.fits.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    tiled = tmp_path / "t.fits"
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.CompImageHDU(
                image(shape=(64, 64)), name="SCI", quantize_level=0.0, compression_type="GZIP_1"
            ),
        ]
    ).writeto(tiled)

    assert np.array_equal(read_frame(packed).sci, image())
    assert (read_frame(packed).dq == 1).all()
    assert np.array_equal(read_frame(tiled).sci, image(shape=(64, 64)))


def test_damaged_cards_become_comments(tmp_path):
    path = write(tmp_path / "f.fits", ("SCI", image()))
    data = path.read_bytes().replace(b"OBJECT  = 'M92     '", b"OBJECT  = 'M92      ")
    path.write_bytes(data)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = read_frame(path)

    assert loaded.header["FILTER"] == "K"
    assert "OBJECT" not in loaded.header or loaded.header["OBJECT"] is not None


def ramp_file(path, reads, times=None, **extensions):
    hdus = [("TIMES", times)] if times is not None else []
    return write(path, *hdus, ("DATA", reads), *extensions.items())


def test_a_ramp_of_the_newer_layout_is_read(tmp_path):
    expected = ramp()
    both = expected.groupdq.astype(np.uint16) | expected.pixeldq.astype(np.uint16)[:, :, None, None]
    path = ramp_file(tmp_path / "r.fits", expected.reads, expected.times, DQ=both)

    loaded = read_ramp(path)

    assert np.array_equal(loaded.reads[:], expected.reads)
    assert loaded.reads.dtype == np.uint16
    assert np.array_equal(loaded.times, expected.times)
    assert np.array_equal(loaded.groupdq[:], expected.groupdq)
    assert np.array_equal(loaded.pixeldq, expected.pixeldq)


@pytest.mark.parametrize("axes", [3, 4])
def test_a_ramp_of_the_oldest_layout_is_read(tmp_path, axes):
    expected = ramp((6, 5, 1, 4) if axes == 3 else (6, 5, 2, 4))
    reads = np.moveaxis(expected.reads, (2, 3), (0, 1))
    flags = np.moveaxis(expected.groupdq, (2, 3), (0, 1))
    if axes == 3:
        reads, flags = reads[0], flags[0]
    cards = {**CARDS, "TGROUP": 1.5}
    path = write(
        tmp_path / "r.fits", ("SCI", reads), ("GROUPDQ", flags), ("PIXELDQ", expected.pixeldq), cards=cards
    )

    loaded = read_ramp(path)

    assert loaded.reads.shape == expected.reads.shape
    assert np.array_equal(loaded.reads[:], expected.reads)
    assert np.array_equal(loaded.reads[2:5], expected.reads[2:5])
    assert np.array_equal(loaded.groupdq[:], expected.groupdq)
    assert np.array_equal(loaded.pixeldq, expected.pixeldq)
    assert np.array_equal(loaded.times, expected.times)


def test_microseconds_of_telemetry_are_seconds(tmp_path):
    reads = np.moveaxis(ramp().reads, (2, 3), (0, 1))
    path = write(tmp_path / "r.fits", ("SCI", reads), cards={**CARDS, "FRM_TIME": 720000})

    assert read_ramp(path).times[0, 1] == pytest.approx(1.44)


def test_reads_without_flags_have_none(tmp_path):
    expected = ramp()
    path = ramp_file(
        tmp_path / "r.fits", expected.reads, expected.times, DQ=np.zeros(expected.reads.shape, np.uint16)
    )

    loaded = read_ramp(path)

    assert loaded.groupdq is None
    assert not loaded.pixeldq.any()


def test_flags_of_reads_are_translated_by_their_names(tmp_path):
    expected = ramp()
    flags = np.zeros(expected.reads.shape, np.uint16)
    flags[1, 1, 0, 2] = 1
    flags[2, 2, 0, 3] = 2
    names = np.array([(1, "JUMP_DET"), (2, "HOT")], dtype=[("VALUE", "i4"), ("NAME", "S16")])
    path = ramp_file(tmp_path / "r.fits", expected.reads, expected.times, DQ=flags, DQ_DEF=names)

    loaded = read_ramp(path)

    assert loaded.groupdq[:][1, 1, 0, 2] == DQ.JUMP_DET
    assert np.count_nonzero(loaded.groupdq[:]) == 1
    assert loaded.pixeldq[2, 2] == DQ.HOT


def test_one_read_is_a_ramp(tmp_path):
    reads = np.zeros((6, 5, 1, 1), np.uint16)

    assert read_ramp(ramp_file(tmp_path / "r.fits", reads, np.array([[1.5]]))).reads.shape == (6, 5, 1, 1)


@pytest.mark.parametrize(
    "key",
    [
        slice(None),
        slice(0, 1),
        slice(3, 5),
        slice(4, 99),
        slice(5, 2),
        slice(None, None, 2),
        slice(None, None, -1),
    ],
)
def test_slices_are_those_of_an_array(tmp_path, key):
    data = np.arange(6 * 5, dtype=np.float32).reshape(SHAPE)
    expected = ramp((6, 5, 2, 4))
    plain = contents(write(tmp_path / "f.fits", ("SCI", data))).image("SCI")
    write_ramp(expected, tmp_path / "r.fits")
    old = write(
        tmp_path / "o.fits",
        ("SCI", np.moveaxis(expected.reads, (2, 3), (0, 1))),
        cards={**CARDS, "TGROUP": 1.5},
    )

    assert np.array_equal(plain[key], data[key])
    assert plain[key].flags.writeable
    assert np.array_equal(read_ramp(tmp_path / "r.fits").reads[key], expected.reads[key])
    assert np.array_equal(read_ramp(old).reads[key], expected.reads[key])


def test_threads_may_read_together(tmp_path):
    data = np.random.default_rng(4).normal(size=(200, 50))
    rows = contents(write(tmp_path / "f.fits", ("SCI", data))).image("SCI")

    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(lambda first: rows[first : first + 5], range(0, 200, 5)))

    assert np.array_equal(np.concatenate(parts), data)


def test_an_image_that_is_not_there_is_none(tmp_path):
    assert contents(write(tmp_path / "f.fits", ("SCI", image()))).image("DQ") is None


def test_a_file_without_history_has_none(tmp_path):
    assert read_provenance(write(tmp_path / "f.fits", ("SCI", image()))) == Provenance()


def test_coordinates_are_in_the_header_of_the_image(tmp_path):
    hdu = fits.ImageHDU(image(), header=header(WCS_CARDS, BUNIT="DN/s"), name="SCI")
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / "f.fits")

    loaded = read_frame(tmp_path / "f.fits")

    assert loaded.unit == "DN/s"
    assert loaded.sci_header["CTYPE1"] == "RA---TAN"


def test_frame_and_ramp_are_told_apart(tmp_path):
    write_ramp(ramp(), tmp_path / "r.fits")

    assert isinstance(open_any(tmp_path / "r.fits"), Ramp)
    assert isinstance(open_any(write(tmp_path / "f.fits", ("SCI", frame().sci))), Frame)


@pytest.mark.parametrize("packed", [False, True])
def test_blank_pixels_are_bad(tmp_path, packed):
    stored = np.arange(30, dtype=np.int16).reshape(SHAPE)
    hdu = fits.ImageHDU(stored, name="SCI")
    hdu.header["BLANK"] = 7
    path = tmp_path / ("blank.fits.gz" if packed else "blank.fits")
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
    found = read_frame(path)

    assert (found.dq != 0).sum() == 1
    assert found.dq[1, 2] == DQ.DO_NOT_USE
    assert np.isnan(found.sci[1, 2])
    assert found.sci[0, 3] == 3


@pytest.mark.parametrize("reader", [read_frame, lambda path: open_rows(path).loaded()])
def test_flags_of_a_type_with_a_sign_do_not_spread(tmp_path, reader):
    flags = np.zeros(SHAPE, np.int16)
    flags[1, 1], flags[2, 2] = np.iinfo(np.int16).min, 2
    path = tmp_path / "signed.fits"
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(image(), name="SCI"), fits.ImageHDU(flags, name="DQ")]
    fits.HDUList(hdus).writeto(path)
    found = reader(path)

    assert found.dq[1, 1] == 1 << 15
    assert found.dq[2, 2] == DQ.SATURATED
    assert found.dq.sum() == (1 << 15) + 2


def test_a_bit_with_two_names_has_both_meanings():
    flags = np.array([[1, 2]], np.uint32)

    assert translated(flags, {"DO_NOT_USE": 1, "HOT": 1}).tolist() == [[DQ.DO_NOT_USE | DQ.HOT, 2]]


@pytest.mark.parametrize("name", ["VAR_POISSON", "ERR"])
@pytest.mark.parametrize("reader", [read_frame, lambda path: open_rows(path).loaded()])
def test_errors_below_zero_are_bad(tmp_path, reader, name):
    error = np.full(SHAPE, 2, np.float32)
    error[1, 1], error[2, 2] = -2, 0
    found = reader(write(tmp_path / "f.fits", ("SCI", image()), (name, error)))

    assert found.dq[1, 1] == DQ.DO_NOT_USE
    assert (found.dq != 0).sum() == 1


@pytest.mark.parametrize("name", ["SCI", "DATA"])
def test_a_ramp_without_times_says_so(tmp_path, name):
    whole = ramp()
    path = write(tmp_path / "r.fits", (name, whole.reads), ("PIXELDQ", whole.pixeldq))

    assert "has no TIMES" in refusal(read_ramp, path)


def test_the_quality_of_pixels_tells_the_axes(tmp_path):
    whole = ramp()
    cards = {**CARDS, "TGROUP": 1.5}
    path = write(tmp_path / "r.fits", ("SCI", whole.reads), ("PIXELDQ", whole.pixeldq), cards=cards)

    assert np.array_equal(read_ramp(path).reads[:], whole.reads)


@pytest.mark.parametrize(
    ("unit", "seconds"),
    [("s", 1), ("sec", 1), ("ms", 1e-3), ("us", 1e-6), ("min", 60), ("h", 3600), ("", 1)],
)
def test_times_are_converted_to_seconds(tmp_path, unit, seconds):
    whole = ramp()
    path = ramp_file(tmp_path / "r.fits", whole.reads, whole.times)
    fits.setval(path, "BUNIT", value=unit, extname="TIMES")

    assert read_ramp(path).times == pytest.approx(whole.times * seconds)


@pytest.mark.parametrize("unit", ["furlong", "m", "electron / s", "((", "12"])
def test_times_in_another_unit_are_refused(tmp_path, unit):
    whole = ramp()
    path = ramp_file(tmp_path / "r.fits", whole.reads, whole.times)
    fits.setval(path, "BUNIT", value=unit, extname="TIMES")

    assert "no unit of time" in refusal(read_ramp, path)


@pytest.mark.parametrize("strange", [1e300, -1.0, np.nan, np.inf, -np.inf, 1e9])
def test_times_that_can_not_be_are_refused(tmp_path, strange):
    whole = ramp()
    times = whole.times.copy()
    times[-1, 0 if strange < 0 else -1] = strange

    assert "TIMES has" in refusal(read_ramp, ramp_file(tmp_path / "r.fits", whole.reads, times))


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ("BITPIX  =                   -7", "BITPIX -7"),
        ("BITPIX  =                   12", "BITPIX 12"),
        ("BITPIX  = 'ab'", "can't be"),
        ("BZERO   = 'abc'", "BZERO 'abc'"),
    ],
)
def test_cards_that_make_no_sense_are_damage_and_no_file_cut_off(tmp_path, card, said):
    path = tmp_path / "x.fits"
    image = fits.ImageHDU(np.ones((30, 40), np.float32), name="SCI")
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(path)
    old = (
        b"BITPIX  =                  -32" if card.startswith("BITPIX") else b"EXTNAME = 'SCI     '          "
    )
    path.write_bytes(path.read_bytes().replace(old, card.encode().ljust(30)))

    with pytest.raises(DataError) as caught:
        read_frame(path)
    assert said in caught.value.message
    assert caught.value.hint == "the file is damaged; get it again"
