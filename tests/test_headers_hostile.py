"""Files that are damaged, or made to do harm."""

import gzip
import os
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from calmap.errors import HeaderError
from calmap.headers import read_header, read_headers


def card(keyword: str, value: str) -> str:
    return f"{keyword:8}= {value:>20}".ljust(80)


def header(*cards: str) -> bytes:
    text = "".join(cards) + "END".ljust(80)
    return text.ljust(-(-len(text) // 2880) * 2880).encode()


def primary(*cards: str, naxis: int = 0) -> bytes:
    return header(card("SIMPLE", "T"), card("BITPIX", "8"), card("NAXIS", str(naxis)), *cards)


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    start = time.monotonic()
    yield
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\n", r"Git-LFS pointer \(run 'git lfs pull'\)"),
        (b"SIMPLE  =" + b"\0" * 5000, "no END card"),
        (b"SIMPLE  =" + b"END", "no END card"),
        (b"PK\x03\x04" + b"x" * 50, r"is a zip archive \(decompress it first\)"),
        (b"\x1f\x9d" + b"x" * 50, "compressed with 'compress'"),
        (b"\x1f\x8b\x08" + b"x" * 50, "damaged or cut off"),
        (b"BZh9" + b"x" * 50, "damaged or cut off"),
        (gzip.compress(b"not FITS " * 500, mtime=0), "is not a FITS file"),
        (gzip.compress(primary(), mtime=0)[:40], "damaged or cut off"),
        (b"plain words", "is not a FITS file"),
        (primary(card("NAXIS1", "5")).replace(b"BITPIX", b"BATPIX"), "BITPIX is missing"),
        (primary(naxis=1), "NAXIS1 is missing"),
        (primary(naxis=10**9), "NAXIS is '1000000000'"),
        (primary(naxis=-1), "NAXIS is '-1'"),
        (primary(card("NAXIS1", "9" * 60), naxis=1), "NAXIS1 is '9"),
        (primary(card("NAXIS1", "'five'"), naxis=1), "NAXIS1 is 'five'"),
        (b"{", r":1:2: no JSON"),
        (b"\xff\xfe\x00", "is not a FITS file"),
    ],
)
def test_damage_is_an_error_that_names_the_file(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.fits"
    path.write_bytes(data)
    with pytest.raises(HeaderError, match=message) as caught:
        read_header(path)
    assert str(path) in str(caught.value)


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe.fits"
    os.mkfifo(fifo)
    for path, message in (
        (tmp_path / "none.fits", "does not exist"),
        (tmp_path, "is a folder"),
        (fifo, "is no ordinary file"),
        (Path("/dev/zero"), "is no ordinary file"),
        (tmp_path / "a\0b", "can't be opened"),
        (tmp_path / ("x" * 300), "can't be opened"),
    ):
        with pytest.raises(HeaderError, match=message):
            read_header(path)


def test_data_that_are_not_there_end_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.fits"
    path.write_bytes(primary(*(card(f"NAXIS{i}", "999999") for i in range(1, 4)), naxis=3))
    assert read_header(path)["NAXIS3"] == "999999"


def test_a_huge_file_without_an_end_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "x.fits"
    with path.open("wb") as stream:
        stream.write(card("SIMPLE", "T").encode())
        stream.truncate(2**30)
    with pytest.raises(HeaderError, match="no END card within 32 MiB"):
        read_header(path)
    with path.open("r+b") as stream:
        stream.write(primary() + b"XTENSION")
    with pytest.raises(HeaderError, match="no END card within 32 MiB"):
        read_header(path)


def test_a_bomb_is_not_inflated(tmp_path: Path) -> None:
    path = tmp_path / "x.fits.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(primary(card("NAXIS1", "2000000000"), naxis=1))
        stream.write(bytes(2**20))
    assert read_header(path)["NAXIS1"] == "2000000000"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(card("SIMPLE", "T").encode())
        for _ in range(40):
            stream.write(b" " * 2**20)
    with pytest.raises(HeaderError, match="within 32 MiB"):
        read_header(path)


def test_very_many_hdus_are_given_up(tmp_path: Path) -> None:
    extension = header("XTENSION= 'IMAGE   '".ljust(80), card("BITPIX", "8"), card("NAXIS", "0"))
    path = tmp_path / "x.fits"
    path.write_bytes(primary() + extension * 12_000)
    with pytest.raises(HeaderError, match="within 32 MiB of headers"):
        read_header(path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.json", "[" * 100_000, "nested too deep"),
        ("x.json", '{"a":' * 100_000, "nested too deep"),
        ("x.json", '{"a":' * 150 + "1" + "}" * 150, "nested more than 100 deep"),
        ("x.json", "[1, 2]", "has no keywords"),
        ("x.json", '{"a": 1}\n{"a": 2', r":2:\d+: no JSON"),
        ("x.json", '{"a": ' + "9" * 5000 + "}", "no JSON: Exceeds"),
        ("x.json", '{"a": [' + "1," * 100_001 + "1]}", "more than 100000 values"),
        ("x.yaml", "[" * 100_000, "nested more than 100 deep"),
        ("x.yaml", "- a", "has no keywords"),
        ("x.yaml", "a: *b", r":1: .*no anchor"),
        ("x.yaml", "a: &a [*a]", r":1: .*no anchor"),
        ("x.yaml", "a: [1\nb: 2", r":2: not readable as YAML"),
        ("x.yaml", "a: 1\n---\nb: 2", "a second document"),
        (
            "x.yaml",
            "a: &a [1,1,1,1,1,1,1,1,1]\n"
            + "".join(
                f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(12)
            ),
            "more than 100000 values",
        ),
        ("x.asdf", "#ASDF 1.0.0\n", "not an ASDF file with a tree"),
        (
            "x.asdf",
            "#ASDF 1.0.0\n#ASDF_STANDARD 1.5.0\n%YAML 1.1\n---\na: [\n...\n",
            r":\d+: not readable as YAML",
        ),
    ],
)
def test_trees_that_are_damaged_or_endless(name: str, text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(HeaderError, match=message) as caught:
        list(read_headers(path))
    assert str(path) in str(caught.value)


def test_noise_never_gives_a_traceback(tmp_path: Path) -> None:
    noise = random.Random(1)
    whole = primary(card("FILTER", "'Y'"), card("EXPTIME", "1.5")) + header(
        "XTENSION= 'IMAGE   '".ljust(80), card("BITPIX", "8"), card("NAXIS", "0"), card("BAND", "'K'")
    )
    path = tmp_path / "x.fits"
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(noise.randint(1, 12)):
            data[noise.randrange(9, len(data))] = noise.randrange(256)
        path.write_bytes(data[: noise.choice((len(data), noise.randrange(len(data))))] or b"S")
        with suppress(HeaderError):
            assert all(isinstance(value, str) for value in read_header(path).values())


def test_the_damaged_files_of_the_corpus(corpus: Path) -> None:
    folder = corpus / "files" / "jwst"
    for name, message in (
        ("invalid.json", r"invalid.json:5:1: no JSON"),
        ("invalid.yaml", r"invalid.yaml:1: not readable as YAML"),
        ("invalid.asdf", "not an ASDF file"),
    ):
        with pytest.raises(HeaderError, match=message):
            read_header(folder / name)
    pointer = corpus / "tmt-crds-cache" / "references" / "tmt" / "iris" / "tmt_iris_dark_0001.fits"
    with pytest.raises(HeaderError, match="only a Git-LFS pointer"):
        read_header(pointer)
