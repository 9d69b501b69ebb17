"""From the YAML tree of a definition to an `Observatory`, with errors that name the line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias, TypeVar

from calmap.observatories.constraints import Certification
from calmap.observatories.constraints_schema import certification
from calmap.observatories.converters import CONVERTERS
from calmap.observatories.definition import Instrument, KeywordSource, Observatory, ReferenceNames
from calmap.observatories.fields import Field, Place, fields_of, names_in
from calmap.observatories.reference_headers import ReferenceHeaders, read_reference_headers
from calmap.yamltree import YamlNode, YamlTable, YamlText

T = TypeVar("T")
Reader: TypeAlias = Callable[[YamlNode, Place], T]

FILE_KINDS: Final = ("exposure", "reference")
FILE_FIELDS: Final = (
    *("date", "detector", "exposure", "exptype", "instrument", "level", "name", "observation"),
    *("observatory", "program", "reftype", "semester", "serial", "subarray", "version"),
)


def read_definition(tree: YamlNode | None, name: str, origin: str) -> Observatory:
    """An observatory from a parsed definition.

    Raises
    ------
    ObservatoryError
        If anything in the definition is unknown, missing or of the wrong kind.
    """
    place = Place(origin)
    if tree is None:
        place.fail(1, "the file is empty", "a definition has at least 'name' and 'instruments'")
    given = fields_of(tree, place, DEFINITION)
    if given["name"] != name:
        place.child("name").fail(tree.line, f"is {given['name']!r}, expected {name!r}")
    return Observatory(
        name=name,
        title=given.get("title") or name,
        origin=origin,
        instruments=given["instruments"],
        instrument_keywords=given.get("instrument_keywords") or ("INSTRUME",),
        keywords=given.get("keywords") or {},
        references=given.get("references") or ReferenceNames(),
        reference_markers=given.get("reference_markers") or (),
        useafter_keywords=given.get("useafter_keywords") or (),
        file_names=given.get("file_names") or {},
        hooks=given.get("hooks") or (),
        after_failure=given.get("after_failure"),
        extra_keys=given.get("extra_keys") or (),
        reference_headers=given.get("reference_headers") or ReferenceHeaders(),
        certification=given.get("certify") or Certification(),
    )


def text(node: YamlNode, place: Place) -> str:
    """A text that isn't empty."""
    if not isinstance(node, YamlText) or not node.value:
        place.fail(node.line, "expected a text")
    return node.value


def lower(node: YamlNode, place: Place) -> str:
    """A name in lower case."""
    return text(node, place).lower()


def upper(node: YamlNode, place: Place) -> str:
    """A keyword in upper case."""
    return text(node, place).upper()


def fits_keyword(node: YamlNode, place: Place) -> str:
    """A FITS keyword: at most eight letters, digits, ``-`` and ``_``."""
    keyword = upper(node, place)
    if len(keyword) > 8 or not all(char.isalnum() or char in "-_" for char in keyword):
        place.fail(node.line, f"{keyword!r} is no FITS keyword", "at most 8 letters, digits, '-' and '_'")
    return keyword


def texts(item: Reader[str]) -> Reader[tuple[str, ...]]:
    """A list of texts."""

    def read(node: YamlNode, place: Place) -> tuple[str, ...]:
        return tuple(item(child, place.child(str(i))) for i, child in enumerate(place.items(node)))

    return read


def table(key: Callable[[str], str], value: Reader[T]) -> Reader[Mapping[str, T]]:
    """A mapping with free keys."""

    def read(node: YamlNode, place: Place) -> Mapping[str, T]:
        return MappingProxyType(
            {key(name): value(child, inner) for name, child, inner in place.entries(node)}
        )

    return read


def instrument(node: YamlNode, place: Place) -> Instrument:
    """One instrument; its name is the last part of the place."""
    given = fields_of(node, place, INSTRUMENT)
    return Instrument(
        name=place.last.lower(),
        reftypes=given.get("types") or (),
        values=given.get("values") or {},
        reference_prefix=given.get("prefix"),
    )


def sources(node: YamlNode, place: Place) -> tuple[KeywordSource, ...]:
    """Places to look for a keyword; its own name comes first unless the list has it."""
    own = KeywordSource((place.last.upper(),))
    listed = tuple(source(child, place.child(str(i))) for i, child in enumerate(place.items(node)))
    return listed if own in listed else (own, *listed)


def source(node: YamlNode, place: Place) -> KeywordSource:
    """A keyword, keywords joined by ``+``, or a table that says more about them."""
    if not isinstance(node, YamlTable):
        return KeywordSource(_joined(node, place))
    given = fields_of(node, place, SOURCE)
    return KeywordSource(given["keyword"], given.get("format"), given.get("values"))


def _joined(node: YamlNode, place: Place) -> tuple[str, ...]:
    names = tuple(part.strip() for part in upper(node, place).split("+"))
    if not all(names):
        place.fail(node.line, "a keyword is missing beside '+'")
    return names


def converter(node: YamlNode, place: Place) -> str:
    """Name of a converter."""
    return place.one_of(text(node, place), tuple(CONVERTERS), node.line, "format")


def references(node: YamlNode, place: Place) -> ReferenceNames:
    """How headers record references."""
    given = fields_of(node, place, REFERENCES)
    return ReferenceNames(**given)


def file_names(node: YamlNode, place: Place) -> Mapping[str, tuple[str, ...]]:
    """Templates of file names."""
    for name, child, _ in place.entries(node):
        place.one_of(name, FILE_KINDS, child.line, "kind of file")
    return table(str.lower, texts(template))(node, place)


def template(node: YamlNode, place: Place) -> str:
    """A template with known fields in braces."""
    pattern = text(node, place)
    for name in names_in(pattern, node, place):
        place.one_of(name, FILE_FIELDS, node.line, "field")
    return pattern


def optional_text(node: YamlNode, place: Place) -> str:
    """A text that may be empty."""
    if not isinstance(node, YamlText):
        place.fail(node.line, "expected a text")
    return node.value or ""


def pattern(node: YamlNode, place: Place) -> str:
    """Pattern of a FITS keyword."""
    return text(node, place).replace("{type}", "{TYPE}")


SOURCE: Final = (
    Field("keyword", _joined, required=True),
    Field("format", converter),
    Field("values", table(str.upper, text)),
)
INSTRUMENT: Final = (
    Field("types", texts(lower)),
    Field("values", table(str.upper, texts(text))),
    Field("prefix", optional_text),
)
REFERENCES: Final = (
    Field("pattern", pattern),
    Field("keywords", table(str.lower, fits_keyword)),
    Field("prefix", optional_text),
    Field("context_keyword", fits_keyword),
    Field("version_keyword", fits_keyword),
)
DEFINITION: Final = (
    Field("name", lower, required=True),
    Field("title", text),
    Field("instruments", table(str.lower, instrument), required=True),
    Field("instrument_keywords", texts(upper)),
    Field("keywords", table(str.upper, sources)),
    Field("references", references),
    Field("reference_markers", texts(upper)),
    Field("useafter_keywords", texts(upper)),
    Field("file_names", file_names),
    Field("hooks", texts(text)),
    Field("after_failure", text),
    Field("extra_keys", texts(upper)),
    Field("reference_headers", read_reference_headers),
    Field("certify", certification),
)
