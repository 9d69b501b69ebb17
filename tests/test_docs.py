"""The documentation is true: examples run, links lead somewhere, every command and rule is there.

How examples are marked and where they run is told at the top of scripts/update_docs.py, which also writes
their output anew after a change.
"""

from __future__ import annotations

import doctest
import os
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from calmap.checks import RULES
from calmap.checks.runner import check_mapping
from calmap.cli.main import cli
from calmap.model.mapping import parse_mapping
from calmap.source import Source
from calmap.syntax.parser import parse

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
EXAMPLES: Any = import_module("update_docs")
sys.path.pop(0)
PAGES: list[Path] = EXAMPLES.pages(ROOT)
WRITTEN = [*PAGES, ROOT / "CHANGELOG.md", ROOT / "docs" / "cli.md"]
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
    runner = doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF)
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


@each_page
def test_whole_mappings_are_without_fault(page: Path) -> None:
    for line, text in blocks(page, "python"):
        name = re.search(r"^    'name' : '(.*)',$", text, re.M)
        if name and "\nselector = " in text and "'sha1sum' : ''" not in text:
            mapping = parse_mapping(Path(name[1]), text.encode())
            assert mapping.file is not None, line
            assert [finding.message for finding in check_mapping(mapping)] == [], line


def test_an_example_may_be_longer_than_shown_and_shows_its_exit_code(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ calmap list mappings\nmapping\n...\n$ calmap list none\n$ echo $?\n```\n")

    lines = EXAMPLES.updated(page, tmp_path).splitlines()

    assert lines[2].split() == ["mapping", "instrument", "type"]
    assert lines[3] == "..."
    assert lines[-2:] == ["2", "```"]


def test_an_exit_code_above_one_must_be_shown(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("text\n\n```console\n$ calmap list none\n```\n")

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


def test_an_example_may_run_in_a_folder_that_another_has_made(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- test: cwd=new -->\n```console\n$ calmap init --demo --quiet demo\n```\n\n"
        "<!-- test: cwd=new/demo -->\n```console\n$ cd demo\n$ pwd\n$ git init --quiet\n$ git add README.md\n"
        "$ git commit --quiet --message first\n$ git log --format='%an %ad'\n"
        "$ calmap certify no.fits\n$ echo $?\n```\n"
    )

    lines = EXAMPLES.updated(page, tmp_path).splitlines()

    assert lines[lines.index("$ cd demo") + 1] == "$ pwd"
    assert lines[lines.index("$ git log --format='%an %ad'") + 1] == "Ada Ridge Sat Aug 2 09:00:00 2025 +0000"
    assert lines[-2:] == ["3", "```"]


@pytest.mark.parametrize("note", ["cwd=demo", "cwd=copy/below", "because"])
def test_a_note_that_is_no_note_is_refused(note: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"<!-- test: {note} -->\n```console\n$ calmap --version\n```\n")

    with pytest.raises(EXAMPLES.ExampleError, match="is not understood"):
        EXAMPLES.updated(page, tmp_path)


def test_a_picture_is_the_one_that_the_examples_make(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- test: cwd=copy -->\n```console\n$ printf drawn > a.png\n$ calmap --version\n```\n"
        "![a](images/a.png)\n"
    )

    EXAMPLES.updated(page, tmp_path)

    assert list(EXAMPLES.pictures(page, tmp_path)) == [(tmp_path / "images" / "a.png", b"drawn")]


def test_examples_on_the_real_cache_are_run_where_it_is(corpus: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- test: cwd=real -->\n```console\n$ calmap list contexts\n```\n")

    assert "ligeriri     ligeriri_0001.pmap" in EXAMPLES.updated(page, tmp_path)


def test_examples_on_the_real_cache_are_left_alone_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EXAMPLES, "_REAL_CACHE", tmp_path / "none")
    page = tmp_path / "page.md"
    page.write_text("<!-- test: cwd=real -->\n```console\n$ calmap list contexts\nas it was\n```\n")

    assert EXAMPLES.updated(page, tmp_path) == page.read_text()


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


def test_rules_named_anywhere_exist() -> None:
    named = {
        code for page in WRITTEN for code in re.findall(r"\bCM\d{3}\b", page.read_text(encoding="utf-8"))
    }

    assert named - set(RULES) == set()
