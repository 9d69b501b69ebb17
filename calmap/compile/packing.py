"""From rules in the form of a tree to their packed form."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from calmap.compile.columns import pack_column
from calmap.compile.packed import Node as PackedNode
from calmap.compile.packed import PackedMatch, PackedRows, PackedSelector, PackedTerminal, Plain
from calmap.compile.prepare import Substitutions
from calmap.compile.tree import Answer, Match, Node, Ordered, Row, Terminal
from calmap.model.dates import DateError, moment


def pack(tree: Node, substitutions: Substitutions) -> PackedSelector:
    """The packed form of rules; the same rules always give the same."""
    return _Packing(tree, substitutions).selector()


def selectors(node: Node) -> Iterator[Match | Ordered]:
    """Every selector of a tree, those further up first."""
    if isinstance(node, Terminal):
        return
    yield node
    for item in node.rules if isinstance(node, Match) else node.rows:
        yield from selectors(item.choice)


class _Packing:
    """Numbers everything, and then writes it down."""

    def __init__(self, tree: Node, substitutions: Substitutions) -> None:
        self.tree = tree
        self.substitutions = substitutions
        found = tuple(selectors(tree))
        self.date = _common_date(found)
        self.dated = [node for node in found if isinstance(node, Ordered) and self._is_dated(node)]
        self.others = [node for node in found if isinstance(node, Match) or not self._is_dated(node)]
        self.rows = [
            row for node in (*self.dated, *self.others) if isinstance(node, Ordered) for row in node.rows
        ]
        self.numbers = {id(node): -1 - number for number, node in enumerate((*self.dated, *self.others))}
        self.names: dict[str, int] = {}
        self.words: dict[tuple[Answer, tuple[str, ...], str], int] = {}

    def _is_dated(self, node: Ordered) -> bool:
        return bool(self.date) and node.kind == "UseAfter"

    def selector(self) -> PackedSelector:
        nodes: list[PackedNode] = []
        first = sum(len(node.rows) for node in self.dated)
        for node in self.others:
            if isinstance(node, Match):
                nodes.append(self._match(node))
            else:
                keys = tuple(_key(node, row) for row in node.rows)
                nodes.append(PackedRows(node.kind, node.parameters, keys, first))
                first += len(node.rows)
        ends, groups = 0, array("i")
        for node in self.dated:
            groups.extend((ends, ends + len(node.rows)))
            ends += len(node.rows)
        choices = array("i", [self._choice(row.choice) for row in self.rows])
        root = self._choice(self.tree)
        words = (PackedTerminal(answer.value, files, written) for answer, files, written in self.words)
        return PackedSelector(
            date=self.date,
            names=tuple(self.names),
            dates=array("q", [moment(str(row.key)) for row in self.rows[:ends]]).tobytes(),
            choices=choices.tobytes(),
            places=array("i", [_place(row.choice) for row in self.rows]).tobytes(),
            groups=groups.tobytes(),
            nodes=(*nodes, *words),
            root=root,
            root_place=_place(self.tree),
        )

    def _match(self, match: Match) -> PackedMatch:
        columns = tuple(
            pack_column(match, index, self.substitutions.get(parameter, {}))
            for index, parameter in enumerate(match.parameters)
        )
        choices = array("i", [self._choice(rule.choice) for rule in match.rules])
        places = array("i", [_place(rule.choice) for rule in match.rules])
        return PackedMatch(columns, choices.tobytes(), places.tobytes(), match.merge_overlaps)

    def _choice(self, node: Node) -> int:
        if not isinstance(node, Terminal):
            return self.numbers[id(node)]
        if node.answer is Answer.FOUND and node.files == (node.written,):
            return self.names.setdefault(node.written, len(self.names))
        word = (node.answer, node.files, node.written)
        return -1 - len(self.numbers) - self.words.setdefault(word, len(self.words))


def _common_date(found: tuple[Match | Ordered, ...]) -> tuple[str, ...]:
    """The keywords of all dates, if those are everywhere the same and every row has a date."""
    nodes = [node for node in found if isinstance(node, Ordered) and node.kind == "UseAfter"]
    keywords = {node.parameters for node in nodes}
    if len(keywords) != 1 or not all(_is_date(row) for node in nodes for row in node.rows):
        return ()
    return keywords.pop()


def _is_date(row: Row) -> bool:
    try:
        moment(str(row.key))
    except DateError:
        return False
    return True


def _key(node: Ordered, row: Row) -> Plain:
    return row.key if node.kind == "Bracket" and isinstance(row.key, float) else row.written


def _place(node: Node) -> int:
    return node.span.start
