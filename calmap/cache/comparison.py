"""Comparing mappings, or whole states of a cache."""

from __future__ import annotations

from collections.abc import Iterator

from calmap.cache.comparands import Comparand
from calmap.cache.snapshots import FolderState, RevisionState, State
from calmap.compare.contexts import Compared, Comparison, closure, load
from calmap.errors import CalmapError, UsageError
from calmap.model.names import is_safe
from calmap.syntax.ast import header_text


def compared(old: Comparand, new: Comparand, observatory: str = "") -> Iterator[Compared]:
    """Differences between mappings with those below them, or between states of a cache.

    Of states, the newest contexts are compared, and then the mappings that changed
    beside them: those changed in place, and new ones with what they come from.

    Raises
    ------
    UsageError, CacheError
        If they can't be compared.
    """
    if old.name is not None and new.name is not None:
        snapshots = old.state.snapshot(old.observatory), new.state.snapshot(new.observatory)
        yield from Comparison(*snapshots).compare(old.name, new.name)
        return
    for telescope, one, other in context_pairs(old, new, observatory):
        yield from _telescope(old.state, new.state, telescope, one, other)


def context_pairs(
    old: Comparand, new: Comparand, observatory: str = ""
) -> tuple[tuple[str, str | None, str | None], ...]:
    """Telescopes and their contexts to compare; None where there is none.

    Raises
    ------
    UsageError
        If there is no context at all.
    """
    if old.name is not None and new.name is not None:
        return ((new.observatory, old.name, new.name),)
    before, after = old.state.contexts(), new.state.contexts()
    telescopes = sorted(name for name in {*before, *after} if observatory in ("", name))
    if not telescopes:
        wanted = f" of {observatory}" if observatory else ""
        raise UsageError(f"there is no context{wanted} in {old.label} or {new.label}")
    return tuple((name, before.get(name), after.get(name)) for name in telescopes)


def chosen_contexts(
    old: Comparand, new: Comparand, observatory: str, hint: str
) -> tuple[Comparand, Comparand]:
    """The two contexts to select with: those named, or the newest of states.

    Parameters
    ----------
    old, new, observatory
        What is compared, and the telescope if the user named one.
    hint
        What to do where there is only one context.

    Raises
    ------
    UsageError
        If there are not two contexts of one telescope.
    """
    found = context_pairs(old, new, observatory)
    if len(found) > 1:
        names = ", ".join(telescope for telescope, _, _ in found)
        raise UsageError(f"there are several telescopes: {names}", "choose one with --observatory")
    telescope, one, other = found[0]
    if one is None or other is None:
        raise UsageError(f"{telescope} has only one context, {one or other}", hint)
    return old._replace(name=one, observatory=old.observatory or telescope), new._replace(
        name=other, observatory=new.observatory or telescope
    )


def _telescope(
    old: State, new: State, telescope: str, one: str | None, other: str | None
) -> Iterator[Compared]:
    comparison = Comparison(old.snapshot(telescope), new.snapshot(telescope))
    if one and other:
        yield from comparison.compare(one, other)
    elif context := one or other:
        note = "the telescope has no context any more" if one else "the first context of the telescope"
        yield Compared((), one, other, note=note)
        below = closure(comparison.old if one else comparison.new, context)
        comparison.seen.update((name, None) for name in below)
    seen = {name for pair in comparison.seen for name in pair if name}
    for name, state in _changed(old, new, telescope).items():
        if name in seen and state != "M":
            continue
        if state == "M":
            yield from comparison.compare_alone(name, name)
        elif state == "D":
            yield Compared((), name, None, note=f"deleted, and not in {one or 'a context'}")
        else:
            yield from _addition(comparison, name, other)


def _addition(comparison: Comparison, name: str, context: str | None) -> Iterator[Compared]:
    """A new mapping that the newest context does not lead to, with what it comes from."""
    note = f"new, and not in {context or 'a context'}"
    try:
        origin = header_text(load(comparison.new, name).header, "derived_from") or ""
    except CalmapError as problem:
        yield Compared((), None, name, problem=problem)
        return
    if not is_safe(origin) or comparison.old.identity(origin) is None:
        yield Compared((), None, name, note=note)
        return
    yield from comparison.compare_alone(origin, name)


def _changed(old: State, new: State, telescope: str) -> dict[str, str]:
    """Names of a telescope's mappings that changed, with ``A``, ``D`` or ``M``."""
    before, after = old.snapshot(telescope), new.snapshot(telescope)
    if isinstance(old, FolderState):
        return {}
    commit = new.files.commit if isinstance(new, RevisionState) else None
    changes = old.files.repository.changes(old.files.commit, commit, old.mappings)
    places = {f"{old.mappings}/{telescope}".lstrip("/"), old.mappings}
    found = {}
    for path, state in changes.items():
        folder, _, name = path.rpartition("/")
        if folder in places and (before.identity(name) or after.identity(name)):
            found[name] = state
    return found
