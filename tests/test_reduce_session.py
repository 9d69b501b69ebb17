"""What is asked for becomes steps, and what several products become together."""

import numpy as np
import pytest
from reduce_files import frame, header

from reduce.associations import Association
from reduce.batch import Failed, reduce_association
from reduce.errors import MissingReferenceError, ParameterError
from reduce.files.reader import read_frame
from reduce.files.rows import open_rows
from reduce.files.writer import write_frame
from reduce.pipeline import Unwatched
from reduce.products import Output
from reduce.provenance import Provenance
from reduce.recipe import Level, load, parsed
from reduce.references import NoReferences, Overrides
from reduce.replay import Finder, differences, replayed
from reduce.session import Product, Request, combined, opened, planned, reduced
from reduce.settings import Layer, Settings

PLAIN = parsed("{name: plain, steps: {L2: [dark_sub, normalize], L3: [combine_frames]}}", "plain.yaml")


def written(path, seed=1, **cards):
    one = frame(seed=seed, provenance=Provenance(), header=header(**{"DATALVL": 1, **cards}))
    write_frame(one, path)
    return path


class Parameters:
    """A resolver that has a parameter reference for one step, and none for exposures of another target."""

    def __init__(self, path):
        self.path = path

    def find(self, header, reftype):
        if reftype != "pars-normalize":
            return None
        if header["OBJECT"] != "M92":
            raise MissingReferenceError(reftype, "no pars-normalize for M13")
        return Overrides({reftype: self.path}, reason="the rules say so").find(header, reftype)


@pytest.fixture
def request_with_parameters(tmp_path):
    (tmp_path / "normalize.yaml").write_text("class: normalize\nmethod: mean\n")
    return Request(Parameters(tmp_path / "normalize.yaml"), PLAIN, skip=("dark_sub",))


def test_parameter_references_are_recorded_and_replayed(tmp_path, request_with_parameters):
    source = written(tmp_path / "in.fits")
    data = opened(source)
    result = reduced(data, planned(data, source, request_with_parameters), request_with_parameters)
    write_frame(result, tmp_path / "out.fits")
    product = read_frame(tmp_path / "out.fits")

    left_out, record = product.provenance.steps
    assert left_out.references == ()
    assert record.parameters == {"method": "mean"}
    [use] = record.references
    assert (use.reference.reftype, use.reference.path) == ("pars-normalize", tmp_path / "normalize.yaml")
    assert len(use.sha256) == 64
    assert product.header["R_PNORMA"] == str(tmp_path / "normalize.yaml")
    (tmp_path / "normalize.yaml").unlink()
    again = replayed(product, tmp_path / "out.fits", Finder())
    assert differences(product, again) == ()
    assert again.provenance == product.provenance


def test_parameters_of_a_recipe_count_less_than_references_and_these_less_than_settings(
    tmp_path, request_with_parameters
):
    text = "{name: r, steps: {L2: [normalize]}, parameters: {normalize: {method: mode}}}"
    source = written(tmp_path / "in.fits")
    data = opened(source)
    own = Settings((Layer("--set", {"normalize": {"method": "median"}}),))
    chosen = []
    for resolver, settings in (
        (NoReferences(), Settings()),
        (request_with_parameters.resolver, Settings()),
        (request_with_parameters.resolver, own),
    ):
        request = Request(resolver, parsed(text, "r.yaml"), settings=settings)
        [task] = planned(data, source, request).tasks
        chosen.append(task.parameters.method)

    assert chosen == ["mode", "mean", "median"]


def test_a_parameter_reference_that_is_missing_may_be_allowed(tmp_path, request_with_parameters):
    source = written(tmp_path / "in.fits", OBJECT="M13")
    data = opened(source)

    with pytest.raises(MissingReferenceError, match="no pars-normalize for M13"):
        planned(data, source, request_with_parameters)
    request = Request(
        request_with_parameters.resolver, PLAIN, skip=("dark_sub",), allowed=("pars-normalize",)
    )
    record = reduced(data, planned(data, source, request), request).provenance.steps[-1]

    assert record.parameters == {"method": "median"}
    assert record.references[0].reference.keyword_value == "MISSING"


def test_a_combination_has_the_time_and_the_end_of_all(tmp_path):
    cards = [
        {"EXPTIME": 15.0, "DATE-END": "2025-06-01T09:10:00"},
        {"EXPTIME": 30.0, "DATE-END": "2025-06-01T09:05:00.5"},
    ]
    paths = [written(tmp_path / f"{n}.fits", n, **one) for n, one in enumerate(cards)]
    products = [Product(path, open_rows(path)) for path in paths]

    result = combined(products, "combine_frames", load("imager_dark", tmp_path), Request(NoReferences()))

    assert (result.header["EXPTIME"], result.header["NCOMBINE"]) == (45.0, 2)
    assert result.header["DATE-END"] == "2025-06-01T09:10:00"
    assert products[0].frame.header["EXPTIME"] == 15.0


