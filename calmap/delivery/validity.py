"""References made valid in a span of time, or no longer valid in one, before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from calmap.cache.rulesets import Rules
from calmap.compare.rows import RuleRow, by_keyword, rows
from calmap.compile.terms import reference_terms
from calmap.delivery.branch import lacks_lfs
from calmap.delivery.change import Copy
from calmap.delivery.deletion import reference_mappings
from calmap.delivery.insertion import edited_by_hand, refuse_special_cases, strangers
from calmap.delivery.outlook import outlook
from calmap.delivery.reference import Reference, place_of, read_reference
from calmap.delivery.reference_header import rule_values
from calmap.delivery.revision import Revision, revise
from calmap.edit.application import edited, parsed
from calmap.edit.insertion import insert
from calmap.edit.spans import OverlapError, Period, Span, certified, decertified, spans_of
from calmap.edit.validity import (
    Place,
    periods_of,
    place_at,
    place_for,
    places,
    require_use_after,
    retimed,
)
from calmap.errors import RefusedError, UsageError
from calmap.model.mapping import Mapping
from calmap.syntax.ast import MappingFile


class RuleLine(NamedTuple):
    """A rule, named by a line of it."""

    mapping: str
    line: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rules are meant.

    Parameters
    ----------
    reftype
        Those of a reference type, or of any.
    rule
        The one, or any.
    """

    reftype: str | None = None
    rule: RuleLine | None = None


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


