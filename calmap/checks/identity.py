"""Whether the header says the same of the file as the file's name and place do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from calmap.checks.literals import rewritten
from calmap.checks.spelling import quoted, suggester
from calmap.checks.subject import SELECTORS, Subject
from calmap.diagnostics import Diagnostic, Fix, Rule, Severity
from calmap.model.names import is_safe
from calmap.syntax.ast import MappingKind, String

WRONG_NAME = Rule(
    "CM106",
    "wrong-name",
    "The `name` in the header is not the name of the file",
    why="Tools identify a mapping by its `name`: a copy that keeps the old one stands for two files at once.",
    example="'name' : 'tobs_tinstr_other_0001.rmap',",
    use_instead="'name' : 'tobs_tinstr_tfilekind_0001.rmap',",
    fixable=True,
)
WRONG_KIND = Rule(
    "CM107",
    "wrong-mapping-kind",
    "`mapping` in the header does not go with the file's extension",
    why="A .pmap is a PIPELINE mapping, an .imap an INSTRUMENT mapping and an .rmap a REFERENCE mapping. "
    "CRDS refuses any other combination.",
    example="'mapping' : 'INSTRUMENT',",
    use_instead="'mapping' : 'REFERENCE',",
    fixable=True,
)
UNKNOWN_PARAMETER = Rule(
    "CM109",
    "unknown-parameter",
    "The header speaks of a keyword that the mapping does not select by",
    Severity.WARNING,
    why="What `parkey_relevance`, `comment_parkeys` and `reference_to_dataset` say has an effect only for "
    "keywords of `parkey`, `extra_keys` and `reffile_switch`.",
    example="'parkey_relevance' : {\n    'ccdgain' : '(DETECTOR == \"CCD\")',\n},",
    use_instead="'extra_keys' : ('CCDGAIN',),\n"
    "'parkey_relevance' : {\n    'ccdgain' : '(DETECTOR == \"CCD\")',\n},",
)
OWN_PARENT = Rule(
    "CM115",
    "derived-from-itself",
    "A mapping says that it is derived from itself",
    Severity.WARNING,
    why="`derived_from` is the mapping that this one replaces; the history of the rules is lost without it.",
    example="'derived_from' : 'tobs_tinstr_tfilekind_0001.rmap',",
    use_instead="'derived_from' : 'tobs_tinstr_tfilekind_0000.rmap',",
)
WRONG_CLASSES = Rule(
    "CM205",
    "wrong-classes",
    "`classes` does not name the selectors that the file has",
    Severity.WARNING,
    why="New references are inserted below selectors of these classes: the file would end up with two kinds"
    " of selector at one level.",
    example="'classes' : ('Match', 'ClosestTime'),",
    use_instead="'classes' : ('Match', 'UseAfter'),",
)
RULES = (WRONG_NAME, WRONG_KIND, UNKNOWN_PARAMETER, OWN_PARENT, WRONG_CLASSES)

_KINDS: Mapping[MappingKind, str] = MappingProxyType({
    MappingKind.PIPELINE: "PIPELINE",
    MappingKind.INSTRUMENT: "INSTRUMENT",
    MappingKind.REFERENCE: "REFERENCE",
})  # fmt: skip


def wrong_name(subject: Subject) -> Iterator[Diagnostic]:
    """CM106."""
    entry, name = subject.entry("name"), subject.mapping.name
    if entry and isinstance(entry.value, String) and entry.value.value != name:
        message = f"the file is named '{name}', but its header says '{entry.value.value[:80]}'"
        fix = Fix(f"change the name to '{name}'", (rewritten(subject.source, entry.value, name),))
        yield subject.finding(WRONG_NAME, entry.value.span, message, fix=fix if is_safe(name) else None)


def wrong_kind(subject: Subject) -> Iterator[Diagnostic]:
    """CM107."""
    entry, kind = subject.entry("mapping"), _KINDS[subject.kind]
    if entry and isinstance(entry.value, String) and entry.value.value.upper() != kind:
        message = f"'{entry.value.value[:40]}' is not the kind of mapping an .{subject.kind} is"
        fix = Fix(f"change it to '{kind}'", (rewritten(subject.source, entry.value, kind),))
        yield subject.finding(WRONG_KIND, entry.value.span, message, hint=f"expected '{kind}'", fix=fix)


def own_parent(subject: Subject) -> Iterator[Diagnostic]:
    """CM115."""
    entry = subject.entry("derived_from")
    if entry and isinstance(entry.value, String) and entry.value.value == subject.mapping.name:
        message = f"'{subject.mapping.name}' says that it is derived from itself"
        yield subject.finding(OWN_PARENT, entry.value.span, message, hint="name the mapping that it replaces")


def unknown_parameters(subject: Subject) -> Iterator[Diagnostic]:
    """CM109."""
    if subject.levels is None:
        return
    known = subject.required()
    upper = {name.upper() for name in known}
    nearest = suggester(known)
    named = [(entry.key, "parkey_relevance") for entry in subject.table("parkey_relevance")]
    named += [(entry.value, "reference_to_dataset") for entry in subject.table("reference_to_dataset")]
    named += [(item, "comment_parkeys") for item in subject.strings("comment_parkeys")]
    for value, header_key in named:
        if not isinstance(value, String) or value.value.upper() in upper:
            continue
        near = nearest(value.value)
        message = f"'{value.value[:60]}' in '{header_key}' is no keyword that this mapping selects by"
        hint = f"did you mean '{near}'?" if near else f"it selects by {quoted(known) or 'no keyword'}"
        yield subject.finding(UNKNOWN_PARAMETER, value.span, message, hint=hint)


def wrong_classes(subject: Subject) -> Iterator[Diagnostic]:
    """CM205."""
    entry = subject.entry("classes")
    classes = [item.value for item in subject.strings("classes")]
    if entry is None or not classes or subject.levels is None:
        return
    if len(classes) != len(subject.levels):
        message = f"'classes' has {len(classes)} levels and 'parkey' has {len(subject.levels)}"
        yield subject.finding(WRONG_CLASSES, entry.value.span, message)
    seen: set[int] = set()
    for nested in subject.selectors:
        name, depth = nested.call.name, nested.depth
        if depth in seen or depth >= len(classes) or name == classes[depth] or name not in SELECTORS:
            continue
        seen.add(depth)
        message = f"'classes' says {classes[depth][:40]} for level {depth + 1}, found {name}"
        labels = (subject.label(entry.value.span, "'classes' is given here"),)
        yield subject.finding(WRONG_CLASSES, nested.call.name_span, message, labels=labels)


CHECKS = (wrong_name, wrong_kind, own_parent, unknown_parameters, wrong_classes)
