from __future__ import annotations

import gzip
import io
import json
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest
from rich.cells import cell_len
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from calmap.diagnostics import Applicability, Diagnostic, Fix, Label, Rule, Severity, TextEdit, apply_edits
from calmap.report import sarif
from calmap.report.formats import FORMATS
from calmap.report.full import render_full
from calmap.report.summary import summary
from calmap.source import Source, Span

DOUBLED = Rule(
    "CM201", "duplicate-key", "a key is given twice in one table", why="The last one wins.", fixable=True
)
NAME = Rule("CM104", "name-mismatch", "the name in the header is not the file's name", Severity.WARNING)
NOTE = Rule("CM302", "odd-date", "a date is written in an odd way", Severity.INFO)
PMAP = Source(
    "mappings/ligeriri/ligeriri_0001.pmap",
    """\
header = {
    'mapping' : 'PIPELINE',
    'name' : 'ligeriri_0002.pmap',
    'parkey' : ('META.INSTRUMENT.NAME',),
}

selector = {
    'IRIS' : 'ligeriri_iris_0001.imap',
    'Liger' : 'ligeriri_liger_0001.imap',
\t'IRIS' : 'ligeriri_iris_0002.imap',
}
""",
)
IMAP = Source("ligeriri_iris_0002.imap", "header = {\n    'instrument' : 'IRIS',\n}\n")


def span(source: Source, text: str, nth: int = 0) -> Span:
    start = -1
    for _ in range(nth + 1):
        start = source.text.index(text, start + 1)
    return Span(start, start + len(text))


def doubled() -> Diagnostic:
    second = "\t'IRIS' : 'ligeriri_iris_0002.imap',\n"
    return Diagnostic(
        DOUBLED,
        PMAP,
        span(PMAP, "'IRIS'", 1),
        "'IRIS' is already a key of this table",
        (
            Label(PMAP, span(PMAP, "'IRIS'"), "first given here"),
            Label(IMAP, span(IMAP, "'IRIS'"), "and named here"),
        ),
        "remove one of the two entries",
        Fix("remove the second entry", (TextEdit(span(PMAP, second), ""),)),
    )


def misnamed() -> Diagnostic:
    return Diagnostic(
        NAME,
        PMAP,
        span(PMAP, "'ligeriri_0002.pmap'"),
        "the header says 'ligeriri_0002.pmap', but the file is 'ligeriri_0001.pmap'",
        hint="write the name of the file, or rename the file; mappings that include it use the file name",
        fix=Fix("rename", (TextEdit(span(PMAP, "0002"), "0001"),), Applicability.UNSAFE),
    )


def whole_table() -> Diagnostic:
    text = PMAP.text
    return Diagnostic(NOTE, PMAP, Span(0, text.index("}") + 1), "the header lacks 'observatory'")


FINDINGS = (doubled(), misnamed(), whole_table())


def shown(*diagnostics: Diagnostic, width: int = 80, encoding: str = "utf-8", **options: Any) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    render_full(diagnostics, Console(file=file, width=width, legacy_windows=False, _environ={}, **options))
    file.flush()
    return raw.getvalue().decode(encoding)


def test_full(snapshot: SnapshotAssertion) -> None:
    assert shown(*FINDINGS) == snapshot


def test_full_in_colour(snapshot: SnapshotAssertion) -> None:
    assert shown(doubled(), force_terminal=True, color_system="standard") == snapshot


def test_full_in_a_narrow_ascii_terminal(snapshot: SnapshotAssertion) -> None:
    assert shown(*FINDINGS, width=44, encoding="ascii") == snapshot


