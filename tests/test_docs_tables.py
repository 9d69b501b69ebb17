"""The tables of docs/format.md, docs/semantics.md and docs/new-telescope.md say what the code does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from calmap.bestref.trail import MAX_NEAREST
from calmap.certify.arrays import PROPERTIES
from calmap.certify.helpers import HELPERS
from calmap.checks.header_keys import _REQUIRED, _WORDS
from calmap.checks.header_types import TYPES
from calmap.checks.runner import MAX_MAPPINGS
from calmap.checks.subject import SELECTORS
from calmap.compile.hooks import HOOKS
from calmap.compile.prepare import MAX_RULES
from calmap.model import patterns
from calmap.model.dates import DateError, normal_date
from calmap.model.names import MAX_NAME, NA_VALUES, OMIT_VALUES
from calmap.model.patterns import MATCH, NO_MATCH, pattern
from calmap.model.values import condition_element, condition_value
from calmap.observatories import constraints_schema, reference_headers
from calmap.observatories.constraints import CHECKS, Presence, ValueType
from calmap.observatories.library import load_observatory
from calmap.source import Source
from calmap.syntax.ast import plain
from calmap.syntax.expression_text import MAX_EXPRESSION
from calmap.syntax.guard import MAX_CHARACTERS, MAX_DEPTH, MAX_NEGATIONS
from calmap.syntax.parser import parse

DOCS = Path(__file__).resolve().parents[1] / "docs"
FORMAT = (DOCS / "format.md").read_text(encoding="utf-8")
TELESCOPE = (DOCS / "new-telescope.md").read_text(encoding="utf-8")
ADDING = (DOCS / "adding-a-calibration.md").read_text(encoding="utf-8")
SEMANTICS = (DOCS / "semantics.md").read_text(encoding="utf-8")
LIMITS = {
    "characters in a mapping": MAX_CHARACTERS,
    "brackets open at a time": MAX_DEPTH,
    "rules in one selector": MAX_RULES,
    "characters in an element of a key": patterns.MAX_PATTERN,
    "`NOT` and `#…#` inside each other": patterns.MAX_NESTED,
    "characters in a regular expression": patterns._MAX_REGEX,
    "characters in a header expression": MAX_EXPRESSION,
    "`not` and `if` in a header expression": MAX_NEGATIONS,
    "characters in a file name": MAX_NAME,
    "mappings below one context": MAX_MAPPINGS,
    "nearest rules shown": MAX_NEAREST,
}


def rows(page: str, heading: str) -> Iterator[list[str]]:
    """Cells of the tables below a heading, without the tables' own headings."""
    section = re.split(r"^#+ ", page.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.M)[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    assert lines, heading
    for line in lines[1:]:
        yield [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def quoted(cell: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]*)`", cell)


def elements() -> Iterator[object]:
    for cells in rows(FORMAT, "Elements of a match key"):
        for written in quoted(cells[0]):
            yield pytest.param(written, quoted(cells[2]), quoted(cells[3]), id=written)


@pytest.mark.parametrize(("written", "matching", "other"), list(elements()))
def test_elements_match_what_the_table_says(written: str, matching: list[str], other: list[str]) -> None:
    [section] = parse(Source("", f"value = {written}")).sections
    element = pattern(condition_element(plain(section.value)), strict=True)

    assert [value for value in matching if element.match(condition_value(value)) != MATCH] == []
    assert [value for value in other if element.match(condition_value(value)) != NO_MATCH] == []


def test_values_are_compared_as_the_table_says() -> None:
    for cells in rows(SEMANTICS, "Values"):
        for value in quoted(cells[0]):
            assert condition_value(value) == quoted(cells[1])[0], value


def test_dates_are_read_as_the_table_says() -> None:
    for written, meaning in rows(SEMANTICS, "Dates"):
        for date in quoted(written):
            if meaning == "not a date":
                with pytest.raises(DateError):
                    normal_date(date)
            else:
                assert normal_date(date) == meaning.strip("`"), date


def test_every_header_key_and_selector_is_in_the_reference() -> None:
    assert [key for key in TYPES if f"\n| `{key}` |" not in FORMAT] == []
    assert [name for name in SELECTORS if f"\n| `{name}` |" not in FORMAT] == []


def test_keys_that_must_be_there_are_marked() -> None:
    marked = {
        quoted(cells[0])[0]: {kind for kind, cell in zip("pir", cells[1:4], strict=True) if cell == "●"}
        for cells in rows(FORMAT, "What the file is")
    }

    for key, kinds in _REQUIRED.items():
        assert marked[key] == {kind.value[0] for kind in kinds}, key
    assert {key for key, kinds in marked.items() if kinds} == {*_REQUIRED, "sha1sum"}


def test_words_of_headers_and_rules_are_named() -> None:
    words = {*NA_VALUES, *OMIT_VALUES, *_WORDS["reffile_required"]}

    assert [word for word in words if not re.search(rf"`'?{re.escape(word)}'?`", FORMAT)] == []


def test_every_hook_is_named() -> None:
    assert [quoted(cells[0])[0] for cells in rows(SEMANTICS, "Hooks")] == list(HOOKS)


def test_limits_are_those_of_the_code() -> None:
    assert {name: int(number.replace(",", "")) for name, number, _ in rows(FORMAT, "Limits")} == LIMITS


def test_every_key_of_reference_headers_is_in_the_reference() -> None:
    named = {word for cells in rows(TELESCOPE, "Headers of references") for word in quoted(cells[0])}

    assert named == {field.name for field in (*reference_headers._SECTION, *reference_headers._EXPANSION)}


def test_every_section_and_key_of_certify_is_in_the_reference() -> None:
    sections = {field.name for field in constraints_schema._DEMANDS}
    keys = {field.name for fields in constraints_schema._FIELDS.values() for field in fields}
    words = {*map(str, Presence), *CHECKS}
    named = {word for cells in rows(TELESCOPE, "What references must be like") for word in quoted(cells[0])}

    assert named == {*sections, *keys, *words}


def test_types_and_functions_of_certify_are_named() -> None:
    words = (*ValueType, *constraints_schema.ELEMENT_TYPES, *constraints_schema.KINDS, *HELPERS, *PROPERTIES)

    assert [word for word in words if f"`{word}`" not in TELESCOPE] == []


def test_the_examples_of_a_definition_are_read(tmp_path: Path) -> None:
    example = (DOCS / "new-telescope.md").read_text(encoding="utf-8")
    definition, *sections = re.findall(r"^```yaml\n(.*?)^```$", example, re.S | re.M)
    file = tmp_path / "ridge" / "observatory.yaml"
    file.parent.mkdir()
    file.write_text("".join((definition, *sections)), encoding="utf-8")

    ridge = load_observatory("ridge", tmp_path)

    assert len(sections) == 2
    assert ridge.reference_headers.patterns == {"META.READMODE": ("P_RDMODE",)}
    names = [item.name for item in ridge.certification.demands("owl", "dark").constraints]
    assert names[0] == "DATA"
    assert {"USEAFTER", "NCOMBINE", "the quality has the shape of the data"} <= set(names)


def test_keywords_of_references_are_those_of_the_telescope() -> None:
    telescope = load_observatory("ligeriri")
    named = {cells[0]: quoted(cells[1]) for cells in rows(ADDING, "What the header must say")}

    assert set(named["several values for a parkey"]) == {
        names[-1] for names in telescope.reference_headers.patterns.values()
    }
    assert named["the reference type"] == list(telescope.reference_headers.type_keywords)
    assert set(named["the instrument"]) < set(telescope.instrument_keywords)
    assert set(named["the date"]) < set(telescope.useafter_keywords)
