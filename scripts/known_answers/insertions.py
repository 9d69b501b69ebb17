"""Inserts a reference as a case says, and looks at the rows and the text that come of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from calmap.bestref import Cache
from calmap.compare.rows import RuleRow, rows
from calmap.delivery.insertion import refuse_special_cases
from calmap.delivery.revision import next_name, renamed
from calmap.edit.application import edited, parsed
from calmap.edit.deletion import delete
from calmap.edit.insertion import Insertion, insert
from calmap.errors import CalmapError
from calmap.model.mapping import Mapping as MappingText
from known_answers.answers import CaseError
from known_answers.casefile import Case, digest

Row: TypeAlias = tuple[tuple[tuple[str, ...], ...], str]
RECORDED = ("'name'", "'derived_from'", "'sha1sum'")


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that an insertion adds and removes; None if it is refused."""

    added: tuple[Row, ...] | None
    removed: tuple[Row, ...] = ()
    kind: str = "rows"

    def agrees(self, other: Rows) -> bool:
        """True if both refuse, or add and remove the same rows."""
        return (self.added, self.removed) == (other.added, other.removed)

    def __str__(self) -> str:
        if self.added is None:
            return "refused"
        parts = [f"+{_shown(row)}" for row in self.added] + [f"-{_shown(row)}" for row in self.removed]
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class InsertionResult:
    """What crds and calmap make of one insertion.

    Parameters
    ----------
    digest, question
        The case's short name, and the mapping and the file.
    wanted, compiled, interpreted
        The rows of crds, those that calmap says it changes, and those in which the texts differ.
    reason
        Why calmap refuses, or what is wrong with the text.
    """

    digest: str
    question: str
    wanted: Rows
    compiled: Rows
    interpreted: Rows
    reason: str


@dataclass(frozen=True, slots=True)
class Insertions:
    """The mappings of a cache, and what was seen of texts.

    Parameters
    ----------
    cache
        The cache.
    counts
        How many texts were looked at, by what was found.
    """

    cache: Cache
    counts: Counter[str] = field(default_factory=Counter)

    def compare(self, case: Case) -> InsertionResult:
        """The rows of a case beside calmap's.

        Raises
        ------
        CaseError
            If the case is of no known form.
        CalmapError
            If the mapping can't be used.
        """
        try:
            name, header, reference = str(case["rmap"]), dict(case["header"]), str(case["reference"])
        except (KeyError, TypeError, ValueError) as problem:
            raise CaseError(f"an insertion that lacks a member, or has a wrong one: {problem}") from None
        wanted = Rows(None) if "error" in case else Rows(_known(case, "added"), _known(case, "removed"))
        question = f"{name} {reference}"
        rules = self.cache.rules(name.partition("_")[0])
        old = rules.mapping(name)
        try:
            file = parsed(old)
            terms = rules.observatory.reference_headers
            if terms.special_cases == "refuse":
                refuse_special_cases(file, rules.observatory, header)
            insertion = insert(file, header, reference)
            new = edited(old, insertion.edits)
        except CalmapError as problem:
            refused = Rows(None)
            return InsertionResult(digest(case), question, wanted, refused, refused, problem.message)
        said = Rows((_row(insertion.added),), tuple(sorted(map(_row, insertion.removed))))
        fault = self._fault(old, new, insertion, reference)
        return InsertionResult(digest(case), question, wanted, said, _difference(old, new), fault)

    def _fault(self, old: MappingText, new: MappingText, insertion: Insertion, reference: str) -> str:
        """What is wrong with the new text; empty if only the lines of the rule and the record changed."""
        self.counts["texts"] += 1
        if not _is_minimal(old.text, new.text, insertion):
            self.counts["too much changed"] += 1
            return "more than the lines of the rule changed"
        path = old.path.with_name(next_name(old.name, ()))
        final = renamed(new, path, old.name)
        changed = set(new.text.splitlines()) ^ set(final.text.splitlines())
        if any(not line.strip().startswith(RECORDED) for line in changed):
            self.counts["too much recorded"] += 1
            return "a line of the header changed that need not"
        if insertion.removed:
            return ""
        self.counts["to be taken back"] += 1
        back = edited(new, delete(parsed(new), frozenset({reference})).edits)
        if back.text == old.text:
            self.counts["taken back"] += 1
            return ""
        return "insertion and deletion do not give the original text"


def _is_minimal(old: str, new: str, insertion: Insertion) -> bool:
    """True if the lines in which two texts differ are those of one rule."""
    before, after = old.splitlines(), new.splitlines()
    head = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b),
        min(len(before), len(after)),
    )
    tail = next(
        (i for i, (a, b) in enumerate(zip(before[head:][::-1], after[head:][::-1], strict=False)) if a != b),
        min(len(before), len(after)) - head,
    )
    gone, come = len(before) - head - tail, len(after) - head - tail
    steps = len(insertion.added.steps)
    if insertion.removed:
        written = old.count("\n", insertion.edits[0].span.start, insertion.edits[-1].span.end)
        return gone <= written + 1 and come <= 2 * steps
    return gone <= 1 and come - gone <= 2 * insertion.new_levels - 1


def _difference(old: MappingText, new: MappingText) -> Rows:
    before, after = (Counter(map(_row, rows(parsed(text).selector))) for text in (old, new))
    return Rows(tuple(sorted((after - before).elements())), tuple(sorted((before - after).elements())))


def _row(row: RuleRow) -> Row:
    return row.keys, row.file


def _known(case: Mapping[str, Any], name: str) -> tuple[Row, ...]:
    try:
        return tuple(
            sorted((tuple(tuple(map(str, key)) for key in keys), str(file)) for *keys, file in case[name])
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise CaseError(f"an insertion whose {name!r} are no rows: {problem}") from None


def _shown(row: Row) -> str:
    keys, file = row
    text = " ".join(f"({', '.join(key)})" for key in keys)
    return f"`{text.replace('|', '¦')} {file}`"
