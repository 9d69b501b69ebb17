"""What a reference file is to be, and what was made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

from reduce import keywords
from reduce.arrays import Rows
from reduce.errors import DataError, ParameterError
from reduce.library import Library
from reduce.pipeline import Watcher
from reduce.provenance import Provenance, StepRecord
from reduce.references import Reference, Resolver, Value
from reduce.session import Request
from reduce.steps import STEPS

Watch: TypeAlias = Callable[[Path], Watcher]
Serves: TypeAlias = Callable[[Mapping[str, Value], str], Mapping[str, str]]
"""Further cards for the header of an exposure and a reference type, such as ``P_READMO``."""
VERSION: Final = "0.0.1"
_VERSION: Final = re.compile(r"\d+\.\d+\.\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Description:
    """What the header of a reference file says of it.

    Parameters
    ----------
    useafter
        Start of validity, UTC; None for the start of the earliest exposure.
    version
        Such as ``0.0.1``.
    author, descrip
        Empty for what is known by itself.
    serves
        Tells which further values of keywords a reference of a type is for.

    Raises
    ------
    ParameterError
        If the version has another form.
    """

    useafter: datetime | None = None
    version: str = VERSION
    author: str = ""
    descrip: str = ""
    serves: Serves | None = None

    def __post_init__(self) -> None:
        if not _VERSION.fullmatch(self.version):
            raise ParameterError(f"the version is {self.version!r}", "versions are like 0.0.1")


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made, and how.

    Parameters
    ----------
    request
        References and parameters of the steps.
    parameters
        Those of the kind.
    scratch
        A folder for frames on their way.
    watch
        Makes what sees the steps of a file.
    """

    request: Request
    parameters: Any
    scratch: Path
    watch: Watch

    @property
    def library(self) -> Library:
        """The reference files."""
        return self.request.library

    def of(self, step: str) -> Any:
        """The parameters of a step."""
        return self.request.settings.parameters(STEPS[step])

    def without(self, *reftypes: str) -> Order:
        """The same without references of some types."""
        resolver = Hidden(self.request.resolver, frozenset(reftypes))
        return replace(self, request=replace(self.request, resolver=resolver))


@dataclass(frozen=True, slots=True)
class Hidden:
    """A resolver that does not know some types: what is about to be made."""

    others: Resolver
    reftypes: frozenset[str]

    def find(self, header: Mapping[str, Value], reftype: str) -> Reference | None:
        """See `reduce.references.Resolver.find`."""
        return None if reftype in self.reftypes else self.others.find(header, reftype)


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A reference file that is ready to be written.

    Parameters
    ----------
    reftype
        Its type.
    arrays
        Images and tables by name, in order; the image is SCI.
    units
        BUNIT of some of them.
    keywords
        What the header has, from the exposures.
    cards
        Further cards, a value and a comment each.
    records
        The steps that led to it.
    notes
        What people should know, a sentence each.
    """

    reftype: str
    arrays: Mapping[str, Rows]
    units: Mapping[str, str]
    keywords: tuple[str, ...]
    cards: Mapping[str, tuple[Value, str]] = field(default_factory=dict)
    records: tuple[StepRecord, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """A reference file that was written."""

    path: Path
    reftype: str
    sources: tuple[Path, ...]
    provenance: Provenance
    notes: tuple[str, ...]


def moment(text: str) -> datetime:
    """A date that somebody gave, UTC.

    Raises
    ------
    ParameterError
        If it is none.
    """
    try:
        return keywords.date({"DATE-OBS": text.strip()})
    except DataError:
        raise ParameterError(
            f"'{text}' is no date", "write YYYY-MM-DD or YYYY-MM-DDThh:mm:ss, in UTC"
        ) from None
