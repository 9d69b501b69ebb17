"""What workers do when a reduction is shared among them, and what they need for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple

from calmap.bestref import Cache
from calmap.cache.layout import Layout
from calmap.errors import CacheError
from calmap.reduction.located import located, located_layout, located_overrides
from calmap.reduction.resolver import CacheResolver
from reduce.associations import Association
from reduce.batch import Failed, Result, Written, combine_products, given_sky, reduce_exposure
from reduce.errors import ReduceError
from reduce.pipeline import Unwatched, Watcher
from reduce.products import Output
from reduce.recipe import Level
from reduce.references import NoReferences, Overrides
from reduce.session import Request


class Exposure(NamedTuple):
    """An exposure to be reduced, and the sky frame that was made for it."""

    path: Path
    sky: Path | None = None

    def found_from(self, folder: Path) -> Exposure:
        """The same, wherever the current folder is."""
        return Exposure(located(self.path, folder), self.sky and located(self.sky, folder))

    def product(self, output: Output) -> Path:
        """What only one such product can be called, of whatever level it is."""
        return output.path(self.path, Level.L2)

    def result(self, request: Request, output: Output) -> Result:
        """Reduce it."""
        return reduce_exposure(self.path, request, output, _unwatched)


class Combination(NamedTuple):
    """Products to be combined; see `reduce.batch.combine_products`."""

    parts: tuple[Written, ...]
    association: Association
    step: str = ""
    sky: Path | None = None

    def found_from(self, folder: Path) -> Combination:
        """The same, wherever the current folder is."""
        parts = tuple(replace(part, path=located(part.path, folder)) for part in self.parts)
        return self._replace(parts=parts, sky=self.sky and located(self.sky, folder))

    @property
    def path(self) -> Path:
        """The first exposure."""
        return self.association.science[0]

    def product(self, output: Output) -> Path:
        """What only one such product can be called."""
        name = Path(Path(self.association.name).name)
        return output.path(name if name.name else self.path, Level.L3, "sky" if self.step else "")

    def result(self, request: Request, output: Output) -> Result:
        """Combine them."""
        return combine_products(self.parts, self.association, self.step, request, output, _unwatched)


@dataclass(frozen=True, slots=True)
class Job:
    """What is the same for all exposures of a reduction.

    Parameters
    ----------
    request, output
        What is done, and where products go in the end.
    inputs
        Files that are never replaced.
    drafts
        Folder where workers write.
    folder
        The folder that relative paths start from.
    """

    request: Request
    output: Output
    inputs: tuple[Path, ...]
    drafts: Path
    folder: Path


class Packed(NamedTuple):
    """A job on its way to a worker: in place of rules that are open, where they are."""

    job: Job
    layout: Layout | None = None
    context: str = ""
    observatory: str = ""


class Part(NamedTuple):
    """What is done by one worker, one after the other.

    Parameters
    ----------
    units
        Exposures or combinations whose products are called the same; mostly one.
    claims
        The exposures that products belong to already, by product.
    """

    units: tuple[Exposure | Combination, ...]
    claims: Mapping[Path, Path]


class Made(NamedTuple):
    """What came of a part: the folder where it is, and the claims with those that were added."""

    folder: Path
    results: tuple[Result, ...]
    claims: Mapping[Path, Path]


def packed(job: Job) -> Packed:
    """A job that can be sent."""
    resolver = job.request.resolver
    if not isinstance(resolver, Overrides) or not isinstance(resolver.others, CacheResolver):
        return Packed(job)
    context = resolver.others.context
    closed = replace(job.request, resolver=replace(resolver, others=NoReferences()))
    layout = located_layout(context.rules.layout, job.folder)
    return Packed(replace(job, request=closed), layout, context.name, context.observatory.name)


def unpacked(sent: Packed) -> Job:
    """A job that was sent, with its rules opened from the cache, and its inputs known by what they are here.

    Its files are found where they are for who sent it, in whatever folder the worker is.

    Raises
    ------
    CalmapError
        If the cache can't be used from here.
    """
    job = sent.job
    folder = job.folder
    output = replace(job.output, folder=located(job.output.folder, folder), _sources={}, _kept={})
    output.keep(located(path, folder) for path in job.inputs)
    resolver = located_overrides(job.request.resolver, folder)
    job = replace(job, output=output, request=replace(job.request, resolver=resolver))
    if sent.layout is None or not isinstance(resolver, Overrides):
        return job
    context = Cache(sent.layout).context(sent.context, sent.observatory)
    opened = replace(resolver, others=CacheResolver(context))
    return replace(job, request=replace(job.request, resolver=opened))


def work_on(job: Job, part: Part) -> Made:
    """Reduce exposures, or combine products, into a folder that nobody else uses.

    So it does no harm if the same is done twice, or only half.

    Raises
    ------
    CacheError
        If the folder of the products is not there.
    """
    if not job.drafts.is_dir():
        raise CacheError(
            f"a worker does not see {job.output.folder}",
            "workers need the same file system, with files under the same names",
        )
    folder = Path(mkdtemp(dir=job.drafts))
    claims = dict(part.claims)
    output = replace(job.output, drafts=folder, _sources=claims)
    units = [unit.found_from(job.folder) for unit in part.units]
    return Made(folder, tuple(_result(unit, job.request, output) for unit in units), claims)


def _result(unit: Exposure | Combination, request: Request, output: Output) -> Result:
    result = unit.result(given_sky(request, unit.sky) if unit.sky else request, output)
    return (
        Failed(result.path, _as_at_its_place(result.problem, output))
        if isinstance(result, Failed)
        else result
    )


def _as_at_its_place(problem: ReduceError, output: Output) -> ReduceError:
    """An error that names the place of a product, not where it is written first."""
    problem.message = problem.message.replace(str(output.drafts), str(output.folder))
    return problem


def _unwatched(_: Path) -> Watcher:
    return Unwatched()
