"""Where sections may stand, by Python's rules of lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from calmap.diagnostics import Diagnostic, Rule
from calmap.source import Source, Span
from calmap.syntax.ast import SelectorCall
from calmap.syntax.parser import Parsed, Section

MISPLACED_SECTION = Rule(
    "CM013",
    "misplaced-section",
    "A section does not begin its line, or goes on after a line that has ended",
    why="As in Python, a section begins at the beginning of a line, or after a `;`, and only within brackets "
    "does it go on after the end of the line. CRDS refuses to load the file.",
    example="selector = Match({\n}) comment = 'first version'",
    use_instead="selector = Match({\n})\n\ncomment = 'first version'",
)

_COMMENT = re.compile(r"#[^\r\n]*")
_COMMENT_LINE = re.compile(r"(?:\A|(?<=[\r\n]))[ \t\f]*#[^\r\n]*")
_CONTINUED = re.compile(r"\\\r?\n")
_LINE_END = re.compile(r"[\r\n]")
_SAME_LINE = re.compile(r"(?>(?:[ \t\f]+|\\\r?\n)*)")


def misplaced_sections(parsed: Parsed) -> Iterator[Diagnostic]:
    """CM013."""
    text, earlier = parsed.source.text, 0
    may_stand: Callable[[str], bool] = _is_line_start
    for section in parsed.sections:
        name = section.name[:40]
        if not may_stand(text[earlier : section.name_span.start]):
            yield _finding(parsed.source, section, f"the section '{name}' must begin its line")
        elif not _stays_on_line(text, section):
            yield _finding(
                parsed.source, section, f"the value of '{name}' must begin on the line of its name"
            )
        earlier = section.value.end
        may_stand = _may_follow
    if parsed.sections and not _may_end(text[earlier:]):
        message = f"the ';' after '{parsed.sections[-1].name[:40]}' must stand on the line that it ends"
        yield _finding(parsed.source, parsed.sections[-1], message)


def _finding(source: Source, section: Section, message: str) -> Diagnostic:
    return Diagnostic(MISPLACED_SECTION, source, section.name_span, message)


def _may_follow(gap: str) -> bool:
    """True if a section may stand after what is between it and the value before."""
    rest = _joined(gap)
    before, semicolon, after = rest.partition(";")
    if semicolon and _LINE_END.search(before):
        return False
    rest = after if semicolon else rest
    ends_line = _LINE_END.search(rest) is not None
    return _indentation(rest) == "" if ends_line else bool(semicolon)


def _may_end(gap: str) -> bool:
    before, semicolon, _ = _joined(gap).partition(";")
    return not semicolon or not _LINE_END.search(before)


def _joined(gap: str) -> str:
    """Blanks, line ends and ``;`` between two sections, with continued lines in one."""
    return _CONTINUED.sub("", _COMMENT.sub("", gap))


def _indentation(text: str) -> str:
    """What is before a section on its line; a form feed begins the line anew."""
    return re.split(r"[\r\n\f]", text)[-1]


def _is_line_start(before: str) -> bool:
    """True if the first section may stand after what is before it, which may be a string."""
    line = _LINE_END.split(_CONTINUED.sub("", _COMMENT_LINE.sub("", before)))[-1]
    return not line.strip() and _indentation(line) == ""


def _stays_on_line(text: str, section: Section) -> bool:
    """True if nothing but blanks is around the ``=`` and before the bracket of a selector."""
    equals = _after_blanks(text, section.name_span)
    value = section.value
    if text[equals] != "=" or _after_blanks(text, Span(equals, equals + 1)) != value.start:
        return False
    return not isinstance(value, SelectorCall) or text[_after_blanks(text, value.name_span)] == "("


def _after_blanks(text: str, span: Span) -> int:
    blanks = _SAME_LINE.match(text, span.end)
    return blanks.end() if blanks else span.end
