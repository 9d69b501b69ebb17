"""References put into the rules of a context: what comes of it, before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from calmap.cache.rulesets import Rules
from calmap.compare.rows import RuleRow, by_keyword, rows
from calmap.compile.overlap import special_cases
from calmap.compile.prepare import prepare
from calmap.compile.terms import reference_terms
from calmap.compile.tree import Match
from calmap.delivery.branch import lacks_lfs
from calmap.delivery.change import Copy
from calmap.delivery.outlook import Outlook, outlook
from calmap.delivery.reference import Reference, place_of, read_reference
from calmap.delivery.reference_header import rule_values
from calmap.delivery.revision import Revision, revise
from calmap.edit.application import edited, parsed
from calmap.edit.insertion import Insertion, insert
from calmap.edit.keys import levels_of
from calmap.errors import CalmapError, RefusedError
from calmap.model.mapping import Mapping
from calmap.model.values import ANY, NA, alternatives, condition_element, is_esoteric
from calmap.observatories.definition import Observatory
from calmap.syntax.ast import MappingFile


@dataclass(frozen=True, slots=True)
class Inserted:
    """What became of one reference.

    Parameters
    ----------
    reference
        The file.
    place
        Where it goes in the cache.
    mapping
        Name of the rmap that has it now.
    line
        Where in it.
    rule
        Keywords and values of its rule, outermost first.
    kind
        ``rule`` for a new rule, ``row`` for a new date in a rule, ``replaced`` for another file
        in a row, ``same`` if it was there already.
    replaced
        Files that no longer stand where it stands now.
    outlook
        When it is chosen, and what may keep it from being chosen.
    notes
        How values of its header became those of the rule.
    """

    reference: Reference
    place: Path
    mapping: str
    line: int
    rule: tuple[tuple[str, str], ...]
    kind: str
    replaced: tuple[str, ...]
    outlook: Outlook
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """References and the mappings that make them known.

    Parameters
    ----------
    context
        The context they were inserted into.
    revision
        The mappings that change.
    inserted
        What became of each reference, in the order they were given.
    copies
        Files that the cache lacks.
    warnings
        One sentence each on the whole.
    """

    context: str
    revision: Revision
    inserted: tuple[Inserted, ...]
    copies: tuple[Copy, ...]
    warnings: tuple[str, ...] = ()


class DeliveryError(RefusedError):
    """References that can't be inserted, each with its reason.

    Parameters
    ----------
    problems
        One for each file.
    """

    def __init__(self, problems: Sequence[CalmapError]) -> None:
        super().__init__(f"{len(problems)} files can't be inserted")
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class _Step:
    """One insertion into the text of an rmap."""

    reference: Reference
    insertion: Insertion | None
    row: RuleRow
    notes: tuple[str, ...]


def plan_insertion(
    rules: Rules, context: str, paths: Iterable[Path], *, reftype: str | None = None, in_place: bool = False
) -> Delivery:
    """What inserting references into a context comes to; nothing is written.

    Parameters
    ----------
    rules, context
        The mappings of the cache and the one to start from.
    paths
        The files.
    reftype
        Their type, if their headers' word for it is not to count.
    in_place
        Change the rmaps themselves in place of making new ones.

    Raises
    ------
    DeliveryError
        If any of the files can't be inserted; all are looked at.
    MappingError, CacheError
        If the context can't be used.
    """
    problems: list[CalmapError] = []
    texts: dict[str, Mapping] = {}
    steps: list[_Step] = []
    for path in dict.fromkeys(paths):
        try:
            reference = read_reference(path, rules, context, reftype)
            place_of(reference, rules)
            _refuse_namesakes(reference, steps)
            rules.file(reference.mapping)
            text = texts.get(reference.mapping) or rules.mapping(reference.mapping)
            step, text = _inserted(reference, text, rules.observatory, steps)
        except CalmapError as problem:
            if str(path) not in problem.message:
                problem.message = f"{path}: {problem.message}"
            problems.append(problem)
        else:
            texts[reference.mapping] = text
            steps.append(step)
    if problems:
        raise DeliveryError(problems)
    changed = {name: text for name, text in texts.items() if text is not rules.mapping(name)}
    revision = revise(rules, context, changed, in_place=in_place) if changed else Revision(context, ())
    copies = tuple(_copies(steps, rules))
    told = tuple(_told(steps, revision, rules))
    warnings = (*_warnings(copies, rules), *edited_by_hand(texts, rules))
    return Delivery(context, revision, told, copies, warnings)


def _inserted(
    reference: Reference, text: Mapping, observatory: Observatory, earlier: Sequence[_Step]
) -> tuple[_Step, Mapping]:
    file = parsed(text)
    values, notes = rule_values(file, observatory, reference.header)
    insertion = insert(file, values, reference.name)
    _refuse_twins(reference, insertion, earlier)
    if observatory.reference_headers.special_cases == "refuse" or not _merges(file, observatory):
        refuse_special_cases(file, observatory, values)
    if [row.file for row in insertion.removed] == [reference.name]:
        return _Step(reference, None, insertion.removed[0], notes), text
    notes = (*notes, *strangers(file, insertion, observatory))
    return _Step(reference, insertion, insertion.added, notes), edited(text, insertion.edits)


def strangers(file: MappingFile, insertion: Insertion, observatory: Observatory) -> Iterator[str]:
    """What to say of values that no other rule names, which may be slips, where the telescope lists none."""
    if insertion.new_levels < len(insertion.added.steps) or insertion.added.steps[0].selector != "Match":
        return
    terms = reference_terms(file, observatory)
    known = [set[str]() for _ in terms.selector.parkey[0]]
    for row in rows(file.selector):
        for values, element in zip(known, row.steps[0].key, strict=False):
            values.update(map(condition_element, alternatives(element)))
    for parameter, values, element in zip(
        terms.selector.parkey[0], known, insertion.added.steps[0].key, strict=False
    ):
        new = [item for item in alternatives(element) if condition_element(item) not in values | {ANY, NA}]
        if (
            new
            and values
            and observatory.values(terms.instrument, parameter) is None
            and not is_esoteric(element)
        ):
            yield f"no rule had {parameter} = {'|'.join(new)} before"


def refuse_special_cases(file: MappingFile, observatory: Observatory | None, values: dict[str, str]) -> None:
    """Refuse a rule that would be a special case, of equal weight, of another.

    Raises
    ------
    RefusedError
        If it is one: for an observation that matches both, neither would win.
    """
    terms = reference_terms(file, observatory)
    tree = prepare(file.selector, terms.selector)
    if not isinstance(tree, Match):
        return
    level = levels_of(file, values)[0]
    swaps = terms.selector.substitutions
    key = [
        condition_element(swaps.get(parameter, {}).get(value, value))
        for parameter, value in zip(level.parameters, level.values, strict=True)
    ]
    other = next(special_cases(tree, key), None)
    if other is None:
        return
    place = f"{Path(file.source.name).name}:{file.source.position(other.span.start).line}"
    raise RefusedError(
        f"the rule {', '.join(key)} would be a special case of the one in {place}, {', '.join(other.key)}, "
        "with the same weight: an observation that matches both would get either",
        _way_out(level.parameters, key, other.key, observatory),
    )


def _way_out(
    parameters: Sequence[str], key: Sequence[str], other: Sequence[str], observatory: Observatory | None
) -> str:
    """How to have the reference in the rule that its own would be a special case of."""
    patterns = observatory.reference_headers.patterns if observatory else {}
    wanted = [
        f"{patterns.get(parameter.upper(), (parameter,))[-1]} = '{theirs}'"
        for parameter, mine, theirs in zip(parameters, key, other, strict=False)
        if mine != theirs
    ]
    return f"set {', '.join(wanted)} in its header, or split that rule first with calmap refactor split-rule"


def _merges(file: MappingFile, observatory: Observatory) -> bool:
    return reference_terms(file, observatory).selector.merge_overlaps


def _refuse_twins(reference: Reference, insertion: Insertion, earlier: Sequence[_Step]) -> None:
    mine = {step.reference.name for step in earlier if step.reference.mapping == reference.mapping}
    twin = next((row.file for row in insertion.removed if row.file in mine), None)
    if twin is not None and twin != reference.name:
        raise RefusedError(
            f"{reference.name} has the same rule and date as {twin}, which is inserted with it",
            "only one of them would be chosen: change the useafter date or the keywords of one",
        )


def _refuse_namesakes(reference: Reference, earlier: Sequence[_Step]) -> None:
    other = next((step.reference for step in earlier if step.reference.name == reference.name), None)
    if other is not None and other.sha256 != reference.sha256:
        raise RefusedError(
            f"{other.path} has the same name, and other content", "give each reference a name of its own"
        )


def _told(steps: Sequence[_Step], revision: Revision, rules: Rules) -> Iterator[Inserted]:
    """What became of each reference, with lines of the final texts."""
    latest = {change.old.name: change.new for change in revision.changes if change.old is not None}
    found: dict[str, dict[tuple[object, str], RuleRow]] = {}
    for step in steps:
        reference = step.reference
        mapping = latest.get(reference.mapping) or rules.mapping(reference.mapping)
        file = parsed(mapping)
        if reference.mapping not in found:
            found[reference.mapping] = {(row.keys, row.file): row for row in rows(file.selector)}
        row = found[reference.mapping][step.row.keys, reference.name]
        insertion = step.insertion
        removed = tuple(item.file for item in insertion.removed) if insertion else ()
        kind = "same" if insertion is None else _kind(insertion)
        yield Inserted(
            reference,
            place_of(reference, rules),
            mapping.name,
            file.source.position(row.span.start).line,
            by_keyword(row, reference_terms(file, rules.observatory).selector.parkey),
            kind,
            removed,
            outlook(file, rules.observatory, row),
            step.notes,
        )


def _kind(insertion: Insertion) -> str:
    if insertion.removed:
        return "replaced"
    return "row" if insertion.new_levels < len(insertion.added.steps) else "rule"


def _warnings(copies: Sequence[Copy], rules: Rules) -> Iterator[str]:
    for path in lacks_lfs(rules.layout.root, [copy.place for copy in copies]):
        yield f"no pattern of .gitattributes gives {path.name} to Git LFS, which keeps others"


def edited_by_hand(names: Iterable[str], rules: Rules) -> Iterator[str]:
    """What to say of mappings whose checksum is not the one that they record."""
    for name in names:
        mapping = rules.mapping(name)
        if mapping.recorded_checksum not in (None, mapping.checksum):
            yield f"{name} does not have the checksum that it records: it was changed without calmap"


def _copies(steps: Sequence[_Step], rules: Rules) -> Iterator[Copy]:
    done: set[Path] = set()
    for step in steps:
        place = place_of(step.reference, rules)
        if place not in done and not place.exists():
            yield Copy(step.reference.path, place, step.reference.sha256)
        done.add(place)
