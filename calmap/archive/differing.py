"""Reference types whose answers may differ between two contexts."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from calmap.bestref.context import Context
from calmap.bestref.rulebook import Rulebook
from calmap.cache.rulesets import Rules
from calmap.compile.timeline import dependence
from calmap.errors import CalmapError, HeaderError
from calmap.observatories.definition import Observatory, ReferenceNames
from calmap.observatories.reference_headers import ReferenceHeaders
from calmap.syntax.ast import MappingKind


class TypePair(NamedTuple):
    """A reference type of an instrument, and the mappings that answer for it.

    Parameters
    ----------
    instrument, reftype
        In lower case.
    old, new
        Names of the mappings, N/A or OMIT; empty if a context has no such type.
    """

    instrument: str
    reftype: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Differing:
    """Tells for two contexts which types have to be asked.

    Two contexts give the same answers for a type if the text of its mapping is the
    same, the telescope is described the same, and whatever the answers depend on
    beside the keywords of the mapping itself is looked at in both or in neither.

    Parameters
    ----------
    old, new
        The contexts.
    """

    old: Context
    new: Context
    _found: dict[tuple[str | None, str | None], tuple[str, ...]] = field(default_factory=dict, repr=False)

    @property
    def same_telescope(self) -> bool:
        """Whether headers mean the same for both."""
        return _selecting(self.old.observatory) == _selecting(self.new.observatory)

    def types(self, old: str | None, new: str | None) -> tuple[str, ...]:
        """Types that have to be asked for datasets of an instrument, in alphabetical order.

        Parameters
        ----------
        old, new
            The instrument as each context calls it, or None where it knows none.
        """
        if (old, new) not in self._found:
            self._found[old, new] = self._types(old, new)
        return self._found[old, new]

    def instruments(self) -> Iterator[tuple[str | None, str | None]]:
        """What each context calls the instruments of datasets, if headers mean the same for both."""
        one, other = self.old, self.new
        pipelines = [context.kind is MappingKind.PIPELINE for context in (one, other)]
        before, after = one.instruments(), other.instruments()
        if all(pipelines):
            for name in sorted({*before, *after}):
                yield name if name in before else None, name if name in after else None
        elif any(pipelines):
            yield from (pair for name in before for pair in ((name, item) for item in after))
            single = (None, after[0]) if pipelines[0] else (before[0], None)
            yield single
        else:
            yield before[0], after[0]

    def pairs(self, wanted: Collection[str] | None = None) -> tuple[tuple[TypePair, ...], int]:
        """The types that have to be asked, and how many there are that have not.

        Parameters
        ----------
        wanted
            Those that matter; all if None.
        """
        found, same = [], 0
        for one, other in self.instruments():
            books = self._book(self.old, one), self._book(self.new, other)
            every = {reftype for book in books if book is not None for reftype in book.reftypes}
            every = every if wanted is None else every.intersection(wanted)
            asked = [reftype for reftype in self.types(one, other) if reftype in every]
            same += len(every) - len(asked)
            name = other or one or ""
            found += [
                TypePair(
                    name, reftype, *("" if book is None else _target(book, reftype) or "" for book in books)
                )
                for reftype in asked
            ]
        return tuple(found), same

    def _types(self, old: str | None, new: str | None) -> tuple[str, ...]:
        one, other = self._book(self.old, old), self._book(self.new, new)
        if one is None or other is None:
            book = one or other
            return () if book is None else book.reftypes
        every = {*one.reftypes, *other.reftypes}
        if not self.same_telescope:
            return tuple(sorted(every))
        texts = {reftype for reftype in every if not _same_text(one, other, reftype)}
        if not texts and one.own_keys == other.own_keys:
            return ()
        keys = set(one.required(None)), set(other.required(None))
        return tuple(
            reftype for reftype in sorted(every) if reftype in texts or not _same_view(one, reftype, *keys)
        )

    def _book(self, context: Context, instrument: str | None) -> Rulebook | None:
        if instrument is None:
            return None
        try:
            return context.rulebook(instrument)
        except HeaderError:
            return None


def _selecting(observatory: Observatory) -> Observatory:
    """A definition without what does not matter to a selection."""
    return replace(
        observatory,
        title="",
        origin="",
        instruments={},
        references=ReferenceNames(),
        reference_markers=(),
        useafter_keywords=(),
        file_names={},
        reference_headers=ReferenceHeaders(),
        certification=type(observatory.certification)(),
    )


def _target(book: Rulebook, reftype: str) -> str | None:
    """The mapping of a type, N/A or OMIT; None if there is no such type."""
    if reftype not in book.reftypes:
        return None
    link = book.links.get(reftype)
    if link is None:
        return book.name
    return "OMIT" if link.is_omit else "N/A" if link.is_na else link.target


def _same_text(one: Rulebook, other: Rulebook, reftype: str) -> bool:
    old, new = _target(one, reftype), _target(other, reftype)
    if old is None or new is None:
        return False
    if one.rules is other.rules or {old, new} & {"N/A", "OMIT"}:
        return old == new
    content = _content(one.rules, old)
    return content is not None and content == _content(other.rules, new)


def _content(rules: Rules, name: str) -> bytes | None:
    """Text of a mapping, or None if it can't be read."""
    try:
        return rules.layout.read_mapping(name, rules.observatory.name)[1]
    except CalmapError:
        return None


def _same_view(book: Rulebook, reftype: str, old: set[str], new: set[str]) -> bool:
    """Whether the answers of a type depend on no keyword that only one of the contexts looks at."""
    reference = book.rules_of(reftype).reference
    if reference is None:
        return True
    depends = dependence(reference)
    return not {*depends.date, *depends.keys} & (old ^ new)
