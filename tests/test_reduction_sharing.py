"""Exposures reduced by workers become what they become without them."""

import pickle
from contextlib import chdir, closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from reduce_files import frame, header

from calmap.archive.cluster.places import Here
from calmap.bestref import Cache
from calmap.errors import CacheError
from calmap.reduction.resolver import CacheResolver
from calmap.reduction.shared_work import Exposure, Job, Part, packed, unpacked, work_on
from calmap.reduction.sharing import reduce_at
from reduce.associations import Association
from reduce.batch import Written, reduce_association
from reduce.errors import DataError, MissingReferenceError, OutputError, ParameterError
from reduce.files.writer import write_frame
from reduce.pipeline import Unwatched
from reduce.products import Output
from reduce.provenance import Provenance
from reduce.recipe import Level, parsed
from reduce.references import NoReferences, Overrides
from reduce.session import Request

RECIPE = parsed("steps: {L2: [normalize, subtract_bkg], L3: [combine_frames]}", "s.yaml")
EXPOSURES = 6


class Elsewhere(Here):
    """A place that things are sent to, where everything is done twice, as after the loss of a worker."""

    def run(self, function, partitions, shared):
        opened = shared.unpack(sent(shared.pack(shared.value)))
        for partition in partitions:
            function(opened, sent(partition))
            yield sent(function(opened, sent(partition)))


def sent(thing):
    return pickle.loads(pickle.dumps(thing))


@pytest.fixture(scope="module")
def raws(tmp_path_factory):
    """Exposures; the last one is damaged, and the one before has the name of the first."""
    folder = tmp_path_factory.mktemp("raw")
    paths = [folder / f"x_LVL1_{number}.fits" for number in range(EXPOSURES - 1)]
    paths[-1] = folder / "again" / paths[0].name
    paths[-1].parent.mkdir()
    for number, path in enumerate(paths):
        one = frame((24, 24), seed=number, provenance=Provenance(), header=header(DATALVL=1))
        write_frame(one, path)
    damaged = folder / "x_LVL1_9.fits"
    damaged.write_bytes(b"SIMPLE")
    return (*paths, damaged)


def told(result):
    """What is told of a result."""
    if isinstance(result, Written):
        return result
    problem = result.problem
    return result.path, type(problem), problem.message, problem.hint


def without_workers(associations, request, output):
    skies = {}
    for one in associations:
        yield from reduce_association(one, request, output, lambda _: Unwatched(), skies)


def both(associations, request, folder, overwrite=False, place=None):
    """What is told, and which files there are, without workers and with them, in the same folder."""
    found = []
    for how in (without_workers, lambda *all_: reduce_at(place or Elsewhere(), *all_)):
        for path in folder.glob("*"):
            path.unlink()
        output = Output(folder, overwrite=overwrite)
        output.keep(path for one in associations for path in one.files)
        results = [told(result) for result in how(associations, request, output)]
        found.append((results, {path.name: path.read_bytes() for path in folder.iterdir()}))
    return found


members = st.lists(st.integers(0, EXPOSURES - 1), max_size=3).map(tuple)
associations = st.lists(
    st.builds(Association, st.sampled_from(["", "M92", "../b"]), members, members).filter(
        lambda one: one.science or one.sky
    ),
    max_size=3,
)


@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    found=associations,
    last=st.sampled_from([Level.L2, Level.L3]),
    skip=st.sampled_from([frozenset(), frozenset({"subtract_bkg"})]),
    overwrite=st.booleans(),
)
@example([Association("", (0, 4, 0), (2,)), Association("M92", (1,), (2,))], Level.L3, frozenset(), True)
@example([Association("", (0, 1)), Association("", (5,), (0,))], Level.L2, frozenset(), False)
def test_as_without_workers(raws, tmp_path, found, last, skip, overwrite):
    """Whatever belongs together, fails, is named twice or has the name of another."""
    named = [
        replace(one, science=tuple(raws[n] for n in one.science), sky=tuple(raws[n] for n in one.sky))
        for one in found
    ]
    request = Request(NoReferences(), RECIPE, last=last, skip=skip)

    here, elsewhere = both(named, request, tmp_path, overwrite)

    assert elsewhere == here


@dataclass(frozen=True)
class OtherFolder(Elsewhere):
    """The same in another folder, where other things have the names of ours."""

    folder: Path = Path()

    def run(self, function, partitions, shared):
        def there(job, part):
            with chdir(self.folder):
                return function(job, part)

        def opened(packed):
            with chdir(self.folder):
                return shared.unpack(packed)

        return super().run(there, partitions, replace(shared, unpack=opened))


