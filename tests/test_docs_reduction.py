"""docs/reduction.md and docs/algorithms say what the code of the reduction does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from reduce.dq import DEFINITIONS
from reduce.making.kinds import KINDS
from reduce.parameters import Option, options
from reduce.references import NOT_APPLICABLE
from reduce.steps import STEPS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
GUIDE = (DOCS / "reduction.md").read_text(encoding="utf-8")
PAGES = sorted(page for page in (DOCS / "algorithms").glob("*.md") if page.name != "README.md")
HEADINGS = {"Source", "Units", "Errors", "Parameters", "Tests", "Limits"}
MADE = {
    "badpix": "bad-pixels.md",
    "bias": "bias.md",
    "dark": "dark.md",
    "flat": "flat.md",
    "gain": "photon-transfer.md",
    "linearity": "linearity.md",
}

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
each_step = pytest.mark.parametrize("step", STEPS.values(), ids=lambda step: step.name)


def rows(text: str, heading: str) -> Iterator[list[str]]:
    """Cells of the tables below a heading, without the tables' own headings."""
    section = re.split(r"^#+ ", text.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.M)[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    for line in lines[1:]:
        yield [cell.strip() for cell in line[2:-1].split("|")]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]*)`", cell)


def steps_of_the_guide() -> dict[str, list[str]]:
    return {quoted(cells[0])[0]: cells for cells in rows(GUIDE, "Steps")}


def page_of(step: str) -> str:
    """The page that the guide leads to for a step."""
    link = re.search(r"\]\((algorithms/[\w-]+\.md)\)", steps_of_the_guide()[step][0])
    assert link
    return (DOCS / link[1]).read_text(encoding="utf-8")


def shown(option: Option) -> str:
    """A default as people write it."""
    if option.default is None:
        return "none"
    if isinstance(option.default, bool):
        return str(option.default).lower()
    text = option.default if isinstance(option.default, str) else f"{option.default:g}".replace("e+0", "e")
    return f"{text} {option.unit}".strip()


def test_the_guide_has_every_step() -> None:
    assert set(steps_of_the_guide()) == set(STEPS)


@each_step
def test_a_step_is_as_the_guide_says(step) -> None:
    _, keyword, references, parameters = steps_of_the_guide()[step.name]

    assert quoted(keyword) == [step.keyword]
    assert references == ", ".join(f"`{n.reftype}`" if n.required else f"(`{n.reftype}`)" for n in step.needs)
    assert quoted(parameters) == [option.name for option in options(step.parameters)]


@each_step
def test_parameters_are_on_the_page_with_their_defaults(step) -> None:
    documented = {quoted(cells[0])[0]: cells[1] for cells in rows(page_of(step.name), "Parameters")}
    expected = {f"{step.name}.{option.name}": shown(option) for option in options(step.parameters)}

    assert {name: value for name, value in documented.items() if name in expected} == expected
    assert {name.partition(".")[0] for name in documented} <= set(STEPS)


@pytest.mark.parametrize("kind", MADE)
def test_parameters_of_makers_are_on_the_page(kind: str) -> None:
    text = (DOCS / "algorithms" / MADE[kind]).read_text(encoding="utf-8")
    named = set(re.findall(r"`make\.(\w+)`", text.partition("# Parameters\n")[2]))

    assert named == {option.name for option in options(KINDS[kind].parameters)}


@each_page
def test_a_page_has_all_parts(page: Path) -> None:
    headings = set(re.findall(r"^## (.*)$", page.read_text(encoding="utf-8"), re.M))

    assert headings >= HEADINGS


@each_page
def test_files_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    files = re.findall(r"`((?:reduce|tests)/[\w/]+\.py)`", text)

    assert [file for file in files if not (ROOT / file).is_file()] == []
    assert any(file.startswith("tests/") for file in files)


@each_page
def test_functions_that_a_page_names_are_there(page: Path) -> None:
    found = re.findall(r"((?:`\w+`(?:, | and ))*`\w+`) in `(reduce/[\w/]+\.py)`", page.read_text("utf-8"))

    for names, file in found:
        source = (ROOT / file).read_text(encoding="utf-8")
        assert [
            name for name in quoted(names) if not re.search(rf"^(def|class) {name}\b", source, re.M)
        ] == []


def test_the_index_has_every_page() -> None:
    index = (DOCS / "algorithms" / "README.md").read_text(encoding="utf-8")

    assert [page.name for page in PAGES if f"({page.name})" not in index] == []


def test_every_physics_test_of_an_algorithm_is_named() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    tests = [path.name for path in (ROOT / "tests").glob("test_physics_*.py") if path.name[13:15] <= "14"]

    assert len(tests) >= 14
    assert [name for name in tests if f"`tests/{name}`" not in text] == []


def test_quality_bits_are_those_of_the_code() -> None:
    table = [
        (int(bit), quoted(name)[0])
        for bit, name, *_ in rows((DOCS / "algorithms" / "dq.md").read_text("utf-8"), "Bits")
    ]

    assert table == [(one.bit, one.name) for one in DEFINITIONS]


def test_values_of_references_are_named() -> None:
    assert f"`{NOT_APPLICABLE}`" in GUIDE
    assert "`MISSING`" in GUIDE
