"""Rows and tuples that are read in one piece mean what their parts mean one by one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from lark import Lark
from lark.exceptions import UnexpectedInput, VisitError

from calmap.source import Source
from calmap.syntax.grammar import grammar_path
from calmap.syntax.guard import DepthGuard
from calmap.syntax.parser import Section, _Lowering, _RefusedError, parse

SHORTCUTS = (
    "          | PLAIN_TUPLE                                -> plain_tuple\n",
    "ROWS | ",
    "ROWS.3 ",
    "PLAIN_TUPLE.2 ",
)


def plain_grammar() -> str:
    """The grammar without the tokens that stand for many."""
    text = grammar_path("mapping.lark").read_text(encoding="utf-8")
    assert [shortcut for shortcut in SHORTCUTS if text.count(shortcut) != 1] == []
    lines = [line for line in text.splitlines(True) if not line.startswith(SHORTCUTS)]
    return "".join(lines).replace("ROWS | ", "")


@pytest.fixture(scope="module")
def plain() -> Lark:
    return Lark(
        plain_grammar(),
        parser="lalr",
        lexer="contextual",
        keep_all_tokens=True,
        maybe_placeholders=False,
        transformer=_Lowering(),
        postlex=DepthGuard(),
    )


def sections(plain: Lark, text: str) -> tuple[Section, ...] | None:
    """What the plain grammar makes of a text, or None if it refuses it."""
    try:
        return plain.parse(text)
    except (UnexpectedInput, _RefusedError):
        return None
    except VisitError as problem:
        if isinstance(problem.orig_exc, _RefusedError):
            return None
        raise


def shortened(text: str) -> tuple[Section, ...] | None:
    parsed = parse(Source("x.rmap", text))
    return None if parsed.diagnostics else parsed.sections


def mostly(*usual: str, seldom: tuple[str, ...]) -> st.SearchStrategy[str]:
    """One of the usual texts, or in one of thirty cases of the others."""
    return st.integers(0, 29).flatmap(lambda chance: st.sampled_from(usual if chance else seldom))


BLANKS = mostly(
    *("", "", "", " ", "\n", "\r\n", "\t", "\f", "\\\n", " # a, 'b' : (\n"),
    seldom=("\v", "\xa0", "\u2003", "\u2028", "\x1c", "\\"),
)
STRINGS = st.one_of(
    mostly(
        *("'a'", "'b'", "''", '"a"', "'a' 'b'", "'''a'''", "''''''", "r'a'", "u'\\\\'", "'\\''", "'a\\\nb'"),
        seldom=("'a", "a'", "'\\'", "'a\nb'", "'\\x0'"),
    ),
    st.text(st.sampled_from('aé٣ \t"#:,(){}\x00\x85\u2028\u00a0'), max_size=4).map(lambda text: f"'{text}'"),
)
NUMBERS = st.one_of(
    mostly(
        *(
            "0",
            "-0",
            "00",
            "-7",
            "- 7",
            "1.",
            "-1.5",
            ".5",
            "1e3",
            "1_0",
            "0x1f",
            "0.0",
            "123456789012345678",
        ),
        seldom=("007", "--7", "+7", "٣", "1.٣", "²", "1__0"),
    ),
    st.integers(-(10**20), 10**20).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(str),
)
ATOMS = st.one_of(
    STRINGS, STRINGS, STRINGS, NUMBERS, mostly("True", "None", "Match({})", "()", seldom=("x",))
)


def spaced(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Parts with blanks or comments before, between and after them."""
    woven = [BLANKS, *(item for part in parts for item in (part, BLANKS))]
    return st.tuples(*woven).map("".join)


def listed(item: st.SearchStrategy[str], opening: str, closing: str) -> st.SearchStrategy[str]:
    commas = mostly(",", seldom=("", ",,", ";"))
    items = st.lists(st.tuples(spaced(item), commas).map("".join), max_size=5).map("".join)
    return st.one_of(items, items.map(lambda text: text.rstrip(","))).map(
        lambda text: f"{opening}{text}{closing}"
    )


TUPLES = listed(ATOMS, "(", ")")
ROWS = st.one_of(*[spaced(key, st.just(":"), ATOMS) for key in (STRINGS, ATOMS)])
TABLES = listed(ROWS, "{", "}")
NESTED = st.one_of(
    TUPLES,
    TABLES,
    listed(st.one_of(TUPLES, ATOMS), "(", ")"),
    listed(st.one_of(ATOMS, ROWS), "{", "}"),
    listed(spaced(st.one_of(TUPLES, ATOMS), st.just(":"), st.one_of(TUPLES, TABLES, ATOMS)), "{", "}"),
    TABLES.map(lambda text: f"Match({text})"),
)


@settings(max_examples=800, deadline=None)
@given(NESTED)
def test_made_up_tables_and_tuples(plain, value):
    text = f"header = {value}\n"

    expected = sections(plain, text)

    event("refused" if expected is None else "read")
    assert shortened(text) == expected


@pytest.mark.parametrize(
    ("value", "is_read"),
    [
        ("{'a':'b','c':'d',}", True),
        ("{'a' : 'b', # why\n 'c' : 'd', 'e' : 'f' 'g'}", True),
        ("{'''a''' : 'b', 'c' : '''d''',}", True),
        ("{'a' : 'b',\u00a0'c' : 'd',}", False),
        ("{'a'\u2003: 'b',}", False),
        ("{'a' : 'b',, }", False),
        ("{'a' : 'b', 'c'}", False),
        ("('a', -1, 2.5, 0,)", True),
        ("('a', 1_0, 0x1f, 1e3)", True),
        ("('a', - 1)", True),
        ("('a', 07)", False),
        ("('a', ٣)", False),
        ("('a', 1.٣)", False),
        ("('a',\x1c1)", False),
        ("('a' 'b', 'c')", True),
        ("('''a''', '')", True),
        ("('a',)", True),
        ("('a')", True),
        ("(,)", False),
    ],
)
def test_tables_and_tuples(plain, value, is_read):
    text = f"header = {value}\n"

    assert (shortened(text) is not None) == is_read
    assert shortened(text) == sections(plain, text)


def sample(corpus: Path) -> Iterator[Path]:
    """Every tenth mapping, but for the largest."""
    for path in sorted(corpus.rglob("*.[pir]map"))[::10]:
        if path.stat().st_size < 40_000:
            yield path


def test_real_mappings(plain, corpus):
    texts = {path: path.read_text(encoding="utf-8") for path in sample(corpus)}

    assert len(texts) > 40
    assert [path.name for path, text in texts.items() if shortened(text) != sections(plain, text)] == []
