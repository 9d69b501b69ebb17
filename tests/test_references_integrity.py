"""What is wrong with reference files in themselves."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from calmap.diagnostics import Severity
from calmap.errors import HeaderError
from calmap.references.integrity import Problem, integrity

TANGENTIAL = {
    "CTYPE1": "RA---TAN",
    "CTYPE2": "DEC--TAN",
    "CRVAL1": 10.0,
    "CRVAL2": -5.0,
    "CRPIX1": 1.0,
    "CRPIX2": 1.0,
    "CD1_1": -1e-5,
    "CD1_2": 0.0,
    "CD2_1": 0.0,
    "CD2_2": 1e-5,
}


def written(path: Path, data: Any = None, checksum: bool = True, **keywords: Any) -> Path:
    image = fits.ImageHDU(np.ones((4, 5), "f4") if data is None else data, fits.Header(keywords), name="SCI")
    table = fits.BinTableHDU.from_columns([fits.Column("X", "E", array=[1.0, np.nan])], name="T")
    fits.HDUList([fits.PrimaryHDU(), image, table]).writeto(path, checksum=checksum)
    return path


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return written(tmp_path / "good.fits", **TANGENTIAL)


def messages(path: Path) -> list[tuple[str, str]]:
    return [(problem.place, problem.message) for problem in integrity(path)]


def test_a_good_file_has_no_problem(good: Path) -> None:
    assert integrity(good) == ()


def test_real_files_have_the_problems_they_are_known_for(corpus: Path) -> None:
    found = {path.name: integrity(path) for path in sorted((corpus / "files").glob("*/*.fits"))}

    assert {name: [p.message for p in problems] for name, problems in found.items() if problems} == {
        "jwst_nirspec_ipc_with_asdf_extension.fits": ["a FITS file should not have an ASDF extension"],
        "truncated.fits": [
            "the file ends 1640 bytes early, after the data but before the end of their block"
        ],
    }


def test_references_of_the_demo_are_whole(repo_root: Path) -> None:
    files = sorted((repo_root / "references").rglob("*.fits"))
    assert files
    assert {path.name: integrity(path) for path in files if integrity(path)} == {}


def test_a_changed_pixel_breaks_the_datasum(good: Path) -> None:
    data = bytearray(good.read_bytes())
    with fits.open(good) as hdus:
        data[hdus["SCI"].fileinfo()["datLoc"] + 1] ^= 1
    good.write_bytes(bytes(data))

    assert messages(good) == [("extension 1 (SCI)", "DATASUM does not agree with the data")]


def test_a_changed_card_breaks_the_checksum(good: Path) -> None:
    good.write_bytes(good.read_bytes().replace(b"-5.0", b"-6.0"))

    assert messages(good) == [("extension 1 (SCI)", "CHECKSUM does not agree with the header")]


def test_a_datasum_that_is_no_number_is_said(good: Path) -> None:
    data = good.read_bytes()
    at = data.rfind(b"DATASUM =")
    good.write_bytes(data[:at] + b"DATASUM = 'abc'".ljust(80) + data[at + 80 :])

    assert [message for _, message in messages(good)] == [
        "the checksum can't be verified: invalid literal for int() with base 10: 'abc'"
    ]


def test_missing_data_are_counted_and_the_rest_is_checked(tmp_path: Path) -> None:
    path = written(tmp_path / "cut.fits", np.full((1000, 5), np.nan, "f4"))
    path.write_bytes(path.read_bytes()[: -2 * 2880 - 2880 + 8 - 2880])
    found = integrity(path)

    assert found[0].severity is Severity.ERROR
    assert "get it again" in str(found[0].hint)
    assert "of the data are missing" in found[0].message


@pytest.mark.parametrize(("extra", "said"), [(b"\0" * 5760, "5760 bytes"), (b"x", "1 byte")])
def test_bytes_after_the_end_are_said(good: Path, extra: bytes, said: str) -> None:
    good.write_bytes(good.read_bytes() + extra)

    assert messages(good) == [("", f"{said} after the last HDU can't be read as an HDU")]


def test_a_header_cut_off_is_seen(good: Path) -> None:
    with fits.open(good) as hdus:
        start = hdus["T"].fileinfo()["hdrLoc"]
    good.write_bytes(good.read_bytes()[: start + 800])

    assert messages(good) == [("", "800 bytes after the last HDU can't be read as an HDU")]


def test_cards_against_the_standard_are_named(good: Path) -> None:
    data = good.read_bytes()
    at = data.find(b"CRVAL1  =")
    good.write_bytes(data[:at] + b"BAD     = 'never closed".ljust(80) + data[at + 80 :])
    found = [problem for problem in integrity(good) if "BAD" in problem.message]

    assert found
    assert found[0].place == "extension 1 (SCI)"
    assert found[0].severity is Severity.ERROR


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"CD1_1": 0.0}, "linear transformation matrix is singular"),
        ({"CTYPE1": "RA---XYZ", "CTYPE2": "DEC--XYZ"}, "unrecognized projection code (XYZ in CTYPE1)"),
        ({"CTYPE1": "RA---SIN"}, "inconsistent projection types"),
        ({"CTYPE1": 5}, "CTYPE1 is 5, expected text"),
        ({"CRVAL1": "nan"}, "CRVAL1 is 'nan', expected a finite number"),
        ({"CRPIX2": True}, "CRPIX2 is True, expected a finite number"),
        ({"CUNIT1": "furlong"}, "CUNIT1"),
    ],
)
def test_impossible_coordinates_are_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    path = written(tmp_path / "wcs.fits", **TANGENTIAL | change)

    (found,) = messages(path)
    assert found[0] == "extension 1 (SCI)"
    assert found[1].startswith("the coordinates can't be used: ")
    assert said in found[1]
    assert ".c:" not in found[1]


def test_other_coordinates_of_the_same_image_are_named(tmp_path: Path) -> None:
    other = {f"{keyword}A": value for keyword, value in TANGENTIAL.items()} | {"CD1_1A": 0.0}
    path = written(tmp_path / "wcs.fits", **TANGENTIAL, **other)

    assert [message.partition(":")[0] for _, message in messages(path)] == ["coordinates 'A' can't be used"]


@pytest.mark.parametrize(
    "keywords",
    [
        {"CTYPE1": "WAVE", "CRVAL1": 5e-7, "CDELT1": 1e-10, "CDELT2": 1e9},
        {"CTYPE1": "PIXEL", "CTYPE2": "PIXEL", "CRVAL1": 1.0},
        {**TANGENTIAL, "CPDIS1": "LOOKUP", "DP1": "EXTVER: 1"},
    ],
)
def test_unusual_coordinates_are_left_alone(tmp_path: Path, keywords: dict[str, Any]) -> None:
    assert integrity(written(tmp_path / "wcs.fits", **keywords)) == ()


def test_data_without_one_finite_value_are_suspicious(tmp_path: Path) -> None:
    path = tmp_path / "nan.fits"
    table = fits.BinTableHDU.from_columns(
        [fits.Column("X", "E", array=[np.inf, np.nan]), fits.Column("Y", "E", array=[1, np.nan])]
    )
    image = fits.ImageHDU(np.full((3, 3), np.nan), name="SCI")
    fits.HDUList([fits.PrimaryHDU(), image, table]).writeto(path)

    assert [(p.place, p.message, p.severity) for p in integrity(path)] == [
        ("extension 1 (SCI)", "no pixel has a finite value", Severity.WARNING),
        ("extension 2", "column 'X' has no finite value", Severity.WARNING),
    ]


def test_files_without_hdus_and_other_kinds(tmp_path: Path, corpus: Path) -> None:
    assert integrity(corpus / "files/jwst/valid.json") == ()
    with pytest.raises(HeaderError, match=r"invalid\.yaml:1"):
        integrity(corpus / "files/jwst/invalid.yaml")
    with pytest.raises(HeaderError, match="does not exist"):
        integrity(tmp_path / "none.fits")


def test_nothing_is_said_but_by_the_result(good: Path, capfd: Any, caplog: Any) -> None:
    broken = written(good.with_name("sip.fits"), **TANGENTIAL | {"CTYPE1": "RA---TAN-SIP", "A_ORDER": 2})
    with caplog.at_level(logging.DEBUG):
        result = integrity(broken)

    assert all(isinstance(problem, Problem) for problem in result)
    assert capfd.readouterr() == ("", "")
