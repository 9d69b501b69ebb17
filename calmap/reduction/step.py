"""The base of steps that are used as those of stpipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from logging import getLogger
from pathlib import Path
from typing import Any, TypeVar

from calmap.compat.stpipe import check_reference_open
from calmap.reduction.configurable import Configurable
from calmap.reduction.inputs import Exposure, Exposures, exposures, header_of
from calmap.reduction.memory import is_reference
from calmap.reduction.overriding import EMPTY, Named, named_reference
from calmap.reduction.saving import Saving
from calmap.reduction.selection import Selection, lookup_errors
from reduce.errors import ParameterError
from reduce.frame import Frame, Ramp
from reduce.headers import plain
from reduce.pipeline import LEFT_OUT, Data, run
from reduce.provenance import ReferenceUse, StepRecord, software_version
from reduce.recipe import Recipe
from reduce.references import Reference, required, sha256
from reduce.session import Request, combined, tasks_for
from reduce.settings import Settings
from reduce.step import FramesStep, Step
from reduce.steps import REFTYPES

Made = TypeVar("Made", Ramp, Frame, Data)


class LigerIRISStep(Configurable):
    """A step, used as those of stpipe and of the Liger/IRIS pipeline.

    A subclass has a method ``process``, which takes an exposure and gives what comes out, and may declare
    parameters in `spec`. Those of this package have a step of `reduce.steps` instead.

    Parameters
    ----------
    config_file
        Parameters from a .cfg, .asdf, YAML or TOML file. They count more than those of a parameter
        reference, which count more than defaults.
    options
        What counts most: parameters of the step; ``override_<type>`` and ``<type>`` for reference files,
        where N/A stands for none; ``skip``, ``save_results``, ``output_dir``, ``output_file``, ``suffix``,
        ``overwrite``, ``allow_missing``; and ``cache``, ``context``, ``observatory``, which otherwise come
        from the environment. Each is an attribute too, which may be set until the step is run.

    Raises
    ------
    ParameterError
        If there is no such option, or a value is not allowed.
    """

    @classmethod
    def call(cls, *args: Any, **options: Any) -> Any:
        """Make a step with these options and run it."""
        return cls(options.pop("config_file", None), **options).run(*args)

    def run(self, given: Any, **options: Any) -> Any:
        """What comes out of the step.

        Parameters
        ----------
        given
            A path of a FITS file or an association, a `Frame`, a `Ramp`, a ``CCDData``, or a sequence of
            these. It is left as it is.
        options
            As of the class; they stay in force.

        Returns
        -------
        Frame, Ramp or list
            A list for several exposures, unless the step makes one of them.

        Raises
        ------
        CrdsError
            If there is no reference for a type that is needed.
        ReduceError
            If data, parameters or products are not as they should be.
        """
        self.update_pars(options)
        self._found.clear()
        found = exposures(given)
        results, sources = self._results(found)
        if self.save_results:
            self.save(results, sources)
        return results if found.several and not isinstance(self.step, FramesStep) else results[0]

    def process(self, given: Any) -> Any:
        """What comes out for one exposure, or for a list of them if the step makes one of several."""
        if self.step is None:
            raise NotImplementedError(f"{type(self).__name__} has no method process")
        if isinstance(self.step, FramesStep):
            return self._combined(exposures(given))
        return self._stepped(given)

    def get_reference_file(self, given: Any, reference_file_type: str) -> Any:
        """The reference file of a type for an exposure.

        Parameters
        ----------
        given
            What `run` takes, a header, or a model with ``get_crds_parameters``.
        reference_file_type
            Such as ``dark``.

        Returns
        -------
        str or Frame
            Its path, or ``N/A`` if the type does not apply; what was given as an override if that is data;
            an empty text for an empty override.

        Raises
        ------
        CrdsError
            If there is none.
        OSError
            If it can't be read.
        """
        reftype = REFTYPES.get(reference_file_type, reference_file_type)
        value = self._overrides().get(reftype)
        if _is_empty(value):
            return EMPTY
        if value is not None:
            reference = named_reference(reftype, value)
        else:
            selection = self._selection(pointers=True)
            with lookup_errors(selection):
                reference = required(selection, header_of(given), reftype)
        assert reference is not None
        self._found.append(reference)
        if is_reference(value):
            return value
        return "N/A" if reference.path is None else check_reference_open(str(reference.path))

    def prefetch_references(self, given: Any) -> dict[str, str]:
        """The reference file of each type that the step uses, as far as rules have it.

        Raises
        ------
        CrdsError
            If there is none for a type that is needed; the message has all such types.
        """
        from calmap.reduction.prefetching import prefetched

        return prefetched(self._steps(), self._request(), self._selection(), exposures(given))

    @property
    def reference_files_used(self) -> list[tuple[str, str]]:
        """Types and files, as products say them, that the last run used."""
        uses = {reference.reftype: reference.keyword_value for reference in self._found}
        return list(uses.items())

    # -- what subclasses of this package share --------------------------------------------------

    def _results(self, found: Exposures) -> tuple[list[Any], list[Path]]:
        """What comes out of exposures, and the files that it is named after."""
        if isinstance(self.step, FramesStep):
            chosen = found.sky or found.science if self.alias == "calc_bkg_imager" else found.science
            return [self.process([exposure.source for exposure in chosen])], [chosen[0].path]
        chosen = found.science or found.sky
        return [self._finalized(exposure) for exposure in chosen], [exposure.path for exposure in chosen]

    def _finalized(self, exposure: Exposure) -> Any:
        data = exposure.data()
        if self.step is not None:
            return self.process(data)
        first = len(self._found)
        result = data if self.skip else self.process(data)
        if isinstance(result, (Frame, Ramp)):
            return replace(result, provenance=result.provenance.after(self._record(first)))
        return result

    def _record(self, first: int) -> StepRecord:
        """What a step with a ``process`` of its own did."""
        uses = tuple(_use(one) for one in {one.reftype: one for one in self._found[first:]}.values())
        values = {name: str(value) for name, value in self.get_pars().items()}
        if self.skip:
            return StepRecord(self.alias, "", "SKIPPED", values, uses, LEFT_OUT)
        return StepRecord(self.alias, "", "COMPLETE", values, uses)

    def _stepped(self, data: Data) -> Data:
        assert self.step is not None
        request, selection = self._request(), self._selection()
        with lookup_errors(selection):
            [task] = tasks_for(self._recipe(), (self.step.name,), request, plain(data.header))
            result = run(data, [replace(task, skipped=self._left_out())], request.library)
        return self._noted(replace(result, provenance=replace(result.provenance, version=software_version())))

    def _combined(self, found: Exposures) -> Frame:
        assert self.step is not None
        if self.skip:
            raise ParameterError(f"{self.alias} can't be skipped: it makes one frame of several")
        if not found.all:
            raise ParameterError(f"{self.alias} needs frames, and there is none")
        products = [exposure.product(number) for number, exposure in enumerate(found.all, 1)]
        with lookup_errors(self._selection()):
            return self._noted(combined(products, self.step.name, self._recipe(), self._request()))

    def _noted(self, result: Made) -> Made:
        """The result, whose references are remembered."""
        logger = getLogger(f"calmap.reduction.{type(self).__name__}")
        steps = {step.name for step in self._steps()} if self._steps() else {self.alias}
        for record in result.provenance.steps:
            if record.step in steps:
                self._found += [use.reference for use in record.references]
                logger.info("%s %s %s", record.step, record.status, record.reason)
        return result

    def _left_out(self) -> str:
        """Why the step is not run; empty if it is."""
        if self.skip:
            return LEFT_OUT
        given = self._overrides()
        empty = [reftype for reftype in self.reference_file_types if _is_empty(given.get(reftype))]
        return f"the override of {empty[0]} is empty" if empty else ""

    def _steps(self) -> tuple[Step, ...]:
        """The steps that are run."""
        return (self.step,) if self.step is not None else ()

    def _recipe(self) -> Recipe:
        return Recipe(type(self).__name__, "", {}, {}, {})

    def _request(self) -> Request:
        """What is asked for, in the words of `reduce.session`."""
        overrides = {reftype: named_reference(reftype, value) for reftype, value in self._overrides().items()}
        resolver = Named({key: value for key, value in overrides.items() if value}, self._selection())
        return Request(
            resolver,
            settings=Settings(tuple(self._layers())),
            skip=frozenset([self.alias]) if self.skip and self.step else frozenset(),
            allowed=frozenset(REFTYPES.get(reftype, reftype) for reftype in self._inherited("allow_missing")),
        )

    def _selection(self, *, pointers: bool = False) -> Selection:
        named = {name: self._inherited(name) for name in ("cache", "context", "observatory")}
        return Selection(
            {name: None if value is None else str(value) for name, value in named.items()}, pointers
        )

    def save(self, results: Sequence[Any], sources: Sequence[Path]) -> list[Path]:
        """Write what came out, and say where."""
        saving = Saving(self.output_dir, self.output_file, self.suffix or self.alias, bool(self.overwrite))
        return saving.write(results, sources)


def _is_empty(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


def _use(reference: Reference) -> ReferenceUse:
    """What is recorded of a reference."""
    held, path = reference.held, reference.path
    digest = held.sha256 if held is not None else sha256(path) if path is not None else ""
    return ReferenceUse(replace(reference, held=None), digest)
