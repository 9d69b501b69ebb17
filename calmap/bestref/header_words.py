"""What the keys of a mapping's header mean, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from calmap.compile.wording import either, expression_words, spoken
from calmap.syntax.ast import Entry, Plain, String, Table, plain
from calmap.syntax.expression import Expression, ExpressionError
from calmap.syntax.expression_text import parse_expression

_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "mapping": "the level of this mapping: PIPELINE, INSTRUMENT or REFERENCE",
        "name": "the name of this file",
        "derived_from": "the mapping that this one replaces",
        "observatory": "the telescope that the rules are for",
        "instrument": "the instrument that the rules are for",
        "filekind": "the type of the references that the rules choose",
        "parkey": "the keywords that the selectors look at, a group for each level of selectors",
        "classes": "the selectors that the rules use, from the outermost inwards",
        "sha1sum": "the checksum of all other lines; `calmap update-checksums` writes it",
        "substitutions": "values that stand for others when they stand in a rule",
        "rmap_relevance": "the condition under which the type applies at all",
        "rmap_omit": "the condition under which the type is left out",
        "parkey_relevance": "for some keywords the condition under which they count",
        "comment_parkeys": "keywords that rules may say something of, but that never count",
        "extra_keys": "more keywords that expressions and hooks look at",
        "hooks": "functions that change values before the rules see them",
        "merge_overlaps": "whether rules of equal weight that match the same observation are taken together",
        "reffile_switch": "the keyword that switches the use of this type on or off",
        "reffile_required": "whether it is an error if no rule matches: with NO the type does not apply then",
        "reffile_format": "whether the references are images or tables",
        "row_keys": "columns that tell the rows of a table apart",
        "description": "what the mapping is, for people",
    }
)
_NEVER = "Nothing reads this key; it may be a note."


def applies(relevance: Expression) -> str:
    """When a type applies."""
    words = expression_words(relevance)
    known = {"always": "The type always applies.", "never": "The type never applies."}
    return known.get(words) or f"The type applies only if {words}."


def left_out(omit: Expression) -> str:
    """When a type is left out."""
    words = expression_words(omit)
    known = {"always": "The type is always left out.", "never": "The type is never left out."}
    return known.get(words) or f"The type is left out if {words}."


def header_sentences(entries: tuple[Entry, ...]) -> Iterator[str]:
    """What a line of a header says.

    Parameters
    ----------
    entries
        The header's entry, and the one within its table if the line is about that.
    """
    key, value = _plain(entries[0])
    known = _KEYS.get(str(key))
    yield (
        f"'{key}' is a key of the header: {known}." if known else f"'{key}' is a key of the header. {_NEVER}"
    )
    yield from _says(str(key), value)
    if len(entries) > 1:
        yield f"This line is about {_plain(entries[-1])[0]}."


def _says(key: str, value: Plain) -> Iterator[str]:
    if key == "parkey" and isinstance(value, tuple):
        levels = [either(_words(level), "and") for level in value]
        if all(isinstance(level, tuple) for level in value):
            yield from (f"Level {n} looks at {names or 'nothing'}." for n, names in enumerate(levels, 1))
        else:
            yield f"They are {either(_words(value), 'and')}."
    elif key == "classes" and isinstance(value, tuple):
        yield f"They are {', then '.join(_words(value))}."
    elif key in ("rmap_relevance", "rmap_omit") and isinstance(value, str):
        expression = _parsed(value)
        words = applies if key == "rmap_relevance" else left_out
        yield words(expression) if expression is not None else f"Here it is {value}."
    elif key == "parkey_relevance" and isinstance(value, dict):
        for name, text in value.items():
            yield f"{spoken(str(name))} counts if {_clause(str(text))}; else it is N/A."
    elif key == "substitutions" and isinstance(value, dict):
        for name, swaps in value.items():
            for old, new in swaps.items() if isinstance(swaps, dict) else ():
                yield f"{old} in a rule means {new} for {spoken(str(name))}."
    elif isinstance(value, str | bool | int | float):
        yield f"Here it is {value}."
    elif isinstance(value, tuple):
        yield f"Here they are {either(_words(value), 'and') or 'none'}."


def _clause(text: str) -> str:
    expression = _parsed(text)
    return f"{text} is true" if expression is None else expression_words(expression)


def _parsed(text: str) -> Expression | None:
    try:
        return parse_expression(text.replace("always", "True"))
    except ExpressionError:
        return None


def _plain(entry: Entry) -> tuple[Plain, Plain]:
    key = entry.key.value if isinstance(entry.key, String) else "?"
    try:
        return key, plain(entry.value) if not isinstance(entry.value, Table) else dict(_pairs(entry.value))
    except TypeError:
        return key, None


def _pairs(table: Table) -> Iterator[tuple[Plain, Plain]]:
    for entry in table.entries:
        key, value = _plain(entry)
        yield key, value


def _words(value: Plain) -> list[str]:
    return [str(item) for item in value] if isinstance(value, tuple) else [str(value)]
