"""From text to values, and to findings that say what was expected."""

import math
import re
from pathlib import Path

import pytest

from calmap.model.mapping import load_mapping, parse_mapping
from calmap.source import Source
from calmap.syntax.ast import Plain, SelectorCall, plain
from calmap.syntax.parser import Parsed, parse

NAME = "tobs_tinstr_tfilekind_0001.rmap"


def parsed(text: str) -> Parsed:
    return parse(Source(NAME, text))


def value(text: str) -> Plain:
    (section,) = parsed(f"header = {text}\n").sections
    return plain(section.value)


@pytest.mark.parametrize(
    "text",
    [
        *("'a'", '"a"', "'it\\'s'", '"a\'b"', "'''a\nb'''", '"""a "b" c"""', "''", "'a' 'b'"),
        *("'a' \"b\" '''c'''", "r'a\\d'", "u'a'", "R'\\n'", "'a\\\nb'", "'# no comment'"),
        r"'\x41\u00e9\N{DEGREE SIGN}\101\n\t'",
        *("0", "12", "-12", "1_000", "0x1F", "0o17", "0b101", "00"),
        *("1.5", "-.5", "5.", "1e3", "1E-3", "1_0.5e1", "True", "False", "None"),
        *("()", "(1,)", "(1)", "('a')", "('a', 'b',)", "('a', -2, 3.5)", "(('a', 1), ('b',))"),
        *("{}", "{'a' : 1}", "{'a' : 1, 'b' : 2,}", "{'a' : 1, 'a' : 2}", "{1 : 'x', True : 'y'}"),
        *("{('a', 1) : {'b' : ()}}", "{'a' : 'x', 'b' : 'y'}", "{'a':'x','b':'y',}"),
        *("{'a' 'b' : 'c' 'd', 'e' : 'f'}", "(  'a'  ,\n 'b' )"),
    ],
)
def test_values_are_those_of_python(text):
    expected = eval(text)

    assert value(text) == expected
    assert type(value(text)) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"), [("['a', 'b']", ("a", "b")), ("{'a', 'b'}", ("a", "b")), ("[]", ())]
)
def test_lists_and_sets_are_plain_tuples(text, expected):
    assert value(text) == expected


def test_an_unknown_escape_sequence_stays_as_it_is():
    assert value(r"'\d'") == r"\d"


def test_a_huge_exponent_is_infinite():
    assert value("1e999") == math.inf


def test_a_selector_has_its_name_and_rules():
    (section,) = parsed(
        "selector = Match({('A', 'B') : UseAfter({'2020-01-01' : 'a.fits'}), 'C' : 'c.fits'})"
    ).sections
    call = section.value

    assert isinstance(call, SelectorCall)
    assert call.name == "Match"
    assert [plain(entry.key) for entry in call.table.entries] == [("A", "B"), "C"]
    assert call.table.entries[0].value.name == "UseAfter"


@pytest.mark.parametrize("text", ["Match()", "Match({})", "Match({},)", "Match(\n{\n}\n)"])
def test_a_selector_may_be_empty(text):
    (section,) = parsed(f"selector = {text}").sections

    assert section.value.table.entries == ()


def test_sections_come_in_any_order_with_comments():
    text = (
        '"""What it is for."""\n# first\nselector = {}; comment = """note"""\nheader = {  # of it\n}\n# last'
    )

    assert [section.name for section in parsed(text).sections] == ["selector", "comment", "header"]


def test_doubled_keys_are_kept():
    (section,) = parsed("header = {'a' : 'x', 'a' : 'y', 'b' : 1, 'a' : 2}").sections

    assert [plain(entry.key) for entry in section.value.entries] == ["a", "a", "b", "a"]


@pytest.mark.parametrize("row", ["'a' : 'b', ", "'a' : ('b', 1), ", "'a' : 1, "])
def test_spans_do_not_depend_on_how_a_row_is_read(row):
    text = f"header = {{{row * 3}}}"
    (section,) = parsed(text).sections
    source = Source(NAME, text)

    assert [source.slice(entry.span) for entry in section.value.entries] == [row[:-2]] * 3
    assert [source.slice(entry.key.span) for entry in section.value.entries] == ["'a'"] * 3
    assert source.slice(section.value.span) == text[9:]


def test_a_negative_number_spans_its_sign():
    (section,) = parsed("header = {- 1 : -2.5}").sections
    (entry,) = section.value.entries

    assert [(part.span, part.value) for part in (entry.key, entry.value)] == [
        ((10, 13), -1),
        ((16, 20), -2.5),
    ]


