"""Reduces associations of exposures on the workers of a cluster."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp

from calmap.archive.cluster.places import Place, Shared
from calmap.reduction.shared_work import Combination, Exposure, Job, Made, Part, packed, unpacked, work_on
from reduce.associations import Association
from reduce.batch import SKY_STEP, Failed, Result, Written, told, wants_sky
from reduce.errors import ReduceError
from reduce.products import Output
from reduce.recipe import Level
from reduce.session import Request

_PREFIX = ".calmap-"
_TRIES = 10


def reduce_at(
    place: Place, associations: Sequence[Association], request: Request, output: Output
) -> Iterator[Result]:
    """Results of `reduce.batch.reduce_association` for some associations, each exposure on a worker.

    All exposures of the sky come first, then the skies made of them, then the other exposures, and at last
    what is made of several. Products are the same as without workers, byte for byte. Workers write into a
    hidden folder beside the products, from where these get their place when they are whole: of a worker that
    is lost nothing is left, and what it had is done again.

    Parameters
    ----------
    place
        Where the work is done; workers see the same files under the same absolute names, whatever folder
        they are in. In products and messages files are called as they are here.
    associations
        What belongs together.
    request, output
        What is to be done, and where products go; the folder exists.

    Raises
    ------
    CacheError
        If the workers or the folder can't be used.
    """
    inputs = (*(path for one in associations for path in one.files), *request.named)
    output.keep(inputs)
    with _drafts(output.folder) as drafts:
        team = _Team(place, Job(request, output, inputs, drafts, Path.cwd()))
        for some in _batches(associations, output):
            yield from team.reduced(some)


def _batches(associations: Sequence[Association], output: Output) -> Iterator[Sequence[Association]]:
    """Associations that are reduced at once: all, or one by one if an exposure is sky for some only."""
    sky = {Exposure(path).product(output) for one in associations for path in one.sky}
    science = {Exposure(path).product(output) for one in associations for path in one.science}
    if sky.isdisjoint(science):
        yield associations
    else:
        yield from ([one] for one in associations)


@dataclass(slots=True)
class _Sky:
    """What became of exposures of the sky, and of their combination if it is wanted; what of it was told."""

    exposures: Sequence[Result]
    frame: Result | None = None
    heard: bool = False
    seen: bool = False

    def told(self, frame: Result | None) -> Iterator[Result]:
        """What is to be told when it is used, with or without the frame."""
        if not self.heard:
            self.heard = True
            for result in self.exposures:
                yield from told(result)
        if frame is not None and not self.seen:
            self.seen = True
            yield frame


@dataclass(frozen=True, slots=True)
class _Team:
    """Workers, what they were told, and what they have made so far.

    Parameters
    ----------
    place, job
        Where the work is done, and what is the same for all of it.
    skies
        By exposures of the sky.
    claims
        The exposures that products belong to, by what is called the same.
    """

    place: Place
    job: Job
    skies: dict[tuple[Path, ...], _Sky] = field(default_factory=dict)
    claims: dict[Path, Mapping[Path, Path]] = field(default_factory=dict)

    def reduced(self, associations: Sequence[Association]) -> Iterator[Result]:
        """Results for some associations."""
        self._make_skies(associations)
        ready = [one for one in associations if not isinstance(self._frame(one), Failed)]
        exposures = [Exposure(path, self._path(one)) for one in ready for path in one.science]
        with closing(self._results(exposures)) as science:
            results: Iterator[Result] = science
            combined: Iterator[Result] = iter(())
            if self.job.request.last == Level.L3:
                done = list(science)
                results, combined = iter(done), iter(self._combinations(ready, done))
            for one in associations:
                frame = self._frame(one)
                yield from self.skies[one.sky].told(frame)
                if isinstance(frame, Failed):
                    yield from (Failed(path, frame.problem) for path in one.science)
                    continue
                for result in islice(results, len(one.science)):
                    yield from told(result)
                yield from islice(combined, 1 if one.science else 0)

    def _make_skies(self, associations: Sequence[Association]) -> None:
        """Reduce the exposures of the sky, and combine them where that is wanted."""
        new = tuple(dict.fromkeys(one.sky for one in associations if one.sky not in self.skies))
        results = iter(list(self._results([Exposure(path) for sky in new for path in sky])))
        self.skies.update((sky, _Sky(list(islice(results, len(sky))))) for sky in new)
        wanted = [one.sky for one in associations if wants_sky(one, self.job.request)]
        missing = tuple(dict.fromkeys(sky for sky in wanted if self.skies[sky].frame is None))
        units = [
            Combination(_written(self.skies[sky].exposures), Association("", sky), SKY_STEP)
            for sky in missing
        ]
        for sky, frame in zip(missing, self._results(units), strict=True):
            self.skies[sky].frame = frame

    def _frame(self, association: Association) -> Result | None:
        """The sky frame for the exposures of an association; None if there is to be none."""
        return self.skies[association.sky].frame if wants_sky(association, self.job.request) else None

    def _path(self, association: Association) -> Path | None:
        """The file of that."""
        frame = self._frame(association)
        return None if frame is None else frame.path

    def _combinations(self, associations: Sequence[Association], done: Sequence[Result]) -> list[Result]:
        """Combine the exposures of each association, given the results of all of them."""
        rest = iter(done)
        units = [
            Combination(_written(islice(rest, len(one.science))), one, sky=self._path(one))
            for one in associations
            if one.science
        ]
        return list(self._results(units))

    def _results(self, units: Sequence[Exposure | Combination]) -> Generator[Result, None, None]:
        """Results in the order of the units, with products at their place.

        Units whose products are called the same are left to one worker, one after the other, so that the
        first has the name, as without workers.
        """
        groups: dict[Path, list[int]] = {}
        for number, unit in enumerate(units):
            groups.setdefault(unit.product(self.job.output), []).append(number)
        if not groups:
            return
        parts = [
            Part(tuple(units[number] for number in numbers), self.claims.get(name, {}))
            for name, numbers in groups.items()
        ]
        ready: dict[int, Result] = {}
        turn = 0
        with closing(self.place.run(work_on, parts, Shared(self.job, packed, unpacked))) as every:
            for (name, numbers), made in zip(groups.items(), every, strict=True):
                self.claims[name] = made.claims
                paths = [units[number].path for number in numbers]
                ready.update(zip(numbers, self._published(made, paths), strict=True))
                while turn in ready:
                    yield ready.pop(turn)
                    turn += 1

    def _published(self, made: Made, paths: Sequence[Path]) -> Iterator[Result]:
        """The results for some exposures when their products have got their place.

        Of the same product, made twice because that is allowed, there is the last one.
        """
        problems: dict[Path, ReduceError | None] = {}
        for path, result in zip(paths, made.results, strict=True):
            if isinstance(result, Failed) or result.kind == "input":
                yield result
                continue
            if result.path not in problems:
                problems[result.path] = self._problem(result.path, made.folder)
            problem = problems[result.path]
            yield result if problem is None else Failed(path, problem)

    def _problem(self, product: Path, folder: Path) -> ReduceError | None:
        """Bring a product to its place, or tell why that can't be."""
        try:
            self.job.output.publish(product, folder)
        except ReduceError as problem:
            return problem
        return None


def _written(results: Iterable[Result]) -> tuple[Written, ...]:
    return tuple(result for result in results if isinstance(result, Written))


@contextmanager
def _drafts(folder: Path) -> Iterator[Path]:
    """A hidden folder in another one, which is gone afterwards, even if a worker is still at work in it."""
    drafts = Path(mkdtemp(prefix=_PREFIX, dir=folder.absolute()))
    try:
        yield drafts
    finally:
        for _ in range(_TRIES):
            shutil.rmtree(drafts, ignore_errors=True)
            if not drafts.exists():
                break
