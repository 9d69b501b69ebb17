"""Steps: a kernel, the reference types it needs, and how it is recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from reduce.calibration import ReferenceFile
from reduce.frame import Frame, FrameRows, Ramp

PARAMETERS: Final = "pars-"
"""Begins the types of parameter references; the name of the step comes after it."""
References: TypeAlias = Mapping[str, ReferenceFile]
"""What a step gets, by reference type; a type it can do without may be absent."""
BlockWork: TypeAlias = Callable[[Ramp], Ramp]
"""What is done to a block of rows."""


@dataclass(frozen=True, slots=True)
class NoParameters:
    """For steps that have none."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A step finds that it has nothing to do, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A ramp about to be corrected by blocks of rows.

    Parameters
    ----------
    ramp
        The whole ramp; a step may give its pixels other quality bits at once.
    work
        Corrects a block of its rows.
    halo
        So many rows above and below a block have to be there for its own to come out right.
    """

    ramp: Ramp
    work: BlockWork
    halo: int = 0


@dataclass(frozen=True, slots=True)
class Need:
    """A reference type that a step uses.

    Parameters
    ----------
    reftype
        The type, as the rules name it.
    required
        False if the step has another way where there are no rules for the type.
    """

    reftype: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class _Step:
    """What all steps have.

    Parameters
    ----------
    name
        Its name in recipes and parameters.
    keyword
        The keyword of its status in headers.
    title
        What it does, in a few words.
    needs
        Reference types that it uses.
    parameters
        A dataclass of `reduce.parameters.option` fields.
    """

    name: str
    keyword: str
    title: str
    needs: tuple[Need, ...] = ()
    parameters: type = NoParameters


@dataclass(frozen=True, slots=True, kw_only=True)
class RampStep(_Step):
    """A step on the reads of a ramp; `prepare` sees the whole, what it gives works on blocks of rows."""

    prepare: Callable[[Ramp, References, Any], Prepared | Skipped]
    takes: Literal["ramp"] = field(default="ramp", init=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FitStep(_Step):
    """The step that turns blocks of a ramp into blocks of a frame."""

    prepare: Callable[[Ramp, References, Any], Callable[[Ramp], Frame]]
    takes: Literal["fit"] = field(default="fit", init=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameStep(_Step):
    """A step on a frame."""

    apply: Callable[[Frame, References, Any], Frame | Skipped]
    takes: Literal["frame"] = field(default="frame", init=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FramesStep(_Step):
    """A step that makes one frame of several."""

    apply: Callable[[Sequence[FrameRows], References, Any], Frame]
    takes: Literal["frames"] = field(default="frames", init=False)


Step: TypeAlias = RampStep | FitStep | FrameStep | FramesStep
