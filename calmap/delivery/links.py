"""What pmaps and imaps lead to, and other mappings put in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from calmap.cache.rulesets import Rules
from calmap.delivery.revision import MappingChange, Revision, link, revise
from calmap.edit.application import checksummed, edited, parsed
from calmap.edit.entries import Edits
from calmap.errors import MappingError
from calmap.model.mapping import Mapping as MappingText
from calmap.syntax.ast import MappingFile, Table


class Relink(NamedTuple):
    """An instrument, or a type of one, that is to lead elsewhere.

    Parameters
    ----------
    instrument, reftype
        Lower case; no type means the instrument itself.
    old
        What it leads to: a mapping, N/A, OMIT, or None if it is not there.
    new
        What it is to lead to.
    """

    instrument: str
    reftype: str
    old: str | None
    new: str

    @property
    def subject(self) -> str:
        """Instrument and type, for people."""
        return f"{self.instrument} {self.reftype}".strip()


def relink(
    rules: Rules, context: str, targets: Mapping[tuple[str, str], str], *, in_place: bool = False
) -> Revision:
    """The mappings in which types and instruments lead elsewhere.

    Parameters
    ----------
    rules, context
        The mappings of the cache and the pmap to start from.
    targets
        A mapping, N/A or OMIT by instrument and type, in lower case; without a type
        an imap. The instruments of types must be in the context.
    in_place
        Keep the names of the imaps and the context.
    """
    imaps: dict[str, dict[str, str]] = {}
    instruments: dict[str, str] = {}
    for (instrument, reftype), target in targets.items():
        if reftype:
            imaps.setdefault(rules.links(context).links[instrument].target, {})[reftype] = target
        else:
            instruments[instrument] = target
    changed = {name: relinked(rules.mapping(name), links) for name, links in imaps.items()}
    if not instruments:
        return revise(rules, context, changed, in_place=in_place)
    if not changed:
        top = relinked(rules.mapping(context), instruments)
        return revise(rules, context, {context: top}, in_place=in_place)
    revision = revise(rules, context, changed, in_place=in_place)
    *below, last = revision.changes
    top = checksummed(relinked(last.new, instruments))
    return Revision(revision.context, (*below, MappingChange(last.old, top)))


def relinked(mapping: MappingText, links: Mapping[str, str]) -> MappingText:
    """A pmap or an imap in which keys lead elsewhere; name and checksum are as they were."""
    for key, target in links.items():
        file = parsed(mapping)
        mapping = edited(mapping, _link(file, key, target))
    return mapping


def _link(file: MappingFile, key: str, target: str) -> Edits:
    if not isinstance(file.selector, Table):
        raise MappingError(f"{file.source.name} is not a table of mappings", "calmap check tells more")
    return link(file, file.selector, key, target)
