"""Differences of reference files: exactly what was changed, and nothing else."""

import json
import random
import tracemalloc
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from calmap.errors import CalmapError, HeaderError, UsageError
from calmap.references import difference as module
from calmap.references.contents import array, column, read_contents
from calmap.references.difference import ReferenceDifference, reference_difference
from calmap.references.integrity import integrity
from calmap.references.tablediff import Cell, ColumnChange, RowChange
from calmap.references.tables import compare_modes
from calmap.report.reference_difference import as_json, render

KEYS = ("modeup", "MODEDOWN")
FLOATS = st.floats(width=32, allow_infinity=True, allow_nan=True)


def written(path: Path, *hdus: Any, **keywords: Any) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        primary = fits.PrimaryHDU()
        primary.header.update(keywords)
        fits.HDUList([primary, *hdus]).writeto(path, overwrite=True, checksum=True)
    return path


def image(data: Any, name: str = "SCI", **keywords: Any) -> fits.ImageHDU:
    return fits.ImageHDU(np.asarray(data), fits.Header(keywords), name=name)


def table(rows: list[tuple[str, int, float]], name: str = "T") -> fits.BinTableHDU:
    filters, chips, values = zip(*rows, strict=True) if rows else ((), (), ())
    columns = [
        fits.Column("FILTER", "6A", array=list(filters)),
        fits.Column("CHIP", "J", array=np.array(chips, "i4")),
        fits.Column("VALUE", "E", array=np.array(values, "f4")),
    ]
    return fits.BinTableHDU.from_columns(columns, name=name)


ROWS = st.lists(
    st.tuples(st.sampled_from(["F1", "F2", "N/A"]), st.integers(1, 4), FLOATS), min_size=1, max_size=12
)
UNIQUE = ROWS.map(lambda rows: list({row[:2]: row for row in rows}.values()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: Any) -> Path:
    return tmp_path_factory.mktemp("differences")


def test_no_real_file_differs_from_itself(corpus: Path) -> None:
    for path in sorted((corpus / "files").glob("*/*")):
        try:
            assert reference_difference(path, path).is_empty
        except HeaderError:
            assert path.name.startswith("invalid")


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_one_changed_pixel_is_found(folder: Path, data: Any) -> None:
    shape = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=3).map(tuple))
    kind = data.draw(st.sampled_from(["f4", "f8", "i2", "u2", "i8", "u1"]))
    pixels = np.random.default_rng(1).integers(0, 100, shape).astype(kind)
    if kind.startswith("f"):
        pixels.flat[0] = np.nan
    place = tuple(data.draw(st.integers(0, axis - 1)) for axis in shape)
    changed = pixels.copy()
    changed[place] = 117
    old = written(folder / "old.fits", image(pixels))
    new = written(folder / "new.fits", image(changed))
    found = reference_difference(old, new)

    assert reference_difference(old, old).is_empty
    (array_,) = found.arrays
    assert (array_.differing, array_.first) == (1, tuple(index + 1 for index in reversed(place)))
    largest = 117 - float(pixels[place])
    assert array_.largest == (None if np.isnan(largest) else largest)
    assert not found.keywords
    assert not found.tables


@settings(max_examples=25, deadline=None)
@given(
    keyword=st.text("ABCDEFGH", min_size=2, max_size=8),
    old=st.integers() | st.text("abc '/=", max_size=20) | st.booleans(),
    new=st.integers() | st.text("abc '/=", max_size=20) | st.booleans() | st.none(),
)
def test_one_changed_keyword_is_found(folder: Path, keyword: str, old: Any, new: Any) -> None:
    before = written(folder / "old.fits", image([1.0]), OTHER=1, **{keyword: old})
    after = written(folder / "new.fits", image([1.0]), OTHER=1, **({} if new is None else {keyword: new}))
    found = reference_difference(before, after)

    same = old.rstrip() == new.rstrip() if isinstance(old, str) and isinstance(new, str) else old == new
    assert [(change.place, change.keyword) for change in found.keywords] == [("primary HDU", keyword)][same:]
    assert found.is_empty == same
    assert not new or same or found.keywords[0].old != found.keywords[0].new


