import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from calmap.errors import CalmapError, FileChangedError, HeaderError
from calmap.headers import read_header, update_header
from calmap.headers.checksum import ZERO, encoded, ones_complement_sum

CHOSEN = {"CRDS_CTX": "ligeriri_0001.pmap", "CRDS_VER": "1.0", "R_DARK": "crds://dark.fits"}


@pytest.fixture
def exposure(tmp_path: Path) -> Path:
    primary = fits.PrimaryHDU(
        np.arange(5000, dtype="u2"), fits.Header([("FILTER", "Y", "band"), ("R_DARK", "N/A")])
    )
    science = fits.ImageHDU(np.linspace(0, 1, 999), fits.Header({"BAND": "K"}))
    path = tmp_path / "exposure.fits"
    fits.HDUList([primary, science]).writeto(path)
    path.chmod(0o640)
    return path


def left_over(path: Path) -> list[str]:
    return [entry.name for entry in path.parent.iterdir() if entry != path]


def test_keywords_are_written_and_all_else_stays(exposure: Path) -> None:
    before = exposure.read_bytes()
    update_header(exposure, CHOSEN)
    after = exposure.read_bytes()
    assert {key: read_header(exposure)[key] for key in CHOSEN} == CHOSEN
    assert after[2880:] == before[2880:]
    old, new = (data[:2880] for data in (before, after))
    cards = [
        old[i : i + 80] for i in range(0, 2880, 80) if not old[i : i + 80].startswith((b"R_DARK", b"END"))
    ]
    assert all(card in new for card in cards if card.strip())
    assert exposure.stat().st_mode & 0o777 == 0o640
    assert left_over(exposure) == []


def test_a_header_may_grow_by_a_block(exposure: Path) -> None:
    many = {f"R_{i:03}": f"crds://{'x' * 60}{i}.fits" for i in range(60)}
    data = exposure.read_bytes()[2880:]
    update_header(exposure, many)
    assert exposure.read_bytes().endswith(data)
    with fits.open(exposure) as hdus:
        hdus.verify("exception")
        assert {key: hdus[0].header[key] for key in many} == many
        assert hdus[0].data[4999] == 4999


def test_a_long_value_takes_several_cards(exposure: Path) -> None:
    long = "crds://" + "long" * 40 + ".fits"
    update_header(exposure, {"R_FLAT": long})
    assert read_header(exposure)["R_FLAT"] == long
    assert fits.getval(exposure, "R_FLAT") == long


def test_updating_twice_changes_nothing_more(exposure: Path) -> None:
    update_header(exposure, CHOSEN)
    once = exposure.read_bytes()
    update_header(exposure, CHOSEN)
    assert exposure.read_bytes() == once


def test_checksums_stay_right(exposure: Path) -> None:
    with fits.open(exposure) as hdus:
        hdus.writeto(exposure.with_name("sums.fits"), checksum=True)
    path = exposure.with_name("sums.fits")
    update_header(path, CHOSEN)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(path, checksum=True) as hdus:
            assert "CHECKSUM" in hdus[0].header
            assert hdus[0].verify_checksum() == 1


@given(st.binary(min_size=4, max_size=400).map(lambda data: data[: len(data) // 4 * 4]))
def test_an_encoded_sum_cancels_the_sum(data: bytes) -> None:
    total = ones_complement_sum(data)
    text = encoded(total)
    assert text.isalnum()
    shifted = (text[1:] + text[:1]).encode()
    zeros = ones_complement_sum(ZERO.encode())
    assert ones_complement_sum(shifted, total) in {
        0xFFFFFFFF,
        ones_complement_sum((zeros).to_bytes(4, "big"), 0xFFFFFFFF),
    }


@pytest.mark.parametrize(
    "updates",
    [
        {"TOOLONGNAME": "x"},
        {"lower": "x"},
        {"NAXIS1": "9"},
        {"SIMPLE": "F"},
        {"END": "x"},
        {"GOOD": "ä"},
        {"GOOD": "two\nlines"},
    ],
)
def test_what_no_header_holds_is_refused(updates: dict[str, str], exposure: Path) -> None:
    before = exposure.read_bytes()
    with pytest.raises(HeaderError, match=r"can't be written|can be written"):
        update_header(exposure, updates)
    assert exposure.read_bytes() == before


@pytest.mark.parametrize("name", ["x.json", "x.yaml", "x.asdf", "x.fits.gz"])
def test_other_kinds_of_files_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"#ASDF 1.0.0\n")
    with pytest.raises(HeaderError, match="only FITS files that aren't compressed"):
        update_header(path, CHOSEN)


def test_a_link_is_refused_and_names_its_target(exposure: Path) -> None:
    link = exposure.with_name("link.fits")
    link.symlink_to(exposure)
    with pytest.raises(HeaderError, match=f"update {exposure} itself"):
        update_header(link, CHOSEN)


def test_a_file_that_is_cut_off_is_refused(exposure: Path) -> None:
    exposure.write_bytes(exposure.read_bytes()[:1000])
    with pytest.raises(HeaderError, match="cut off"):
        update_header(exposure, CHOSEN)
    assert exposure.stat().st_size == 1000


@pytest.mark.parametrize(("owner", "failing"), [(Path, "replace"), (Path, "chmod"), (os, "fsync")])
def test_a_failure_leaves_the_file_as_it_was(
    owner: object, failing: str, exposure: Path, monkeypatch: Any
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    before = exposure.read_bytes()
    monkeypatch.setattr(owner, failing, fail)
    with pytest.raises(HeaderError, match=r"can't be written: No space left .*the disk is full"):
        update_header(exposure, CHOSEN)
    assert exposure.read_bytes() == before
    assert left_over(exposure) == []


def test_somebody_elses_change_is_not_overwritten(exposure: Path, monkeypatch: Any) -> None:
    def meddle(*_: object) -> None:
        with exposure.open("ab") as stream:
            stream.write(b"\0" * 2880)

    monkeypatch.setattr(os, "fsync", meddle)
    with pytest.raises(FileChangedError, match="changed by somebody else"):
        update_header(exposure, CHOSEN)
    assert exposure.stat().st_size % 2880 == 0
    assert left_over(exposure) == []


def test_the_guard_sees_a_file_of_the_same_size(exposure: Path, monkeypatch: Any) -> None:
    def meddle(*_: object) -> None:
        other = exposure.with_name("other.fits")
        other.write_bytes(exposure.read_bytes())
        other.replace(exposure)

    monkeypatch.setattr(os, "fsync", meddle)
    with pytest.raises(FileChangedError, match="changed by somebody else"):
        update_header(exposure, CHOSEN)


def test_no_updates_touch_nothing(exposure: Path) -> None:
    before = exposure.stat().st_mtime_ns
    update_header(exposure, {})
    assert exposure.stat().st_mtime_ns == before


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CalmapError, match="does not exist"):
        update_header(tmp_path / "none.fits", CHOSEN)
