"""What became of the validity of references, rule by rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from calmap.cache.rulesets import Rules
from calmap.compare.rows import RuleRow, by_keyword, rows
from calmap.compile.terms import reference_terms
from calmap.delivery.branch import lacks_lfs
from calmap.delivery.change import Copy
from calmap.delivery.chosen_rules import ChosenRules
from calmap.delivery.insertion import edited_by_hand
from calmap.delivery.outlook import Outlook, outlook
from calmap.delivery.revision import Revision, revise
from calmap.edit.application import parsed
from calmap.edit.spans import Period, Span, spans_of
from calmap.edit.validity import Place, place_at
from calmap.syntax.ast import MappingFile


@dataclass(frozen=True, slots=True)
class Validity:
    """What became of the validity of a reference in one rule.

    Parameters
    ----------
    name, instrument, reftype
        The reference.
    old_mapping, old_line
        Where the rule stood; no line if it is new.
    mapping, line
        Where it stands now; no line if it is gone.
    rule
        Keywords and values of the rule, outermost first, without the date.
    before, after
        When the reference was and is valid.
    gaps
        When the rule says N/A now and did not before.
    silence
        When the rule says nothing now and did before.
    notes, warnings
        One sentence each.
    """

    name: str
    instrument: str
    reftype: str
    old_mapping: str
    old_line: int | None
    mapping: str
    line: int | None
    rule: tuple[tuple[str, str], ...]
    before: tuple[Span, ...]
    after: tuple[Span, ...]
    gaps: tuple[Span, ...] = ()
    silence: tuple[Span, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recertified:
    """References whose validity changes, and the mappings that say so.

    Parameters
    ----------
    context
        The context it was changed in.
    revision
        The mappings that change.
    validities
        One for each reference and rule.
    copies
        Files that the cache lacks.
    warnings
        One sentence each on the whole.
    """

    context: str
    revision: Revision
    validities: tuple[Validity, ...]
    copies: tuple[Copy, ...] = ()
    warnings: tuple[str, ...] = ()


class Step(NamedTuple):
    """A reference in one rule, before and after.

    Parameters
    ----------
    name
        The reference.
    mapping, place
        The rule.
    before, after
        What it says; empty for no rule.
    notes
        How values of the reference's header became those of the rule.
    """

    name: str
    mapping: str
    place: Place
    before: tuple[Period, ...]
    after: tuple[Period, ...]
    notes: tuple[str, ...]


def recertified(
    texts: ChosenRules, steps: Sequence[Step], copies: tuple[Copy, ...] = (), *, in_place: bool = False
) -> Recertified:
    """What steps come to, once all of them are made.

    Raises
    ------
    MappingError, CacheError
        As `revise`.
    """
    rules, context = texts.rules, texts.context
    changed = {name: text for name, text in texts.changed.items() if text.text != rules.mapping(name).text}
    revision = revise(rules, context, changed, in_place=in_place) if changed else Revision(context, ())
    told = tuple(_told(step, revision, rules) for step in steps)
    warnings = (
        *(
            f"no pattern of .gitattributes gives {path.name} to Git LFS, which keeps others"
            for path in lacks_lfs(rules.layout.root, [copy.place for copy in copies])
        ),
        *edited_by_hand(changed, rules),
    )
    return Recertified(context, revision, told, copies, warnings)


def _told(step: Step, revision: Revision, rules: Rules) -> Validity:
    old = rules.mapping(step.mapping)
    latest = {change.old.name: change.new for change in revision.changes if change.old is not None}
    new = latest.get(step.mapping, old)
    file = parsed(new)
    place = place_at(file, step.place.keys)
    earlier = place_at(parsed(old), step.place.keys)
    terms = reference_terms(file, rules.observatory)
    before, after = spans_of(step.before, step.name), spans_of(step.after, step.name)
    holes = tuple(_holes(step.after))
    row = _first_row(file, step, place) if after != before else None
    future = outlook(file, rules.observatory, row) if row is not None else Outlook()
    return Validity(
        step.name,
        terms.instrument,
        terms.filekind,
        step.mapping,
        earlier.line if earlier else None,
        new.name,
        place.line if place else None,
        by_keyword(RuleRow(step.place.steps, "", step.place.call.span), terms.selector.parkey),
        before,
        after,
        holes,
        tuple(_without(_without(before, after), holes)),
        (*step.notes, *future.notes),
        future.warnings,
    )


def _first_row(file: MappingFile, step: Step, place: Place | None) -> RuleRow | None:
    """The first row of the reference in its rule."""
    if place is None:
        return None
    found = (row for row in rows(file.selector) if row.keys[:-1] == place.keys and row.file == step.name)
    return next(found, None)


def _holes(known: Sequence[Period]) -> Iterator[Span]:
    """When nothing is said from the first period on, for which the rule has to say N/A."""
    return _without((Span(known[0].span.begin),) if known else (), (period.span for period in known))


def _without(spans: Iterable[Span], others: Iterable[Span]) -> Iterator[Span]:
    left = tuple(spans)
    for other in others:
        left = tuple(part for span in left for part in span.without(other))
    yield from left