def test_full_fits_its_width_and_is_plain_without_a_terminal() -> None:
    text = shown(*FINDINGS)
    assert "\x1b" not in text
    assert all(cell_len(line) <= 80 for line in text.splitlines())
    assert all(line == line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize(
    "render", [shown, *(lambda d, f=f: FORMATS[f]([d]) for f in ("concise", "github", "sarif"))]
)
def test_hostile_text_is_shown_as_it_is_or_escaped(render: Any) -> None:
    source = Source("a[red]b\x1b]0;x\x07.rmap", "selector = [bold]\x1b[2J\x9b31m\n")
    text = render(
        Diagnostic(DOUBLED, source, Span(11, 20), "not\x1b[31m [/] \u202eknown", hint="[blink]\x07")
    )
    assert not any(char in text for char in "\x1b\x07\x9b\u202e")
    assert "a[red]b" in unquote(text)
    assert "[/]" in text


def test_carets_stand_under_the_text_meant() -> None:
    source = Source("x.rmap", "\t'漢字' : 'wrong', # \n")
    lines = shown(Diagnostic(DOUBLED, source, span(source, "'wrong'"), "wrong")).splitlines()
    line = next(line for line in lines if "'wrong'" in line)
    carets = next(line for line in lines if "^" in line)
    assert carets.index("^") == cell_len(line[: line.index("'wrong'")])
    assert carets.count("^") == len("'wrong'")


def test_a_finding_without_text_has_a_place_only() -> None:
    text = shown(Diagnostic(DOUBLED, Source("gone.imap", ""), Span(0, 0), "there is no such file"))
    assert text == "error[CM201]: there is no such file\n --> gone.imap:1:1\n\nFound 1 error in 1 file\n"


def test_a_line_of_a_hundred_thousand_characters_is_cut() -> None:
    source = Source("x.rmap", "'a'" + " " * 100_000 + "'b'" + " " * 100_000 + "'c'\n")
    text = shown(Diagnostic(DOUBLED, source, span(source, "'b'"), "b"))
    assert len(text) < 500
    assert "'b'" in text


def test_summary() -> None:
    assert summary(()) == "No findings"
    assert summary(FINDINGS) == "Found 1 error, 1 warning and 1 note in 1 file (1 fixable with --fix)"
    assert summary([whole_table(), whole_table()]) == "Found 2 notes in 1 file"


def test_concise() -> None:
    path = "mappings/ligeriri/ligeriri_0001.pmap"
    assert FORMATS["concise"](FINDINGS) == (
        f"{path}:1:1: CM302 the header lacks 'observatory'\n"
        f"{path}:3:14: CM104 the header says 'ligeriri_0002.pmap', but the file is 'ligeriri_0001.pmap'\n"
        f"{path}:10:2: CM201 'IRIS' is already a key of this table\n"
    )


def test_json(snapshot: SnapshotAssertion) -> None:
    assert FORMATS["json"](FINDINGS) == snapshot


def test_github(snapshot: SnapshotAssertion) -> None:
    assert FORMATS["github"](FINDINGS) == snapshot


def test_github_escapes_what_would_end_a_command_or_a_property() -> None:
    source = Source("50%,a:b\n.rmap", "x\n")
    line = FORMATS["github"]([Diagnostic(DOUBLED, source, Span(0, 1), "100%\r\n::error::no", hint="a, b: c")])
    assert line == (
        "::error file=50%25%2Ca%3Ab%0A.rmap,line=1,col=1,endColumn=2,title=CM201 duplicate-key"
        "::100%25%0D%0A::error::no%0Ahint: a, b: c\n"
    )


@pytest.mark.parametrize("name", ["concise", "json", "sarif", "github"])
def test_the_order_of_findings_given_does_not_matter(name: str) -> None:
    assert FORMATS[name](FINDINGS) == FORMATS[name](FINDINGS[::-1])


@cache
def sarif_schema() -> jsonschema.Draft4Validator:
    packed = Path(__file__).parent / "data" / "sarif-2.1.0.json.gz"
    schema = json.loads(gzip.decompress(packed.read_bytes()))
    return jsonschema.Draft4Validator(schema, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)


@pytest.mark.parametrize("findings", [(), FINDINGS, (Diagnostic(NOTE, Source("", ""), Span(0, 0), ""),)])
def test_sarif_is_valid(findings: tuple[Diagnostic, ...]) -> None:
    sarif_schema().validate(json.loads(sarif.render(findings, version="0.1.0")))


def test_the_sarif_schema_does_reject() -> None:
    log = json.loads(sarif.render(FINDINGS))
    log["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(jsonschema.ValidationError, match="fatal"):
        sarif_schema().validate(log)


def test_sarif(snapshot: SnapshotAssertion) -> None:
    assert sarif.render(FINDINGS) == snapshot


def test_sarif_lists_a_rule_once_and_points_to_it() -> None:
    run = json.loads(sarif.render([doubled(), misnamed(), doubled()]))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["CM104", "CM201"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])


def test_a_sarif_fix_says_what_the_edits_do() -> None:
    result = json.loads(sarif.render([doubled()]))["runs"][0]["results"][0]
    region = result["fixes"][0]["artifactChanges"][0]["replacements"][0]["deletedRegion"]
    starts = PMAP.line_starts
    start = starts[region["startLine"] - 1] + region["startColumn"] - 1
    end = starts[region["endLine"] - 1] + region["endColumn"] - 1
    fix = doubled().fix
    assert fix is not None
    assert PMAP.text[:start] + PMAP.text[end:] == apply_edits(PMAP.text, fix.edits)


@pytest.mark.parametrize(
    ("name", "location"),
    [
        ("a b/ü#?%.rmap", {"uri": "a%20b/%C3%BC%23%3F%25.rmap", "uriBaseId": "%SRCROOT%"}),
        ("c:d.rmap", {"uri": "c%3Ad.rmap", "uriBaseId": "%SRCROOT%"}),
        ("/repo/m/x.rmap", {"uri": "m/x.rmap", "uriBaseId": "%SRCROOT%"}),
        ("/other/x.rmap", {"uri": "file:///other/x.rmap"}),
    ],
)
def test_sarif_uris(name: str, location: dict[str, str]) -> None:
    log = json.loads(
        sarif.render([Diagnostic(NOTE, Source(name, "x"), Span(0, 1), "m")], root=PurePosixPath("/repo"))
    )
    found = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert found == location
