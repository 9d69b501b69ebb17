"""Findings about the text of a file, before anything in it has a meaning."""

from __future__ import annotations

import re
from types import MappingProxyType

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from calmap.diagnostics import Diagnostic, Rule
from calmap.source import Source, Span

UNREADABLE_TEXT = Rule(
    "CM001",
    "unreadable-text",
    "The file can't be read as UTF-8 text",
    why="A mapping is a text file. Bytes that are no text usually mean a damaged or a wrong file.",
    example="A FITS file that was renamed to end in `.rmap`.",
    use_instead="Save the file as UTF-8 (plain ASCII is UTF-8 too).",
)
SYNTAX = Rule(
    "CM002",
    "syntax-error",
    "The text does not follow the grammar of mapping files",
    why="Nothing in the file can be used until it can be read.",
    example="selector = {\n    'DARK' : 'tobs_tinstr_dark_0001.rmap'\n    'FLAT' : 'N/A'\n}",
    use_instead="selector = {\n    'DARK' : 'tobs_tinstr_dark_0001.rmap',\n    'FLAT' : 'N/A',\n}",
)
BAD_LITERAL = Rule(
    "CM003",
    "bad-literal",
    "A string or a number has no value",
    why="An escape sequence that names no character, or a number of thousands of digits, is a slip.",
    example=r"'name' : 'tobs\x0.pmap'",
    use_instead="'name' : 'tobs.pmap'",
)
TOO_DEEP = Rule(
    "CM004",
    "nested-too-deeply",
    "Brackets are nested too deeply",
    why="Rules have a handful of levels. Deep nesting is a damaged file, or one made to exhaust a program.",
    example="'row_keys' : " + "(" * 50 + ")" * 50,
    use_instead="'row_keys' : ()",
)
TOO_LARGE = Rule(
    "CM005",
    "file-too-large",
    "The file is larger than any mapping should be",
    why="The largest mappings of observatories have a few hundred kilobytes. "
    "The limit keeps a wrong file from filling the memory.",
    example="A 5 GB file named `tobs.pmap`.",
    use_instead="Split the rules by reference type.",
)

RULES = (UNREADABLE_TEXT, SYNTAX, BAD_LITERAL, TOO_DEEP, TOO_LARGE)

_WORDS = MappingProxyType({
    "COLON": "':'", "COMMA": "','", "EQUAL": "'='", "SEMICOLON": "';'",
    "LPAR": "'('", "RPAR": "')'", "LSQB": "'['", "RSQB": "']'", "LBRACE": "'{'", "RBRACE": "'}'",
    "STRING": "a string", "LONG_STRING": "a string", "PLAIN_TUPLE": "'('", "ROWS": "a string",
    "INTEGER": "a number", "FLOAT": "a number", "MINUS": "a number",
    "TRUE": "True, False or None", "FALSE": "True, False or None", "NONE": "True, False or None",
    "NAME": "a name", "$END": "the end of the file",
})  # fmt: skip
_LAST_STRING = re.compile(r"(?:'[^'\\n]*'|\"[^\"\\n]*\")\s*$")
_LAST_NAME = re.compile(r"(\w+)\s*\Z")
_VALUE = frozenset({"a string", "a number", "'('", "'['", "'{'", "True, False or None", "a name"})


def unexpected(source: Source, problem: UnexpectedInput) -> Diagnostic:
    """Finding for text that the parser could not go on with."""
    if isinstance(problem, UnexpectedToken):
        return _at_token(source, problem.token, problem.accepts or problem.expected)
    if isinstance(problem, UnexpectedCharacters):
        return _at_characters(source, problem)
    return syntax_error(source, Span(len(source.text), len(source.text)), "the file ends too early")


def syntax_error(source: Source, span: Span, message: str, hint: str | None = None) -> Diagnostic:
    """A CM002 finding."""
    return Diagnostic(SYNTAX, source, span, message, hint=hint)


def expected_words(names: set[str]) -> str:
    """What could have stood there, in words: ``','``, ``'}'`` or a string."""
    words = {_WORDS.get(name, name) for name in names}
    if words >= _VALUE:
        words = (words - _VALUE) | {"a value"}
    first = [w for w in sorted(words) if not w.startswith("'")]
    ordered = [w for w in sorted(words) if w.startswith("'")] + first
    if len(ordered) > 1:
        return ", ".join(ordered[:-1]) + " or " + ordered[-1]
    return "".join(ordered) or "nothing more"


def _at_token(source: Source, token: Token, expected: set[str]) -> Diagnostic:
    words = expected_words(set(expected))
    if token.type == "$END":
        end = len(source.text.rstrip())
        return syntax_error(
            source, Span(end, end), f"the file ends where {words} was expected", _unclosed(expected)
        )
    start = token.start_pos or 0
    if set(expected) == {"LPAR"} and (name := _LAST_NAME.search(source.text, max(0, start - 80), start)):
        message = f"'{name[1]}' is no value, nor a selector with '(' after it"
        return syntax_error(source, Span(*name.span(1)), message)
    line_end = source.text.find("\n", start)
    text = str(token) if len(token) <= 40 else str(token)[:37] + "..."
    text = text.split("\n")[0].rstrip()
    end = min(start + len(token), len(source.text) if line_end < 0 else line_end)
    return syntax_error(
        source, Span(start, end), f"expected {words}, found {text}", _missing_comma(source, start, expected)
    )


def _at_characters(source: Source, problem: UnexpectedCharacters) -> Diagnostic:
    start = problem.pos_in_stream or 0
    character = source.text[start]
    span = Span(start, start + 1)
    if character == "\ufeff":
        return syntax_error(
            source, span, "a byte-order mark stands here", "save the file as UTF-8 without it"
        )
    if character in "'\"":
        return syntax_error(source, span, f"a string starts here and is not closed with {character}")
    shown = f"'{character}'" if character.isprintable() else f"character U+{ord(character):04X}"
    hint = "a mapping holds plain values only, nothing is computed" if character in "+*/%.@" else None
    return syntax_error(source, span, f"{shown} can't stand here", hint)


def _unclosed(expected: set[str]) -> str | None:
    closing = {"RPAR": "(", "RSQB": "[", "RBRACE": "{"}
    open_ = [f"'{sign}'" for name, sign in closing.items() if name in expected]
    return f"look for a {' or '.join(open_)} that is never closed" if open_ else None


def _missing_comma(source: Source, start: int, expected: set[str]) -> str | None:
    if "COMMA" not in expected:
        return None
    line = source.position(start).line
    before = source.position(len(source.text[:start].rstrip())).line
    if before == line:
        key = _LAST_STRING.sub("", source.line(line)[: source.position(start).column - 1])
        if key.strip() or source.text[start] != ":":
            return None
        before = source.position(len(source.text[: source.line_starts[line - 1]].rstrip())).line
    return f"is a comma missing at the end of line {before}?"
