"""Which of the differences between contexts are worth telling, in a line each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from calmap.compare.contexts import Compared
from calmap.compare.difference import MappingDifference
from calmap.model.names import mapping_kind
from calmap.report.difference_lines import counts
from calmap.report.text import printable
from calmap.syntax.ast import MappingKind

_ENTRIES: Mapping[MappingKind, str] = MappingProxyType(
    {MappingKind.PIPELINE: "instrument", MappingKind.INSTRUMENT: "type", MappingKind.REFERENCE: "rule"}
)


def is_told(difference: MappingDifference, followed: frozenset[tuple[str | None, str | None]]) -> bool:
    """False for a pmap or imap of which only entries changed that are told of on their own."""
    if difference.header or difference.rules or difference.selectors or not difference.links:
        return True
    return any((change.old, change.new) not in followed for change in difference.links)


def lone_words(item: Compared) -> str:
    """What is to be said of a mapping without counterpart."""
    if item.note:
        return item.note
    kind = mapping_kind(item.old or item.new or "") or MappingKind.REFERENCE
    count = f"{item.rules} {_ENTRIES[kind]}{'' if item.rules == 1 else 's'}"
    return f"new, {count}" if item.old is None else f"gone, it had {count}"


def render_brief(found: Iterable[Compared]) -> str:
    """A line for each mapping that changed."""
    items = tuple(found)
    followed = frozenset((item.old, item.new) for item in items if item.keys)
    return "".join(f"{printable(line)}\n" for item in items for line in _brief(item, followed))


def _brief(item: Compared, followed: frozenset[tuple[str | None, str | None]]) -> Iterator[str]:
    name = " ".join(item.keys) or item.new or item.old or ""
    if item.difference is not None:
        if is_told(item.difference, followed):
            yield f"{name}  {counts(item.difference)}"
    elif item.problem is None:
        yield f"{name}  {lone_words(item)}"
