"""The fast reader of FITS headers against astropy, value by value."""

import bz2
import gzip
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.io.fits.card import Undefined
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from calmap.errors import HeaderError
from calmap.headers import read_header, read_headers
from calmap.headers.cards import OddCardError, card_values

NAMES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", min_size=1, max_size=8).filter(
    lambda name: (
        name not in {"END", "CONTINUE", "COMMENT", "HISTORY", "HIERARCH", "SIMPLE", "XTENSION"}
        and not name.startswith(("NAXIS", "BITPIX", "PCOUNT", "GCOUNT", "GROUPS", "EXTEND", "ZIMAGE"))
    )
)
LONG_NAMES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ ", min_size=9, max_size=30).filter(
    lambda name: name == name.strip() and not name.startswith("HIERARCH")
)
PRINTABLE = st.characters(min_codepoint=32, max_codepoint=126)
LOOKS_LIKE_A_COMMENT = re.compile("' */")
"""Astropy ends a string at a quote before a slash even where the quote is a doubled one."""

STRINGS = st.text(PRINTABLE, max_size=60).filter(lambda text: not LOOKS_LIKE_A_COMMENT.search(text))
VALUES = st.one_of(
    STRINGS,
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.floats(allow_nan=False, allow_infinity=False),
    st.none(),
    st.complex_numbers(allow_nan=False, allow_infinity=False, max_magnitude=1e9),
)


