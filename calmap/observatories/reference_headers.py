"""How the headers of references differ from those of datasets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from calmap.observatories.fields import Field, Place, fields_of
from calmap.yamltree import YamlNode, YamlText


@dataclass(frozen=True, slots=True)
class Expansion:
    """A word in a reference's header that stands for several values of datasets.

    Parameters
    ----------
    keyword, word
        A keyword of the rules and what a reference says.
    values
        What a rule has in its place, such as ``A|B``.
    when
        Expression on the reference's header that must hold, or None.
    """

    keyword: str
    word: str
    values: str
    when: str | None = None


@dataclass(frozen=True, slots=True)
class ReferenceHeaders:
    """What turns the header of a reference into values for rules.

    Parameters
    ----------
    type_keywords
        Keywords that name the reference type, in order of precedence.
    types
        For an instrument, the type that a value of these keywords means; a value that
        is absent is the type itself.
    patterns
        For a keyword of the rules, those that say which of its values a reference
        serves, such as ``P_DETECT``; they come before the keyword itself.
    expansions
        For an instrument, words that stand for several values.
    conditioned
        Whether values are conditioned before they become part of a rule.
    special_cases
        ``refuse`` or ``merge``: whether a rule may be a special case, of equal weight, of another.
    """

    type_keywords: tuple[str, ...] = ("META.REFTYPE", "REFTYPE")
    types: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    patterns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    expansions: Mapping[str, tuple[Expansion, ...]] = field(default_factory=dict)
    conditioned: bool = False
    special_cases: str = "refuse"


SPECIAL_CASES: Final = ("refuse", "merge")


def read_reference_headers(node: YamlNode, place: Place) -> ReferenceHeaders:
    """The section ``reference_headers`` of a definition."""
    return ReferenceHeaders(**fields_of(node, place, _SECTION))


def _text(node: YamlNode, place: Place) -> str:
    if not isinstance(node, YamlText) or not node.value:
        place.fail(node.line, "expected a text")
    return node.value


def _upper(node: YamlNode, place: Place) -> str:
    return _text(node, place).upper()


def _words(node: YamlNode, place: Place) -> tuple[str, ...]:
    return tuple(_upper(child, place.child(str(i))) for i, child in enumerate(place.items(node)))


def _flag(node: YamlNode, place: Place) -> bool:
    return place.one_of(_text(node, place).lower(), ("true", "false"), node.line, "truth value") == "true"


def _special_cases(node: YamlNode, place: Place) -> str:
    return place.one_of(_text(node, place), SPECIAL_CASES, node.line, "treatment")


def _types(node: YamlNode, place: Place) -> dict[str, dict[str, str]]:
    return {
        name.lower(): {word.upper(): _text(leaf, below).lower() for word, leaf, below in inner.entries(child)}
        for name, child, inner in place.entries(node)
    }


def _patterns(node: YamlNode, place: Place) -> dict[str, tuple[str, ...]]:
    return {name.upper(): _words(child, inner) for name, child, inner in place.entries(node)}


def _expansions(node: YamlNode, place: Place) -> dict[str, tuple[Expansion, ...]]:
    return {
        name.lower(): tuple(
            Expansion(**fields_of(item, inner.child(str(i)), _EXPANSION))
            for i, item in enumerate(inner.items(child))
        )
        for name, child, inner in place.entries(node)
    }


_EXPANSION: Final = (
    Field("keyword", _upper, required=True),
    Field("word", _text, required=True),
    Field("values", _text, required=True),
    Field("when", _text),
)
_SECTION: Final = (
    Field("type_keywords", _words),
    Field("types", _types),
    Field("patterns", _patterns),
    Field("expansions", _expansions),
    Field("conditioned", _flag),
    Field("special_cases", _special_cases),
)
