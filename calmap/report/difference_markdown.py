"""What differs between mappings, as Markdown for a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from calmap.compare.contexts import Compared
from calmap.compare.difference import MappingDifference
from calmap.report.difference_lines import ChangeLine, change_groups, counts, key_words, parkey_sentences
from calmap.report.difference_told import is_told, lone_words
from calmap.report.text import printable

_LONG = 20
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#!|~@&])")
_LINKED = re.compile(r"([@#])")


def render(title: str, found: Sequence[Compared]) -> str:
    """Markdown with a heading, and a table for each mapping; long tables are folded away."""
    followed = frozenset((item.old, item.new) for item in found if item.keys)
    lines = [f"### {title}", ""]
    for item in found:
        if item.difference is None:
            lines += _lone(item)
        elif is_told(item.difference, followed):
            lines += _mapping(item, item.difference, followed)
    if len(lines) == 2:
        lines += ["No differences", ""]
    return "\n".join(lines)


def code(text: str) -> str:
    """Text as code in a table's cell, whatever is in it."""
    text = printable(text)
    if not text or "`" in text or "|" in text or text != text.strip():
        return f"<code>{_entities(text)}</code>" if text else ""
    return f"`{text}`"


def plain(text: str) -> str:
    """Text in which nothing is Markdown, or an address or name that would be linked."""
    return _LINKED.sub("\\1\u200b", _SPECIAL.sub(r"\\\1", printable(text)))


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], summary: str) -> list[str]:
    """A table of ready cells, folded away if it is long."""
    lines = [f"| {' | '.join(columns)} |", f"|{'|'.join(' --- ' for _ in columns)}|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    if len(rows) <= _LONG:
        return [*lines, ""]
    return [
        "<details>",
        f"<summary>{_entities(printable(summary))}</summary>",
        "",
        *lines,
        "",
        "</details>",
        "",
    ]


def names(old: str | None, new: str | None) -> str:
    """Names of two files, or of the one there is."""
    return " → ".join(code(name) for name in dict.fromkeys((old, new)) if name)


def _lone(item: Compared) -> list[str]:
    words = f"error: {item.problem}" if item.problem else lone_words(item)
    return [f"#### {_heading(item)}", "", plain(words), ""]


def _mapping(
    item: Compared, difference: MappingDifference, followed: frozenset[tuple[str | None, str | None]]
) -> list[str]:
    lines = [f"#### {_heading(item)}", "", plain(counts(difference)), ""]
    points = [*map(plain, difference.notes), *_points(difference)]
    points += [
        f"entry {code(link.key)} {link.kind}: {names(link.old, link.new)}"
        for link in difference.links
        if (link.old, link.new) not in followed
    ]
    if points:
        lines += [*(f"- {point}" for point in points), ""]
    rows = [_row(line) for _, group in change_groups(difference) for line in group]
    if rows:
        lines += table(("change", "line", "rule", "file"), rows, counts(difference))
    return lines


def _heading(item: Compared) -> str:
    keys = " ".join(map(plain, item.keys))
    return f"{keys}: {names(item.old, item.new)}" if keys else names(item.old, item.new)


def _points(difference: MappingDifference) -> Iterator[str]:
    """Changes of the header and of selectors."""
    for change in difference.header:
        if change.path == ("parkey",) and difference.parkey:
            yield from (f"parkey: {plain(sentence)}" for sentence in parkey_sentences(difference.parkey))
        else:
            values = [code(value) or "*empty*" for value in (change.old, change.new) if value is not None]
            yield f"header {code('.'.join(change.path))} {change.kind}: {' → '.join(values)}"
    for selector in difference.selectors:
        change_of = f"{code(selector.old)} → {code(selector.new)}"
        yield f"selector of level {selector.level + 1}: {change_of} ({selector.rules} rules)"


def _row(line: ChangeLine) -> tuple[str, ...]:
    rule = code(", ".join(filter(None, (key_words(line.keys), line.row))))
    number = str(line.line)
    if line.kind == "moved":
        rule += f"<br>was {code(key_words(line.was))}"
        number += f"<br>{line.was_line}"
    return line.kind, number, rule, names(line.old, line.new)


def _entities(text: str) -> str:
    return _SPECIAL.sub(lambda match: f"&#{ord(match[0])};", text)


def block(title: str, text: str, language: str = "") -> str:
    """Text as it is, folded away below a title; its fence is longer than any in the text."""
    runs = [len(run) for run in re.findall(r"`+", text)]
    fence = "`" * max(3, 1 + max(runs, default=0))
    body = text.rstrip("\n")
    return "\n".join(
        [
            "<details>",
            f"<summary>{_entities(title)}</summary>",
            "",
            f"{fence}{language}",
            body,
            fence,
            "",
            "</details>",
            "",
        ]
    )
