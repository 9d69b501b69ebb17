"""Contexts in which other mappings stand for some instruments and types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from calmap.cache.inspection import Inspector
from calmap.cache.layout import Layout
from calmap.cache.ownership import is_path, owns
from calmap.cache.rulesets import Rules
from calmap.cache.targets import Target, context_targets
from calmap.delivery.links import Relink, relink
from calmap.delivery.revision import Revision
from calmap.diagnostics import Diagnostic, Severity
from calmap.errors import NotInCacheError, RefusedError, UsageError
from calmap.model.names import is_na, is_omit, is_safe, mapping_kind
from calmap.syntax.ast import MappingFile, MappingKind, header_text

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class NewContext:
    """A context that differs from another one in what some types lead to.

    Parameters
    ----------
    old
        The other context.
    links
        What was asked for, in the order in which it was.
    revision
        The mappings to be made; none if the context has all of it.
    """

    old: str
    links: tuple[Relink, ...]
    revision: Revision


def plan_context(
    rules: Rules,
    context: str,
    wanted: Sequence[str],
    cwd: Path,
    tracked: Callable[[Sequence[Target]], Iterable[Target]] = iter,
) -> NewContext:
    """A context with other mappings; nothing is written.

    Parameters
    ----------
    rules, context
        The mappings of the cache and the pmap to start from.
    wanted
        Mappings of the cache, by name or path, and links such as ``IRIS.FLAT=N/A``.
    cwd
        The folder that relative paths start from.
    tracked
        Goes through the mappings to be checked.

    Raises
    ------
    UsageError
        If one of `wanted` makes no sense, or two are for one type.
    NotInCacheError
        If a mapping is not in the cache.
    RefusedError
        If a mapping has errors or is of another telescope.
    """
    _refuse_unless_context(context)
    links = tuple(_wanted(rules, context, text, cwd) for text in wanted)
    _refuse_doubles(links)
    mappings = [item.new for item in links if mapping_kind(item.new)]
    targets = [target for name in mappings for target in context_targets(name, rules.layout)]
    _refuse_errors(tracked(tuple({target.path: target for target in targets}.values())))
    changed = {(item.instrument, item.reftype): item.new for item in links if item.new != item.old}
    return NewContext(context, links, relink(rules, context, changed) if changed else Revision(context, ()))


def _refuse_unless_context(context: str) -> None:
    if mapping_kind(context) is not MappingKind.PIPELINE:
        raise UsageError(f"{context} is no context", "name a .pmap with --context")


def _wanted(rules: Rules, context: str, text: str, cwd: Path) -> Relink:
    """What one argument asks for."""
    subject, equals, word = text.partition("=")
    if equals and not mapping_kind(text):
        return _fixed(rules, context, subject, word)
    name = mapping_in(rules.layout, text, cwd, rules.observatory.name)
    file = rules.file(name)
    _refuse_stranger(file, name, rules.observatory.name)
    instrument = (header_text(file.header, "instrument") or "").lower()
    if file.kind is MappingKind.INSTRUMENT:
        found = rules.links(context).links.get(instrument)
        return Relink(instrument, "", found.target if found else None, name)
    if file.kind is not MappingKind.REFERENCE:
        raise UsageError(
            f"{name} is a context itself", "name an .imap or an .rmap, and a .pmap with --context"
        )
    reftype = (header_text(file.header, "filekind") or "").lower()
    if not instrument or not reftype:
        raise RefusedError(f"the header of {name} does not say of which instrument and type it is")
    return Relink(instrument, reftype, _target(rules, context, instrument, reftype), name)


def _fixed(rules: Rules, context: str, subject: str, word: str) -> Relink:
    """A link to N/A or OMIT."""
    if not (is_na(word) or is_omit(word)):
        raise UsageError(f"'{word}' is neither N/A nor OMIT", "write IRIS.FLAT=N/A, say, or name a mapping")
    instrument, dot, reftype = subject.lower().rpartition(".")
    if not reftype or (dot and not instrument):
        raise UsageError(f"'{subject}' names no type", "write IRIS.FLAT=N/A, say")
    links = rules.links(context).links
    if not dot:
        having = [key for key in links if reftype in _types(rules, context, key)]
        if len(having) != 1:
            found = f"{', '.join(having)} have" if having else "no instrument has"
            raise UsageError(
                f"{found} the type '{reftype}'", f"name the instrument: {_example(links, reftype)}"
            )
        instrument = having[0]
    return Relink(instrument, reftype, _target(rules, context, instrument, reftype), word.upper())


def _example(links: Iterable[str], reftype: str) -> str:
    first = next(iter(links), "instrument")
    return f"{first}.{reftype}=N/A"


def _types(rules: Rules, context: str, instrument: str) -> Mapping[str, object]:
    found = rules.links(context).links[instrument]
    return rules.links(found.target).links if mapping_kind(found.target) else {}


def _target(rules: Rules, context: str, instrument: str, reftype: str) -> str | None:
    """What a type leads to, or None if the imap does not have it."""
    found = rules.links(context).links.get(instrument)
    if found is None or mapping_kind(found.target) is not MappingKind.INSTRUMENT:
        known = ", ".join(rules.links(context).links) or "no instrument"
        raise UsageError(f"{context} has no mapping of the instrument '{instrument}'", f"it has {known}")
    target = rules.links(found.target).links.get(reftype)
    return target.target if target else None


def mapping_in(layout: Layout, text: str, cwd: Path, observatory: str) -> str:
    """Name of a mapping of a cache that is named by it or by its path.

    Raises
    ------
    UsageError
        If it is not named like a mapping.
    NotInCacheError
        If the cache does not have it.
    """
    if mapping_kind(text) is None:
        raise UsageError(
            f"'{text}' is neither a mapping nor a link", "name an .imap or .rmap, or write TYPE=N/A"
        )
    if not is_path(text):
        layout.mapping_path(text, observatory)
        return text
    path = cwd / Path(text).expanduser()
    if not is_safe(path.name) or not owns(layout, path, observatory):
        raise NotInCacheError(f"{text} is not in the cache {layout.root}", "copy it there, or check the path")
    return path.name


def _refuse_stranger(file: MappingFile, name: str, observatory: str) -> None:
    telescope = (header_text(file.header, "observatory") or "").lower()
    if telescope != observatory:
        raise RefusedError(f"{name} belongs to '{telescope}', not to {observatory}")


def _refuse_doubles(links: Sequence[Relink]) -> None:
    seen: dict[tuple[str, str], Relink] = {}
    for item in links:
        other = seen.setdefault((item.instrument, item.reftype), item)
        if other is not item:
            raise UsageError(f"{other.new} and {item.new} are both for {item.subject}", "name one of them")
    for item in links:
        whole = seen.get((item.instrument, "")) if item.reftype else None
        if whole is not None:
            message = f"{item.new} would go into an imap of {item.instrument}, which {whole.new} replaces"
            raise UsageError(message, "make two contexts, one after the other")


def _refuse_errors(targets: Iterable[Target]) -> None:
    """Refuse mappings of which `calmap check` finds errors."""
    inspector = Inspector()
    found = [
        finding
        for target in targets
        for finding in inspector.check(target)
        if finding.severity is Severity.ERROR
    ]
    if found:
        raise RefusedError(
            "; ".join(_told(found)), f"calmap check {Path(found[0].source.name).name} shows all"
        )


def _told(found: Sequence[Diagnostic]) -> Iterator[str]:
    for finding in found[:_SHOWN]:
        line = finding.source.position(finding.span.start).line
        yield f"{Path(finding.source.name).name}:{line}: {finding.message}"
    if len(found) > _SHOWN:
        yield f"and {len(found) - _SHOWN} more"
