"""A refactoring of several mappings: what comes of it, before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from calmap.cache.rulesets import Rules
from calmap.delivery.revision import MappingChange, Revision, revise
from calmap.edit.refactoring import refactored
from calmap.errors import CalmapError, RefusedError, UsageError
from calmap.model.mapping import Mapping
from calmap.observatories.definition import Observatory

Edit: TypeAlias = Callable[[Mapping, "Observatory | None"], Mapping]


class Note(NamedTuple):
    """What people should know of a refactoring of a mapping.

    Parameters
    ----------
    text
        A sentence.
    warns
        Whether answers change.
    """

    text: str
    warns: bool


def _no_notes(mapping: Mapping) -> Iterable[Note]:
    del mapping
    return ()


class Task(NamedTuple):
    """A refactoring with its arguments.

    Parameters
    ----------
    title
        What it does, beginning with a verb.
    edit
        A mapping, and its telescope if known, to the mapping that comes of it.
    applies
        Whether a mapping that nobody named has what it is about.
    notes
        What there is to say about the refactoring of a mapping.
    """

    title: str
    edit: Edit
    applies: Callable[[Mapping], bool]
    notes: Callable[[Mapping], Iterable[Note]] = _no_notes


class Subject(NamedTuple):
    """A mapping to be changed.

    Parameters
    ----------
    mapping
        As it is.
    observatory
        Its telescope, if known.
    named
        Whether it was asked for itself, so that it is wrong if the refactoring does not apply.
    """

    mapping: Mapping
    observatory: Observatory | None
    named: bool


@dataclass(frozen=True, slots=True)
class Refactored:
    """What a refactoring comes to.

    Parameters
    ----------
    pairs
        Mappings before and after, those that change only.
    unchanged
        How many were as they should be, or had nothing that it is about.
    applied
        How many had what it is about.
    notes
        What there is to say, each with the name of the mapping.
    """

    pairs: tuple[tuple[Mapping, Mapping], ...]
    unchanged: int
    applied: int
    notes: tuple[tuple[str, Note], ...]


class RefactoringError(RefusedError):
    """A refactoring that can't be made of all mappings, so that it is made of none.

    Parameters
    ----------
    problems
        Why not, for each mapping that it can't be made of.
    """

    def __init__(self, problems: tuple[CalmapError, ...]) -> None:
        super().__init__(problems[0].message, problems[0].hint)
        self.problems = problems


def refactor(subjects: Iterable[Subject], task: Task) -> Refactored:
    """Refactor mappings; nothing is written.

    Raises
    ------
    RefactoringError
        If one of them can't be.
    UsageError
        If the refactoring makes no sense.
    """
    problems: list[CalmapError] = []
    pairs = []
    notes: list[tuple[str, Note]] = []
    unchanged = applied = 0
    for subject in subjects:
        if not (subject.named or task.applies(subject.mapping)):
            unchanged += 1
            continue
        applied += 1
        try:
            new = _changed(subject, task)
        except UsageError:
            raise
        except CalmapError as problem:
            problems.append(problem)
            continue
        notes += [(subject.mapping.name, note) for note in task.notes(subject.mapping)]
        if new.text == subject.mapping.text:
            unchanged += 1
        else:
            pairs.append((subject.mapping, new))
    if problems:
        raise RefactoringError(tuple(problems))
    return Refactored(tuple(pairs), unchanged, applied, tuple(notes))


def revised(rules: Rules, context: str, done: Refactored) -> Revision:
    """New serial numbers for the changed mappings and those above them, up to a context.

    Raises
    ------
    CalmapError
        If the context does not lead to one of them.
    """
    return revise(rules, context, {old.name: new for old, new in done.pairs})


def revision_alone(done: Refactored) -> Revision:
    """The changed mappings under their names; no context is concerned."""
    return Revision("", tuple(MappingChange(old, new) for old, new in done.pairs))


def _changed(subject: Subject, task: Task) -> Mapping:
    return refactored(subject.mapping, lambda mapping: task.edit(mapping, subject.observatory))
