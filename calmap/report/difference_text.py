"""What differs between the texts of mappings, as Git shows it."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff

from calmap.compare.difference import MappingDifference
from calmap.report.text import printable


def text_lines(difference: MappingDifference) -> Iterator[str]:
    """A unified diff, line by line without line ends; what can't be shown is escaped, but for tabs."""
    names = f"a/{difference.name_old}", f"b/{difference.name_new}"
    old, new = (file.source.text.split("\n") for file in (difference.old, difference.new))
    ends = [lines[-1] != "" for lines in (old, new)]
    before, after = (
        [*lines[:-1], f"{lines[-1]}\n\\ No newline at end of file"] if end else lines[:-1]
        for lines, end in zip((old, new), ends, strict=True)
    )
    for line in unified_diff(before, after, *names, lineterm=""):
        yield from (_shown(part) for part in line.split("\n"))


def _shown(line: str) -> str:
    return "\t".join(map(printable, line.split("\t")))
