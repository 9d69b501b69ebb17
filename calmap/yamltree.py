"""YAML text as a tree of plain text values that know their lines.

Nothing is constructed from tags and no value is guessed at: ``12:30:45`` stays
as it is written. Size, depth and number of nodes are bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH: Final = 100
MAX_NODES: Final = 200_000
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})


class YamlTreeError(Exception):
    """Text that is no YAML, or more of it than is allowed.

    Parameters
    ----------
    message
        What is wrong.
    line
        Line, counted from one.
    """

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True)
class YamlText:
    """A scalar, as it is written; None stands for null."""

    line: int
    value: str | None


@dataclass(frozen=True, slots=True)
class YamlList:
    """A sequence."""

    line: int
    items: tuple[YamlNode, ...]


@dataclass(frozen=True, slots=True)
class YamlTable:
    """A mapping; keys that are no scalars are left out, doubled keys are kept."""

    line: int
    entries: tuple[tuple[YamlText, YamlNode], ...]


YamlNode: TypeAlias = YamlText | YamlList | YamlTable


def parse_yaml(text: str, *, aliases: bool = False) -> YamlNode | None:
    """Tree of the one document in a text, or None if it is empty.

    Parameters
    ----------
    text
        YAML 1.1.
    aliases
        Whether ``*name`` may stand for ``&name``; refused by default.

    Raises
    ------
    YamlTreeError
        If the text can't be read.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Builder(yaml.parse(text, Loader=loader), aliases).document()
    except yaml.MarkedYAMLError as error:
        marks = [mark for mark in (error.problem_mark, error.context_mark) if mark is not None]
        line = marks[0].line + 1 if marks else 1
        raise YamlTreeError(str(error.problem or error.context), line) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else 1
        raise YamlTreeError("characters that YAML doesn't allow", line) from None


class _Builder:
    """Makes a tree of parser events."""

    def __init__(self, events: Iterator[Any], aliases: bool) -> None:
        self._events: Iterator[Any] = events
        self._aliases = aliases
        self._anchors: dict[str, YamlNode] = {}
        self._nodes = 0

    def document(self) -> YamlNode | None:
        import yaml

        root: YamlNode | None = None
        seen = False
        for event in self._events:
            if seen and isinstance(event, yaml.DocumentStartEvent):
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise YamlTreeError("a second document, expected one", line)
            if isinstance(event, yaml.NodeEvent):
                root, seen = self._node(event, 0), True
        return root

    def _node(self, event: Any, depth: int) -> YamlNode:
        import yaml

        line = event.start_mark.line + 1
        self._nodes += 1
        if depth > MAX_DEPTH:
            raise YamlTreeError(f"nested more than {MAX_DEPTH} deep", line)
        if self._nodes > MAX_NODES:
            raise YamlTreeError(f"more than {MAX_NODES} values", line)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(str(event.anchor), line)
        node: YamlNode
        if isinstance(event, yaml.ScalarEvent):
            null = event.implicit[0] and event.value in _NULLS
            node = YamlText(line, None if null else event.value)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = YamlList(line, tuple(self._children(yaml.SequenceEndEvent, depth)))
        else:
            children = list(self._children(yaml.MappingEndEvent, depth))
            pairs = zip(children[::2], children[1::2], strict=True)
            node = YamlTable(line, tuple((key, value) for key, value in pairs if isinstance(key, YamlText)))
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _children(self, end: type, depth: int) -> Iterator[YamlNode]:
        for event in self._events:
            if isinstance(event, end):
                return
            yield self._node(event, depth + 1)

    def _alias(self, anchor: str, line: int) -> YamlNode:
        if not self._aliases:
            raise YamlTreeError(f"the alias *{anchor}; write the value out", line)
        if anchor not in self._anchors:
            raise YamlTreeError(f"the alias *{anchor} has no anchor before it", line)
        return self._anchors[anchor]