@pytest.mark.parametrize(
    ("own", "sky", "last"),
    [({}, "x_LVL1_2.fits", Level.L2), ({"sky": "own.fits"}, "", Level.L2), ({}, "", Level.L3)],
)
def test_relative_paths_start_from_here(raws, tmp_path, monkeypatch, own, sky, last):
    for folder in (tmp_path / "here", tmp_path / "there"):
        (folder / "out").mkdir(parents=True)
        for path in raws[:4]:
            (folder / path.name).write_bytes(path.read_bytes() if folder.name == "here" else b"another")
        (folder / "own.fits").write_bytes(raws[3].read_bytes() if folder.name == "here" else b"another")
    monkeypatch.chdir(tmp_path / "here")
    a, b = (Path(path.name) for path in raws[:2])
    background = (Path(sky),) if sky else ()
    request = Request(Overrides({reftype: Path(name) for reftype, name in own.items()}), RECIPE, last=last)

    here, elsewhere = both(
        [Association("M92", (a, Path("not_there.fits")), background), Association("", (a, b), background)],
        request,
        Path("out"),
        overwrite=True,
        place=OtherFolder(folder=tmp_path / "there"),
    )

    assert elsewhere == here
    assert sum(isinstance(result, Written) for result in here[0]) >= 2
    assert list((tmp_path / "there" / "out").iterdir()) == []


def test_products_that_exist_stay(raws, tmp_path):
    there = tmp_path / "x_LVL2_1.log"
    there.write_text("mine")
    request, output = Request(NoReferences(), RECIPE), Output(tmp_path)

    one, two = reduce_at(Elsewhere(), [Association("", raws[:2])], request, output)

    assert isinstance(one, Written)
    assert isinstance(two.problem, OutputError)
    assert two.problem.message == f"{there} exists"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x_LVL2_0.fits", "x_LVL2_0.log", there.name]
    assert there.read_text() == "mine"


def test_a_product_that_came_meanwhile_stays(raws, tmp_path):
    class Slow(Here):
        def run(self, function, partitions, shared):
            for made in super().run(function, partitions, shared):
                (tmp_path / "x_LVL2_0.fits").write_text("mine")
                yield made

    [failed] = reduce_at(
        Slow(), [Association("", raws[:1])], Request(NoReferences(), RECIPE), Output(tmp_path)
    )

    assert failed.problem.message == f"{tmp_path / 'x_LVL2_0.fits'} exists"
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_what_is_broken_off_leaves_whole_products_only(raws, tmp_path):
    request = Request(NoReferences(), RECIPE)
    with closing(reduce_at(Elsewhere(), [Association("", raws[:4])], request, Output(tmp_path))) as results:
        next(results)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["x_LVL2_0.fits", "x_LVL2_0.log"]


def test_a_folder_that_can_not_be_seen_from_there(raws, tmp_path):
    class Far(Here):
        def run(self, function, partitions, shared):
            far = replace(shared.value, drafts=Path("/nowhere/to/be/seen"))
            return super().run(function, partitions, replace(shared, value=far))

    results = reduce_at(Far(), [Association("", raws[:1])], Request(NoReferences(), RECIPE), Output(tmp_path))
    with pytest.raises(CacheError, match="a worker does not see") as caught:
        list(results)

    assert "same file system" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_errors_of_writing_name_the_place_of_the_product(raws, tmp_path):
    (tmp_path / "drafts").mkdir()
    job = Job(
        Request(NoReferences(), RECIPE), Output(tmp_path, report=True), (), tmp_path / "drafts", tmp_path
    )
    (tmp_path / "x_LVL2_0.html").mkdir()

    [result] = work_on(job, Part((Exposure(raws[0]),), {})).results

    assert "drafts" not in result.problem.message
    assert str(tmp_path / "x_LVL2_0.html") in result.problem.message


def test_the_rules_are_opened_again_where_they_are_needed(repo_root, tmp_path):
    context = Cache(repo_root).context("ligeriri_0001.pmap")
    request = Request(Overrides({"flat": None}, CacheResolver(context)))
    job = Job(request, Output(tmp_path), (), tmp_path, tmp_path)

    opened = unpacked(sent(packed(job)))

    header = {"INSTRUME": "IRIS", "DETECTOR": "IMG1", "DATE-OBS": "2025-06-20T00:00:00", "FILTER": "K"}
    resolvers = job.request.resolver, opened.request.resolver
    found = {
        reftype: [tried(resolver, header, reftype) for resolver in resolvers]
        for reftype in (*context.reftypes("iris"), "flat", "unheard")
    }
    assert all(one == other for one, other in found.values()), found
    assert any(getattr(one, "path", None) for one, _ in found.values())


def tried(resolver, header, reftype):
    try:
        return resolver.find(header, reftype)
    except MissingReferenceError as problem:
        return problem.reftype, problem.message, problem.hint, problem.explanation


@pytest.mark.parametrize(
    "problem",
    [
        DataError("x is damaged", "mend it"),
        OutputError("x exists"),
        ParameterError("no step y", "try z"),
        MissingReferenceError("flat", "no flat", "name one", "line 1\nline 2"),
    ],
)
def test_errors_can_be_sent(problem):
    again = sent(problem)

    assert type(again) is type(problem)
    assert (again.args, vars(again)) == (problem.args, vars(problem))
