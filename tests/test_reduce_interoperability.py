"""Others can read what is written: astropy, and a reader that knows no more than the standard."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData, StdDevUncertainty
from astropy.table import Table
from astropy.wcs import WCS
from reduce_files import WCS_CARDS, frame, header, ramp

from reduce.dq import DEFINITIONS, DQ
from reduce.files.reader import read_frame
from reduce.files.writer import write_frame, write_ramp
from reduce.frame import Frame

STANDARD_TYPES = {8, 16, 32, 64, -32, -64}
NOT_IN_THE_STANDARD = {"electron": "count", "DN": "adu"}
"""Names of units that everybody uses and the standard does not list, and listed ones like them."""


@pytest.fixture
def written(tmp_path: Path) -> tuple[Frame, Path]:
    made = frame()
    path = tmp_path / "product.fits"
    write_frame(made, path)
    return made, path


def test_ccddata_reads_image_error_mask_unit_and_coordinates(written: tuple[Frame, Path]) -> None:
    made, path = written

    ccd = CCDData.read(path, hdu="SCI", hdu_uncertainty="ERR", hdu_mask="DQ", key_uncertainty_type="UTYPE")

    assert ccd.unit == u.electron / u.s
    np.testing.assert_array_equal(ccd.data, made.sci)
    assert isinstance(ccd.uncertainty, StdDevUncertainty)
    np.testing.assert_array_equal(ccd.uncertainty.array, made.err)
    np.testing.assert_array_equal(ccd.mask, made.dq != 0)
    np.testing.assert_allclose(
        ccd.wcs.all_pix2world([(0, 0), (4, 6)], 0), made.wcs.all_pix2world([(0, 0), (4, 6)], 0), rtol=1e-14
    )


def test_ccddata_finds_the_image_without_being_told_where(written: tuple[Frame, Path]) -> None:
    made, path = written

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # CCDData tells which extension it took
        np.testing.assert_array_equal(CCDData.read(path).data, made.sci)


def test_what_ccddata_writes_can_be_read(written: tuple[Frame, Path], tmp_path: Path) -> None:
    made, path = written
    ccd = CCDData.read(path, hdu="SCI")

    ccd.write(tmp_path / "again.fits")

    again = read_frame(tmp_path / "again.fits")
    np.testing.assert_array_equal(again.sci, made.sci)
    assert u.Unit(again.unit) == u.electron / u.s


@pytest.mark.parametrize("name", ["SCI", "ERR", "VAR_POISSON", "CHI2"])
def test_images_are_plain_float32(written: tuple[Frame, Path], name: str) -> None:
    _, path = written

    data, cards = fits.getdata(path, name, header=True)

    assert (cards["BITPIX"], data.dtype.kind, data.dtype.itemsize) == (-32, "f", 4)
    assert "BZERO" not in cards
    assert "BSCALE" not in cards


def test_quality_bits_are_unsigned_in_the_way_of_the_standard(written: tuple[Frame, Path]) -> None:
    made, path = written

    data, cards = fits.getdata(path, "DQ", header=True, uint=True)

    assert (cards["BITPIX"], cards["BZERO"], cards["BSCALE"]) == (32, 2**31, 1)
    assert data.dtype == np.uint32
    np.testing.assert_array_equal(data, made.dq)
    assert data[0, 0] & DQ.REFERENCE_PIXEL == DQ.REFERENCE_PIXEL


def test_tables_are_read_as_tables(written: tuple[Frame, Path]) -> None:
    made, path = written

    meanings = Table.read(path, hdu="DQ_DEF")
    references = Table.read(path, hdu="PROVENANCE")

    assert [(row["VALUE"], row["NAME"]) for row in meanings] == [(one.value, one.name) for one in DEFINITIONS]
    assert list(references["TYPE"]) == ["dark", "flat", "bias"]
    assert references["RULE"][0] == "ligeriri_iris_dark_0002.rmap:27"
    assert len(Table.read(path, hdu="INPUTS")) == len(made.provenance.inputs)


@pytest.mark.parametrize("layout", ["standard", "liger"])
def test_a_product_keeps_to_the_standard(tmp_path: Path, layout: Any) -> None:
    write_frame(frame(), tmp_path / "frame.fits", layout=layout)
    write_ramp(ramp(), tmp_path / "ramp.fits", layout=layout)

    for name in ("frame.fits", "ramp.fits"):
        with fits.open(tmp_path / name, checksum=True) as hdus:
            hdus.verify("exception")
            names = [hdu.name for hdu in hdus]
            assert len(set(names)) == len(names)
            for hdu in hdus:
                assert hdu.verify_checksum() == hdu.verify_datasum() == 1
                assert hdu.header["BITPIX"] in STANDARD_TYPES
                assert not [card.keyword for card in hdu.header.cards if len(card.keyword) > 8]
                assert all(len(card.image) % 80 == 0 and card.image.isascii() for card in hdu.header.cards)


def test_units_can_be_parsed(tmp_path: Path) -> None:
    """Also by the strict grammar of the standard, but for names that it does not list."""
    for number, unit in enumerate(("electron / s", "DN", "uJy", "electron", "DN / s")):
        path = tmp_path / f"{number}.fits"
        write_frame(frame(sci_header=header({"BUNIT": unit})), path)
        with fits.open(path) as hdus:
            units = {hdu.name: hdu.header["BUNIT"] for hdu in hdus if "BUNIT" in hdu.header}
        assert u.Unit(units["VAR_RNOISE"]) == u.Unit(units["SCI"]) ** 2 == u.Unit(units["ERR"]) ** 2
        for text in units.values():
            listed = text
            for name, other in NOT_IN_THE_STANDARD.items():
                listed = listed.replace(name, other)
            u.Unit(listed, format="fits")


def test_a_unit_that_nobody_knows_is_kept(tmp_path: Path) -> None:
    write_frame(frame(sci_header=header({"BUNIT": "blips"})), tmp_path / "a.fits")

    assert fits.getval(tmp_path / "a.fits", "BUNIT", "VAR_POISSON") == "(blips)**2"


def test_coordinates_are_those_of_the_frame(written: tuple[Frame, Path]) -> None:
    made, path = written

    wcs = WCS(fits.getheader(path, "SCI"))

    assert made.wcs is not None
    assert wcs.wcs.compare(made.wcs.wcs, tolerance=1e-12)
    assert wcs.wcs_pix2world([(WCS_CARDS["CRPIX1"], WCS_CARDS["CRPIX2"])], 1)[0] == pytest.approx(
        (WCS_CARDS["CRVAL1"], WCS_CARDS["CRVAL2"]), abs=1e-12
    )


def test_a_reader_that_knows_only_the_standard_sees_the_same(tmp_path: Path) -> None:
    """As DS9 and IRAF do it: cards of 80 characters, blocks of 2880 bytes, big-endian, BSCALE and BZERO."""
    made, reads = frame(), ramp()
    write_frame(made, tmp_path / "frame.fits")
    write_ramp(reads, tmp_path / "ramp.fits")

    images = images_of((tmp_path / "frame.fits").read_bytes())
    raw = images_of((tmp_path / "ramp.fits").read_bytes())

    np.testing.assert_array_equal(images["SCI"], made.sci)
    np.testing.assert_array_equal(images["ERR"], made.err)
    np.testing.assert_array_equal(images["DQ"], made.dq)
    np.testing.assert_array_equal(images["NREADS"], made.planes["NREADS"])
    np.testing.assert_array_equal(raw["SCI"], reads.reads)
    np.testing.assert_array_equal(raw["TIMES"], reads.times)


def images_of(data: bytes) -> dict[str, np.ndarray]:
    """Images of a file by name, read by nothing but the rules of the standard."""
    found: dict[str, np.ndarray] = {}
    types = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
    place = 0
    while place < len(data):
        cards: dict[str, str] = {}
        while True:
            card = data[place : place + 80].decode("ascii")
            place += 80
            if card.startswith("END"):
                break
            if card[8:10] == "= ":
                cards[card[:8].strip()] = card[10:].partition(" /")[0].strip().strip("'").strip()
        place += -place % 2880
        axes = [int(cards[f"NAXIS{axis}"]) for axis in range(int(cards["NAXIS"]), 0, -1)]
        kind = np.dtype(types[int(cards["BITPIX"])])
        count = int(np.prod(axes)) if axes else 0
        if cards.get("XTENSION") == "IMAGE":
            stored = np.frombuffer(data, kind, count, place).reshape(axes)
            zero, scale = int(cards.get("BZERO", 0)), int(cards.get("BSCALE", 1))
            found[cards["EXTNAME"]] = stored.astype(np.int64) * scale + zero if zero else stored
        place += count * kind.itemsize + int(cards.get("PCOUNT", 0))
        place += -place % 2880
    return found
