"""Reduces associations of exposures and writes the products."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
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


@dataclass(slots=True)
class Sky:
    """What became of exposures of the sky.

    Parameters
    ----------
    parts
        Their products.
    frame
        What was made of these; None if nobody wanted it yet.
    """

    parts: Sequence[Written]
    frame: Result | None = None


def reduce_association(
    association: Association,
    request: Request,
    output: Output,
    watch: Watch,
    skies: dict[tuple[Path, ...], Sky] | None = None,
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
        The skies of other associations, by the exposures they were made of; that of this one is added.
    """
    skies = {} if skies is None else skies
    output.keep((*association.files, *request.named))
    if association.sky not in skies:
        skies[association.sky] = Sky((yield from _exposures(association.sky, request, output, watch)))
    if wants_sky(association, request):
        sky = skies[association.sky]
        if sky.frame is None:
            sky.frame = combine_sky(sky.parts, association.sky, request, output, watch)
            yield sky.frame
        if isinstance(sky.frame, Failed):
            yield from (Failed(path, sky.frame.problem) for path in association.science)
            return
        request = given_sky(request, sky.frame.path)
    done = yield from _exposures(association.science, request, output, watch)
    if request.last == Level.L3 and association.science:
        yield combine_products(done, association, "", request, output, watch)


def _exposures(
    paths: Sequence[Path], request: Request, output: Output, watch: Watch
) -> Generator[Result, None, list[Written]]:
    """Reduce some exposures; returns what did not fail."""
    done: list[Written] = []
    for path in paths:
        result = reduce_exposure(path, request, output, watch)
        yield from told(result)
        done += [result] if isinstance(result, Written) else []
    return done


def given_sky(request: Request, sky: Path) -> Request:
    """What is to be done to exposures that a sky frame was made for."""
    return request.given("sky", sky, "made of the exposures of the sky")


def told(result: Result) -> Iterator[Result]:
    """A result, unless it is an input that is used as it is."""
    if isinstance(result, Failed) or result.kind != "input":
        yield result


def wants_sky(association: Association, request: Request) -> bool:
    """True if a sky has to be made: for exposures it is subtracted from, or for itself."""
    if not association.sky:
        return False
    if not association.science:
        return request.last == Level.L3
    left_out = {SKY_STEP, SKY_USER} & set(request.skip)
    return request.last != Level.L1 and not left_out and not request.names("sky")


def reduce_exposure(path: Path, request: Request, output: Output, watch: Watch) -> Result:
    """Reduce one exposure and write the product."""
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
        _write(result, place, output, journal, collector)
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


def _write(
    result: Data, place: Path, output: Output, journal: Journal, collector: Collector | None = None
) -> None:
    """A product, its log, and the page about it if that is wanted."""
    draft = output.draft(place)
    if isinstance(result, Frame):
        write_frame(result, draft, layout=output.layout, overwrite=output.overwrite)
    else:
        write_ramp(result, draft, layout=output.layout, overwrite=output.overwrite)
    journal.write(draft, overwrite=output.overwrite)
    if output.report:
        changes = collector.finish() if collector else ()
        report_on(result, place.name, changes).write(output.page(draft), overwrite=output.overwrite)


def combine_sky(
    parts: Sequence[Written], exposures: tuple[Path, ...], request: Request, output: Output, watch: Watch
) -> Result:
    """The sky frame of products of exposures of the sky."""
    return combine_products(parts, Association("", exposures), SKY_STEP, request, output, watch)


def combine_products(
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
        _write(frame, place, output, journal)
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
