"""Only what has to change changes, and the result is right."""

from pathlib import Path

import pytest

from calmap.diagnostics import apply_edits
from calmap.errors import MappingError
from calmap.model.mapping import load_mapping, parse_mapping
from calmap.model.recording import update_checksum

DEMO = sorted((Path(__file__).parent.parent / "mappings").rglob("*.?map"))
PATH = Path("tobs_tinstr_dark_0001.rmap")
ZEROS = "0" * 40


def updated(text):
    """Text after the edit, which must be right and final."""
    mapping = parse_mapping(PATH, text.encode())
    edit = update_checksum(mapping)
    if edit is None:
        return text
    result = apply_edits(text, [edit])
    again = parse_mapping(PATH, result.encode())
    assert again.recorded_checksum == again.checksum
    assert update_checksum(again) is None
    return result


def mapping_text(*lines):
    return "header = {\n" + "".join(f"{line}\n" for line in lines) + "}\n\nselector = Match({\n})\n"


@pytest.mark.parametrize("path", DEMO, ids=lambda path: path.name)
def test_right_checksum_needs_no_edit(path):
    assert update_checksum(load_mapping(path)) is None


@pytest.mark.parametrize("path", DEMO, ids=lambda path: path.name)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_only_the_value_is_rewritten(path, newline):
    mapping = load_mapping(path)
    text = mapping.text.replace("\n", newline)
    stale = text.replace(mapping.recorded_checksum, ZEROS)

    assert updated(stale) == text


@pytest.mark.parametrize(
    "line",
    [
        "    'sha1sum' : '{}',  # keep me",
        '\t"sha1sum":"{}"',
        "'name' : 'x', 'sha1sum'   :   '{}' , 'parkey' : (),",
    ],
)
def test_quotes_blanks_and_comments_stay(line):
    before, after = line.split("{}")

    result = updated(mapping_text(line.format(ZEROS)))

    assert before in result
    assert after in result
    assert len(result) == len(mapping_text(line.format(ZEROS)))


@pytest.mark.parametrize(
    "lines",
    [
        ("    'sha1sum' :", f"        '{ZEROS}',"),
        ("    'sha1sum' : 'abc'", "        'def',"),
        ("    'sha1sum' : 7,",),
        ("    'sha1sum' : None,",),
        ("    'sha1sum' : '''", "''',"),
        ("    'sha1' 'sum' : 'abc',",),
        ("    'sha1sum' : 'abc',", "    'sha1sum' : 'def',"),
    ],
)
def test_odd_values_become_right(lines):
    updated(mapping_text("    'name' : 'x',", *lines, "    'parkey' : (),"))


def test_missing_line_goes_where_the_alphabet_wants_it():
    text = mapping_text("    'name' : 'x',", "    'parkey' : (),", "    'suffix' : 'dark',")

    lines = updated(text).splitlines()

    assert [line.split("'")[1] for line in lines[1:5]] == ["name", "parkey", "sha1sum", "suffix"]
    assert lines[3].startswith("    'sha1sum' : '")
    assert lines[3].endswith("',")


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("  'name':'x',", "  'name':'x',\n  'sha1sum':'{}',\n}"),
        ("  'name':'x'", "  'name':'x',\n  'sha1sum':'{}'\n}"),
        ("  'name':'x'  # a note", "  'name':'x',  # a note\n  'sha1sum':'{}'\n}"),
        ("  'name':'x',  # a note", "  'name':'x',  # a note\n  'sha1sum':'{}',\n}"),
    ],
)
def test_missing_line_looks_like_the_one_before(last, expected):
    result = updated(mapping_text(last))

    before, after = expected.split("{}")
    assert before in result
    assert after in result


@pytest.mark.parametrize("header", ["{}", "{ }", "{'name' : 'x'}", "{'name' : 'x',}", "{\n}", "{'suffix':1}"])
def test_missing_line_in_a_short_header(header):
    assert "'sha1sum'" in updated(f"header = {header}\nselector = Match({{\n}})\n")


def test_inserted_line_has_the_line_end_of_the_file():
    text = mapping_text("    'name' : 'x',", "    'suffix' : 'dark',").replace("\n", "\r\n")

    assert "\n" not in updated(text).replace("\r\n", "")


def test_broken_file_is_refused():
    mapping = parse_mapping(PATH, b"header = {")

    with pytest.raises(MappingError, match="can't be parsed"):
        update_checksum(mapping)


def test_corpus(corpus):
    paths = sorted(corpus.rglob("*.?map"))
    assert len(paths) > 400
    for path in paths:
        mapping = load_mapping(path)
        if mapping.file is not None:
            edit = update_checksum(mapping)
            assert (edit is None) == (mapping.recorded_checksum == mapping.checksum)
            text = apply_edits(mapping.text, [edit] if edit else [])
            assert (
                parse_mapping(path, text.encode()).recorded_checksum == mapping.checksum
                or edit.text[0] == ","
            )
