"""The base of pipelines that are used as those of stpipe."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from calmap.reduction.inputs import Exposure, Exposures
from calmap.reduction.overriding import Named
from calmap.reduction.saving import Saving
from calmap.reduction.selection import lookup_errors
from calmap.reduction.step import LigerIRISStep
from reduce.frame import Ramp
from reduce.parameters import unknown
from reduce.pipeline import Data, Task
from reduce.recipe import Level, Recipe
from reduce.session import Request, planned, reduced
from reduce.settings import Layer
from reduce.step import Step


class LigerIRISPipeline(LigerIRISStep):
    """Steps one after the other; each is an attribute with options of its own.

    A subclass may have a method ``process`` that runs its steps as it likes. Otherwise those of `step_defs`
    are run in their order.

    Parameters
    ----------
    config_file
        As of `LigerIRISStep`; parameters of steps are in sections below ``steps``.
    steps
        Options of steps by their names.
    options
        As of `LigerIRISStep`. Reference files that are named are for all steps.
    """

    step_defs: ClassVar[Mapping[str, type[LigerIRISStep]]] = MappingProxyType({})
    """Classes of the steps by their names."""
    levels: ClassVar[tuple[Level, Level]] = (Level.L1, Level.L2)
    """Levels from and to which exposures are brought."""

    def __init_subclass__(cls, step: str = "", **others: Any) -> None:
        super().__init_subclass__(step, **others)
        types = (reftype for kind in cls.step_defs.values() for reftype in kind.reference_file_types)
        cls.reference_file_types = tuple(dict.fromkeys(types))

    def __init__(
        self,
        config_file: str | Path | None = None,
        *others: Any,
        steps: Mapping[str, Mapping[str, Any]] | None = None,
        **options: Any,
    ) -> None:
        if others and isinstance(others[0], Mapping):
            steps, others = others[0], others[1:]
        super().__init__(config_file, *others, **options)
        given = dict(steps or {})
        self._more_steps(given)
        for name, kind in self.step_defs.items():
            part = kind(parent=self, **dict(given.pop(name, {})))
            part._files = (*part._files, *(replace(file, overrides={}) for file in self._files))
            setattr(self, name, part)
        if given:
            raise unknown(f"step of {type(self).__name__}", min(given), list(self.step_defs))

    def _more_steps(self, given: dict[str, Mapping[str, Any]]) -> None:
        """Make steps that are not in `step_defs`, and take their options out of what is given."""

    def process(self, given: Any) -> Any:
        """One exposure after all steps."""
        return self._stepped(given)

    def _stepped(self, data: Data, only: Collection[str] = ()) -> Data:
        """One exposure after the steps with some names, by default all."""
        request, path = self._request(), Path(str(data.header.get("FILENAME") or type(self).__name__))
        with lookup_errors(self._selection()):
            if isinstance(data, Ramp) and self.levels[0] > Level.L0:
                data = self._fitted(data, path, request)
            plan = planned(data, path, request)
            tasks = tuple(self._emptied(task) for task in plan.tasks if not only or task.step.name in only)
            return self._noted(reduced(data, replace(plan, tasks=tasks), request))

    def _fitted(self, ramp: Ramp, path: Path, request: Request) -> Data:
        """Raw reads brought to the level that the pipeline begins with."""
        before = replace(request, recipe=None, first=Level.L0, last=self.levels[0])
        result = reduced(ramp, planned(ramp, path, before), before)
        self._found += [use.reference for use in result.provenance.references]
        return result

    def _emptied(self, task: Task) -> Task:
        """A task that is left out too if the step's override is an empty text."""
        part = next(part for part in self._parts() if part.step is task.step)
        return replace(task, skipped=task.skipped or part._left_out())

    def _otherwise(self) -> frozenset[str]:
        return super()._otherwise().union(self.step_defs)

    def _parts(self) -> tuple[LigerIRISStep, ...]:
        return tuple(getattr(self, name) for name in self.step_defs)

    def _steps(self) -> tuple[Step, ...]:
        return tuple(part.step for part in self._parts() if part.step is not None)

    def _recipe(self) -> Recipe:
        names = tuple(step.name for step in self._steps())
        return Recipe(type(self).__name__, "", {}, {self.levels[1]: names}, {})

    def _request(self) -> Request:
        request = super()._request()
        named = dict(request.resolver.references) if isinstance(request.resolver, Named) else {}
        for part in self._parts():
            resolver = part._request().resolver
            named |= dict(resolver.references) if isinstance(resolver, Named) else {}
        return replace(
            request,
            resolver=Named(named, self._selection()),
            recipe=self._recipe(),
            first=self.levels[0],
            last=self.levels[1],
            skip=frozenset(part.alias for part in self._parts() if part.skip),
            allowed=frozenset(request.allowed).union(*(part._request().allowed for part in self._parts())),
        )

    def _layers(self) -> Iterator[Layer]:
        for part in self._parts():
            yield from part._layers()

    def _results(self, found: Exposures) -> tuple[list[Any], list[Path]]:
        self.prefetch_references([exposure.source for exposure in found.all])
        chosen = found.science or found.sky
        return [self._one(exposure) for exposure in chosen], [exposure.path for exposure in chosen]

    def _one(self, exposure: Exposure) -> Any:
        return self.process(exposure.data())

    def save(self, results: Any, sources: Any) -> list[Path]:
        """Write what came out, and say where."""
        return self._saving().write(results, sources)

    def _saving(self) -> Saving:
        level = None if self.suffix else self.levels[1]
        return Saving(self.output_dir, self.output_file, self.suffix or "", bool(self.overwrite), level)
