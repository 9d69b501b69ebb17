"""The reference files that given datasets need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from calmap.bestref.context import Context
from calmap.errors import HeaderError
from calmap.headers.reading import read_headers

_FOUND = "found"


def needed_by_files(contexts: Sequence[Context], paths: Iterable[Path], problems: list[str]) -> set[str]:
    """Names of the references of datasets under some contexts.

    Parameters
    ----------
    contexts
        The contexts.
    paths
        Files of datasets.
    problems
        Gets what kept a dataset from being asked about.

    Raises
    ------
    CacheError
        If a context can't be used.
    """
    found: set[str] = set()
    for path in paths:
        try:
            for dataset, header in read_headers(path):
                found.update(_names(contexts, dataset, header, problems))
        except HeaderError as problem:
            text = str(problem)
            problems.append(text if str(path) in text else f"{path}: {text}")
    return found


def _names(
    contexts: Sequence[Context], dataset: str, header: dict[str, str], problems: list[str]
) -> Iterator[str]:
    for context in contexts:
        try:
            answers = context.bestrefs(header)
        except HeaderError as problem:
            problems.append(f"{dataset}: {problem}")
            continue
        for answer in answers.values():
            yield from answer.files


def needed_by_tables(contexts: Sequence[Context], tables: Sequence[str], problems: list[str]) -> set[str]:
    """Names of the references of the rows of tables of headers under some contexts.

    Raises
    ------
    UsageError, HeaderError
        If a table can't be used.
    CacheError
        If a context can't be used.
    """
    if not tables:
        return set()
    from calmap.archive.selection import Question, TableSelection
    from calmap.archive.tables.reading import open_tables

    opened = open_tables(tables)
    found: set[str] = set()
    for context in contexts:
        selection = TableSelection(context, Question.about(opened))
        bad = 0
        for partition in opened.partitions():
            for part in selection.stream(partition):
                bad += part.tally.bad
                for case in part.tally.counts:
                    status, files = case.answers
                    if status == _FOUND:
                        found.update(files.split(", "))
        if bad:
            problems.append(f"{bad:,} rows of tables name no instrument that {context.name} knows")
    return found
