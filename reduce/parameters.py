"""Typed parameters of steps: declared once, read from text, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from difflib import get_close_matches
from typing import Any, TypeVar, get_type_hints

from reduce.errors import ParameterError
from reduce.trees import described

Parameters = TypeVar("Parameters")
_META = "option"
_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}
_NONE = {"none", "null", ""}


@dataclass(frozen=True, slots=True)
class Option:
    """What is known of one parameter.

    Parameters
    ----------
    name
        Its name.
    kind
        ``bool``, ``int``, ``float`` or ``str``.
    optional
        True if None is a value too.
    default
        Its value if nobody sets it.
    help
        What it does, in one sentence.
    choices
        The values that are allowed; empty for all.
    least, most
        The range of a number, both ends allowed.
    unit
        Unit of a number.
    """

    name: str
    kind: type
    optional: bool
    default: Any
    help: str
    choices: tuple[str, ...] = ()
    least: float = -math.inf
    most: float = math.inf
    unit: str = ""

    @property
    def allowed(self) -> str:
        """What may be given, in words."""
        if self.choices:
            return ", ".join(self.choices)
        words = {"bool": "true or false", "int": "a whole number", "float": "a number", "str": "a text"}
        text = words[self.kind.__name__]
        if self.least > -math.inf and self.most < math.inf:
            text += f" from {self.least:g} to {self.most:g}"
        elif self.least > -math.inf:
            text += f" of at least {self.least:g}"
        elif self.most < math.inf:
            text += f" of at most {self.most:g}"
        return text + (", or none" if self.optional else "")

    def value(self, given: object, place: str) -> Any:
        """The value that was given, as text or as what it is.

        Raises
        ------
        ParameterError
            If it is not allowed; `place` says whose parameter it is.
        """
        if given is None or (isinstance(given, str) and self.optional and given.lower() in _NONE):
            if self.optional:
                return None
            raise self._wrong(given, place)
        try:
            value = self._converted(given)
        except (TypeError, ValueError, OverflowError):
            raise self._wrong(given, place) from None
        in_range = self.kind not in (int, float) or self.least <= value <= self.most
        if self.kind is float and not math.isfinite(value):
            in_range = False
        if not in_range or (self.choices and value not in self.choices):
            raise self._wrong(given, place)
        return value

    def _converted(self, given: object) -> Any:
        if self.kind is bool:
            return truth(given)
        if isinstance(given, (dict, list)):
            raise TypeError
        if self.kind is str:
            return str(given)
        if isinstance(given, bool):
            raise TypeError
        if self.kind is int and isinstance(given, float) and not given.is_integer():
            raise ValueError
        return self.kind(given)

    def _wrong(self, given: object, place: str) -> ParameterError:
        return ParameterError(f"{place}.{self.name} is {described(given)}", f"it has to be {self.allowed}")


def truth(given: object) -> bool:
    """True or false, as what it is or as text.

    Raises
    ------
    ValueError
        If it is neither.
    """
    text = str(given).strip().lower()
    if text in _TRUE | _FALSE:
        return text in _TRUE
    raise ValueError(f"{described(given)} is neither true nor false")


def option(
    default: Any,
    help: str,  # noqa: A002
    *,
    choices: tuple[str, ...] = (),
    least: float = -math.inf,
    most: float = math.inf,
    unit: str = "",
) -> Any:
    """A parameter of a step: the default of a field of a dataclass."""
    about = {"help": help, "choices": choices, "least": least, "most": most, "unit": unit}
    return field(default=default, metadata={_META: about})


def options(parameters: type) -> tuple[Option, ...]:
    """The parameters that a dataclass declares."""
    hints = get_type_hints(parameters)
    return tuple(_option(each, hints[each.name]) for each in fields(parameters))


def _option(declared: Field[Any], hint: Any) -> Option:
    kinds = [kind for kind in getattr(hint, "__args__", (hint,)) if kind is not type(None)]
    assert declared.default is not MISSING
    optional = len(getattr(hint, "__args__", ())) > 1
    return Option(declared.name, kinds[0], optional, declared.default, **declared.metadata[_META])


def build(parameters: type[Parameters], given: Mapping[str, object], place: str) -> Parameters:
    """Parameters with some values set.

    Parameters
    ----------
    parameters
        The dataclass.
    given
        Values, as text or as what they are.
    place
        Name of the step, for messages.

    Raises
    ------
    ParameterError
        If there is no such parameter, or a value is not allowed.
    """
    known = {each.name: each for each in options(parameters)}
    for name in given:
        if name not in known:
            raise unknown("parameter", f"{place}.{name}", [f"{place}.{each}" for each in known])
    return parameters(**{name: known[name].value(value, place) for name, value in given.items()})


def texts(parameters: object) -> dict[str, str]:
    """Every parameter and its value, as text that `build` reads back."""
    values = {each.name: getattr(parameters, each.name) for each in options(type(parameters))}
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in values.items()
    }


def unknown(what: str, name: str, known: list[str]) -> ParameterError:
    """An error about a name that does not exist, with the nearest ones or all of them."""
    near = get_close_matches(name, known, n=1) or [each for each in known if name and name in each]
    listed = f"there are {', '.join(sorted(known))}" if known else "there is none"
    return ParameterError(f"there is no {what} '{name}'", f"did you mean '{near[0]}'?" if near else listed)
