"""Insertion of one file into the rules of a context, in memory."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from calmap.cache.rulesets import Rules
from calmap.certify.certifier import Trial
from calmap.certify.finding import Finding
from calmap.compare.rows import rows
from calmap.delivery.insertion import DeliveryError, plan_insertion
from calmap.delivery.outlook import outlook
from calmap.delivery.reference import Reference, place_of, read_reference
from calmap.diagnostics import Severity
from calmap.errors import CalmapError, HeaderError
from calmap.headers.reading import require_whole


def try_insertion(rules: Rules, context: str, path: Path, reftype: str) -> Trial:
    """What inserting a file into a context would come to; nothing is written.

    A file that the rules name already is not inserted again, and one that was cut off is not
    tried: the look at its structure tells of it.
    """
    try:
        require_whole(path)
    except HeaderError:
        return Trial()
    try:
        reference = read_reference(path, rules, context, reftype)
        place_of(reference, rules)
        return _present(rules, reference) or _inserted(rules, context, path, reftype)
    except DeliveryError as refused:
        return Trial(tuple(_refusal(path, problem) for problem in refused.problems))
    except CalmapError as problem:
        return Trial((_refusal(path, problem),))


def _present(rules: Rules, reference: Reference) -> Trial | None:
    """What there is to say of a file that the rules name; None if they don't."""
    file = rules.file(reference.mapping)
    row = next((row for row in rows(file.selector) if row.file == reference.name), None)
    if row is None:
        return None
    before = outlook(file, rules.observatory, row).before
    return Trial((), _place(rules, reference, (before,)))


def _inserted(rules: Rules, context: str, path: Path, reftype: str) -> Trial:
    inserted = plan_insertion(rules, context, [path], reftype=reftype).inserted[0]
    told = ((Severity.WARNING, inserted.outlook.warnings), (Severity.INFO, inserted.outlook.notes))
    findings = tuple(
        Finding(str(path), inserted.mapping, text, severity) for severity, texts in told for text in texts
    )
    return Trial(findings, _place(rules, inserted.reference, (*inserted.replaced, inserted.outlook.before)))


def _place(rules: Rules, reference: Reference, names: Iterable[str]) -> Path | None:
    """Where the first of some files is that is in the cache."""
    folder = rules.layout.reference_folder(rules.observatory.name)
    for name in names:
        try:
            if name and name != reference.name:
                return folder.path(name, reference.instrument)
        except CalmapError:
            continue
    return None


def _refusal(path: Path, problem: CalmapError) -> Finding:
    message = problem.message.removeprefix(f"{path}: ")
    return Finding(str(path), "", f"can't be inserted: {message}", Severity.ERROR, problem.hint)
