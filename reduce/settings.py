"""The values of parameters, and who set them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reduce.errors import ParameterError
from reduce.parameters import Option, build, options, unknown
from reduce.recipe import Recipe
from reduce.step import Step
from reduce.steps import STEPS

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Layer:
    """Parameters of steps that one source sets.

    Parameters
    ----------
    origin
        The source, such as ``--set`` or the name of a file.
    values
        By step and parameter; text or what it is.
    """

    origin: str
    values: Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of a parameter, and who set it."""

    step: str
    option: Option
    value: object
    origin: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Layers of parameters, each of which counts more than those before."""

    layers: tuple[Layer, ...] = field(default=())

    def __post_init__(self) -> None:
        for layer in self.layers:
            for step, values in layer.values.items():
                if step not in STEPS:
                    raise unknown("step", step, list(STEPS))
                try:
                    build(STEPS[step].parameters, values, step)
                except ParameterError as problem:
                    raise ParameterError(f"{layer.origin}: {problem.message}", problem.hint) from None

    def below(self, *layers: Layer) -> Settings:
        """With layers that count less than all others."""
        return Settings((*layers, *self.layers))

    def above(self, *layers: Layer) -> Settings:
        """With layers that count more than all others."""
        return Settings((*self.layers, *layers))

    def parameters(self, step: Step) -> object:
        """The parameters of a step."""
        merged: dict[str, object] = {}
        for layer in self.layers:
            merged.update(layer.values.get(step.name, {}))
        return build(step.parameters, merged, step.name)

    def of(self, steps: Sequence[str]) -> Iterator[Setting]:
        """Every parameter of some steps, in their order."""
        for name in steps:
            parameters = self.parameters(STEPS[name])
            for option in options(STEPS[name].parameters):
                origin = self._origin(name, option.name)
                yield Setting(name, option, getattr(parameters, option.name), origin)

    def _origin(self, step: str, parameter: str) -> str:
        for layer in reversed(self.layers):
            if parameter in layer.values.get(step, {}):
                return layer.origin
        return DEFAULT


def recipe_layer(recipe: Recipe) -> Layer:
    """What a recipe sets."""
    return Layer(f"recipe {recipe.name}", recipe.parameters)


def command_line(texts: Sequence[str], origin: str = "--set") -> Layer:
    """What ``step.parameter=value`` on a command line sets.

    Raises
    ------
    ParameterError
        If a text is of another form.
    """
    values: dict[str, dict[str, object]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        step, dot, parameter = name.strip().partition(".")
        if not equals or not dot or not step or not parameter:
            raise ParameterError(f"'{text}' sets no parameter", "write step.parameter=value")
        values.setdefault(step, {})[parameter] = value.strip()
    return Layer(origin, values)
