"""Kinds of data: which keywords a header has and what they may say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, NamedTuple

from reduce.errors import DataError, ParameterError
from reduce.keywords import Header, Keyword, find, known
from reduce.references import Value


@dataclass(frozen=True, slots=True)
class Model:
    """A kind of data, as DATAMODL names it.

    Parameters
    ----------
    name, title
        Its name, and what it is in a few words.
    keywords
        What its header may have, beside others.
    required
        What its header must have.
    arrays
        Names of the extensions that it has.
    reftype
        Type of reference file; empty for exposures.
    """

    name: str
    title: str
    keywords: tuple[str, ...]
    required: tuple[str, ...]
    arrays: tuple[str, ...]
    reftype: str = ""


class Problem(NamedTuple):
    """Something wrong with a header."""

    keyword: str
    message: str

    def __str__(self) -> str:
        return f"{self.keyword}: {self.message}"


@cache
def models() -> Mapping[str, Model]:
    """Every kind of data by its name."""
    data = _loaded("models.yaml")
    groups: dict[str, list[str]] = data["groups"]
    return MappingProxyType(
        {
            name: Model(
                name,
                entry["title"],
                tuple(keyword for group in entry["groups"] for keyword in groups[group]),
                tuple(entry["required"]),
                tuple(entry["arrays"]),
                entry.get("reftype", ""),
            )
            for name, entry in data["models"].items()
        }
    )


@cache
def step_keywords() -> Mapping[str, str]:
    """What each ``S_`` keyword is the status of."""
    return MappingProxyType(_loaded("history.yaml")["steps"])


@cache
def reference_keywords() -> Mapping[str, str]:
    """The ``R_`` keyword of each reference type."""
    return MappingProxyType(_loaded("history.yaml")["references"])


def model(name: str) -> Model:
    """A kind of data by its name.

    Raises
    ------
    ParameterError
        If there is none.
    """
    try:
        return models()[name]
    except KeyError:
        raise ParameterError(f"there is no data model {name}", f"known are {', '.join(models())}") from None


def model_of(reftype: str) -> Model:
    """The kind of data of a type of reference file.

    Raises
    ------
    ParameterError
        If there is none.
    """
    for candidate in models().values():
        if candidate.reftype == reftype.upper() != "":
            return candidate
    types = ", ".join(candidate.reftype.lower() for candidate in models().values() if candidate.reftype)
    raise ParameterError(f"there is no data model for references of type {reftype}", f"known are {types}")


def validate(header: Header, name: str) -> list[Problem]:
    """What is wrong with a header for a kind of data; nothing if the list is empty.

    Parameters
    ----------
    header
        A header of any era.
    name
        The kind of data, such as ``DarkModel``.
    """
    wanted = model(name)
    problems = [problem for keyword in wanted.keywords for problem in _checked(header, known(keyword))]
    wrong = {problem.keyword for problem in problems}
    for keyword in wanted.required:
        if keyword not in wrong and find(header, keyword) is None:
            names = " or ".join(known(keyword).accepted)
            problems.append(Problem(keyword, f"it is missing; set {names}"))
    return problems


def _checked(header: Header, wanted: Keyword) -> list[Problem]:
    try:
        value = find(header, wanted.name)
    except DataError as problem:
        return [Problem(wanted.name, problem.message)]
    message = "" if value is None else _refused(wanted, value)
    return [Problem(wanted.name, message)] if message else []


def _refused(wanted: Keyword, value: Value) -> str:
    """Why a value is not allowed; empty if it is."""
    if wanted.values and value not in wanted.values:
        return f"{value!r} is none of {', '.join(wanted.values)}"
    if wanted.pattern and not re.fullmatch(wanted.pattern, str(value)):
        return f"{value!r} does not look like {wanted.pattern}"
    if wanted.least is not None and float(value) < wanted.least:
        return f"{value!r} is less than {wanted.least:g}"
    if wanted.most is not None and float(value) > wanted.most:
        return f"{value!r} is more than {wanted.most:g}"
    return ""


def _loaded(name: str) -> Any:
    import yaml

    return yaml.safe_load((files("reduce") / "schemas" / name).read_text(encoding="utf-8"))
