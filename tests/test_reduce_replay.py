"""Products that are made again from what they say about themselves."""

from dataclasses import replace

import numpy as np
import pytest
from reduce_files import frame, header, ramp

from reduce.errors import DataError, ParameterError
from reduce.files.reader import read_frame
from reduce.files.rows import open_rows
from reduce.files.writer import write_frame, write_ramp
from reduce.frame import Frame
from reduce.library import Library
from reduce.pipeline import LEFT_OUT, Task, run
from reduce.provenance import Provenance
from reduce.recipe import Level, load
from reduce.references import NoReferences, Overrides, sha256
from reduce.replay import Finder, differences, replayed
from reduce.session import Product, Request, combined, opened
from reduce.steps import STEPS

NOTHING = Provenance()


@pytest.fixture
def made(tmp_path):
    """A product of a dark subtraction, with a step left out."""
    write_frame(frame(provenance=NOTHING), tmp_path / "in.fits")
    write_frame(frame(seed=5, provenance=NOTHING), tmp_path / "dark.fits")
    data = opened(tmp_path / "in.fits")
    tasks = [
        Task(STEPS["dark_sub"], STEPS["dark_sub"].parameters()),
        Task(STEPS["flat_field"], STEPS["flat_field"].parameters(), LEFT_OUT),
        Task(STEPS["normalize"], STEPS["normalize"].parameters(method="mean")),
    ]
    result = run(data, tasks, Library(Overrides({"dark": tmp_path / "dark.fits"}, NoReferences())))
    write_frame(result, tmp_path / "out.fits")
    return tmp_path / "out.fits"


def again(path, *folders):
    return replayed(read_frame(path), path, Finder(folders))


def test_the_same_comes_out(made):
    product = read_frame(made)
    result = again(made)

    assert differences(product, result) == ()
    assert result.provenance == product.provenance


def test_written_under_the_same_name_the_bytes_are_the_same(made, tmp_path):
    (tmp_path / "again").mkdir()

    write_frame(again(made), tmp_path / "again/out.fits")

    assert sha256(tmp_path / "again/out.fits") == sha256(made)


@pytest.mark.parametrize("name", ["in.fits", "dark.fits"])
def test_files_that_have_moved_are_found_in_other_folders(made, tmp_path, name):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / name).rename(elsewhere / name)

    with pytest.raises(DataError, match=f"{name} is not there") as caught:
        again(made)
    assert "--search" in caught.value.hint
    assert differences(read_frame(made), again(made, elsewhere)) == ()


@pytest.mark.parametrize("name", ["in.fits", "dark.fits"])
def test_files_that_are_no_longer_the_same_are_refused(made, tmp_path, name):
    original = (tmp_path / name).read_bytes()
    write_frame(frame(seed=9, provenance=NOTHING), tmp_path / name, overwrite=True)

    with pytest.raises(DataError, match="its sha256 is another one"):
        again(made)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / name).write_bytes(original)
    assert differences(read_frame(made), again(made, tmp_path / "kept")) == ()


def test_a_file_that_does_not_say_how_it_was_made(tmp_path):
    write_frame(frame(provenance=NOTHING), tmp_path / "x.fits")

    with pytest.raises(DataError, match="does not say how it was made"):
        again(tmp_path / "x.fits")


def test_a_step_that_does_not_exist_any_more(made):
    product = read_frame(made)
    steps = (*product.provenance.steps[:-1], replace(product.provenance.steps[-1], step="normalise"))

    with pytest.raises(ParameterError) as caught:
        replayed(replace(product, provenance=replace(product.provenance, steps=steps)), made, Finder())
    assert caught.value.hint == "did you mean 'normalize'?"


def test_an_input_that_had_gone_through_other_steps(made, tmp_path):
    """Its bytes are those that are named, so somebody changed the table of steps."""
    product = read_frame(made)
    write_frame(product, tmp_path / "two.fits")
    two = run(opened(tmp_path / "two.fits"), [Task(STEPS["normalize"], STEPS["normalize"].parameters())],
              Library(NoReferences()))  # fmt: skip
    wrong = replace(two, provenance=replace(two.provenance, steps=two.provenance.steps[-1:]))

    with pytest.raises(DataError, match="has gone through other steps"):
        replayed(wrong, tmp_path / "p.fits", Finder())
    assert differences(two, replayed(two, tmp_path / "p.fits", Finder())) == ()


def test_what_was_missing_or_did_not_apply_stays_so(tmp_path):
    write_frame(frame(provenance=NOTHING), tmp_path / "in.fits")
    tasks = [Task(STEPS[name], STEPS[name].parameters()) for name in ("dark_sub", "flat_field")]
    library = Library(Overrides({"dark": None}, NoReferences()), {"flat"})
    write_frame(run(opened(tmp_path / "in.fits"), tasks, library), tmp_path / "out.fits")

    product = read_frame(tmp_path / "out.fits")

    assert [use.reference.keyword_value for use in product.provenance.references] == ["N/A", "MISSING"]
    assert again(tmp_path / "out.fits").provenance == product.provenance


def test_combinations(tmp_path):
    paths = [tmp_path / f"{number}.fits" for number in range(4)]
    for number, path in enumerate(paths):
        write_frame(frame(seed=number, provenance=NOTHING), path)
    request = Request(NoReferences(), last=Level.L3)
    products = [Product(path, open_rows(path)) for path in paths]
    result = combined(products, "combine_frames", load("imager_dark", tmp_path), request)
    write_frame(result, tmp_path / "out.fits")

    assert differences(read_frame(tmp_path / "out.fits"), again(tmp_path / "out.fits")) == ()


def test_differences_are_named():
    one = frame()
    changed = one.dq.copy()
    changed[2, 2] ^= 4

    assert differences(one, one) == ()
    assert differences(one, replace(one, sci=one.sci + 1, dq=changed)) == ("DQ", "SCI")
    assert differences(one, replace(one, variances={"POISSON": one.variances["POISSON"]})) == ("RNOISE",)
    assert differences(one, replace(one, planes={})) == ("CHI2", "NREADS")
    nan = replace(one, sci=np.full_like(one.sci, np.nan))
    assert differences(nan, nan) == ()
    assert differences(one, ramp()) == ("SCI",)


def test_a_ramp_that_was_fitted(tmp_path):
    steps = ramp((6, 5, 1, 5), reads=np.cumsum(np.full((6, 5, 1, 5), 20.0, np.float32), axis=3), groupdq=None)
    write_ramp(replace(steps, sci_header=header({"BUNIT": "electron"})), tmp_path / "raw.fits")
    task = Task(STEPS["ramp_fit"], STEPS["ramp_fit"].parameters(method="ols", read_noise=7.5))
    result = run(opened(tmp_path / "raw.fits"), [task], Library(NoReferences()))
    assert isinstance(result, Frame)
    write_frame(result, tmp_path / "out.fits")

    assert differences(read_frame(tmp_path / "out.fits"), again(tmp_path / "out.fits")) == ()