def by_astropy(path: Path) -> dict[str, str]:
    """What CRDS makes of a file: all cards of all HDUs, the first value wins."""
    merged: dict[str, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fits.open(path) as hdus:
            for hdu in hdus:
                for card in hdu.header.cards:
                    card.verify("fix")
                    keyword, value = card.keyword.upper(), card.value
                    if not keyword or isinstance(value, Undefined):
                        continue
                    if keyword not in merged:
                        merged[keyword] = str(value)
                    elif keyword in {"COMMENT", "HISTORY"} and merged[keyword] != str(value):
                        merged[keyword] += f"\n{value}"
    return merged


def write(path: Path, header: fits.Header, *extensions: Any) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fits.HDUList([fits.PrimaryHDU(header=header), *extensions]).writeto(path, overwrite=True)
    return path


def image(**keywords: Any) -> fits.ImageHDU:
    return fits.ImageHDU(np.arange(3000, dtype="i2").reshape(50, 60), fits.Header(keywords))


def test_real_files_read_as_astropy_reads_them(corpus: Path) -> None:
    files = sorted((corpus / "files").glob("*/*.fits"))
    assert len(files) > 20
    differing = [file.name for file in files if read_header(file) != by_astropy(file)]
    assert differing == []


@settings(max_examples=60, deadline=None)
@given(cards=st.lists(st.tuples(NAMES | LONG_NAMES, VALUES, st.text(PRINTABLE, max_size=10)), max_size=12))
def test_made_up_headers_read_as_astropy_reads_them(
    cards: list[tuple[str, Any, str]], tmp_path_factory: Any
) -> None:
    header = fits.Header()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, value, comment in cards:
            try:
                header[name] = (value, comment)
            except ValueError:  # a combination that doesn't fit on a card
                continue
        header["COMMENT"] = "one"
        try:
            path = write(tmp_path_factory.getbasetemp() / "made-up.fits", header)
        except (fits.VerifyError, ValueError):
            return
    assert read_header(path) == by_astropy(path)


@settings(max_examples=40, deadline=None)
@given(
    text=st.text(PRINTABLE, min_size=60, max_size=300).filter(
        lambda text: not LOOKS_LIKE_A_COMMENT.search(text)
    )
)
def test_long_strings_go_on_over_several_cards(text: str, tmp_path_factory: Any) -> None:
    path = write(tmp_path_factory.getbasetemp() / "long.fits", fits.Header({"LONG": text, "AFTER": 1}))
    assert read_header(path) == by_astropy(path)
    assert read_header(path)["AFTER"] == "1"


@settings(max_examples=150, deadline=None)
@given(NAMES, st.text(PRINTABLE, max_size=71))
def test_any_card_is_read_as_by_astropy_or_left_to_it(name: str, field: str) -> None:
    assume("''" not in field)
    card = f"{name:8}= {field}".ljust(80)[:80]
    try:
        values = card_values(card)
    except OddCardError:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = fits.Card.fromstring(card)
        read.verify("fix")
        expected = [] if isinstance(read.value, Undefined) else [(name, str(read.value))]
    assert values == expected


@pytest.mark.parametrize(
    ("card", "values"),
    [
        ("OBJECT  = 'O''Neill  '           / a name", [("OBJECT", "O'Neill")]),
        ("OBJECT  = 'slit 5'' / wide'", [("OBJECT", "slit 5' / wide")]),
        ("EMPTY   = ''", [("EMPTY", "")]),
        ("FLAG    =                    T / yes", [("FLAG", "True")]),
        ("COUNT   = -0012", [("COUNT", "-12")]),
        ("GAIN    = 1.50D+01", [("GAIN", "15.0")]),
        ("NOTHING =                      / undefined", []),
        ("HIERARCH ESO DET DIT = 2.0 / s", [("ESO DET DIT", "2.0")]),
        ("COMMENT = 'is no value'", [("COMMENT", "= 'is no value'")]),
    ],
)
def test_cards(card: str, values: list[tuple[str, str]]) -> None:
    assert card_values(card.ljust(80) + "END".ljust(80) + "JUNK") == values


@pytest.mark.parametrize(
    "card",
    ["NOVALUE", "lower   = 1", "BAD     = 'open", "DP1     = 'AXIS.1: 2'", "A= 1", "PAIR    = (1, -2.5)"],
)
def test_odd_cards_are_left_to_astropy(card: str, tmp_path: Path) -> None:
    with pytest.raises(OddCardError):
        card_values(card.ljust(80))
    path = write(tmp_path / "odd.fits", fits.Header({"FIRST": 1}))
    path.write_bytes(path.read_bytes().replace(b"FIRST   = ".ljust(80)[:10], card.ljust(80)[:10].encode(), 1))
    assert read_header(path) == by_astropy(path)


def test_hdus_are_merged_and_the_first_value_wins(tmp_path: Path) -> None:
    table = fits.BinTableHDU.from_columns([fits.Column("x", "D", array=np.arange(400.0))])
    table.header["DETECTOR"] = "table"
    table.header["ONLY"] = "here"
    table.header["HISTORY"] = "second"
    header = fits.Header({"DETECTOR": "IMG1"})
    header["HISTORY"] = "first"
    path = write(tmp_path / "many.fits", header, image(DETECTOR="image", BAND="K"), table)
    read = read_header(path)
    assert (read["DETECTOR"], read["BAND"], read["ONLY"]) == ("IMG1", "K", "here")
    assert read["HISTORY"] == "first\nsecond"
    assert read == by_astropy(path)
    assert [name for name, _ in read_headers(path)] == [str(path)]


@pytest.mark.parametrize(("suffix", "compress"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_compressed_files(suffix: str, compress: Any, tmp_path: Path) -> None:
    plain = write(tmp_path / "x.fits", fits.Header({"FILTER": "Y"}), image(BAND="K"))
    packed = tmp_path / f"x.fits{suffix}"
    packed.write_bytes(compress(plain.read_bytes()))
    assert read_header(packed) == read_header(plain)


def test_tile_compressed_images_show_the_image(tmp_path: Path) -> None:
    packed = fits.CompImageHDU(np.zeros((64, 64), "i2"), fits.Header({"BAND": "K"}))
    path = write(tmp_path / "x.fits.fz", fits.Header({"FILTER": "Y"}), packed)
    assert read_header(path) == by_astropy(path)
    assert read_header(path)["BAND"] == "K"


def test_random_groups_are_passed_over(tmp_path: Path) -> None:
    data = fits.GroupData(
        np.zeros((4, 1, 3, 5), "f4"), parnames=["u", "v"], pardata=[np.zeros(4), np.zeros(4)]
    )
    path = tmp_path / "groups.fits"
    fits.HDUList([fits.GroupsHDU(data), image(BAND="K")]).writeto(path)
    assert read_header(path)["BAND"] == "K"


def test_ordinary_files_do_not_need_astropy(tmp_path: Path) -> None:
    path = write(tmp_path / "x.fits", fits.Header({"FILTER": "Y"}), image(BAND="K"))
    program = (
        "import sys, pathlib; from calmap.headers import read_header;"
        f"assert read_header(pathlib.Path({str(path)!r}))['BAND'] == 'K';"
        "assert not {'astropy', 'numpy', 'asdf'} & set(sys.modules), 'heavy import'"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_file_that_was_cut_off_has_the_headers_that_are_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "x.fits", fits.Header({"FILTER": "Y"}), image(BAND="K"), image(LAST="here"))
    whole = path.read_bytes()
    path.write_bytes(whole[: 2880 * 2 + 100])
    assert "BAND" in read_header(path)
    path.write_bytes(whole[: 2880 + 100])
    assert set(read_header(path)) >= {"FILTER"}
    assert "BAND" not in read_header(path)
    path.write_bytes(whole[:300])
    with pytest.raises(HeaderError, match="no END card"):
        read_header(path)
