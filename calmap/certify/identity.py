"""What a reference file is for: telescope, instrument and type, and whether its name will do."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Final, NamedTuple

from calmap.certify.finding import Finding
from calmap.diagnostics import Severity
from calmap.errors import CalmapError, HeaderError
from calmap.headers.datasets import SUFFIXES
from calmap.model.names import is_safe
from calmap.observatories.definition import Observatory
from calmap.observatories.keywords import instrument_of
from calmap.observatories.library import bundled_observatories, load_observatory
from calmap.observatories.reftypes import reftype_of

_TELESCOPE_KEYWORDS: Final = ("META.TELESCOPE", "ROMAN.META.TELESCOPE", "TELESCOP")
_FIELD: Final = r"[\w.-]+"
_FIELDS: Final = {"serial": r"\d+", "date": r"\d{8}(?:T\d{6})?", "version": r"\d+(?:\.\d+)*"}
"""What the fields in the names of references may be."""


class Identity(NamedTuple):
    """Instrument and type in lower case, empty where the file does not tell, and what is wrong with them."""

    instrument: str
    reftype: str
    findings: tuple[Finding, ...]


def telescope_of(
    header: Mapping[str, str], name: str, known: Iterable[str], config: Path | None
) -> Observatory:
    """The telescope that a reference is of: the only one with its instrument, or the one it names.

    Several telescopes with one instrument are told apart by the form of their files' names.

    Parameters
    ----------
    header, name
        The reference's header, and the name of its file.
    known
        Telescopes to choose from; those that calmap brings along if there are none.
    config
        The ``config`` directory of a cache.

    Raises
    ------
    HeaderError
        If that can't be told.
    """
    definitions = [load_observatory(each, config) for each in tuple(known) or bundled_observatories()]
    found = [definition for definition in definitions if _has_instrument(definition, header)]
    if not found:
        named = {str(header.get(keyword, "")).strip().lower() for keyword in _TELESCOPE_KEYWORDS}
        found = [definition for definition in definitions if definition.name in named]
    if len(found) > 1:
        found = [definition for definition in found if _is_named_so(definition, name)] or found
    if len(found) == 1:
        return found[0]
    choice = ", ".join(definition.name for definition in found or definitions)
    raise HeaderError("which telescope is it of?", hint=f"name one with --observatory: {choice}")


def identify(
    observatory: Observatory,
    header: Mapping[str, str],
    file: str,
    known: Callable[[str], Collection[str]],
    reftype: str | None = None,
) -> Identity:
    """Instrument and type of a reference.

    Parameters
    ----------
    observatory
        The telescope.
    header, file
        The reference.
    known
        Gives the types of an instrument; any type will do where there are none.
    reftype
        The type, if the header's word for it is not to count.
    """
    try:
        instrument = instrument_of(observatory, header)
    except HeaderError as problem:
        finding = Finding(file, "", problem.message, Severity.ERROR, problem.hint)
        return Identity("", (reftype or "").lower(), (finding,))
    if reftype is not None:
        return Identity(instrument, reftype.lower(), ())
    try:
        return Identity(instrument, reftype_of(observatory, instrument, header, known(instrument)), ())
    except HeaderError as problem:
        return Identity(instrument, "", (Finding(file, "", problem.message, Severity.ERROR, problem.hint),))


def name_findings(observatory: Observatory, name: str, file: str) -> Iterator[Finding]:
    """What is to be said of the name of a file."""
    if not is_safe(name):
        hint = "use letters, digits, '_', '-' and '.'"
        yield Finding(file, "", f"'{name}' can't be the name of a reference", Severity.ERROR, hint)
        return
    templates = observatory.file_names.get("reference", ())
    if templates and not _is_named_so(observatory, name):
        message = f"the name is not of the form {' or '.join(templates)}"
        yield Finding(file, "", message, Severity.INFO)


def _has_instrument(observatory: Observatory, header: Mapping[str, str]) -> bool:
    try:
        instrument_of(observatory, header)
    except CalmapError:
        return False
    return True


def _is_named_so(observatory: Observatory, name: str) -> bool:
    """True if the name of a file is of a form that the telescope's references have."""
    templates = observatory.file_names.get("reference", ())
    stem = _without_suffix(name)
    return any(_pattern(template, observatory.name).fullmatch(stem) for template in templates)


def _pattern(template: str, telescope: str) -> re.Pattern[str]:
    """Names that a template stands for, without the extension."""
    pattern = ""
    for text, field, _, _ in Formatter().parse(_without_suffix(template)):
        pattern += re.escape(text)
        if field is not None:
            pattern += re.escape(telescope) if field == "observatory" else _FIELDS.get(field, _FIELD)
    return re.compile(pattern, re.IGNORECASE | re.ASCII)


def _without_suffix(name: str) -> str:
    suffix = next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(suffix)]
