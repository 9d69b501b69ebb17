from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from calmap.report.explanation import render_explanation
from calmap.report.selection import Selection, render_csv, render_json, render_paths
from calmap.report.selection_table import render_table

DARK_RMAP = "ligeriri_iris_dark_0001.rmap"
DARK = "IRIS_IMG1_DARK_20240924T000000_0.0.1.fits"


@dataclass(frozen=True)
class Key:
    parameter: str
    value: str
    wanted: str
    outcome: str
    note: str = ""


@dataclass(frozen=True)
class Step:
    text: str
    file: str
    line: int
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True)
class Near:
    file: str
    line: int
    keys: tuple[Key, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Answer:
    reftype: str
    status: str
    files: tuple[str, ...]
    reason: str
    mapping: str = ""
    steps: tuple[Step, ...] = ()
    nearest: tuple[Near, ...] = ()


def keys(subarray: str, wanted: str, outcome: str, note: str = "") -> tuple[Key, ...]:
    return (
        Key("META.INSTRUMENT.ERA", "0.0.0", "0.0.0", "match"),
        Key("META.INSTRUMENT.DETECTOR", "IMG1", "IMG1", "match"),
        Key("META.EXPOSURE.READMODE", "DEFAULT", "N/A", "any"),
        Key("META.SUBARRAY.NAME", subarray, wanted, outcome, note),
    )


TRAIL = (
    Step("META.INSTRUMENT.NAME = IRIS → ligeriri_iris_0001.imap", "ligeriri_0001.pmap", 14),
    Step("DARK → ligeriri_iris_dark_0001.rmap", "ligeriri_iris_0001.imap", 12),
)
DATE = Key("META.DATE", "2024-10-01 12:00:00", "2024-09-24 00:00:00", "match", "7.5 days before")
FOUND = Answer(
    "dark",
    "found",
    (DARK,),
    f"the rule at {DARK_RMAP}:17 matches with weight 3 and has the closest time",
    DARK_RMAP,
    (
        *TRAIL,
        Step("rule matches with weight 3", DARK_RMAP, 17, keys("FULL", "FULL", "match")),
        Step("the time closest to that of the exposure", DARK_RMAP, 18, (DATE,)),
    ),
)
NOT_FOUND = Answer(
    "dark",
    "not_found",
    (),
    f"no rule of {DARK_RMAP} matches",
    DARK_RMAP,
    TRAIL,
    (
        Near(DARK_RMAP, 17, keys("WINDOW", "FULL", "no")),
        Near(DARK_RMAP, 20, keys("WINDOW", "CUSTOM", "no", "not a pattern")),
        Near(DARK_RMAP, 23, (), "date 2014-01-01 is before the first USEAFTER 2024-09-24 00:00:00"),
        Near(DARK_RMAP, 99, (), "never shown: the fourth"),
    ),
)
NOT_APPLICABLE = Answer(
    "dq",
    "not_applicable",
    (),
    "the rule at ligeriri_iris_dq_0001.rmap:20 says N/A",
    "ligeriri_iris_dq_0001.rmap",
)
TWO = Answer("distcoeff", "found", ("a.fits", "b.fits"), "the rule matches")
ROWS = (
    *(
        Selection(
            "2024B-P123-008_IRIS_IMG1_SCI_00001_raw.fits",
            "IRIS",
            "ligeriri_0001.pmap",
            ref,
            tuple(f"/cache/references/ligeriri/iris/{name}" for name in ref.files),
        )
        for ref in (FOUND, TWO, NOT_APPLICABLE, replace(NOT_FOUND, reftype="flat"))
    ),
    Selection(
        "second.fits", "IRIS", "ligeriri_0001.pmap", FOUND, (f"/cache/references/ligeriri/iris/{DARK}",)
    ),
)
COLOUR = {"force_terminal": True, "color_system": "standard"}


def shown(write: Any, subject: Any, width: int = 80, encoding: str = "utf-8", **options: Any) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    write(subject, Console(file=file, width=width, legacy_windows=False, _environ={}, **options))
    file.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("options", [{}, COLOUR], ids=["plain", "colour"])
@pytest.mark.parametrize("answer", [FOUND, NOT_FOUND, NOT_APPLICABLE], ids=lambda answer: answer.status)
def test_explanation(answer: Answer, options: dict[str, Any], snapshot: SnapshotAssertion) -> None:
    assert shown(render_explanation, answer, **options) == snapshot


def test_explanation_in_an_ascii_terminal(snapshot: SnapshotAssertion) -> None:
    assert shown(render_explanation, FOUND, encoding="ascii") == snapshot


def test_explanation_in_a_narrow_terminal(snapshot: SnapshotAssertion) -> None:
    assert shown(render_explanation, FOUND, width=50) == snapshot


@pytest.mark.parametrize("options", [{}, COLOUR], ids=["plain", "colour"])
def test_table(options: dict[str, Any], snapshot: SnapshotAssertion) -> None:
    assert shown(render_table, ROWS, **options) == snapshot


@pytest.mark.parametrize("width", [50, 60, 80, 120])
@pytest.mark.parametrize("answer", [FOUND, NOT_FOUND], ids=lambda answer: answer.status)
def test_nothing_of_an_explanation_is_cut_or_too_wide(answer: Answer, width: int) -> None:
    text = shown(render_explanation, answer, width=width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    seen = squeezed(text)
    for step in answer.steps:
        assert all(squeezed(key.note) in seen for key in step.keys)
        assert f"{step.file}:{step.line}" in seen
    assert all(name in seen for name in answer.files)


def squeezed(text: str) -> str:
    return "".join(char for char in text if not char.isspace() and char not in "│├└─")


@pytest.mark.parametrize("width", [24, 40, 60, 80])
def test_a_file_name_of_the_table_is_folded_but_never_cut(width: int) -> None:
    text = shown(render_table, ROWS[:1], width=width)
    assert DARK in squeezed(text)
    answers = [line for line in text.splitlines() if line.startswith("  ") and ".pmap" not in line]
    assert max(map(cell_len, answers)) <= width


def test_hostile_text_is_shown_as_it_is_or_escaped() -> None:
    bad = "a[red]b\x1b[31m\u202e\n"
    key = Key(bad, bad, bad, bad, bad)
    answer = Answer(bad, bad, (bad,), bad, bad, (Step(bad, bad, 1, (key,)),), (Near(bad, 1, (key,), bad),))
    row = Selection(bad, bad, bad, answer, (bad,))
    texts = [shown(render_explanation, answer, width=400), shown(render_table, [row], width=400)]
    texts += [render([row]) for render in (render_csv, render_json)]
    for text in texts:
        assert not any(char in text for char in "\x1b\u202e")
        assert "a[red]b" in text


def test_json() -> None:
    records = json.loads(render_json(ROWS))
    assert records[0] == {
        "dataset": "2024B-P123-008_IRIS_IMG1_SCI_00001_raw.fits",
        "instrument": "IRIS",
        "context": "ligeriri_0001.pmap",
        "type": "dark",
        "status": "found",
        "files": [DARK],
        "paths": [f"/cache/references/ligeriri/iris/{DARK}"],
        "note": "",
        "reason": FOUND.reason,
    }
    assert [record["type"] for record in records] == ["dark", "distcoeff", "dq", "flat", "dark"]


def test_csv_has_one_line_a_record() -> None:
    row = Selection('odd,"name"\n.fits', "IRIS", "c.pmap", replace(TWO, reason="one\r\ntwo"), ("/a", "/b"))
    text = render_csv([row])
    assert len(text.splitlines()) == 2
    (record,) = csv.DictReader(io.StringIO(text))
    assert record["dataset"] == 'odd,"name"\\n.fits'
    assert record["files"] == "a.fits;b.fits"
    assert record["paths"] == "/a;/b"
    assert record["reason"] == r"one\r\ntwo"


def test_paths_are_those_found_each_once() -> None:
    folder = "/cache/references/ligeriri/iris"
    assert render_paths(ROWS) == f"{folder}/{DARK}\n{folder}/a.fits\n{folder}/b.fits\n"
