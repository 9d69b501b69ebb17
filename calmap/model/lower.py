"""From the sections of a text to a mapping file."""

from __future__ import annotations

from calmap.diagnostics import Diagnostic, Label, Rule, Severity
from calmap.model.placement import MISPLACED_SECTION, misplaced_sections
from calmap.source import Source, Span
from calmap.syntax.ast import MappingFile, MappingKind, SelectorCall, String, Table
from calmap.syntax.parser import Parsed, Section

UNKNOWN_SECTION = Rule(
    "CM006",
    "unknown-section",
    "A section is none of `header`, `selector` and `comment`",
    why="A mapping has these three sections and no other. CRDS refuses to load the file.",
    example="settings = {\n    'name' : 'tobs.pmap',\n}",
    use_instead="header = {\n    'name' : 'tobs.pmap',\n}",
)
DOUBLED_SECTION = Rule(
    "CM007",
    "doubled-section",
    "A section is given twice",
    why="The last one silently replaces the first, with every rule in it.",
    example="comment = 'one'\ncomment = 'two'",
    use_instead="comment = 'one, two'",
)
MISSING_SECTION = Rule(
    "CM008",
    "missing-section",
    "The file has no `header` or no `selector`",
    why="Both are needed to know what the file is for and what it selects.",
    example="header = {\n    'name' : 'tobs.pmap',\n}",
    use_instead="header = {\n    'name' : 'tobs.pmap',\n}\n\nselector = {\n}",
)
MISTYPED_SECTION = Rule(
    "CM009",
    "mistyped-section",
    "A section is not of the type it has to be",
    why="`header` is a dictionary, `selector` a dictionary or a selector such as `Match({...})`, "
    "and `comment` a string.",
    example="header = ('name', 'tobs.pmap')",
    use_instead="header = {\n    'name' : 'tobs.pmap',\n}",
)
STRAY_KIND = Rule(
    "CM010",
    "unknown-extension",
    "The file name does not end in .pmap, .imap or .rmap",
    Severity.ERROR,
    why="The extension tells which of the three levels a mapping belongs to.",
    example="tobs_tinstr_dark_0001.txt",
    use_instead="tobs_tinstr_dark_0001.rmap",
    filename="tobs_tinstr_dark_0001.txt",
)
RULES = (
    *(UNKNOWN_SECTION, DOUBLED_SECTION, MISSING_SECTION, MISTYPED_SECTION),
    *(STRAY_KIND, MISPLACED_SECTION),
)

_TYPES = {"header": (Table,), "selector": (Table, SelectorCall), "comment": (String,)}
_WANTED = {
    "header": "a dictionary",
    "selector": "a dictionary or a selector such as Match({...})",
    "comment": "a string",
}


def lower(parsed: Parsed, kind: MappingKind) -> tuple[MappingFile | None, tuple[Diagnostic, ...]]:
    """The mapping file that parsed sections make, and what is wrong with the sections.

    The file is None when there is no usable header or selector.
    """
    if not parsed.sections and parsed.diagnostics:
        return None, parsed.diagnostics
    source = parsed.source
    findings: list[Diagnostic] = []
    found: dict[str, Section] = {}
    for section in parsed.sections:
        findings.extend(_section_findings(source, section, found.get(section.name)))
        found[section.name] = section
    findings.extend(misplaced_sections(parsed))
    good = {n: s.value for n, s in found.items() if isinstance(s.value, _TYPES.get(n, ()))}
    findings.extend(_missing(source, name) for name in ("header", "selector") if name not in found)
    header, selector, comment = good.get("header"), good.get("selector"), good.get("comment")
    if not isinstance(header, Table) or not isinstance(selector, Table | SelectorCall):
        return None, tuple(findings)
    note = comment if isinstance(comment, String) else None
    return MappingFile(source, kind, header, selector, note), tuple(findings)


def _section_findings(source: Source, section: Section, earlier: Section | None) -> list[Diagnostic]:
    name, span = section.name, section.name_span
    if name not in _TYPES:
        message = f"'{name}' is no section of a mapping"
        return [
            Diagnostic(
                UNKNOWN_SECTION, source, span, message, hint="a mapping has header, selector and comment"
            )
        ]
    findings = []
    if earlier is not None:
        label = Label(source, earlier.name_span, "first given here")
        message = f"the section '{name}' is given twice"
        findings.append(Diagnostic(DOUBLED_SECTION, source, span, message, (label,), "join the two"))
    if not isinstance(section.value, _TYPES[name]):
        message = f"the section '{name}' must be {_WANTED[name]}"
        findings.append(Diagnostic(MISTYPED_SECTION, source, section.value.span, message))
    return findings


def _missing(source: Source, name: str) -> Diagnostic:
    end = len(source.text)
    return Diagnostic(
        MISSING_SECTION,
        source,
        Span(end, end),
        f"the section '{name}' is missing",
        hint=f"add {name} = {{...}}",
    )
