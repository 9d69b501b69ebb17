"""Reduces files: chooses recipe and parameters, runs the steps, keeps track of where everything came from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from reduce.files.reader import open_any
from reduce.frame import Frame, FrameRows, Ramp
from reduce.hashes import Hashes
from reduce.headers import plain
from reduce.library import Library
from reduce.obstypes import observation_of
from reduce.parameterfiles import parameter_layer
from reduce.parameters import unknown
from reduce.pipeline import LEFT_OUT, Data, Task, Watcher, combine, run
from reduce.provenance import InputFile, Provenance, StepRecord
from reduce.recipe import Level, Recipe, choose
from reduce.references import Overrides, Resolver, Value, sha256
from reduce.settings import Settings, recipe_layer
from reduce.step import Step
from reduce.steps import STEPS

DISTRIBUTION = "calmap-toolkit"


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

    @property
    def library(self) -> Library:
        """The reference files."""
        return Library(self.resolver, self.allowed, self.hashes)

    def names(self, reftype: str) -> bool:
        """True if somebody named a file for a type."""
        return isinstance(self.resolver, Overrides) and reftype in self.resolver.files

    def given(self, reftype: str, path: Path) -> Request:
        """With a file for a type."""
        return replace(self, resolver=Overrides({reftype: path}, self.resolver))


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
        return InputFile(str(self.path), self.sha256 or sha256(self.path))


def opened(path: Path) -> Data:
    """A ramp or frame with its file as its only input.

    Raises
    ------
    DataError
        If the file can't be used.
    """
    data = open_any(path)
    inputs = (InputFile(str(path), sha256(path)),)
    return replace(data, provenance=replace(data.provenance, inputs=inputs))


def level(data: Data) -> Level:
    """How far data have come: by their kind and DATALVL."""
    if isinstance(data, Ramp):
        return Level.L0
    given = plain(data.header).get("DATALVL", 1)
    text = str(given).strip().upper().removeprefix("L")
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
    names = recipe.between(first, last)
    settings = settings_for(recipe, names, request, header)
    tasks = tuple(task(STEPS[name], settings, request.skip) for name in names)
    return Plan(path, recipe, first, last, tasks)


def task(step: Step, settings: Settings, skip: Collection[str] = ()) -> Task:
    """A step with its parameters."""
    return Task(step, settings.parameters(step), LEFT_OUT if step.name in skip else "")


def settings_for(
    recipe: Recipe, steps: Sequence[str], request: Request, header: Mapping[str, Value]
) -> Settings:
    """Parameters by recipe, parameter references, and the request."""
    layers = []
    for step in steps:
        reference = request.resolver.find(header, f"pars-{step}")
        if reference is not None and reference.path is not None:
            layers.append(parameter_layer(reference.path, step))
    return request.settings.below(recipe_layer(recipe), *layers)


def reduced(data: Data, plan: Plan, request: Request, watcher: Watcher | None = None) -> Data:
    """The data after the steps of a plan; see `reduce.pipeline.run` for what is raised."""
    result = run(data, plan.tasks, request.library, watcher)
    header = result.header.copy()
    header["DATALVL"] = int(plan.last)
    observation = observation_of(plain(header))
    if observation is not None:
        header["OBSTYPE"], header["OBSNAME"] = observation.obstype, observation.obsname
    if isinstance(result, Frame):
        header["DATAMODL"] = "ImagerModel"
    return replace(result, header=header, provenance=_stamped(result.provenance, plan.recipe))


def combined(products: Sequence[Product], step: str, recipe: Recipe, request: Request) -> Frame:
    """One frame of several products, by a step of a recipe.

    Raises
    ------
    ParameterError
        If the step does not combine frames.
    DataError
        If the frames don't go together.
    """
    settings = settings_for(recipe, (step,), request, plain(products[0].frame.header))
    whole = combine([product.frame for product in products], task(STEPS[step], settings), request.library)
    header = whole.header.copy()
    header["DATALVL"] = int(Level.L3)
    inputs = tuple(product.input for product in products)
    steps: list[StepRecord] = []
    for record in (record for product in products for record in product.frame.provenance.steps):
        if record not in steps:
            steps.append(record)
    provenance = replace(whole.provenance, inputs=inputs, steps=(*steps, whole.provenance.steps[-1]))
    return replace(whole, header=header, provenance=_stamped(provenance, recipe))


def _stamped(provenance: Provenance, recipe: Recipe) -> Provenance:
    return replace(provenance, recipe=recipe.name, version=software_version())


def software_version() -> str:
    """The version of this software, or ``unknown`` if it is not installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"
