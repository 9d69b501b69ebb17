"""What reference files hold, and what is said of those that can't be read."""

import bz2
import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from calmap.errors import HeaderError
from calmap.references.contents import Column, array, column, read_contents


@pytest.fixture
def varied(tmp_path: Path) -> Path:
    """A file with an extension of each kind."""
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column("CHIP", "I", array=[1, 2]),
            fits.Column("COUNTS", "I", bzero=32768, array=np.array([1, 60000], "u2")),
            fits.Column("name", "5A", unit="none", array=["a", "b  "]),
            fits.Column("ROW", "PJ()", array=np.array([[1, 2], [3]], dtype=object)),
            fits.Column("POLY", "3E", unit="pix", array=np.ones((2, 3))),
            fits.Column("GOOD", "L", array=[True, False]),
        ],
        name="MODES",
        ver=2,
    )
    text = fits.TableHDU.from_columns(
        [fits.Column("T", "A5", array=["x", "y"]), fits.Column("V", "F10.3", array=[1.5, 2])]
    )
    path = tmp_path / "varied.fits"
    fits.HDUList(
        [
            fits.PrimaryHDU(header=fits.Header({"REFTYPE": "flat"})),
            fits.ImageHDU(np.arange(12, dtype="f4").reshape(3, 4), name="sci"),
            fits.ImageHDU(np.arange(6, dtype="u2").reshape(2, 3), name="DQ"),
            fits.CompImageHDU(np.arange(100, dtype="i4").reshape(10, 10), name="PACKED"),
            table,
            text,
        ]
    ).writeto(path)
    return path


def test_extensions_have_names_shapes_and_types(varied: Path) -> None:
    contents = read_contents(varied)

    assert contents.header["REFTYPE"] == "flat"
    assert [(e.index, e.name, e.version, e.kind, e.shape, e.data_type) for e in contents.extensions] == [
        (0, "PRIMARY", 1, "none", (), ""),
        (1, "SCI", 1, "image", (3, 4), "float32"),
        (2, "DQ", 1, "image", (2, 3), "uint16"),
        (3, "PACKED", 1, "image", (10, 10), "int32"),
        (4, "MODES", 2, "table", (2,), ""),
        (5, "", 1, "table", (2,), ""),
    ]
    assert contents.extensions[4].columns == (
        Column("CHIP", "int16", ""),
        Column("COUNTS", "uint16", ""),
        Column("name", "str", "none"),
        Column("ROW", "object", ""),
        Column("POLY", "float32", "pix"),
        Column("GOOD", "bool", ""),
    )


def test_types_are_those_of_the_data_read(varied: Path) -> None:
    for extension in read_contents(varied).extensions:
        if extension.kind == "image":
            assert array(varied, extension.index).dtype.newbyteorder("=").name == extension.data_type
        for each in extension.columns:
            values = column(varied, extension.index, each.name)
            kind = "str" if values.dtype.kind == "U" else values.dtype.newbyteorder("=").name
            assert kind == each.data_type


