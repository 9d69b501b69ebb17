"""Entries put into tables and taken out of them, however the tables are written."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmap.diagnostics import apply_edits
from calmap.edit.entries import insert_entry, remove_entries, remove_entry
from calmap.model.mapping import parse_mapping

COMMENT = re.compile(r"#[^\r\n]*")
BLANKS = st.sampled_from(["", " ", "\n    ", "\n\n  ", "  # one\n    ", "\n    # two\n    ", "\\\n "])


def mapping(table: str, newline: str = "\n"):
    text = f"header = {{\n    'name' : 'tobs.pmap',\n}}\n\nselector = {table}\n".replace("\n", newline)
    found = parse_mapping(Path("tobs.pmap"), text.encode())
    assert found.file is not None, (text, found.diagnostics)
    return found


def keys(found) -> list[str]:
    return [entry.key.value for entry in found.file.selector.entries]


def changed(found, edits):
    new = parse_mapping(found.path, apply_edits(found.text, edits).encode())
    assert new.file is not None, (new.text, new.diagnostics)
    return new


@st.composite
def tables(draw, least: int = 0):
    """Tables with entries on lines of their own or not, commas wherever, and comments between."""
    names = draw(st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=least, max_size=5))
    parts = ["{", draw(BLANKS)]
    for number, name in enumerate(names):
        parts += [f"'{name}'", draw(st.sampled_from([" : ", ":", " :\n        "])), f"'{name}.imap'"]
        last = number == len(names) - 1
        if not last or draw(st.booleans()):
            parts += [draw(BLANKS), ","]
        parts.append(draw(BLANKS))
    parts.append("}")
    return mapping("".join(parts), draw(st.sampled_from(["\n", "\r\n"])))


@given(tables(), st.data())
def test_an_entry_goes_where_it_is_put_and_comes_out_again(found, data):
    index = data.draw(st.integers(0, len(keys(found))))
    source, table = found.source, found.file.selector

    new = changed(found, insert_entry(source, table, index, "'new' : 'new.imap'"))
    wanted = keys(found)
    wanted.insert(index, "new")
    assert keys(new) == wanted
    assert COMMENT.findall(new.text) == COMMENT.findall(found.text)
    assert ("\r\n" in found.text) == ("\r\n" in new.text)
    assert "\n" not in new.text.replace("\r\n", "") or "\r\n" not in found.text

    back = changed(new, remove_entry(new.source, new.file.selector, index))
    assert keys(back) == keys(found)
    assert COMMENT.findall(back.text) == COMMENT.findall(found.text)


@given(tables(least=1), st.data())
def test_other_entries_stay_when_some_go(found, data):
    names = keys(found)
    gone = data.draw(st.sets(st.integers(0, len(names) - 1), min_size=1))

    new = changed(found, remove_entries(found.source, found.file.selector, frozenset(gone)))

    assert keys(new) == [name for index, name in enumerate(names) if index not in gone]


TABLES = {
    "lines": "{\n    'a' : 'a.imap',\n    'c' : 'c.imap',\n}",
    "no last comma": "{\n    'a' : 'a.imap',\n    'c' : 'c.imap'\n}",
    "comments": "{\n    # first\n    'a' : 'a.imap',  # of a\n    # second\n    'c' : 'c.imap',  # of c\n"
    "    # end\n}",
    "one line": "{'a' : 'a.imap', 'c' : 'c.imap'}",
    "one line, last comma": "{'a':'a.imap', 'c':'c.imap',}",
    "empty": "{\n}",
    "empty on one line": "{}",
    "bracket on the last line": "{\n    'a' : 'a.imap',\n    'c' : 'c.imap'}",
    "bracket behind a comma": "{\n    'a' : 'a.imap',\n    'c' : 'c.imap',}",
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_the_text_is_the_same_after_insertion_and_removal(table):
    found = mapping(table)
    for index in range(len(keys(found)) + 1):
        new = changed(found, insert_entry(found.source, found.file.selector, index, "'b' : 'b.imap'"))
        back = changed(new, remove_entry(new.source, new.file.selector, index))

        if keys(found):
            assert back.text == found.text
        else:
            assert keys(back) == []


def test_a_comment_stays_above_its_entry():
    found = mapping(TABLES["comments"])

    new = changed(found, insert_entry(found.source, found.file.selector, 1, "'b' : 'b.imap'"))

    assert "'a' : 'a.imap',  # of a\n    'b' : 'b.imap',\n    # second\n    'c'" in new.text


def test_an_entry_is_written_on_a_line_like_the_others():
    found = mapping(TABLES["no last comma"])

    new = changed(found, insert_entry(found.source, found.file.selector, 2, "'d' : 'd.imap'"))

    assert new.text.endswith("    'c' : 'c.imap',\n    'd' : 'd.imap'\n}\n")
