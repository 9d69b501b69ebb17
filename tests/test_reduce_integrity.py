"""Files whose data have changed, that are cut off, or that are no files: refused before they are used."""

import bz2
import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from reduce_files import frame, ramp, write

from reduce.errors import DataError
from reduce.files.integrity import checked_sha256
from reduce.files.reader import open_any
from reduce.files.writer import write_frame, write_ramp
from reduce.hashes import Hashes
from reduce.references import sha256
from reduce.session import opened


def flipped(path: Path, name: str, bit: int = 3) -> Path:
    """The file with another bit in the middle of an extension's data."""
    with fits.open(path) as hdus:
        place = hdus[name].fileinfo()
    data = bytearray(path.read_bytes())
    data[place["datLoc"] + hdus[name].size // 2] ^= 1 << bit
    path.write_bytes(data)
    return path


def packed(path: Path, how: str) -> Path:
    result = path.with_name(f"{path.name}.{how}")
    result.write_bytes((gzip if how == "gz" else bz2).compress(path.read_bytes()))
    return result


@pytest.fixture
def framefile(tmp_path):
    write_frame(frame((70, 51)), tmp_path / "frame.fits")
    return tmp_path / "frame.fits"


@pytest.fixture
def rampfile(tmp_path):
    write_ramp(ramp((70, 51, 1, 5)), tmp_path / "ramp.fits")
    return tmp_path / "ramp.fits"


def test_a_sound_file_has_its_sha256(framefile, rampfile):
    for path in (framefile, rampfile, packed(framefile, "gz"), packed(rampfile, "bz2")):
        assert checked_sha256(path) == sha256(path)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "f4", "f8"])
def test_checksums_of_astropy_are_understood(tmp_path, dtype):
    image = np.random.default_rng(1).integers(0, 100, (33, 7)).astype(dtype)
    table = fits.BinTableHDU(np.array([(1, "a"), (2, "bc")], dtype=[("N", "i4"), ("T", "S3")]), name="T")
    hdus = fits.HDUList([fits.PrimaryHDU(image), fits.ImageHDU(image, name="SCI"), table])
    hdus.append(fits.CompImageHDU(np.ones((64, 64), "f4"), name="PACKED"))
    hdus.writeto(tmp_path / "a.fits", checksum=True)

    assert checked_sha256(tmp_path / "a.fits")
    with pytest.raises(DataError, match="SCI"):
        checked_sha256(flipped(tmp_path / "a.fits", "SCI"))


@pytest.mark.parametrize("name", ["SCI", "ERR", "DQ", "VAR_POISSON"])
def test_a_flipped_bit_is_told(framefile, name):
    for bit in (0, 7):
        with pytest.raises(DataError) as caught:
            opened(flipped(framefile, name, bit))

    assert f"{framefile}: the data of {name} have changed" in caught.value.message
    assert "get the file again" in caught.value.hint


def test_a_flipped_bit_of_a_ramp_or_a_reference_is_told(rampfile, framefile):
    with pytest.raises(DataError, match="SCI have changed"):
        opened(flipped(rampfile, "SCI"))
    with pytest.raises(DataError, match="SCI have changed"):
        Hashes().of(flipped(framefile, "SCI"))


def test_data_of_a_packed_file_are_compared_too(framefile):
    with pytest.raises(DataError, match="DQ have changed"):
        opened(packed(flipped(framefile, "DQ"), "gz"))


def test_the_data_go_through_memory_in_pieces(tmp_path):
    path = write(tmp_path / "big.fits", ("SCI", np.arange(1_500_001, dtype="i2")))
    with fits.open(path) as hdus:
        hdus.writeto(tmp_path / "sum.fits", checksum=True)

    assert checked_sha256(tmp_path / "sum.fits") == sha256(tmp_path / "sum.fits")


def test_files_without_checksums_and_other_files_are_hashed(tmp_path):
    plain = write(tmp_path / "plain.fits", ("SCI", np.ones((3, 3))))
    (tmp_path / "parameters.yaml").write_text("dark_sub: {}\n")

    assert checked_sha256(plain) == sha256(plain)
    assert checked_sha256(tmp_path / "parameters.yaml") == sha256(tmp_path / "parameters.yaml")


@pytest.mark.parametrize("how", ["gz", "bz2"])
@pytest.mark.parametrize("reader", [open_any, checked_sha256])
def test_a_packed_file_is_read_to_its_end(framefile, how, reader):
    path = packed(framefile, how)
    whole = path.read_bytes()
    for damaged in (whole[:-3], whole[:-9], whole[:-8] + bytes(8), whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="cut off or damaged"):
            reader(path)


@pytest.mark.parametrize("reader", [open_any, checked_sha256])
def test_what_is_no_ordinary_file_is_not_opened(tmp_path, reader):
    os.mkfifo(tmp_path / "pipe.fits")

    for path in (tmp_path / "pipe.fits", Path("/dev/zero")):
        with pytest.raises(DataError, match="not an ordinary file"):
            reader(path)
