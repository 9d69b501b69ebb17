"""Options of steps that are used as those of stpipe: files, keyword arguments, attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from calmap.compat.stpipe import get_override_name
from calmap.reduction.memory import is_reference
from calmap.reduction.options import GENERAL, current_names, declared, older_names
from reduce.parameterfiles import ParameterFile, read_parameters
from reduce.parameters import Option, options, unknown
from reduce.references import Reference
from reduce.settings import Layer
from reduce.step import Step
from reduce.steps import REFTYPES, STEPS

_KEYWORDS = "keyword arguments"
_OVERRIDE = "override_"
_POSITIONAL = ("name", "parent", "config_file")


class Configurable:
    """What has options: those set by keyword or as attributes, then those of files, then defaults."""

    class_alias: ClassVar[str] = ""
    """Name of the step in files and in what products say."""
    reference_file_types: ClassVar[Sequence[str]] = ()
    """Types of the reference files that it uses."""
    spec: ClassVar[str] = ""
    """Parameters of a step with ``process``, one a line: ``size = integer(default=3)  # width of a box``."""
    step: ClassVar[Step | None] = None
    """The step that is run, if there is no other ``process``."""

    def __init_subclass__(cls, step: str = "", **others: Any) -> None:
        super().__init_subclass__(**others)
        if step:
            cls.step = STEPS[step]
            cls.class_alias = step
            cls.reference_file_types = tuple(need.reftype for need in STEPS[step].needs)

    def __init__(self, config_file: str | Path | None = None, *others: Any, **options: Any) -> None:
        if others:
            options |= _positional(type(self).__name__, (config_file, *others), options)
            config_file = options.pop("config_file", None)
        self.config_file = config_file
        self._found: list[Reference] = []
        self._files: tuple[ParameterFile, ...] = ()
        if config_file is not None:
            self._files = (read_parameters(Path(config_file).expanduser(), self.alias),)
        self.update_pars(options)

    @property
    def alias(self) -> str:
        """`class_alias`, or the name of the class."""
        return self.class_alias or type(self).__name__

    def get_pars(self) -> dict[str, Any]:
        """Every parameter of the step and its value, without what depends on an exposure."""
        return {option.name: getattr(self, option.name) for option in self._options()}

    def update_pars(self, options: Mapping[str, Any]) -> None:
        """Set options.

        Raises
        ------
        ParameterError
            If there is no such option, or a value is not allowed.
        """
        known = {option.name: option for option in self._options()}
        for name, value in options.items():
            if name not in known and name not in self._names():
                raise unknown(f"option of {type(self).__name__}", name, sorted(self._names()))
            is_set = name in known and not (name in self.reference_file_types and is_reference(value))
            setattr(self, name, known[name].value(value, self.alias) if is_set else value)

    def __getattr__(self, name: str) -> Any:
        """The value of an option that is not set: what files say, or the default."""
        if name.startswith("_"):
            raise AttributeError(name)
        known = {option.name: option for option in self._options()}
        for file in reversed(self._files):
            for said in (file.others, file.layer.values):
                values = current_names(self.alias, said.get(self.alias, {}))
                if name in values:
                    value = values[name]
                    return known[name].value(value, file.layer.origin) if name in known else _as(name, value)
        if name == "skip":
            return any(self.alias in file.skip for file in self._files)
        if name in known:
            return known[name].default
        if name in GENERAL:
            return GENERAL[name]
        if name in self._names():
            return None
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def _layers(self) -> Iterator[Layer]:
        """Parameters that are set, the weaker ones first."""
        for file in self._files:
            values = {
                step: current_names(step, given) for step, given in file.layer.values.items() if step in STEPS
            }
            yield Layer(file.layer.origin, values)
        if self.step is not None:
            names = {option.name for option in self._options()} | older_names(self.alias)
            given = {name: vars(self)[name] for name in sorted(names & vars(self).keys())}
            given = {name: value for name, value in given.items() if not is_reference(value)}
            yield Layer(_KEYWORDS, {self.alias: current_names(self.alias, given)})

    def _inherited(self, name: str) -> Any:
        """An option of the step, or of the pipeline that it is in."""
        value = getattr(self, name)
        return value if value or self.parent is None else self.parent._inherited(name)

    def _overrides(self) -> dict[str, Any]:
        """What is given in place of the references that rules choose, by type."""
        found: dict[str, Any] = {} if self.parent is None else self.parent._overrides()
        for file in self._files:
            for reftype, path in file.overrides.items():
                found[reftype] = "N/A" if path is None else path
        for reftype in (*self.reference_file_types, *REFTYPES):
            for name in (f"{_OVERRIDE}{reftype}", reftype):
                value = vars(self).get(name)
                if value is not None and (name not in self._otherwise() or is_reference(value)):
                    found[REFTYPES.get(reftype, reftype)] = value
        return found

    def _options(self) -> tuple[Option, ...]:
        return declared(self.spec) if self.step is None else options(self.step.parameters)

    def _otherwise(self) -> frozenset[str]:
        """Names of reference types that mean something else as options."""
        return frozenset(option.name for option in self._options())

    def _names(self) -> frozenset[str]:
        """Every option."""
        own = self.reference_file_types
        types = {*own, *(old for old, reftype in REFTYPES.items() if reftype in own)}
        types = {reftype for reftype in types if reftype.isidentifier()}
        names = {option.name for option in self._options()} | older_names(self.alias)
        return frozenset({*GENERAL, *names, *types, *(get_override_name(reftype) for reftype in types)})


def _positional(kind: str, given: tuple[Any, ...], options: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments without keywords as stpipe has them: two or more begin with the name and the parent."""
    if len(given) > len(_POSITIONAL):
        raise TypeError(f"{kind} takes {', '.join(_POSITIONAL)}, and {len(given)} arguments were given")
    named = dict(zip(_POSITIONAL, given, strict=False))
    for name in sorted(named.keys() & options.keys()):
        raise TypeError(f"{kind} was given {name} twice")
    return named


def _as(name: str, value: object) -> object:
    """The value of a general option in a file, as what it is."""
    return str(value).lower() == "true" if isinstance(GENERAL.get(name), bool) else value
