"""References made valid in a span of time, or no longer valid in one, before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from calmap.cache.rulesets import Rules
from calmap.compile.terms import reference_terms
from calmap.delivery.change import Copy
from calmap.delivery.chosen_rules import Choice, ChosenRules
from calmap.delivery.insertion import refuse_special_cases, strangers
from calmap.delivery.reference import Reference, place_of, read_reference
from calmap.delivery.reference_header import rule_values
from calmap.delivery.validity import Recertified, Step, recertified
from calmap.edit.application import edited, parsed
from calmap.edit.insertion import insert
from calmap.edit.spans import OverlapError, Period, Span, certified, decertified, spans_of
from calmap.edit.validity import Place, periods_of, place_for, retimed
from calmap.errors import RefusedError, UsageError

_Arithmetic: TypeAlias = Callable[[tuple[Period, ...]], tuple[Period, ...]]


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
    texts = ChosenRules(rules, context, choice or Choice())
    steps: list[Step] = []
    references: list[Reference] = []
    for path in dict.fromkeys(files):
        known = None if _is_new(path, texts) else texts.known(path.name)
        if known is None:
            reference = _reference(path, texts)
            references.append(reference)
            steps.append(_certified_by_header(reference, span, texts))
            continue
        for name, place in known:
            steps.append(_changed(path.name, name, place, texts, _certifier(path.name, name, place, span)))
    copies = tuple(_copies(references, rules))
    return recertified(texts, steps, copies, in_place=in_place)


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
    texts = ChosenRules(rules, context, choice or Choice())
    steps: list[Step] = []
    for name in dict.fromkeys(Path(name).name for name in names):
        found = tuple(texts.holding(name))
        if not found:
            raise _unknown(name, context)
        valid: list[str] = []
        done = len(steps)
        for mapping, place in found:
            step = _changed(name, mapping, place, texts, _decertifier(name, span))
            valid += (f"{when} in {mapping}:{place.line}" for when in spans_of(step.before, name))
            if step.before != step.after:
                steps.append(step)
        if len(steps) == done:
            raise RefusedError(f"{name} is not valid {span}", f"it is valid {'; '.join(valid)}")
    return recertified(texts, steps, in_place=in_place)


def _is_new(path: Path, texts: ChosenRules) -> bool:
    """True for a file that is not in the cache."""
    references = texts.rules.layout.references.resolve()
    return path.is_file() and not path.resolve().is_relative_to(references)


def _reference(path: Path, texts: ChosenRules) -> Reference:
    """A file, or one of the cache by its name, with what its header says."""
    rules = texts.rules
    if not _is_new(path, texts):
        folder = rules.layout.reference_folder(rules.observatory.name)
        stored = (folder.place(path.name, instrument) for instrument in rules.observatory.instruments)
        path = next((place for place in stored if place.is_file()), path)
    if not path.is_file():
        raise _unknown(path.name, texts.context, f", and there is no file {path}")
    return read_reference(path, rules, texts.context, texts.choice.reftype)


def _unknown(name: str, context: str, more: str = "") -> RefusedError:
    return RefusedError(
        f"no rule of {context} leads to {name}{more}", "calmap uses tells which mappings name a file"
    )


def _certified_by_header(reference: Reference, span: Span, texts: ChosenRules) -> Step:
    """A reference certified in the rule that is meant, or that its header asks for."""
    name, observatory = reference.mapping, texts.rules.observatory
    texts.rules.file(name)
    file = parsed(texts.text(name))
    meant = texts.place(name)
    if meant is not None:
        return _changed(reference.name, name, meant, texts, _certifier(reference.name, name, meant, span))
    keywords = observatory.useafter_keywords or ("USEAFTER",)
    header = {**reference.header, **dict.fromkeys(keywords, str(span.begin))}
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
    return Step(reference.name, name, place, (), wanted, notes)


def _decertifier(file: str, span: Span) -> _Arithmetic:
    return lambda known: decertified(known, file, span)


def _certifier(file: str, mapping: str, place: Place, span: Span) -> _Arithmetic:
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
    texts: ChosenRules,
    change: _Arithmetic,
    notes: tuple[str, ...] = (),
) -> Step:
    text = texts.text(mapping)
    before = periods_of(parsed(text), place)
    after = change(before)
    if after != before:
        texts.changed[mapping] = retimed(text, place, after)
    return Step(file, mapping, place, before, after, notes)


def _copies(references: Iterable[Reference], rules: Rules) -> Iterator[Copy]:
    for reference in references:
        place = place_of(reference, rules)
        if not place.exists():
            yield Copy(reference.path, place, reference.sha256)