@settings(max_examples=25, deadline=None)
@given(rows=ROWS, seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter_by_key(folder: Path, rows: Any, seed: int) -> None:
    mixed = random.Random(seed).sample(rows, len(rows))
    old, new = written(folder / "old.fits", table(rows)), written(folder / "new.fits", table(mixed))

    assert reference_difference(old, new, row_keys=("chip", "FILTER")).is_empty
    assert reference_difference(old, new).is_empty == (np.array_equal(texts(rows), texts(mixed)))


def texts(rows: Any) -> list[tuple[str, int, str]]:
    return [(name, chip, str(np.float32(value) + 0)) for name, chip, value in rows]


@settings(max_examples=30, deadline=None)
@given(rows=UNIQUE, which=st.integers(0, 11), seed=st.integers(0, 99))
def test_one_changed_row_is_found_by_key(folder: Path, rows: Any, which: int, seed: int) -> None:
    which %= len(rows)
    name, chip, value = rows[which]
    other = 1.5 if value != 1.5 else 2.5
    changed = random.Random(seed).sample([*rows[:which], (name, chip, other), *rows[which + 1 :]], len(rows))
    old, new = written(folder / "old.fits", table(rows)), written(folder / "new.fits", table(changed))
    (found,) = reference_difference(old, new, row_keys=("FILTER", "CHIP")).tables

    assert (found.removed, found.added, found.changed, found.repeated) == (0, 0, 1, 0)
    assert found.rows == (
        RowChange(
            which + 1,
            changed.index((name, chip, other)) + 1,
            (("FILTER", repr(name)), ("CHIP", str(chip))),
            (Cell("VALUE", str(np.float32(value)), str(other)),),
        ),
    )


@settings(max_examples=30, deadline=None)
@given(rows=UNIQUE.filter(lambda rows: len(rows) > 1), which=st.integers(0, 11), keyed=st.booleans())
def test_one_row_added_or_removed_is_found(folder: Path, rows: Any, which: int, keyed: bool) -> None:
    which %= len(rows)
    fewer = [*rows[:which], *rows[which + 1 :]]
    old, new = written(folder / "old.fits", table(rows)), written(folder / "new.fits", table(fewer))
    keys = ("FILTER", "CHIP") if keyed else ()
    (removed,) = reference_difference(old, new, row_keys=keys).tables
    (added,) = reference_difference(new, old, row_keys=keys).tables

    assert (removed.removed, removed.added, removed.changed) == (1, 0, 0)
    assert (added.removed, added.added, added.changed) == (0, 1, 0)
    assert [row.old for row in removed.rows] == [which + 1] == [row.new for row in added.rows]


# What `crds rowdiff` reports of the same files, its rows counted from 1.
ROWDIFF = {
    "test-source": ((), (), ()),
    "test-change-row1-valueLeft": ((), (), (2,)),
    "test-single-modes": ((2, 3, 4, 6, 7, 8), (), ()),
    "test-alternate-modes": ((1, 5, 9), (), ()),
    "test-duplicate-mode": ((), (10,), (4,)),
}


@pytest.mark.parametrize("name", ROWDIFF)
@pytest.mark.parametrize("keys", [(), KEYS])
def test_rows_differ_as_rowdiff_of_crds_says(corpus: Path, name: str, keys: tuple[str, ...]) -> None:
    folder = corpus / "files/misc"
    tables = reference_difference(folder / "test-source.fits", folder / f"{name}.fits", row_keys=keys).tables
    rows = [row for table in tables for row in table.rows]

    assert (
        tuple(row.old for row in rows if row.new is None),
        tuple(row.new for row in rows if row.old is None),
        tuple(row.old for row in rows if row.old is not None and row.new is not None),
    ) == ROWDIFF[name]


def modes(corpus: Path, name: str) -> list[tuple[str, str]]:
    folder = corpus / "files/misc"
    found = compare_modes(folder / "test-source.fits", folder / f"{name}.fits", KEYS)
    assert {problem.place for problem in found} <= {"extension 1"}
    return [(str(problem.severity), problem.message) for problem in found]


def test_modes_are_compared_with_the_file_replaced(corpus: Path) -> None:
    assert modes(corpus, "test-source") == []
    assert modes(corpus, "test-change-row1-valueLeft") == [
        ("info", "1 row has other values of 'valueLeft': modeUp='yes', modeDown='no'")
    ]
    assert modes(corpus, "test-duplicate-mode") == [
        ("warning", "1 mode is there more than once: modeUp='no', modeDown='maybe'"),
        ("info", "1 row has other values of 'valueLeft': modeUp='no', modeDown='yes'"),
    ]
    ((severity, message),) = modes(corpus, "test-single-modes")
    assert severity == "warning"
    assert message.startswith("6 modes are missing that test-source.fits has: modeUp='yes', modeDown='no'; ")
    assert message.endswith(" and 1 more")


def test_modes_are_those_of_the_columns_that_are_there(corpus: Path) -> None:
    old, new = (corpus / f"files/misc/test-{name}.fits" for name in ("source", "duplicate-mode"))

    assert compare_modes(old, new, ("NONE",)) == ()
    assert compare_modes(old, new, {"OTHER": KEYS}) == ()
    assert compare_modes(old, new, ("modeup", "NONE"))[0].message.startswith(
        "3 modes are there more than once"
    )
    with pytest.raises(HeaderError, match="has no extension 7"):
        compare_modes(old, new, KEYS, extension=7)


def test_columns_added_removed_and_retyped_are_told(tmp_path: Path) -> None:
    def columns(*added: fits.Column) -> fits.BinTableHDU:
        return fits.BinTableHDU.from_columns([fits.Column("X", "J", array=[1, 2]), *added], name="T")

    old = written(tmp_path / "old.fits", columns(fits.Column("A", "3A", array=["a", "b"])))
    new = written(
        tmp_path / "new.fits",
        fits.BinTableHDU.from_columns(
            [fits.Column("x", "D", unit="s", array=[1, 3]), fits.Column("B", "L", array=[True, False])],
            name="T",
        ),
    )
    (found,) = reference_difference(old, new).tables

    assert found.columns == (
        ColumnChange("X", "int32 (J)", "float64 (D) in s"),
        ColumnChange("A", "str (3A)", None),
        ColumnChange("B", None, "bool (L)"),
    )
    assert [(row.old, row.new, row.cells) for row in found.rows] == [(2, 2, (Cell("X", "2", "3.0"),))]


def test_arrays_in_cells_are_compared(tmp_path: Path) -> None:
    def cells(*lists: list[int]) -> fits.BinTableHDU:
        varied = np.empty(len(lists), dtype=object)
        varied[:] = [np.array(values) for values in lists]
        fixed = np.array([[*values, 0, 0][:2] for values in lists], "f4")
        return fits.BinTableHDU.from_columns(
            [fits.Column("V", "PJ()", array=varied), fits.Column("F", "2E", array=fixed)], name="T"
        )

    old = written(tmp_path / "old.fits", cells([1], [2, 3], [4]))
    new = written(tmp_path / "new.fits", cells([1], [2, 3, 5], [4]))
    (found,) = reference_difference(old, new).tables

    assert [(row.old, row.cells) for row in found.rows] == [(2, (Cell("V", "[2 3]", "[2 3 5]"),))]


def test_shapes_types_and_extensions_are_told(tmp_path: Path) -> None:
    old = written(
        tmp_path / "old.fits", image(np.ones((2, 3), "f4")), image([1, 2], "DQ"), image([1], "A"), table([])
    )
    new = written(
        tmp_path / "new.fits",
        image(np.ones((2, 4), "f4")),
        image([1.0, 2.0], "DQ"),
        table([], "B"),
        image([1], "C"),
    )
    found = reference_difference(old, new)

    assert [
        (a.place, a.old_shape, a.new_shape, a.old_type, a.new_type, a.differing) for a in found.arrays
    ] == [
        ("extension 1 (SCI)", (2, 3), (2, 4), "float32", "float32", None),
        ("extension 2 (DQ)", (2,), (2,), "int64", "float64", 0),
    ]
    assert [(c.keyword, c.old, c.new) for c in found.keywords if c.keyword == "EXTNAME"] == [
        ("EXTNAME", "'A'", "'C'"),
        ("EXTNAME", "'T'", "'B'"),
    ]
    assert (found.removed, found.added) == ((), ())
    shorter = reference_difference(old, written(tmp_path / "short.fits", image(np.ones((2, 3), "f4"))))
    assert shorter.removed == ("extension 2 (DQ)", "extension 3 (A)", "extension 4 (T)")


def test_keywords_may_be_ignored_and_comments_count(tmp_path: Path) -> None:
    old = written(tmp_path / "old.fits", DATE="2020-01-01", P_A="x", GAIN=(1.0, "e/DN"), HISTORY="one")
    new = written(tmp_path / "new.fits", DATE="2021-01-01", P_A="y", GAIN=(1.0, "e-/DN"), HISTORY="two")
    found = reference_difference(old, new)

    assert [(c.keyword, c.of, c.old, c.new) for c in found.keywords] == [
        ("GAIN", "comment", "e/DN", "e-/DN"),
        ("P_A", "value", "'x'", "'y'"),
        ("HISTORY", "value", "one", None),
        ("HISTORY", "value", None, "two"),
    ]
    ignored = ("CHECKSUM", "DATE", "p_*", "GAIN", "HISTORY")
    assert reference_difference(old, new, ignore=ignored).is_empty
    assert len(reference_difference(old, new, ignore=()).keywords) > 4


def test_key_columns_that_no_table_has_are_refused(corpus: Path) -> None:
    path = corpus / "files/misc/test-source.fits"
    with pytest.raises(UsageError, match=r"the key columns 'FILTER' \(columns: MODEDOWN, MODEUP, "):
        reference_difference(path, path, row_keys=("FILTER",))


def test_headers_of_trees_are_compared(tmp_path: Path, corpus: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text('{"META": {"REFTYPE": "flat", "AUTHOR": "a"}, "DATA": [{"X": 1}]}')
    new.write_text('{"META": {"REFTYPE": "dark"}, "DATA": [{"X": 1}]}')
    found = reference_difference(old, new)
    assert [(c.keyword, c.old, c.new) for c in found.keywords] == [
        ("META.AUTHOR", "a", None),
        ("META.REFTYPE", "flat", "dark"),
    ]
    new.write_text(old.read_text().replace("1", "2"))
    assert reference_difference(old, new).notes == ("the files differ, though no keyword does",)
    roman = corpus / "files/roman/roman_wfi16_f158_flat_small.asdf"
    changed = tmp_path / "changed.asdf"
    data = bytearray(roman.read_bytes())
    data[data.rfind(b"\xd3BLK") + 60] ^= 1
    changed.write_bytes(bytes(data))
    assert reference_difference(roman, changed).notes == ("the binary data of arrays differ",)


def test_large_images_are_compared_in_little_memory(tmp_path: Path, monkeypatch: Any) -> None:
    from calmap.references import fitsfile

    monkeypatch.setattr(fitsfile, "SLAB", 2**16)
    pixels = np.ones((4, 500, 500), "u2")
    old = written(tmp_path / "old.fits", image(pixels))
    pixels[3, 499, 499] = 7
    new = written(tmp_path / "new.fits", image(pixels))
    reference_difference(old, old)
    tracemalloc.start()
    found = reference_difference(old, new)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert found.arrays[0][-3:] == (1, 6.0, (500, 500, 4))
    assert peak < pixels.nbytes // 2


def test_reports_read_well(corpus: Path, repo_root: Path, snapshot: Any) -> None:
    files = corpus / "files"
    demo = repo_root / "references/ligeriri/iris"
    pairs = [
        ("misc/test-source.fits", "misc/test-duplicate-mode.fits", KEYS),
        ("hst/y951738kl_hv.fits", "hst/y9j16159l_hv.fits", ()),
        ("jwst/jwst_miri_ipc_0004.fits", "jwst/jwst_miri_ipc.bad-value.fits", ()),
        ("misc/test-source.fits", "misc/test-source.fits", ()),
        ("roman/roman_wfi16_f158_flat_small.asdf", "roman/roman_wfi16_f158_flat_badtype.asdf", ()),
    ]
    found = [(reference_difference(files / a, files / b, row_keys=keys), files) for a, b, keys in pairs]
    flats = [demo / f"IRIS_IMG1_FLAT_{date}T000000_0.0.1.fits" for date in ("20240924", "20250313")]
    found.append((reference_difference(*flats), demo))
    texts = [render(each).replace(f"{root}/", "") for each, root in found]

    assert all(len(line) <= 80 for text in texts for line in text.splitlines() if " -> " not in line)
    assert "\n".join(texts) == snapshot


def test_reports_hold_no_control_characters_and_hide_no_count(tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps({"A": "\x1b[31mred", "B": "x" * 5000}))
    new.write_text(json.dumps({"A": "line\nbreak"}))
    text = render(reference_difference(old, new))
    assert "\x1b" not in text
    assert "\\x1b[31mred" in text
    assert len(text) < 2000

    many = [("F", number, 0.0) for number in range(1200)]
    added = reference_difference(
        written(tmp_path / "old.fits", table([])), written(tmp_path / "new.fits", table(many))
    )
    assert added.tables[0].added == 1200
    assert render(added).endswith("\n    and 1180 more\n")


def test_as_json_is_plain(corpus: Path) -> None:
    folder = corpus / "files/misc"
    found = reference_difference(
        folder / "test-source.fits", folder / "test-duplicate-mode.fits", row_keys=("modeUp", "modeDown")
    )
    plain = json.loads(json.dumps(as_json(found), allow_nan=False))

    assert plain["same"] is False
    assert plain["tables"][0]["rows"][0] == {
        "old": 4,
        "new": 4,
        "key": {"modeUp": "'no'", "modeDown": "'yes'"},
        "cells": [{"name": "valueLeft", "old": "425", "new": "-1"}],
    }
    assert as_json(ReferenceDifference(Path("a"), Path("b")))["same"] is True


def refusal(read: Any) -> str | None:
    try:
        read()
    except CalmapError as problem:
        return str(problem)
    return None


DAMAGE = [
    *(b"NAXIS1  = 99999999999", b"NAXIS   = 2000000000", b"BITPIX  = 'abc'", b"TFIELDS = 999999999"),
    *(b"TFORM1  = '99999999E'", b"TFORM3  = '1QJ'", b"TTYPE1  = 5", b"PCOUNT  = -1", b"GCOUNT  = 1000000000"),
    *(b"NAXIS2  = 1000000000", b"TDIM2   = '(0,9)'", b"EXTVER  = 'x'", b"BZERO   = 'x'", b"TZERO2  = 1E400"),
    *(b"XTENSION= 'TABLE'", b"XTENSION= 'FOREIGN'", b"CRVAL1  = 'x", b"DATASUM = -5", b"SIMPLE  = F"),
]


@settings(max_examples=40, deadline=None)
@given(
    cards=st.lists(st.tuples(st.sampled_from(DAMAGE), st.integers(0, 80)), max_size=2),
    flips=st.lists(st.tuples(st.integers(0, 30_000), st.integers(1, 255)), max_size=3),
    cut=st.none() | st.integers(1, 30_000),
)
def test_damaged_files_are_refused_with_a_reason(folder: Path, cards: Any, flips: Any, cut: Any) -> None:
    whole = written(
        folder / "whole.fits",
        image(np.ones((5, 6), "u2"), CRVAL1=1.0),
        table([("a", 1, 2.0), ("b", 2, 3.0)]),
        fits.CompImageHDU(np.arange(100).reshape(10, 10)),
    )
    data = bytearray(whole.read_bytes())
    for card, number in cards:
        places = [at for at in range(0, len(data), 80) if data[at : at + 8] == card[:8]] or [80 * number]
        at = places[number % len(places)]
        data[at : at + 80] = card.ljust(80)
    for at, flip in flips:
        data[at % len(data)] ^= flip
    path = folder / "damaged.fits"
    path.write_bytes(bytes(data[:cut]))
    for read in (
        lambda: read_contents(path),
        lambda: integrity(path),
        lambda: render(reference_difference(whole, path)),
        lambda: render(reference_difference(path, whole, row_keys=("CHIP",))),
        lambda: compare_modes(path, whole, ("CHIP",)),
        lambda: array(path, 1),
        lambda: column(path, 2, "VALUE"),
    ):
        assert "damaged.fits" in (refusal(read) or "damaged.fits")


def test_no_chunk_hides_a_difference(tmp_path: Path, monkeypatch: Any, corpus: Path) -> None:
    monkeypatch.setattr(module, "_CHUNK", 7)
    roman = corpus / "files/roman/roman_wfi16_f158_flat_small.asdf"
    longer = tmp_path / "longer.asdf"
    longer.write_bytes(roman.read_bytes() + b"\0")

    assert reference_difference(roman, roman).is_empty
    assert reference_difference(roman, longer).notes == ("the binary data of arrays differ",)
