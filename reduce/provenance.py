"""What was done to a frame, and with which files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from reduce.references import Reference

DISTRIBUTION = "calmap-toolkit"
Status = Literal["COMPLETE", "SKIPPED"]


@dataclass(frozen=True, slots=True)
class ReferenceUse:
    """A reference file that a step used, and the sha256 of its bytes; empty for N/A."""

    reference: Reference
    sha256: str


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step that was run or left out.

    Parameters
    ----------
    step
        Its name, such as ``flat_field``.
    keyword
        Its keyword in the header, such as ``S_FLAT``.
    parameters
        Every parameter and its value, as text that reads back.
    reason
        Why it was skipped; empty otherwise.
    """

    step: str
    keyword: str
    status: Status
    parameters: Mapping[str, str] = field(default_factory=dict)
    references: tuple[ReferenceUse, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that the frame was made from."""

    path: str
    sha256: str
    role: str = "science"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Everything that is needed to make a frame again.

    Parameters
    ----------
    recipe
        Name of the recipe, empty if steps were called by hand.
    version
        Version of the software, empty if unknown.
    """

    recipe: str = ""
    version: str = ""
    inputs: tuple[InputFile, ...] = ()
    steps: tuple[StepRecord, ...] = ()

    @property
    def references(self) -> tuple[ReferenceUse, ...]:
        """Every reference that a step used, each type once, in the order of the steps."""
        uses = {use.reference.reftype: use for step in self.steps for use in step.references}
        return tuple(uses.values())

    def after(self, record: StepRecord) -> Provenance:
        """With one step more."""
        return replace(self, steps=(*self.steps, record))


def software_version() -> str:
    """The version of this software, or ``unknown`` if it is not installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"
