"""What a telescope definition says, as immutable values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from calmap.observatories.constraints import Certification
from calmap.observatories.reference_headers import ReferenceHeaders


@dataclass(frozen=True, slots=True)
class KeywordSource:
    """One place in a header where the value of a rule's keyword may be found.

    Parameters
    ----------
    names
        Keywords in upper case; the values of two or more are joined by a space.
    format
        Name of a converter in `calmap.observatories.converters`, or None for the value as it is.
    values
        Translations of values, keys in upper case. Where there are any, a
        value that isn't among them does not count.
    """

    names: tuple[str, ...]
    format: str | None = None
    values: Mapping[str, str] | None = None

    def __str__(self) -> str:
        return " and ".join(self.names)


@dataclass(frozen=True, slots=True)
class Instrument:
    """One instrument of a telescope.

    Parameters
    ----------
    name
        Lower case.
    reftypes
        Its reference types, lower case; empty if the definition leaves them to the rules.
    values
        Allowed values by keyword, upper case; a keyword that is absent may have any
        value. ``N/A``, ``*`` and the like are for rules to say and need not be listed.
    reference_prefix
        What `calmap bestref --update-header` writes before a file's name, or
        None for what the telescope says.
    """

    name: str
    reftypes: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reference_prefix: str | None = None


@dataclass(frozen=True, slots=True)
class ReferenceNames:
    """How a dataset's header names the references that were chosen for it.

    Parameters
    ----------
    pattern
        FITS keyword of a type that `keywords` lacks; ``{TYPE}`` stands for the type.
    keywords
        FITS keywords by type, lower case.
    prefix
        What comes before a file's name.
    context_keyword, version_keyword
        FITS keywords for the context and for the version of the software.
    """

    pattern: str = "R_{TYPE}"
    keywords: Mapping[str, str] = field(default_factory=dict)
    prefix: str = "crds://"
    context_keyword: str = "CRDS_CTX"
    version_keyword: str = "CRDS_VER"


@dataclass(frozen=True, slots=True)
class Observatory:
    """A telescope: its instruments, its keywords and the names of its files.

    Parameters
    ----------
    name
        Lower case, as mapping names begin.
    title
        For people.
    origin
        File the definition was read from.
    instruments
        By name, lower case.
    instrument_keywords
        Keywords that name the instrument, in order of precedence.
    keywords
        For each keyword of a rule the places to look, in order of precedence. A
        keyword that is absent here is looked for under its own name.
    references
        How a header records the references chosen.
    reference_markers
        Keywords that only calibration references have.
    useafter_keywords
        Keywords that say from when on a reference may be used, in order of precedence.
    file_names
        Templates of file names, by ``exposure`` and ``reference``.
    hooks
        Names of the instrument hooks that rules of this telescope may use.
    after_failure
        Name of the check that may turn a failed look-up into "not applicable".
    extra_keys
        Keywords that every rmap may use in its expressions beside its own.
    reference_headers
        How the headers of references differ from those of datasets.
    certification
        What is demanded of reference files.
    """

    name: str
    title: str
    origin: str
    instruments: Mapping[str, Instrument]
    instrument_keywords: tuple[str, ...]
    keywords: Mapping[str, tuple[KeywordSource, ...]]
    references: ReferenceNames = field(default_factory=ReferenceNames)
    reference_markers: tuple[str, ...] = ()
    useafter_keywords: tuple[str, ...] = ()
    file_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hooks: tuple[str, ...] = ()
    after_failure: str | None = None
    extra_keys: tuple[str, ...] = ()
    reference_headers: ReferenceHeaders = field(default_factory=ReferenceHeaders)
    certification: Certification = field(default_factory=Certification)

    def values(self, instrument: str, parkey: str) -> tuple[str, ...] | None:
        """Allowed values of a keyword, or None if it may have any."""
        known = self.instruments.get(instrument.lower())
        return known.values.get(parkey.upper()) if known else None

    def reftypes(self, instrument: str) -> tuple[str, ...]:
        """Reference types of an instrument; empty if the definition doesn't say."""
        known = self.instruments.get(instrument.lower())
        return known.reftypes if known else ()

    def sources(self, parkey: str) -> tuple[KeywordSource, ...]:
        """Where the value of a rule's keyword may be found, in order of precedence."""
        upper = parkey.upper()
        return self.keywords.get(upper) or (KeywordSource((upper,)),)

    def reference_keyword(self, reftype: str) -> str:
        """FITS keyword under which a header records the reference of a type."""
        known = self.references.keywords.get(reftype.lower())
        return known or self.references.pattern.replace("{TYPE}", reftype.upper())[:8]

    def reference_prefix(self, instrument: str) -> str:
        """What a header has before the name of a reference file."""
        known = self.instruments.get(instrument.lower())
        prefix = known.reference_prefix if known else None
        return self.references.prefix if prefix is None else prefix
