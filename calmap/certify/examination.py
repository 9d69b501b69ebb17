"""One file examined against its constraints."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from calmap.certify.array_checks import ARRAY_CHECKS, property_faults
from calmap.certify.arrays import ArrayInfo, array_name, find_array, is_array_word
from calmap.certify.columns import column_faults
from calmap.certify.dates import DATE_CHECKS
from calmap.certify.evaluation import (
    EvaluationError,
    Names,
    evaluate,
    shown_value,
    truth,
    undefined_names,
)
from calmap.certify.finding import Fault, Finding, quoted
from calmap.certify.keywords import FileNames, RowNames, number_or_text
from calmap.certify.presence import demanded
from calmap.certify.values import telescope_faults, value_faults
from calmap.diagnostics import Severity
from calmap.errors import HeaderError
from calmap.observatories.constraints import Constraint, Presence, Subject
from calmap.observatories.definition import Observatory
from calmap.references.contents import Contents
from calmap.syntax.constraint import Term, parse_constraint, term_names


@dataclass(frozen=True, slots=True)
class Examination:
    """A file and what is needed to judge it.

    Parameters
    ----------
    observatory
        The telescope.
    contents
        The file.
    names
        Its keywords and arrays.
    exists
        Whether there is a reference file of a name, or None if nobody knows.
    """

    observatory: Observatory
    contents: Contents
    names: FileNames
    exists: Callable[[str], bool] | None = None

    def findings(self, instrument: str, constraints: Iterable[Constraint]) -> Iterator[Finding]:
        """What is to be said of the file, constraint by constraint, and which of them were left out.

        Of the constraints on one keyword, the first that has something to say says it.
        """
        left_out: dict[str, list[str]] = {}
        told: set[str] = set()
        for constraint in constraints:
            place = place_of(constraint)
            if constraint.subject is Subject.KEYWORD and place in told:
                continue
            for fault in self._faults(constraint):
                if not fault.lacking:
                    told.add(place)
                    yield self._finding(place, self._subject(constraint, place), fault)
                elif not told.issuperset(map(_place_of_name, fault.lacking)):
                    left_out.setdefault(" and ".join(fault.lacking), []).append(place)
        yield from self._unmatchable(instrument, told)
        for lacking, places in left_out.items():
            yield Finding(str(self.contents.path), "", _left_out(lacking, places), Severity.INFO)

    def _unmatchable(self, instrument: str, told: Container[str]) -> Iterator[Finding]:
        """Values of keywords that rules match, but that the instrument does not have."""
        known = self.observatory.instruments.get(instrument)
        for keyword in known.values if known else ():
            text = self.names.text(keyword)
            if text is None or keyword in told:
                continue
            for fault in telescope_faults(self.observatory, instrument, keyword, text):
                yield self._finding(keyword, self._keyword_subject(keyword), fault)

    def _finding(self, place: str, subject: str, fault: Fault) -> Finding:
        return Finding(
            str(self.contents.path), place, f"{subject} {fault.message}", fault.severity, fault.hint
        )

    def _subject(self, constraint: Constraint, place: str) -> str:
        """What a message begins with."""
        return self._keyword_subject(place) if constraint.subject is Subject.KEYWORD else place

    def _keyword_subject(self, keyword: str) -> str:
        """A keyword, and what speaks for it in the header."""
        source = self.names.source(keyword)
        return f"{keyword} ({source})" if source else keyword

    def _faults(self, constraint: Constraint) -> Iterator[Fault]:
        try:
            presence = demanded(constraint, self.names)
        except EvaluationError as problem:
            message = f"was left out, since '{constraint.condition}' can't be told: {problem}"
            yield Fault(message, None, Severity.INFO)
            return
        if presence is None:
            return
        act = {
            Subject.KEYWORD: self._keyword,
            Subject.COLUMN: self._column,
            Subject.ARRAY: self._array,
            Subject.GROUP: self._group,
            Subject.CHECK: self._check,
        }[constraint.subject]
        for fault in act(constraint, presence):
            mild = presence is Presence.WARN and fault.severity is Severity.ERROR
            yield replace(fault, severity=Severity.WARNING) if mild else fault

    def _keyword(self, constraint: Constraint, presence: Presence) -> Iterator[Fault]:
        text = self.names.text(constraint.name)
        if text is None:
            yield from _missing(presence, "has no value", self.names.missing_hint(constraint.name))
        elif presence is Presence.EXCLUDED:
            yield Fault(f"is {quoted(text)}, but must not be there")
        elif constraint.check is not None and constraint.check not in DATE_CHECKS:
            yield from self._file_check(constraint, text)
        else:
            yield from value_faults(constraint, text)

    def _array(self, constraint: Constraint, presence: Presence) -> Iterator[Fault]:
        info = find_array(self.contents, constraint.name)
        if info is None:
            yield from _missing(presence, "is missing", _extensions(self.contents))
            return
        if presence is Presence.EXCLUDED:
            yield Fault("must not be there")
            return
        yield from property_faults(constraint, info)
        if constraint.check is not None:
            yield from self._array_check(constraint.check, info)
        yield from self._expression(constraint, self.names)

    def _array_check(self, name: str, info: ArrayInfo) -> Iterator[Fault]:
        check = ARRAY_CHECKS.get(name)
        if check is None:
            yield _unknown_check(name)
            return
        try:
            yield from check(info, self.contents)
        except HeaderError as problem:
            yield Fault(f"can't be put to the check '{name}': {problem.message}", problem.hint)

    def _check(self, constraint: Constraint, _: Presence) -> Iterator[Fault]:
        if constraint.check is not None:
            yield _unknown_check(constraint.check)
        yield from self._expression(constraint, self.names)

    def _group(self, _constraint: Constraint, _presence: Presence) -> Iterator[Fault]:
        yield Fault("was left out: calmap doesn't look into GEIS files", None, Severity.INFO)

    def _expression(self, constraint: Constraint, names: Names) -> Iterator[Fault]:
        if constraint.expression is None:
            return
        term = parse_constraint(constraint.expression)
        missing = undefined_names(term, names)
        if missing:
            yield Fault("left out", severity=Severity.INFO, lacking=missing)
            return
        try:
            value = evaluate(term, names)
            satisfied = truth(value)
        except EvaluationError as problem:
            yield Fault(f"can't be told, '{constraint.expression}' has no value: {problem}")
            return
        warned = isinstance(value, str) and value == "W"
        if not satisfied or warned:
            severity = Severity.WARNING if warned else Severity.ERROR
            yield Fault(f"fails '{constraint.expression}'", _here(term, names), severity)

    def _file_check(self, constraint: Constraint, text: str) -> Iterator[Fault]:
        if constraint.check != "fileexists":
            yield _unknown_check(constraint.check or "")
            return
        if self.exists is None:
            yield Fault("was not looked for: there is no cache", None, Severity.INFO)
            return
        name = text.rpartition("$")[2].partition("[")[0].strip()
        if not self.exists(name):
            yield Fault(f"names the file '{name}', which is not in the cache")

    def _column(self, constraint: Constraint, presence: Presence) -> Iterator[Fault]:
        seen = False
        for extension in self.contents.extensions:
            info = ArrayInfo(self.contents.path, extension)
            if constraint.name not in info.column_names:
                continue
            seen = True
            if presence is Presence.EXCLUDED:
                yield Fault("must not be there")
                continue
            try:
                values = info.column(constraint.name)
                yield from column_faults(constraint, values, partial(self._value_faults, constraint))
            except HeaderError as problem:
                yield Fault(f"can't be read: {problem.message}", problem.hint)
        if not seen:
            yield from _missing(presence, "is missing", _columns(self.contents))

    def _value_faults(self, constraint: Constraint, value: Any) -> Iterator[Fault]:
        text = str(value)
        if value != value and not constraint.values and constraint.range is None:
            return
        if constraint.expression is not None:
            known = number_or_text(text) if not isinstance(value, str) else value
            yield from self._expression(constraint, RowNames(self.names, known))
        elif constraint.check is not None and constraint.check not in DATE_CHECKS:
            yield from self._file_check(constraint, text)
        else:
            yield from value_faults(constraint, text)


def place_of(constraint: Constraint) -> str:
    """The subject of a constraint as it is called in messages."""
    if constraint.subject is Subject.CHECK:
        return f"check '{constraint.name}'"
    lead = {Subject.COLUMN: "column ", Subject.ARRAY: "array ", Subject.GROUP: "group "}
    return f"{lead.get(constraint.subject, '')}{constraint.name}"


def _place_of_name(name: str) -> str:
    """The place of what an expression calls by a name."""
    return f"array {array_name(name)}" if is_array_word(name) else name


def _unknown_check(name: str) -> Fault:
    return Fault(f"was not put to the check '{name}', which calmap doesn't have", None, Severity.INFO)


def _here(term: Term, names: Names) -> str | None:
    """What the names of an expression stand for, in words."""
    values = {name.name: shown_value(name.name, names) for name in term_names(term)}
    known = [f"{name} is {value}" for name, value in sorted(values.items()) if value is not None]
    return "; ".join(known) or None


def _left_out(lacking: str, places: Sequence[str]) -> str:
    named = ", ".join(dict.fromkeys(places))
    verb = "have" if " and " in lacking else "has"
    count = "1 constraint was" if len(places) == 1 else f"{len(places)} constraints were"
    return f"{count} left out, since {lacking} {verb} no value: {named}"


def _missing(presence: Presence, message: str, hint: str | None) -> Iterator[Fault]:
    if presence in (Presence.REQUIRED, Presence.WARN):
        yield Fault(message, hint)


def _extensions(contents: Contents) -> str:
    named = ", ".join(each.name for each in contents.extensions if each.kind != "none" and each.name)
    return f"the file has {named}" if named else "the file has no arrays"


def _columns(contents: Contents) -> str:
    named = ", ".join(column.name for each in contents.extensions for column in each.columns)
    return f"there are {named}" if named else "the file has no table"
