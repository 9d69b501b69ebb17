"""What became of the files of a cache that was brought in line with another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from calmap.archive.sync.items import Fate, Kind, Outcome
from calmap.archive.sync.pruning import Idle, Pruning
from calmap.archive.sync.run import Result
from calmap.cache.remote.manifest import FILE_NAME
from calmap.cache.remote.verification import Proof
from calmap.report.text import printable

_WORDS: Final = (
    (Fate.FETCHED, "fetched"),
    (Fate.REPAIRED, "repaired"),
    (Fate.MISSING, "to be fetched"),
    (Fate.KEPT, "there already"),
    (Fate.DAMAGED, "damaged"),
    (Fate.ABSENT, "not in the cache elsewhere"),
    (Fate.FAILED, "not fetched"),
)
_TOLD: Final = (Fate.REPAIRED, Fate.DAMAGED, Fate.ABSENT, Fate.FAILED)
_MOST: Final = 10


def render_sync(result: Result) -> str:
    """A report for people."""
    return "".join(f"{printable(line)}\n" for line in _lines(result))


def sync_json(result: Result) -> dict[str, Any]:
    """The same for machines, with every file."""
    pruning = result.pruning
    return {
        "from": result.origin,
        "cache": str(result.root),
        "contexts": list(result.contexts),
        "dry_run": result.dry_run,
        "files": [_row(outcome) for outcome in result.outcomes],
        "problems": list(result.problems),
        "idle": None if pruning is None else [_idle(one) for one in (*pruning.going, *pruning.staying)],
    }


def amount(count: int, size: int) -> str:
    """A number of files and their length together."""
    return f"{count:,} file{'' if count == 1 else 's'} ({_bytes(size)})"


def _row(outcome: Outcome) -> dict[str, Any]:
    return {
        "path": str(outcome.item.target),
        "kind": outcome.item.kind.value,
        "fate": outcome.fate.value,
        "size": outcome.size,
        "verified_by": None if outcome.proof is None else outcome.proof.value,
        "is_digest": outcome.proof is not None and outcome.proof.is_digest,
        "note": outcome.note or None,
    }


def _idle(idle: Idle) -> dict[str, Any]:
    return {"path": str(idle.path), "size": idle.size, "can_be_fetched_again": idle.known}


def _lines(result: Result) -> Iterator[str]:
    yield f"{', '.join(result.contexts)} from {result.origin}"
    yield f"into {result.root}{', dry run' if result.dry_run else ''}"
    for kind in Kind:
        counts = result.count(kind)
        parts = [f"{counts[fate]:,} {words}" for fate, words in _WORDS if counts[fate]]
        if parts:
            yield f"  {kind.value + 's':10}  {', '.join(parts)}"
    came = result.of(Fate.FETCHED, Fate.REPAIRED)
    if came:
        yield f"  fetched {amount(len(came), sum(outcome.size for outcome in came))}"
    proofs = Counter(outcome.proof for outcome in result.outcomes if outcome.proof is not None)
    if proofs:
        parts = [f"{proofs[proof]:,} by {proof.value}" for proof in Proof if proofs[proof]]
        yield f"  verified    {', '.join(parts)}"
    if result.abandoned:
        yield f"  removed {result.abandoned:,} pieces that runs which were killed had left"
    for fate, words in _WORDS:
        if fate in _TOLD:
            yield from _list(f"{words}:", [_told(outcome) for outcome in result.of(fate)])
    yield from _list("could not be found out:", result.problems)
    yield from _unproven(result)
    if result.pruning is not None:
        yield from _pruning(result.pruning)


def _unproven(result: Result) -> Iterator[str]:
    unproven = result.unproven
    if not unproven:
        return
    count = f"{len(unproven):,} file{'' if len(unproven) == 1 else 's'}"
    lines = [f"{outcome.item.name}, {_how(outcome)}" for outcome in unproven]
    yield from _list(f"{count} could not be verified by a digest:", lines)
    if not result.has_list:
        yield f"  {result.origin} has no {FILE_NAME}; calmap sync --write-checksums makes it there"


def _pruning(pruning: Pruning) -> Iterator[str]:
    yield ""
    if not pruning.going and not pruning.staying:
        yield "nothing is there that is not needed"
    if pruning.going:
        yield from _list(
            f"not needed, and can be fetched again: {amount(len(pruning.going), pruning.size)}",
            [idle.path.name for idle in pruning.going],
            blank=False,
        )
    if pruning.staying:
        size = sum(idle.size for idle in pruning.staying)
        yield from _list(
            f"not needed, but stays, as the cache elsewhere has not the same: "
            f"{amount(len(pruning.staying), size)}",
            [idle.path.name for idle in pruning.staying],
            blank=False,
        )


def _list(heading: str, lines: Sequence[str], *, blank: bool = True) -> Iterator[str]:
    """A heading and the first of some lines."""
    if not lines:
        return
    if blank:
        yield ""
    yield heading
    yield from (f"  {line}" for line in lines[:_MOST])
    if len(lines) > _MOST:
        yield f"  and {len(lines) - _MOST:,} more"


def _told(outcome: Outcome) -> str:
    name, note = outcome.item.name, outcome.note
    if not note or outcome.fate is Fate.REPAIRED:
        return name
    return note if name in note else f"{name}: {note}"


def _how(outcome: Outcome) -> str:
    proof = "" if outcome.proof is None else outcome.proof.value
    return f"by {proof} only" + (f": {outcome.note}" if outcome.note else "")


def _bytes(size: int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"
