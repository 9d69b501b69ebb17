"""Reduces associations of exposures and writes the products."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from reduce.associations import Association
from reduce.errors import DataError, ParameterError, ReduceError
from reduce.files.rows import open_rows
from reduce.files.writer import write_frame, write_ramp
from reduce.frame import Frame
from reduce.journal import Journal
from reduce.pipeline import Data, Watcher
from reduce.products import Output
from reduce.provenance import StepRecord
from reduce.quicklook.collector import Collector
from reduce.quicklook.report import report_on
from reduce.recipe import Level, Recipe
from reduce.session import Plan, Product, Request, combined, opened, planned, reduced

SKY_STEP, SKY_USER = "calc_bkg_imager", "subtract_bkg"
Kind: TypeAlias = Literal["exposure", "sky", "combined", "input"]
Watch: TypeAlias = Callable[[Path], Watcher]


@dataclass(frozen=True, slots=True)
class Written:
    """A product that was written, and the files it was made from; or an input that is used as it is."""

    path: Path
    kind: Kind
    sources: tuple[Path, ...]
    recipe: Recipe
    records: tuple[StepRecord, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """A file, or the first of several, whose product could not be made, and why."""

    path: Path
    problem: ReduceError


Result: TypeAlias = Written | Failed


def reduce_association(
    association: Association,
    request: Request,
    output: Output,
    watch: Watch,
    skies: dict[tuple[Path, ...], Result] | None = None,
) -> Iterator[Result]:
    """Reduce exposures, the sky frames first, and combine them if that is asked for.

    What fails is told and does not keep the others from being reduced; but no exposure is reduced without
    the sky that belongs to it.

    Parameters
    ----------
    association
        What belongs together.
    request
        What is to be done.
    output
        Where to write.
    watch
        Makes what sees the steps of a file.
    skies
        The sky frames that were made for other associations, by the exposures they were made of; that of
        this one is added.
    """
    skies = {} if skies is None else skies
    output.keep((*association.files, *request.named))
    if association.sky not in skies:
        yield from _sky_exposures(association, request, output, watch, skies)
    if _wants_sky(association, request):
        sky = skies[association.sky]
        if isinstance(sky, Failed):
            yield from (Failed(path, sky.problem) for path in association.science)
            return
        request = request.given("sky", sky.path, "made of the exposures of the sky")
    done: list[Written] = []
    for path in association.science:
        result = _exposure(path, request, output, watch)
        yield from _told(result)
        done += [result] if isinstance(result, Written) else []
    if request.last == Level.L3 and association.science:
        yield _combination(done, association, "", request, output, watch)


def _sky_exposures(
    association: Association,
    request: Request,
    output: Output,
    watch: Watch,
    skies: dict[tuple[Path, ...], Result],
) -> Iterator[Result]:
    """Reduce the exposures of the sky, and make a sky frame of them if it is wanted."""
    done: list[Written] = []
    for path in association.sky:
        result = _exposure(path, request, output, watch)
        yield from _told(result)
        done += [result] if isinstance(result, Written) else []
    if _wants_sky(association, request):
        sky = _combination(done, Association("", association.sky), SKY_STEP, request, output, watch)
        skies[association.sky] = sky
        yield sky


def _told(result: Result) -> Iterator[Result]:
    """A result, unless it is an input that is used as it is."""
    if isinstance(result, Failed) or result.kind != "input":
        yield result


def _wants_sky(association: Association, request: Request) -> bool:
    """True if a sky has to be made: for exposures it is subtracted from, or for itself."""
    if not association.sky:
        return False
    if not association.science:
        return request.last == Level.L3
    left_out = {SKY_STEP, SKY_USER} & set(request.skip)
    return request.last != Level.L1 and not left_out and not request.names("sky")


def _exposure(path: Path, request: Request, output: Output, watch: Watch) -> Result:
    try:
        data = opened(path)
        plan = planned(data, path, request)
        if not plan.tasks:
            return _as_it_is(path, plan, data, request)
        place = output.path(path, plan.last)
        output.require_free(place, path)
        journal = Journal(watch(path))
        journal.told(plan)
        collector = Collector(journal)
        result = reduced(data, plan, request, collector if output.report else journal)
        _require_kept(result, place, output)
        _write(result, place, output)
        journal.write(place, overwrite=output.overwrite)
        _report(result, place, output, collector)
    except ReduceError as problem:
        return Failed(path, problem)
    return Written(place, "exposure", (path,), plan.recipe, result.provenance.steps)


def _as_it_is(path: Path, plan: Plan, data: Data, request: Request) -> Written:
    """A file that is not reduced, since it only has to be combined with others."""
    wanted = Level.L2 if request.last is None else request.last
    if wanted != Level.L3 or plan.first == Level.L3:
        nothing = f"{plan.recipe.name} has no step from there to {wanted.name}"
        raise ParameterError(
            f"{path} is at {plan.first.name} already" + (f"; {nothing}" if plan.first < wanted else ""),
            "name its level with --from if it is another one, or a higher one with --to",
        )
    return Written(path, "input", (path,), plan.recipe, data.provenance.steps)


def _require_kept(result: Data, place: Path, output: Output) -> None:
    """Refuse to replace a reference that the product was made with, which is only known now."""
    output.keep(use.reference.path for use in result.provenance.references if use.reference.path is not None)
    output.require_free(place)


def _write(result: Data, place: Path, output: Output) -> None:
    if isinstance(result, Frame):
        write_frame(result, place, layout=output.layout, overwrite=output.overwrite)
    else:
        write_ramp(result, place, layout=output.layout, overwrite=output.overwrite)


def _report(result: Data, place: Path, output: Output, collector: Collector | None = None) -> None:
    """The page about a product, if it is wanted."""
    if output.report:
        changes = collector.finish() if collector else ()
        report_on(result, place.name, changes).write(output.page(place), overwrite=output.overwrite)


def _combination(
    parts: Sequence[Written],
    association: Association,
    step: str,
    request: Request,
    output: Output,
    watch: Watch,
) -> Result:
    """The combination of products of the exposures of an association, by default by their recipe's last step.

    It is called after the association, or else after the first of them.
    """
    expected, name = len(association.science), association.name
    try:
        if len(parts) < expected:
            target = association.target or Path(name).name
            raise DataError(
                f"{expected - len(parts)} of {expected} exposures{target and f' of {target}'} failed, so they"
                " are not combined",
                "mend them, or leave them out",
            )
        step = step or _last_step(parts[0].recipe)
        called = Path(Path(name).name) if Path(name).name else parts[0].sources[0]
        place = output.path(called, Level.L3, "sky" if step == SKY_STEP else "")
        output.require_free(place, parts[0].path)
        products = [Product(part.path, open_rows(part.path)) for part in parts]
        journal = Journal(watch(place))
        journal.told_of_all([part.path for part in parts], parts[0].recipe)
        frame = combined(products, step, parts[0].recipe, request, journal)
        journal.noted(frame.provenance.steps[-1], frame)
        _require_kept(frame, place, output)
        _write(frame, place, output)
        journal.write(place, overwrite=output.overwrite)
        _report(frame, place, output)
    except ReduceError as problem:
        return Failed(association.science[0], problem)
    kind: Kind = "sky" if step == SKY_STEP else "combined"
    return Written(
        place, kind, tuple(part.path for part in parts), parts[0].recipe, frame.provenance.steps[-1:]
    )


def _last_step(recipe: Recipe) -> str:
    steps = recipe.steps.get(Level.L3, ())
    if not steps:
        raise ParameterError(f"the recipe {recipe.name} has no step that leads to L3")
    return steps[-1]
