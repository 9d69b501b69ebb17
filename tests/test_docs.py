"""The documentation is true: examples run, links lead somewhere, tables and numbers are those of the code.

How examples are marked and where they run is told at the top of scripts/update_docs.py, which also writes
their output anew after a change.
"""

from __future__ import annotations

import doctest
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from calmap.bestref.trail import MAX_NEAREST
from calmap.checks import RULES
from calmap.checks.header_types import TYPES
from calmap.checks.runner import MAX_MAPPINGS
from calmap.checks.subject import SELECTORS
from calmap.cli.main import cli
from calmap.compile.hooks import HOOKS
from calmap.compile.prepare import MAX_RULES
from calmap.model import patterns
from calmap.model.names import MAX_NAME
from calmap.source import Source
from calmap.syntax.expression import MAX_EXPRESSION
from calmap.syntax.guard import MAX_DEPTH, MAX_NEGATIONS
from calmap.syntax.parser import MAX_CHARACTERS, parse

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
EXAMPLES: Any = import_module("update_docs")
sys.path.pop(0)
PAGES: list[Path] = EXAMPLES.pages(ROOT)
WRITTEN = [*PAGES, ROOT / "CHANGELOG.md", ROOT / "docs" / "cli.md"]
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
SETTINGS = ("CALMAP_", "CRDS_")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def blocks(page: Path, language: str) -> Iterator[tuple[int, str]]:
    """Line and text of each block of code in a language."""
    text = page.read_text(encoding="utf-8")
    for match in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.S | re.M):
        yield text.count("\n", 0, match.start()) + 1, match[1]


@pytest.fixture
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The root of the checkout, and no setting of calmap or crds."""
    import os

    for name in [name for name in os.environ if name.startswith(SETTINGS)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(ROOT)
    return monkeypatch


@each_page
def test_console_examples_print_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    updated: Callable[[Path, Path], str] = EXAMPLES.updated

    text = updated(page, tmp_path)

    assert text.splitlines() == page.read_text(encoding="utf-8").splitlines(), (
        "look at the difference; if it is right, run .venv/bin/python scripts/update_docs.py"
    )


@each_page
@pytest.mark.usefixtures("plain_environment")
def test_python_examples_print_what_the_page_shows(page: Path) -> None:
    names: dict[str, Any] = {}
    runner = doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF | doctest.ELLIPSIS)
    for line, text in blocks(page, "python"):
        test = doctest.DocTestParser().get_doctest(text, names, page.name, str(page), line)
        failures: list[str] = []
        runner.run(test, out=failures.append, clear_globs=False)
        names = test.globs
        assert not failures, "".join(failures)


@each_page
def test_rules_and_definitions_can_be_parsed(page: Path) -> None:
    for line, text in blocks(page, "python"):
        if ">>>" not in text:
            findings = parse(Source(f"{page.name}:{line}", text)).diagnostics
            assert not findings, (line, [finding.message for finding in findings])
    for line, text in blocks(page, "yaml"):
        assert yaml.safe_load(text) is not None, line


def test_an_example_may_be_longer_than_shown_and_shows_its_exit_code(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n$ calmap list mappings\nmapping\n...\n$ calmap bestref none\n$ echo $?\n```\n"
    )

    lines = EXAMPLES.updated(page, tmp_path).splitlines()

    assert lines[2].split() == ["mapping", "instrument", "type"]
    assert lines[3] == "..."
    assert lines[-2:] == ["2", "```"]


def test_an_exit_code_above_one_must_be_shown(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("text\n\n```console\n$ calmap bestref none\n```\n")

    with pytest.raises(EXAMPLES.ExampleError, match=r"page\.md:4: the exit code is 2"):
        EXAMPLES.updated(page, tmp_path)


def test_an_example_may_not_change_the_checkout(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ touch here\n$ calmap check\n```\n")

    with pytest.raises(EXAMPLES.ExampleError, match="'touch' can't be run in the checkout"):
        EXAMPLES.updated(page, tmp_path)


def test_an_example_runs_among_the_files_of_its_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        'The file `a.json`:\n\n```json\n{"A": 1}\n```\n\n```console\n$ cat a.json\n$ calmap --version\n```\n'
    )

    assert '$ cat a.json\n{"A": 1}\n$ calmap --version\ncalmap ' in EXAMPLES.updated(page, tmp_path)


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")

    assert [
        p.name for p in (ROOT / "docs").glob("*.md") if p.name != "README.md" and f"({p.name})" not in index
    ] == []


@pytest.mark.parametrize("name", cli.list_commands(None))  # type: ignore[attr-defined]
def test_every_command_has_its_section(name: str) -> None:
    guide = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")

    assert re.search(rf"^## .*`calmap {name}`$", guide, re.M)
    assert f"`calmap {name}`" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_header_key_selector_and_rule_is_in_the_reference() -> None:
    reference = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")

    assert [key for key in TYPES if f"\n| `{key}` |" not in reference] == []
    assert [name for name in SELECTORS if f"\n| `{name}` |" not in reference] == []
    assert set(re.findall(r"\bCM\d{3}\b", reference)) <= set(RULES)


def test_rules_named_anywhere_exist() -> None:
    named = {
        code for page in WRITTEN for code in re.findall(r"\bCM\d{3}\b", page.read_text(encoding="utf-8"))
    }

    assert named - set(RULES) == set()


def test_every_hook_is_named() -> None:
    semantics = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")

    assert [name for name in HOOKS if f"`{name}`" not in semantics] == []


def test_limits_are_those_of_the_code() -> None:
    reference = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
    section = reference.partition("\n## Limits\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| ([\d,]+) \|", section, re.M)

    assert {name: int(number.replace(",", "")) for name, number in rows} == LIMITS