def test_a_combination_tells_each_step_of_its_frames_once(tmp_path):
    """Two frames were made alike, the third by other parameters: all that was done is told."""
    for number, method in enumerate(("mean", "mean", "median")):
        source = written(tmp_path / f"in{number}.fits", number)
        data = opened(source)
        settings = Settings((Layer("--set", {"normalize": {"method": method}}),))
        request = Request(NoReferences(), PLAIN, settings=settings, skip=("dark_sub",))
        write_frame(reduced(data, planned(data, source, request), request), tmp_path / f"{number}.fits")
    products = [Product(tmp_path / f"{n}.fits", open_rows(tmp_path / f"{n}.fits")) for n in range(3)]

    records = combined(products, "combine_frames", PLAIN, Request(NoReferences())).provenance.steps

    told = [(record.step, record.parameters.get("method")) for record in records]
    assert told == [
        ("dark_sub", None), ("normalize", "mean"), ("normalize", "median"), ("combine_frames", "mean"),
    ]  # fmt: skip


def test_what_is_not_known_of_all_is_left_as_it_is(tmp_path):
    paths = [written(tmp_path / f"{n}.fits", n) for n in range(2)]
    bare = frame(seed=3, header=header({"INSTRUME": "IRIS"}))
    write_frame(bare, tmp_path / "bare.fits")
    products = [Product(path, open_rows(path)) for path in (*paths, tmp_path / "bare.fits")]

    result = combined(products, "combine_frames", load("imager_dark", tmp_path), Request(NoReferences()))

    assert (result.header["EXPTIME"], result.header["NCOMBINE"]) == (15.0, 3)
    assert "DATE-END" not in result.header


def test_the_step_that_combines_can_not_be_left_out(tmp_path):
    paths = tuple(written(tmp_path / f"x_LVL1_{n}.fits", n) for n in range(2))
    request = Request(NoReferences(), PLAIN, last=Level.L3, skip=("dark_sub", "combine_frames"))

    *products, last = results(paths, request, tmp_path / "p")

    assert [one.path.name for one in products] == ["x_LVL2_0.fits", "x_LVL2_1.fits"]
    assert isinstance(last, Failed)
    assert isinstance(last.problem, ParameterError)
    assert "combine_frames can't be left out" in last.problem.message


@pytest.mark.parametrize("step", ["calc_bkg_imager", "subtract_bkg"])
def test_no_sky_is_made_if_one_of_its_steps_is_left_out(tmp_path, step):
    recipe = parsed("{name: s, steps: {L2: [subtract_bkg], L3: [calc_bkg_imager]}}", "s.yaml")
    paths = [written(tmp_path / f"x_LVL1_{n}.fits", n) for n in range(2)]
    request = Request(NoReferences(), recipe, last=Level.L2, skip=(step,))

    found = results(paths[:1], request, tmp_path / "p", sky=tuple(paths[1:]))

    assert [one.path.name for one in found] == ["x_LVL2_1.fits", "x_LVL2_0.fits"]
    assert [record.status for one in found for record in one.records] == ["SKIPPED", "SKIPPED"]


def test_a_sky_says_that_it_was_made_and_not_named(tmp_path):
    recipe = parsed("{name: s, steps: {L2: [subtract_bkg], L3: [calc_bkg_imager]}}", "s.yaml")
    paths = []
    for number in range(3):
        paths.append(tmp_path / f"x_LVL1_{number}.fits")
        one = frame((40, 40), seed=number, provenance=Provenance(), header=header(DATALVL=1))
        write_frame(one, paths[-1])

    *_, last = results(paths[:1], Request(NoReferences(), recipe), tmp_path / "p", sky=tuple(paths[1:]))

    [use] = last.records[-1].references
    assert use.reference.reason == "made of the exposures of the sky"
    assert np.isfinite(read_frame(last.path).sci).all()


def test_a_combination_has_a_log(tmp_path):
    paths = tuple(written(tmp_path / f"x_LVL2_{n}.fits", n, DATALVL=2) for n in range(2))
    begun = []

    class Seen(Unwatched):
        def begun(self, step):
            begun.append(step.name)

    request = Request(NoReferences(), PLAIN, first=Level.L2, last=Level.L3)
    (tmp_path / "p").mkdir()
    [one] = reduce_association(Association("M92", paths), request, Output(tmp_path / "p"), lambda _: Seen())

    lines = (tmp_path / "p/M92_LVL3.log").read_text().splitlines()
    assert lines[1:4] == [f"input      {paths[0]}", f"input      {paths[1]}", "recipe     plain, L2 to L3"]
    assert lines[4].split() == ["combine_frames", "COMPLETE"]
    assert "good pixels, median" in lines[-1]
    assert begun == ["combine_frames"]
    assert one.path.name == "M92_LVL3.fits"


def results(paths, request, folder, sky=()):
    folder.mkdir()
    association = Association("", tuple(paths), sky)
    return list(reduce_association(association, request, Output(folder), lambda _: Unwatched()))
