"""Reduces files: chooses recipe and parameters, runs the steps, keeps track of where everything came from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reduce.dq import DEFINITIONS, DQ, flagged
from reduce.errors import DataError, ParameterError
from reduce.files.contents import contents
from reduce.files.integrity import checked_sha256
from reduce.files.ramps import is_ramp
from reduce.files.reader import open_any
from reduce.frame import Frame, FrameRows, Ramp
from reduce.hashes import Hashes
from reduce.headers import plain
from reduce.keywords import find
from reduce.library import Library
from reduce.obstypes import observation_of
from reduce.parameterfiles import parameter_layer
from reduce.parameters import unknown
from reduce.pipeline import LEFT_OUT, Data, Task, Watcher, combine, run
from reduce.provenance import InputFile, Provenance, StepRecord, software_version
from reduce.recipe import Level, Recipe, choose
from reduce.references import Overrides, Reference, Resolver, Value
from reduce.settings import Settings, recipe_layer
from reduce.step import PARAMETERS, Need, Step
from reduce.steps import STEPS, known_reftype

if TYPE_CHECKING:
    from astropy.io.fits import Header

_COMMON = 0.5


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be done, and how.

    Parameters
    ----------
    resolver
        Where reference files come from.
    recipe
        The recipe, or None to choose one by the header of each file.
    first, last
        Levels from and to which the data are brought; None for what the file is, and for L2.
    settings
        Parameters that count more than those of recipes.
    skip
        Names of steps that are left out.
    allowed
        Reference types that may be missing.
    hashes
        Of the reference files, which are the same for many exposures.
    """

    resolver: Resolver
    recipe: Recipe | None = None
    first: Level | None = None
    last: Level | None = None
    settings: Settings = field(default_factory=Settings)
    skip: Collection[str] = ()
    allowed: Collection[str] = ()
    hashes: Hashes = field(default_factory=Hashes, compare=False, repr=False)

    def __post_init__(self) -> None:
        for step in self.skip:
            if step not in STEPS:
                raise unknown("step", step, list(STEPS))
        named = self.resolver.files if isinstance(self.resolver, Overrides) else ()
        for reftype in (*self.allowed, *named):
            known_reftype(reftype)

    @property
    def library(self) -> Library:
        """The reference files."""
        return Library(self.resolver, self.allowed, self.hashes)

    def names(self, reftype: str) -> bool:
        """True if somebody named a file for a type."""
        return isinstance(self.resolver, Overrides) and reftype in self.resolver.files

    @property
    def named(self) -> tuple[Path, ...]:
        """The reference files that somebody named."""
        files: list[Path] = []
        resolver: Resolver | None = self.resolver
        while isinstance(resolver, Overrides):
            files += [path for path in resolver.files.values() if path is not None]
            resolver = resolver.others
        return tuple(files)

    def given(self, reftype: str, path: Path, reason: str) -> Request:
        """With a file for a type, and why it is this one."""
        return replace(self, resolver=Overrides({reftype: path}, self.resolver, reason))


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done to one file."""

    path: Path
    recipe: Recipe
    first: Level
    last: Level
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """A frame that is read by rows.

    Parameters
    ----------
    path
        Its file.
    frame
        What is in it.
    sha256
        Of the frame, if it is in no file; empty for that of the file.
    """

    path: Path
    frame: FrameRows
    sha256: str = ""

    @property
    def input(self) -> InputFile:
        """What is recorded of it."""
        return InputFile(str(self.path), self.sha256 or checked_sha256(self.path))


def opened(path: Path) -> Data:
    """A ramp or frame with its file as its only input.

    Raises
    ------
    DataError
        If the file can't be used.
    """
    data = open_any(path)
    inputs = (InputFile(str(path), checked_sha256(path)),)
    return replace(data, provenance=replace(data.provenance, inputs=inputs))


def level(data: Data) -> Level:
    """How far data have come: by their kind and DATALVL."""
    return Level.L0 if isinstance(data, Ramp) else level_of(plain(data.header))


def level_of(header: Mapping[str, Value]) -> Level:
    """How far a frame has come: by DATALVL, L1 without."""
    text = str(header.get("DATALVL", 1)).strip().upper().removeprefix("L")
    return Level(int(text)) if text in {"1", "2", "3"} else Level.L1


def planned(data: Data, path: Path, request: Request) -> Plan:
    """What a request means for a file.

    Raises
    ------
    ParameterError
        If there is no recipe, no step to be run, or a parameter is wrong.
    """
    header = plain(data.header)
    recipe = request.recipe or choose(header, path.name)
    first = level(data) if request.first is None else request.first
    wanted = Level.L2 if request.last is None else min(request.last, Level.L2)
    last = max((each for each, steps in recipe.steps.items() if steps and each <= wanted), default=wanted)
    return Plan(path, recipe, first, last, tasks_for(recipe, recipe.between(first, last), request, header))


def passed_over(path: Path, request: Request) -> str:
    """Why a file that nobody named would not be reduced, such as one in a folder; empty if it would.

    Raises
    ------
    DataError
        If the file can't be used.
    """
    found = contents(path)
    header = plain(found.primary)
    try:
        recipe = request.recipe or choose(header, path.name)
    except ParameterError:
        return "that no recipe is for"
    wanted = Level.L2 if request.last is None else request.last
    own = Level.L0 if is_ramp(found) else level_of(header)
    first = own if request.first is None else request.first
    last = max((each for each, steps in recipe.steps.items() if steps and each <= wanted), default=wanted)
    return f"at {first.name} already" if first >= last else ""


def task(step: Step, settings: Settings, skip: Collection[str] = ()) -> Task:
    """A step with its parameters."""
    return Task(step, settings.parameters(step), LEFT_OUT if step.name in skip else "")


def tasks_for(
    recipe: Recipe, steps: Sequence[str], request: Request, header: Mapping[str, Value]
) -> tuple[Task, ...]:
    """Steps with their parameters, and with the parameter references that these come from."""
    references = _parameter_references([step for step in steps if step not in request.skip], request, header)
    settings = _settings(recipe, references, request)
    return tuple(
        replace(
            task(STEPS[name], settings, request.skip),
            uses=(request.library.use(references[name]),) if name in references else (),
        )
        for name in steps
    )


def settings_for(
    recipe: Recipe, steps: Sequence[str], request: Request, header: Mapping[str, Value]
) -> Settings:
    """Parameters by recipe, parameter references, and the request."""
    return _settings(recipe, _parameter_references(steps, request, header), request)


def _settings(recipe: Recipe, references: Mapping[str, Reference], request: Request) -> Settings:
    files = {step: reference.path for step, reference in references.items()}
    layers = [parameter_layer(path, step) for step, path in files.items() if path is not None]
    return request.settings.below(recipe_layer(recipe), *layers)


def _parameter_references(
    steps: Sequence[str], request: Request, header: Mapping[str, Value]
) -> dict[str, Reference]:
    """The parameter references of steps for which there are rules."""
    found = {
        step: request.library.find(Need(f"{PARAMETERS}{step}", required=False), header) for step in steps
    }
    return {step: reference for step, reference in found.items() if reference is not None}


def reduced(data: Data, plan: Plan, request: Request, watcher: Watcher | None = None) -> Data:
    """The data after the steps of a plan; see `reduce.pipeline.run` for what is raised."""
    _require_errors(data, plan.path)
    result = run(data, plan.tasks, request.library, watcher)
    _require_good(result, plan.path)
    header = result.header.copy()
    header["DATALVL"] = int(plan.last)
    observation = observation_of(plain(header))
    if observation is not None:
        header["OBSTYPE"], header["OBSNAME"] = observation.obstype, observation.obsname
    if isinstance(result, Frame):
        header["DATAMODL"] = "ImagerModel"
    return replace(result, header=header, provenance=_stamped(result.provenance, plan.recipe))


def _require_errors(data: Data, path: Path) -> None:
    """Refuse a frame that does not say how uncertain it is: all that follows would be too certain."""
    if isinstance(data, Frame) and not any(variance.any() for variance in data.variances.values()):
        raise DataError(
            f"{path} has no ERR and no VAR_*, or they are 0: its errors are not known",
            "reduce it from its raw reads, or add an ERR",
        )


def _require_good(data: Data, path: Path) -> None:
    """Refuse a product without a single good pixel, and say why there is none."""
    if not isinstance(data, Frame) or not flagged(data.dq).all():
        return
    shares = {one.name: flagged(data.dq, DQ(one.value)).mean() for one in DEFINITIONS[1:]}
    common = [f"{name} {share:.0%}" for name, share in shares.items() if share >= _COMMON]
    bits = ", ".join(common) or "DO_NOT_USE alone"
    raise DataError(
        f"{path}: no pixel can be used after all steps; quality bits: {bits}",
        "look at the file and at its references with calmap quicklook",
    )


def combined(
    products: Sequence[Product],
    step: str,
    recipe: Recipe,
    request: Request,
    watcher: Watcher | None = None,
) -> Frame:
    """One frame of several products, by a step of a recipe.

    Raises
    ------
    ParameterError
        If the step does not combine frames, or is to be left out.
    DataError
        If the frames don't go together.
    """
    if step in request.skip:
        raise ParameterError(
            f"the step {step} can't be left out: it makes one frame of several",
            "keep the frames themselves with --to L2",
        )
    [chosen] = tasks_for(recipe, (step,), request, plain(products[0].frame.header))
    whole = combine([product.frame for product in products], chosen, request.library, watcher)
    header = _of_all(whole.header, [plain(product.frame.header) for product in products])
    header["DATALVL"] = int(Level.L3)
    inputs = tuple(product.input for product in products)
    steps: list[StepRecord] = []
    for record in (record for product in products for record in product.frame.provenance.steps):
        if record not in steps:
            steps.append(record)
    provenance = replace(whole.provenance, inputs=inputs, steps=(*steps, whole.provenance.steps[-1]))
    return replace(whole, header=header, provenance=_stamped(provenance, recipe))


def _of_all(header: Header, headers: Sequence[Mapping[str, Value]]) -> Header:
    """The header of the first frame, with the exposure time and the end of all."""
    result = header.copy()
    times = [find(one, "EXPTIME") for one in headers]
    ends = [one["DATE-END"] for one in headers if isinstance(one.get("DATE-END"), str)]
    if None not in times:
        result["EXPTIME"] = (sum(float(time or 0) for time in times), "s, of all frames together")
    if len(ends) == len(headers):
        result["DATE-END"] = max(map(str, ends))
    result["NCOMBINE"] = (len(headers), "frames that were combined")
    return result


def _stamped(provenance: Provenance, recipe: Recipe) -> Provenance:
    return replace(provenance, recipe=recipe.name, version=software_version())