class _Step(NamedTuple):
    """A reference in one rule, before and after."""

    name: str
    mapping: str
    place: Place
    is_new: bool
    before: tuple[Period, ...]
    after: tuple[Period, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Texts:
    """The rmaps of a context, with changes that build on each other."""

    rules: Rules
    context: str
    choice: Choice
    changed: dict[str, Mapping] = field(default_factory=dict)

    def text(self, name: str) -> Mapping:
        """An rmap as it is by now."""
        return self.changed.get(name) or self.rules.mapping(name)

    def chosen(self) -> Iterator[str]:
        """Names of the rmaps that are meant and can be found."""
        names = dict.fromkeys(reference_mappings(self.rules, self.context))
        rule = self.choice.rule
        if rule is not None and rule.mapping not in names:
            raise RefusedError(
                f"{self.context} does not lead to {rule.mapping}", "choose another with --context"
            )
        for name in names if rule is None else (rule.mapping,):
            if self.rules.layout.find_mapping(name, self.rules.observatory.name) is not None:
                yield name

    def holding(self, file: str) -> Iterator[tuple[str, Place]]:
        """Rules that are meant and lead to a file.

        Raises
        ------
        RefusedError
            If such a rule chooses otherwise than by `UseAfter`, or has the file among others.
        """
        for name in tuple(self.chosen()):
            if file not in self.text(name).text or not self._is_of_type(name):
                continue
            ast = parsed(self.text(name))
            for row in rows(ast.selector):
                if repr(file) in row.file:
                    line = ast.source.position(row.span.start).line
                    raise RefusedError(f"{name}:{line} has {file} among others", "change that rule by hand")
            for place in places(ast):
                if place.names(file) and self._is_meant(place):
                    require_use_after(ast, place.call.name, _start(place))
                    yield name, place

    def place(self, name: str) -> Place | None:
        """The rule that is named by its line, if one is."""
        rule = self.choice.rule
        if rule is None:
            return None
        if rule.mapping != name:
            raise RefusedError(f"{rule.mapping}:{rule.line} is no rule for it: its rules are in {name}")
        ast = parsed(self.text(name))
        found = next((place for place in places(ast) if self._is_meant(place)), None)
        if found is None:
            raise RefusedError(
                f"{rule.mapping}:{rule.line} is in no rule", "calmap validity show lists the rules"
            )
        require_use_after(ast, found.call.name, _start(found))
        return found

    def _is_meant(self, place: Place) -> bool:
        rule = self.choice.rule
        return rule is None or place.line <= rule.line <= place.last_line

    def _is_of_type(self, name: str) -> bool:
        wanted = self.choice.reftype
        terms = reference_terms(self.rules.file(name), self.rules.observatory)
        return wanted is None or terms.filekind == wanted.lower()


def plan_certification(
    rules: Rules,
    context: str,
    files: Iterable[Path],
    span: Span,
    *,
    choice: Choice | None = None,
    in_place: bool = False,
) -> Recertified:
    """What making references valid in a span comes to; nothing is written.

    Outside of the span every rule says what it said, but for one thing: a rule that said nothing after the
    end, not even N/A, says N/A there.

    Parameters
    ----------
    rules, context
        The mappings of the cache and the one to start from.
    files
        Files, or names of references that the rules or the cache know.
    span
        When they are to be chosen; it must have a beginning.
    choice
        The rules that are meant. Else it is those that lead to a reference already, and for one that the
        rules don't know the one that its header asks for.
    in_place
        Change the rmaps themselves in place of making new ones.

    Raises
    ------
    RefusedError
        If another file is valid in some of the span, or a rule has no spans.
    HeaderError
        If a file does not say what it is for.
    MappingError, CacheError
        If the context can't be used.
    """
    if span.begin is None:
        raise UsageError("a reference can't be valid without a beginning", "give --begin")
    texts = _Texts(rules, context, choice or Choice())
    steps: list[_Step] = []
    references: list[Reference] = []
    for path in dict.fromkeys(files):
        reference = _new_file(path, texts)
        if reference is not None:
            references.append(reference)
            steps.append(_certified_by_header(reference, span, texts))
            continue
        for name, place in tuple(texts.holding(path.name)):
            steps.append(_changed(path.name, name, place, texts, _certifier(path.name, name, place, span)))
    copies = tuple(_copies(references, rules))
    return _recertified(texts, steps, copies, in_place=in_place)


def plan_decertification(
    rules: Rules,
    context: str,
    names: Iterable[str],
    span: Span,
    *,
    choice: Choice | None = None,
    in_place: bool = False,
) -> Recertified:
    """What it comes to that references are no longer valid in a span; nothing is written.

    Parameters
    ----------
    rules, context
        The mappings of the cache and the one to start from.
    names
        File names of the references.
    span
        When they are no longer to be chosen.
    choice
        The rules that are meant, else all that lead to them.
    in_place
        Change the rmaps themselves in place of making new ones.

    Raises
    ------
    RefusedError
        If one of them is not valid at any moment of the span, or a rule has no spans.
    MappingError, CacheError
        If the context can't be used.
    """
    texts = _Texts(rules, context, choice or Choice())
    steps: list[_Step] = []
    for name in dict.fromkeys(Path(name).name for name in names):
        found = tuple(texts.holding(name))
        if not found:
            raise _unknown(name, context)
        valid: list[str] = []
        done = len(steps)
        for mapping, place in found:
            step = _changed(
                name, mapping, place, texts, lambda known, name=name: decertified(known, name, span)
            )
            valid += (f"{when} in {mapping}:{place.line}" for when in spans_of(step.before, name))
            if step.before != step.after:
                steps.append(step)
        if len(steps) == done:
            raise RefusedError(f"{name} is not valid {span}", f"it is valid {'; '.join(valid)}")
    return _recertified(texts, steps, (), in_place=in_place)


def _new_file(path: Path, texts: _Texts) -> Reference | None:
    """A reference to be placed by its header; None for one that rules name already."""
    rules, reftype = texts.rules, texts.choice.reftype
    folder = rules.layout.references.resolve()
    if path.is_file() and not path.resolve().is_relative_to(folder):
        reference = read_reference(path, rules, texts.context, reftype)
        place_of(reference, rules)
        return reference
    if next(texts.holding(path.name), None) is not None:
        return None
    stored = next((item for item in rules.layout.references.rglob(path.name) if item.is_file()), None)
    if stored is None:
        raise _unknown(path.name, texts.context, f"; nor is there a file {path}")
    return read_reference(stored, rules, texts.context, reftype)


def _unknown(name: str, context: str, more: str = "") -> RefusedError:
    return RefusedError(
        f"no rule of {context} leads to {name}{more}", "calmap uses tells which mappings name a file"
    )


def _certified_by_header(reference: Reference, span: Span, texts: _Texts) -> _Step:
    """A reference certified in the rule that is meant, or that its header asks for."""
    name, observatory = reference.mapping, texts.rules.observatory
    texts.rules.file(name)
    file = parsed(texts.text(name))
    place, notes = texts.place(name), ()
    if place is None:
        begin = (span.begin.isoformat(" ") if span.begin else "",)
        keywords = observatory.useafter_keywords or ("USEAFTER",)
        header = {**reference.header, **dict.fromkeys(keywords, *begin)}
        values, notes = rule_values(file, observatory, header)
        terms = reference_terms(file, observatory).selector
        if observatory.reference_headers.special_cases == "refuse" or not terms.merge_overlaps:
            refuse_special_cases(file, observatory, values)
        place = place_for(file, values)
    if place is not None:
        change = _certifier(reference.name, name, place, span)
        return _changed(reference.name, name, place, texts, change, notes)
    insertion = insert(file, values, reference.name)
    notes = (*notes, *strangers(file, insertion, observatory))
    text = edited(texts.text(name), insertion.edits)
    place = place_for(parsed(text), values)
    if place is None:
        raise RefusedError(f"{name} has no place for {reference.name}")
    wanted = certified((), reference.name, span)
    texts.changed[name] = retimed(text, place, wanted)
    return _Step(reference.name, name, place, True, (), wanted, notes)


def _certifier(
    file: str, mapping: str, place: Place, span: Span
) -> Callable[[tuple[Period, ...]], tuple[Period, ...]]:
    def change(known: tuple[Period, ...]) -> tuple[Period, ...]:
        try:
            return certified(known, file, span)
        except OverlapError as problem:
            problem.message = f"{mapping}:{place.line}: {problem.message}"
            common = problem.period.span.common(span) or span
            problem.hint = (
                f"choose another span, or first: calmap validity decertify {problem.period.text}"
                f" --rule {mapping}:{place.line}{options(common)}"
            )
            raise

    return change


def options(span: Span) -> str:
    """A span as options of the command line, each after a blank."""
    begin = f" --begin '{span.begin}'" if span.begin is not None else ""
    return begin + (f" --end '{span.end}'" if span.end is not None else "")


def _changed(
    file: str,
    mapping: str,
    place: Place,
    texts: _Texts,
    change: Callable[[tuple[Period, ...]], tuple[Period, ...]],
    notes: tuple[str, ...] = (),
) -> _Step:
    text = texts.text(mapping)
    before = periods_of(parsed(text), place)
    after = change(before)
    if after != before:
        texts.changed[mapping] = retimed(text, place, after)
    return _Step(file, mapping, place, False, before, after, notes)


def _recertified(
    texts: _Texts, steps: Sequence[_Step], copies: tuple[Copy, ...], *, in_place: bool
) -> Recertified:
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


def _told(step: _Step, revision: Revision, rules: Rules) -> Validity:
    old = rules.mapping(step.mapping)
    latest = {change.old.name: change.new for change in revision.changes if change.old is not None}
    new = latest.get(step.mapping, old)
    file = parsed(new)
    place = place_at(file, step.place.keys)
    earlier = place_at(parsed(old), step.place.keys)
    terms = reference_terms(file, rules.observatory)
    before, after = spans_of(step.before, step.name), spans_of(step.after, step.name)
    row = _first_row(file, step, place)
    future = outlook(file, rules.observatory, row) if row is not None and after != before else None
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
        tuple(_new_gaps(step)),
        (*step.notes, *(future.notes if future else ())),
        future.warnings if future else (),
    )


def _first_row(file: MappingFile, step: _Step, place: Place | None) -> RuleRow | None:
    """The first row of the reference in its rule."""
    if place is None:
        return None
    found = (row for row in rows(file.selector) if row.keys[:-1] == place.keys and row.file == step.name)
    return next(found, None)


def _new_gaps(step: _Step) -> Iterator[Span]:
    """When the rule says N/A and did not before."""
    gaps = list(_silences(step.after))
    for known in (period.span for period in step.before if period.is_gap):
        gaps = [part for gap in gaps for part in gap.without(known)]
    yield from gaps


def _silences(known: Sequence[Period]) -> Iterator[Span]:
    """Spans after the first period in which no file is valid."""
    left = [Span(known[0].span.begin, None)] if known else []
    for period in known:
        if not period.is_gap:
            left = [part for span in left for part in span.without(period.span)]
    yield from left


def _start(place: Place) -> int:
    return place.steps[-1].span.start if place.steps else place.call.start


def _copies(references: Iterable[Reference], rules: Rules) -> Iterator[Copy]:
    for reference in references:
        place = place_of(reference, rules)
        if not place.exists():
            yield Copy(reference.path, place, reference.sha256)
