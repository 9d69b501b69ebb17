"""Datasets for which two contexts choose different files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from calmap.bestref.answer import BestRef
from calmap.bestref.cache import Cache
from calmap.bestref.context import Context
from calmap.cache.comparands import Comparand
from calmap.errors import HeaderError

NO_TYPE = "no such type"
WORDS: Mapping[str, str] = MappingProxyType({"not_applicable": "N/A", "not_found": "not found"})
"""What is said where there is no file, by status."""


class Affected(NamedTuple):
    """A dataset and a type for which the files are not the same.

    Parameters
    ----------
    dataset, reftype
        Whose files.
    old, new
        What the contexts choose, in words where that is no file.
    """

    dataset: str
    reftype: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ContextPair:
    """Two contexts that are asked the same."""

    old: Context
    new: Context

    def affected(self, dataset: str, header: Mapping[str, Any]) -> tuple[Affected, ...]:
        """Types for which a dataset would get another file, in alphabetical order.

        Raises
        ------
        HeaderError
            If neither context can tell the instrument of the dataset.
        MappingError, CacheError
            If a context can't be used.
        """
        answers: list[dict[str, BestRef]] = []
        problem: HeaderError | None = None
        for context in (self.old, self.new):
            try:
                answers.append(context.bestrefs(header))
            except HeaderError as found:
                problem = found if problem is None or problem.message == found.message else problem
                answers.append({})
        if problem is not None and not any(answers):
            raise problem
        before, after = ({name: _words(ref) for name, ref in refs.items()} for refs in answers)
        return tuple(
            Affected(dataset, name, before.get(name, NO_TYPE), after.get(name, NO_TYPE))
            for name in sorted({*before, *after})
            if before.get(name) != after.get(name)
        )


@contextmanager
def context_pair(old: Comparand, new: Comparand) -> Iterator[ContextPair]:
    """Contexts of two mappings; those of a revision are in a temporary folder until the end.

    Raises
    ------
    CalmapError
        If there are none.
    """
    with ExitStack() as stack:
        layouts = [
            stack.enter_context(side.state.laid_out(side.name or "", side.observatory)) for side in (old, new)
        ]
        caches = {layout: Cache(layout) for layout in layouts}
        contexts = [
            caches[layout].context(side.name, side.observatory or None)
            for layout, side in zip(layouts, (old, new), strict=True)
        ]
        yield ContextPair(*contexts)


def _words(ref: BestRef) -> str:
    return ", ".join(ref.files) if ref.status == "found" else WORDS.get(ref.status, ref.status)
