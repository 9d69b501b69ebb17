"""Recipes: which steps a frame goes through, as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from importlib.resources import files
from pathlib import Path
from typing import Any

from reduce.errors import DataError, ParameterError
from reduce.keywords import find
from reduce.obstypes import observed
from reduce.parameters import build, unknown
from reduce.references import Value
from reduce.steps import STEPS
from reduce.trees import described, parsed_yaml

_DECIDING = ("INSTRUME", "INSTMODE", "IMTYPE")
_KEYS = {"name", "title", "applies", "steps", "parameters"}


class Level(IntEnum):
    """How far the data have come."""

    L0 = 0
    """Raw reads."""
    L1 = 1
    """Rates."""
    L2 = 2
    """Calibrated."""
    L3 = 3
    """Combined."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Steps for a kind of frame.

    Parameters
    ----------
    applies
        The values that a header must have, by keyword; every header has them if it is empty.
    steps
        Names of the steps that lead to each level, in order.
    parameters
        Parameters of the steps that differ from their defaults.
    """

    name: str
    title: str
    applies: Mapping[str, tuple[str, ...]]
    steps: Mapping[Level, tuple[str, ...]]
    parameters: Mapping[str, Mapping[str, object]]

    def matches(self, header: Mapping[str, Value]) -> bool:
        """True if it is for frames with such a header, of any era."""
        return all(_said(header, keyword) in values for keyword, values in self.applies.items())

    def between(self, first: Level, last: Level) -> tuple[str, ...]:
        """Names of the steps that lead from one level to another."""
        return tuple(step for level in Level if first < level <= last for step in self.steps.get(level, ()))

    @property
    def highest(self) -> Level:
        """The last level it has steps for."""
        return max(self.steps)


def bundled() -> tuple[Recipe, ...]:
    """The recipes that come with the package, the most particular first."""
    folder = files("reduce").joinpath("recipes")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    found = [parsed(folder.joinpath(name).read_text(encoding="utf-8"), name) for name in names]
    return tuple(sorted(found, key=lambda recipe: (-len(recipe.applies), recipe.name)))


def load(name: str, folder: Path) -> Recipe:
    """A recipe by its name, or from a file.

    Raises
    ------
    ParameterError
        If there is no such recipe.
    DataError
        If the file is no recipe.
    """
    if name.endswith((".yaml", ".yml")):
        path = folder / name
        try:
            return parsed(path.read_text(encoding="utf-8"), name)
        except (OSError, UnicodeDecodeError) as problem:
            raise ParameterError(f"the recipe {name} can't be read: {_reason(problem)}") from problem
    known = {recipe.name: recipe for recipe in bundled()}
    if name not in known:
        raise unknown("recipe", name, list(known))
    return known[name]


def choose(header: Mapping[str, Value], name: str) -> Recipe:
    """The first of the bundled recipes that is for a frame; `name` is the frame's, for messages."""
    for recipe in bundled():
        if recipe.matches(header):
            return recipe
    values = {keyword: _said(header, keyword) for keyword in _DECIDING}
    lacks = ", ".join(keyword for keyword, value in values.items() if not value)
    said = ", ".join(f"{keyword}='{value}'" for keyword, value in values.items() if value)
    raise ParameterError(
        f"{name}: "
        + (f"no recipe is for {said}" if said else "no recipe is for it")
        + (f"; it has no {lacks}" if lacks else ""),
        "name one with --recipe; calmap reduce --show recipes lists them",
    )


def _said(header: Mapping[str, Value], keyword: str) -> str:
    kind = observed(header)
    if keyword in kind:
        return kind[keyword]
    value = find(header, keyword)
    return "" if value is None else str(value)


def parsed(text: str, name: str) -> Recipe:
    """The recipe that a text describes.

    Raises
    ------
    DataError
        If it is not YAML, or says something a recipe can't.
    """
    try:
        tree = parsed_yaml(text)
    except ValueError as problem:
        raise DataError(f"the recipe {name} can't be read: {problem}") from problem
    if not isinstance(tree, dict) or not isinstance(tree.get("steps"), dict) or not tree["steps"]:
        raise DataError(f"{name} is no recipe: it has no 'steps' with the levels L1, L2 or L3")
    if not tree.keys() <= _KEYS:
        raise DataError(
            f"the recipe {name} has {', '.join(sorted(map(str, tree.keys() - _KEYS)))}",
            f"it may have {', '.join(sorted(_KEYS))}",
        )
    parameters = _parameters(tree.get("parameters") or {}, name)
    steps = {_level(level, name): tuple(_steps(given, name)) for level, given in tree["steps"].items()}
    _require_sense(steps, name)
    return Recipe(
        str(tree.get("name", Path(name).stem)),
        str(tree.get("title", "")),
        {str(keyword): tuple(_texts(values, name)) for keyword, values in _table(tree.get("applies"), name)},
        steps,
        parameters,
    )


def _require_sense(steps: Mapping[Level, tuple[str, ...]], name: str) -> None:
    """Refuse steps that would not be run, or not as one would think."""
    every = [step for listed in steps.values() for step in listed]
    twice = [step for step in every if every.count(step) > 1]
    if twice:
        raise DataError(f"the recipe {name} has the step {twice[0]} twice")
    for level, listed in steps.items():
        for step in listed:
            if (STEPS[step].takes == "frames") != (level is Level.L3):
                many = "several frames" if STEPS[step].takes == "frames" else "one exposure"
                raise DataError(
                    f"the recipe {name} has the step {step}, which takes {many}, at {level.name}",
                    "what leads to L3 makes one frame of several, and all other steps come before",
                )
    if len(steps.get(Level.L3, ())) > 1:
        raise DataError(
            f"the recipe {name} has {len(steps[Level.L3])} steps that lead to L3; there can be one"
        )


def _table(tree: object, name: str) -> Iterator[tuple[Any, Any]]:
    if tree is None:
        return
    if not isinstance(tree, dict):
        raise DataError(f"the recipe {name} has {described(tree)} where a table of keywords is expected")
    yield from tree.items()


def _level(level: object, name: str) -> Level:
    if level not in ("L1", "L2", "L3"):
        raise DataError(f"the recipe {name} has the level {described(level)}; levels are L1, L2 and L3")
    return Level[str(level)]


def _texts(values: object, name: str) -> list[str]:
    listed = values if isinstance(values, list) else [values]
    texts = [value for value in listed if isinstance(value, str)]
    if len(texts) < len(listed):
        raise DataError(f"the recipe {name} has {described(values)} where texts are expected")
    return texts


def _steps(steps: object, name: str) -> list[str]:
    listed = _texts(steps, name)
    for step in listed:
        if step not in STEPS:
            raise unknown("step", step, list(STEPS))
    return listed


def _parameters(tree: object, name: str) -> dict[str, Mapping[str, object]]:
    tables: dict[str, Mapping[str, object]] = {}
    for step, values in _table(tree, name):
        if step not in STEPS:
            raise unknown("step", str(step), list(STEPS))
        given = {str(key): value for key, value in _table(values, name)}
        build(STEPS[step].parameters, given, step)
        tables[step] = given
    return tables


def _reason(problem: OSError | UnicodeDecodeError) -> str:
    return str(problem.strerror if isinstance(problem, OSError) else "it is not UTF-8")