def test_data_are_found_by_name_version_and_number(varied: Path) -> None:
    assert array(varied, "Sci")[2, 3] == 11
    assert array(varied, 2).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert array(varied, "packed").sum() == 4950
    assert column(varied, ("MODES", 2), "NAME").tolist() == ["a", "b"]
    assert column(varied, "MODES", "counts").tolist() == [1, 60000]
    assert column(varied, 5, "V").tolist() == [1.5, 2.0]


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_compressed_files_hold_the_same(varied: Path, suffix: str, pack) -> None:
    packed = varied.with_suffix(f".fits{suffix}")
    packed.write_bytes(pack(varied.read_bytes()))

    assert read_contents(packed).extensions == read_contents(varied).extensions
    assert np.array_equal(array(packed, "DQ"), array(varied, "DQ"))


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda path: array(path, "ERR"), "has no extension 'ERR' (it has primary HDU, extension 1 (SCI)"),
        (lambda path: array(path, 9), "has no extension 9"),
        (lambda path: array(path, ("SCI", 2)), "has no extension 'SCI,2'"),
        (lambda path: array(path, "MODES"), "extension 4 (MODES,2) is no image"),
        (lambda path: array(path, 0), "primary HDU is no image"),
        (lambda path: column(path, "MODES", "X"), "has no column 'X' (columns: CHIP, COUNTS, name"),
        (lambda path: column(path, "SCI", "X"), "extension 1 (SCI) has no column 'X' (it is no table)"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(varied: Path, read, said: str) -> None:
    with pytest.raises(HeaderError) as caught:
        read(varied)

    assert said in str(caught.value)
    assert str(varied) in str(caught.value)


def test_texts_need_not_be_ascii(tmp_path: Path) -> None:
    table = fits.BinTableHDU.from_columns([fits.Column("T", "4A", array=np.array([b"\xe9t\xe9", b"x"]))])
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(tmp_path / "latin.fits")

    assert column(tmp_path / "latin.fits", 1, "T").tolist() == ["été", "x"]


def test_every_real_file_has_contents_or_a_reason(corpus: Path) -> None:
    refused = []
    for path in sorted((corpus / "files").glob("*/*")):
        try:
            contents = read_contents(path)
        except HeaderError as problem:
            refused.append((path.name, str(problem)))
        else:
            assert contents.header
            assert bool(contents.extensions) or path.suffix != ".fits"
    assert all(name in said for name, said in refused)
    names = [name for name, _ in refused if not name.endswith(".json")]
    assert names == ["invalid.asdf", "invalid.yaml"]


def test_arrays_of_asdf_files_are_told_by_the_tree(corpus: Path) -> None:
    extensions = read_contents(corpus / "files/roman/roman_wfi16_f158_flat_small.asdf").extensions

    assert [(e.name, e.kind, e.shape, e.data_type) for e in extensions] == [
        ("ROMAN.DATA", "image", (2, 2), "float32"),
        ("ROMAN.DQ", "image", (2, 2), "uint32"),
        ("ROMAN.ERR", "image", (2, 2), "float32"),
    ]


def test_a_pointer_of_git_lfs_is_no_file(corpus: Path) -> None:
    folder = corpus / "liger-iris-crds-cache/references/ligeriri/iris"
    path = next(path for path in sorted(folder.glob("*.fits")) if path.stat().st_size < 1024)
    for read in (read_contents, lambda path: array(path, 1), lambda path: column(path, 1, "X")):
        with pytest.raises(HeaderError, match=r"only a Git-LFS pointer .*git lfs pull"):
            read(path)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2880])


def altered(path: Path, card: str) -> None:
    """Replace the last card with the same keyword."""
    data = bytearray(path.read_bytes())
    at = data.rfind(card[:10].encode())
    assert at >= 0
    data[at : at + 80] = card.ljust(80).encode()
    path.write_bytes(bytes(data))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.ones((30, 40)), name="SCI")]).writeto(path)
    return path


def test_shapes_of_a_cut_off_file_can_be_told_but_not_its_data(image: Path) -> None:
    cut_off(image)

    assert read_contents(image).extensions[1].shape == (30, 40)
    with pytest.raises(HeaderError, match=r"SCI\) lacks 960 bytes of its data \(the file was cut off\)"):
        array(image, 1)


def test_a_small_file_can_not_claim_much_memory(image: Path) -> None:
    altered(image, "NAXIS1  =           1000000000")

    assert read_contents(image).extensions[1].shape == (30, 10**9)
    with pytest.raises(HeaderError, match="lacks 23999"):
        array(image, 1)


def test_a_table_can_not_have_a_million_columns(tmp_path: Path) -> None:
    path = tmp_path / "table.fits"
    table = fits.BinTableHDU.from_columns([fits.Column("X", "J", array=[1])])
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
    altered(path, "TFIELDS =           1000000000")

    with pytest.raises(HeaderError, match="TFIELDS=1000000000"):
        read_contents(path)


def test_a_packed_image_can_not_have_a_million_columns(tmp_path: Path) -> None:
    path = tmp_path / "packed.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(np.zeros((10, 10), "i4"))]).writeto(path)
    altered(path, "TFIELDS =           1000000000")

    with pytest.raises(HeaderError, match="TFIELDS is '1000000000'"):
        read_contents(path)


def test_a_packed_image_can_not_claim_much_memory(tmp_path: Path) -> None:
    path = tmp_path / "packed.fits"
    packed = fits.CompImageHDU(np.zeros((10, 10), "i4"))
    fits.HDUList([fits.PrimaryHDU(), packed]).writeto(path)
    altered(path, "ZNAXIS1 =           1000000000")

    with pytest.raises(HeaderError, match="when decompressed"):
        array(path, 1)


@pytest.mark.parametrize(
    "data", [b"", b"SIMPLE", b"SIMPLE  =                    T".ljust(2880), b"\x1f\x8bxx"]
)
def test_no_files_at_all(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "no.fits"
    path.write_bytes(data)

    with pytest.raises(HeaderError, match=r"no\.fits"):
        read_contents(path)


def test_astropy_is_imported_for_fits_files_only(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"REFTYPE": "flat"}')
    code = (
        "import sys; from pathlib import Path; import calmap.references.difference as d;"
        "from calmap.references.contents import read_contents; import calmap.references.integrity;"
        f"read_contents(Path({str(path)!r})); d.reference_difference(*[Path({str(path)!r})] * 2);"
        "print([name for name in ('astropy', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
