"""What is wrong with a cache after many insertions."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from filecmp import cmp
from itertools import pairwise
from pathlib import Path

from calmap.bestref import Cache
from calmap.cache.rulesets import Rules
from calmap.compare.rows import rows
from calmap.delivery.deletion import reference_mappings
from calmap.syntax.ast import header_text

TELESCOPE = "ligeriri"
LEDGER = ".calmap"


def faults(cache: Path, before: frozenset[str], references: Sequence[Path]) -> Iterator[str]:
    """One sentence for everything that is not as it must be.

    Parameters
    ----------
    cache
        The cache.
    before
        The files there were, as `files` names them.
    references
        The files that were inserted.
    """
    rules = Cache(cache).rules(TELESCOPE)
    contexts = rules.layout.contexts(TELESCOPE)
    yield from _broken_chain(rules, contexts, len(references))
    yield from _lost(rules, contexts[-1], references)
    yield from _strays(rules, before, references)
    done = subprocess.run(
        [sys.executable, "-m", "calmap", "check", str(cache)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        yield f"calmap check: {done.stdout}{done.stderr}"


def files(cache: Path) -> frozenset[str]:
    """Every file of a cache but those that calmap keeps for itself."""
    found = (path.relative_to(cache) for path in cache.rglob("*") if path.is_file())
    return frozenset(name.as_posix() for name in found if name.parts[0] != LEDGER)


def _broken_chain(rules: Rules, contexts: tuple[str, ...], count: int) -> Iterator[str]:
    if len(contexts) != count + 1:
        yield f"there are {len(contexts)} contexts after {count} insertions"
    for number, name in enumerate(contexts, start=1):
        if name != f"{TELESCOPE}_{number:04d}.pmap":
            yield f"context {number} is {name}"
    for older, newer in pairwise(contexts):
        parent = header_text(rules.file(newer).header, "derived_from")
        if parent != older:
            yield f"{newer} derives from {parent}"


def _lost(rules: Rules, context: str, references: Sequence[Path]) -> Iterator[str]:
    named = [
        row.file for name in reference_mappings(rules, context) for row in rows(rules.file(name).selector)
    ]
    folder = rules.layout.reference_folder(TELESCOPE)
    for path in references:
        times = named.count(path.name)
        if times != 1:
            yield f"{context} names {path.name} {times} times"
        place = folder.place(path.name, path.name.partition("_")[0].lower())
        if not place.is_file() or not cmp(place, path, shallow=False):
            yield f"{place} is not {path}"


def _strays(rules: Rules, before: frozenset[str], references: Sequence[Path]) -> Iterator[str]:
    now = files(rules.layout.root)
    yield from (f"{name} is gone" for name in sorted(before - now))
    inserted = {path.name for path in references}
    parents = {
        str(header_text(rules.file(path.name).header, "derived_from"))
        for path in rules.layout.mapping_files(TELESCOPE)
    }
    newest = set(reference_mappings(rules, rules.layout.contexts(TELESCOPE)[-1]))
    for name in sorted(now - before):
        last = name.rpartition("/")[2]
        known = last in inserted or last in parents or last in newest or last.endswith((".imap", ".pmap"))
        if not known:
            yield f"{name} belongs to nothing"