BROKEN = {
    "missing comma": "header = {\n    'a' : 1,\n    'b' : 2\n    'c' : 3,\n}\n",
    "missing colon": "header = {\n    'a' 'b',\n    'c' 1,\n}\n",
    "unclosed table": "header = {\n    'a' : 1,\n",
    "unclosed selector": "selector = Match({\n    'a' : UseAfter({\n        '2020' : 'x',\n    }),\n}\n",
    "unclosed string": "header = {\n    'a : 1,\n}\n",
    "unclosed long string": "comment = '''no end\n",
    "closed twice": "header = {}}\n",
    "wrong bracket": "header = {'a' : (1, 2]}\n",
    "computed": "header = {'a' : 1 + 1}\n",
    "formatted string": "header = {'a' : f'b'}\n",
    "unknown name": "header = {'a' : nan}\n",
    "no value": "header =\n",
    "no equals": "header {'a' : 1}\n",
    "statement": "import os\n",
    "bad escape": "header = {'a' : 'b\\x4'}\n",
    "unknown character": "header = {'a' : '\\N{NO SUCH THING}'}\n",
    "leading zero": "header = {'a' : 012}\n",
    "many digits": f"header = {{'a' : {'9' * 5000}}}\n",
    "nested": f"header = {'(' * 50}{')' * 50}\n",
    "not ASCII": "header = {‘a’ : 1}\n",
    "control character": "header = {\x00}\n",
    "text after": "header = {} trailing\n",
    "empty item": "header = {'a' : (1,,2)}\n",
    "starred": "header = {**{}}\n",
    "long token": "header = " + "x" * 300,
    "windows": "header = {\r\n    'a' : 1\r\n    'b' : 2\r\n}\r\n",
}


def shown(parsing: Parsed) -> str:
    lines = []
    for finding in parsing.diagnostics:
        line, column = finding.source.position(finding.span.start)
        quoted = finding.source.slice(finding.span)
        lines.append(
            f"{finding.rule.code} {line}:{column} {finding.message} [{quoted[:40]}] hint: {finding.hint}"
        )
    return "\n".join(lines)


def test_findings_for_broken_text(snapshot):
    assert {what: shown(parsed(text)) for what, text in BROKEN.items()} == snapshot


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_broken_text_has_one_finding_within_it(text):
    parsing = parsed(text)

    assert parsing.sections == ()
    (finding,) = parsing.diagnostics
    assert 0 <= finding.span.start <= finding.span.end <= len(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("header = {}\nselector = {}\nsettings = {}", "CM006"),
        ("header = {}\nselector = {}\nheader = {}", "CM007"),
        ("header = {}", "CM008"),
        ("selector = {}", "CM008"),
        ("header = ()\nselector = {}", "CM009"),
        ("header = {}\nselector = 'a'", "CM009"),
        ("header = {}\nselector = {}\ncomment = 1", "CM009"),
    ],
)
def test_findings_for_sections(text, code):
    mapping = parse_mapping(Path(NAME), text.encode())

    assert [finding.rule.code for finding in mapping.diagnostics] == [code]


def test_the_last_of_doubled_sections_counts():
    mapping = parse_mapping(Path(NAME), b"header = {'a' : 1}\nselector = {}\nheader = {'a' : 2}")

    assert plain(mapping.header) == {"a": 2}


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [(NAME, b"\xff\xfe", "CM001"), ("a.txt", b"header = {}", "CM010"), ("imap.text", b"", "CM010")],
)
def test_findings_for_files(name, data, code):
    mapping = parse_mapping(Path(name), data)

    assert mapping.file is None
    assert [finding.rule.code for finding in mapping.diagnostics] == [code]


def test_text_is_kept_as_it_was_read(tmp_path):
    data = "# é\r\nheader = {}\rselector = {}\n\n\tcomment = 'x'  ".encode()
    path = tmp_path / NAME
    path.write_bytes(data)

    mapping = load_mapping(path)

    assert mapping.file is not None
    assert mapping.text.encode() == data


def test_no_pattern_repeats_a_group_possessively(repo_root):
    """The re of CPython 3.11.2, for one, gets such a group wrong; an atomic group does the same rightly."""
    files = [*(repo_root / "calmap").rglob("*.py"), *(repo_root / "grammar").glob("*.lark")]
    wrong = re.compile(r"[^\\\]]\)(?:\*\+|\+\+|\?\+)")

    assert [file.name for file in files if wrong.search(file.read_text("utf-8"))] == []
