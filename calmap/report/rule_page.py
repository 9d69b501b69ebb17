"""The documentation of rules: a Markdown page each, and an index."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from calmap.diagnostics import Rule

INDEX = "README.md"
_GROUPS = (
    ("CM0", "Text and syntax"),
    ("CM1", "Header"),
    ("CM2", "Structure of selectors"),
    ("CM3", "Values"),
    ("CM4", "Between files"),
    ("CM5", "Checksums"),
)


def rule_page(rule: Rule) -> str:
    """Markdown page of a rule."""
    return "\n\n".join(_sections(rule)) + "\n"


def _sections(rule: Rule) -> Iterator[str]:
    fixable = "yes, with `calmap check --fix`" if rule.fixable else "no"
    yield f"# {rule.code} {rule.name}"
    yield f"Severity: **{rule.severity}**. Fixable: {fixable}."
    yield f"## What it does\n\n{_sentence(rule.summary)}"
    if rule.why:
        yield f"## Why is this bad?\n\n{rule.why.strip()}"
    if rule.example:
        yield f"## Example\n\nIn `{rule.filename}`:\n\n{_code(rule.example)}"
    if rule.use_instead:
        yield f"## Use instead\n\n{_code(rule.use_instead)}"
    comment = _code(f"# calmap: ignore[{rule.code}]")
    yield f"## Suppress\n\nFor one line, with a comment at its end:\n\n{comment}"
    yield f"For a whole run: `calmap check --ignore {rule.code}`."


def _sentence(text: str) -> str:
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _code(text: str) -> str:
    """Fence that is longer than any in the text."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}python\n{text.strip(chr(10))}\n{fence}"


def rule_pages(rules: Mapping[str, Rule]) -> dict[str, str]:
    """Every page by its file name, the index included."""
    pages = {f"{rule.code}.md": rule_page(rule) for rule in rules.values()}
    pages[INDEX] = rule_index(rules)
    return pages


def rule_index(rules: Mapping[str, Rule]) -> str:
    """Table of all rules."""
    sections = ["# Rules of `calmap check`"]
    for prefix, title in _GROUPS:
        rows = [_row(rule) for code, rule in sorted(rules.items()) if code.startswith(prefix)]
        if rows:
            head = "| Code | Name | What it does | Severity | Fixable |\n|---|---|---|---|---|"
            sections.append(f"## {title}\n\n" + "\n".join([head, *rows]))
    return "\n\n".join(sections) + "\n"


def _row(rule: Rule) -> str:
    summary = _sentence(rule.summary).replace("|", "\\|").replace("\n", " ")
    fixable = "yes" if rule.fixable else ""
    return f"| [{rule.code}]({rule.code}.md) | {rule.name} | {summary} | {rule.severity} | {fixable} |"
