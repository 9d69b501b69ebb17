from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from calmap.report.excerpt import excerpt
from calmap.report.text import Charset, printable

UTF8 = Charset("utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a[red]b.fits", "a[red]b.fits"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b31m", r"\x9b31m"),
        ("two\nlines\r\tand a tab", r"two\nlines\r\tand a tab"),
        ("right\u202eleft", r"right\u202eleft"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("line\u2028end", r"line\u2028end"),
        ("lone \ud800", r"lone \ud800"),
        ("µm 漢字 é", "µm 漢字 é"),
    ],
)
def test_control_and_invisible_characters_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_what_the_encoding_lacks_is_escaped_or_spelt_in_ascii() -> None:
    assert printable("é → 漢", "latin-1") == "é -> \\u6f22"
    assert printable("é", "ascii") == r"\xe9"


@given(st.text())
def test_shown_text_is_one_line_that_encodes(text: str) -> None:
    assert printable(text).isprintable()
    printable(text).encode("utf-8")
    printable(text, "ascii").encode("ascii")


def test_ascii_terminals_get_ascii_signs() -> None:
    ascii_console = Console(file=io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert Charset.of(ascii_console).match == "+"
    utf8_console = Console(file=io.TextIOWrapper(io.BytesIO(), encoding="UTF8"))
    assert Charset.of(utf8_console).match == "✓"


def test_tabs_are_expanded_so_that_carets_line_up() -> None:
    line = "\t'a'\t: 'b',"
    shown = excerpt(line, line.index("'b'"), line.index("'b'") + 3, 80, UTF8)
    assert shown.text == "    'a' : 'b',"
    assert shown.text[shown.before : shown.before + shown.marked] == "'b'"


def test_wide_and_combining_characters_are_measured_in_cells() -> None:
    shown = excerpt("漢e\u0301x", 3, 4, 80, UTF8)
    assert (shown.before, shown.marked) == (3, 1)
    assert excerpt("漢字", 1, 2, 80, UTF8).marked == 2


def test_a_place_past_the_end_of_a_line_has_a_caret() -> None:
    assert excerpt("ab", 2, 2, 80, UTF8).before == 2
    assert excerpt("", 0, 0, 80, UTF8).marked == 1


def test_a_long_line_is_cut_around_the_span() -> None:
    line = "x" * 100_000 + "HERE" + "y" * 100_000
    shown = excerpt(line, 100_000, 100_004, 40, UTF8)
    assert shown.text.startswith("…")
    assert shown.text.endswith("…")
    assert shown.text[shown.before : shown.before + shown.marked] == "HERE"
    assert cell_len(shown.text) <= 40


def test_a_line_is_cut_on_one_side_only_if_the_other_fits() -> None:
    line = "start " + "y" * 200
    assert excerpt(line, 0, 5, 40, UTF8).text.startswith("start y")
    assert excerpt(line, 205, 206, 40, UTF8).text.startswith("…y")


@given(st.text(alphabet="a漢\t\x1b\u0301é", max_size=200), st.data(), st.sampled_from(["utf-8", "ascii"]))
def test_an_excerpt_keeps_its_width_and_holds_its_mark(line: str, data: st.DataObject, encoding: str) -> None:
    start = data.draw(st.integers(0, len(line)))
    end = data.draw(st.integers(start, len(line)))
    shown = excerpt(line, start, end, 40, Charset(encoding))
    assert cell_len(shown.text) <= 40
    assert 0 <= shown.before <= cell_len(shown.text)
    assert shown.marked >= 1
    assert shown.before + shown.marked <= max(cell_len(shown.text), shown.before + 1)
