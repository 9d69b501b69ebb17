"""Rules of a context that are meant by a type or a line, and their texts while they change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from calmap.cache.rulesets import Rules
from calmap.compare.rows import rows
from calmap.compile.terms import reference_terms
from calmap.delivery.deletion import reference_mappings
from calmap.edit.application import parsed
from calmap.edit.validity import Place, places, require_use_after
from calmap.errors import RefusedError
from calmap.model.mapping import Mapping


class RuleLine(NamedTuple):
    """A rule, named by a line of it."""

    mapping: str
    line: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rules are meant.

    Parameters
    ----------
    reftype
        Those of a reference type, or of any.
    rule
        The one, or any.
    """

    reftype: str | None = None
    rule: RuleLine | None = None


@dataclass(slots=True)
class ChosenRules:
    """The rmaps of a context, with changes that build on each other."""

    rules: Rules
    context: str
    choice: Choice
    changed: dict[str, Mapping] = field(default_factory=dict)

    def text(self, name: str) -> Mapping:
        """An rmap as it is by now."""
        return self.changed.get(name) or self.rules.mapping(name)

    def chosen(self) -> Iterator[str]:
        """Names of the rmaps that are meant and can be found."""
        names = dict.fromkeys(reference_mappings(self.rules, self.context))
        rule = self.choice.rule
        if rule is not None and rule.mapping not in names:
            raise RefusedError(
                f"{self.context} does not lead to {rule.mapping}", "choose another with --context"
            )
        for name in names if rule is None else (rule.mapping,):
            if self.rules.layout.find_mapping(name, self.rules.observatory.name) is not None:
                yield name

    def holding(self, file: str) -> Iterator[tuple[str, Place]]:
        """Rules that are meant and lead to a file.

        Raises
        ------
        RefusedError
            If such a rule chooses otherwise than by `UseAfter`, or has the file among others.
        """
        for name in tuple(self.chosen()):
            if not self._mentions(name, file) or not self._is_of_type(name):
                continue
            ast = parsed(self.text(name))
            for row in rows(ast.selector):
                if repr(file) in row.file:
                    line = ast.source.position(row.span.start).line
                    raise RefusedError(f"{name}:{line} has {file} among others", "change that rule by hand")
            counting = {place.keys: place for place in places(ast)}
            for place in counting.values():
                if place.names(file) and self._is_meant(place):
                    require_use_after(ast, place.call.name, place.start)
                    yield name, place

    def known(self, file: str) -> tuple[tuple[str, Place], ...] | None:
        """Rules that are meant for a file that the rules know by name, or None if they don't.

        Raises
        ------
        RefusedError
            As `holding` and `place`.
        """
        rule = self.choice.rule
        if rule is None:
            return tuple(self.holding(file)) or None
        if rule.mapping not in self.chosen():
            return None
        place = self.place(rule.mapping)
        is_known = any(other.names(file) for other in places(parsed(self.text(rule.mapping))))
        return ((rule.mapping, place),) if place is not None and is_known else None

    def place(self, name: str) -> Place | None:
        """The rule that is named by its line, if one is."""
        rule = self.choice.rule
        if rule is None:
            return None
        if rule.mapping != name:
            raise RefusedError(f"{rule.mapping}:{rule.line} is no rule for it: its rules are in {name}")
        ast = parsed(self.text(name))
        found = next((place for place in places(ast) if self._is_meant(place)), None)
        if found is None:
            raise RefusedError(
                f"{rule.mapping}:{rule.line} is in no rule", "calmap validity show lists the rules"
            )
        require_use_after(ast, found.call.name, found.start)
        return found

    def _mentions(self, name: str, file: str) -> bool:
        """True if a file's name is somewhere in an rmap, which is not parsed for that."""
        if name in self.changed:
            return file in self.changed[name].text
        path = self.rules.layout.mapping_path(name, self.rules.observatory.name)
        return file in path.read_text("utf-8", errors="replace")

    def _is_meant(self, place: Place) -> bool:
        rule = self.choice.rule
        return rule is None or place.line <= rule.line <= place.last_line

    def _is_of_type(self, name: str) -> bool:
        wanted = self.choice.reftype
        terms = reference_terms(self.rules.file(name), self.rules.observatory)
        return wanted is None or terms.filekind == wanted.lower()
