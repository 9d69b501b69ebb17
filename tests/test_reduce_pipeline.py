"""Steps run one after the other, by blocks of rows, with what is recorded of them."""

from dataclasses import replace

import numpy as np
import pytest
from reduce_files import frame, ramp

from reduce import pipeline
from reduce.errors import DataError, MissingReferenceError, ParameterError
from reduce.files.writer import write_frame
from reduce.frame import Frame, Ramp, by_rows
from reduce.library import Library
from reduce.pipeline import LEFT_OUT, Task, Unwatched, combine, run
from reduce.provenance import Provenance
from reduce.references import NoReferences, Overrides
from reduce.step import FitStep, FrameStep, Need, Prepared, RampStep, Skipped
from reduce.steps import STEPS

NONE = Library(NoReferences())


def task(name, **parameters):
    return Task(STEPS[name], STEPS[name].parameters(**parameters))


def adding(amount, halo=0):
    def work(block):
        return replace(block, reads=np.asarray(block.reads, dtype=np.float32) + np.float32(amount))

    step = RampStep(f"add{amount}", "", "add", prepare=lambda data, *_: Prepared(data, work, halo))
    return Task(step, step.parameters())


def smoothing():
    """Each row becomes the sum of itself and its neighbours, so blocks need one row more on each side."""

    def work(block):
        reads = np.asarray(block.reads, dtype=np.float32)
        padded = np.pad(reads, ((1, 1), (0, 0), (0, 0), (0, 0)))
        return replace(block, reads=padded[:-2] + padded[1:-1] + padded[2:])

    step = RampStep("smooth", "", "smooth", prepare=lambda data, *_: Prepared(data, work, 1))
    return Task(step, step.parameters())


def last_read():
    """A fit that takes the last read."""

    def fit(block):
        sci = np.ascontiguousarray(np.asarray(block.reads, dtype=np.float32)[:, :, 0, -1])
        return Frame(sci, {"POISSON": sci**2}, block.pixeldq, block.header, block.sci_header, {"N": sci})

    step = FitStep("last", "", "last", prepare=lambda *_: fit)
    return Task(step, step.parameters())


class Seen(Unwatched):
    def __init__(self):
        self.begins, self.ends, self.counts = [], [], []

    def begun(self, step):
        self.begins.append(step.name)

    def rows(self, done, total):
        self.counts.append((done, total))

    def ended(self, record, before, after):
        self.ends.append((record.step, record.status))


@pytest.mark.parametrize("rows", [1, 2, 5, 100])
def test_the_size_of_blocks_does_not_matter(monkeypatch, rows):
    data = ramp((23, 5, 1, 4), groupdq=None)
    tasks = [adding(1), smoothing(), adding(2), last_read()]
    expected = run(data, tasks, NONE)
    monkeypatch.setattr(pipeline, "_BLOCK_ROWS", rows)

    found = run(data, tasks, NONE)

    assert np.array_equal(found.sci, expected.sci)
    assert np.array_equal(found.variances["POISSON"], expected.variances["POISSON"])
    assert np.array_equal(found.planes["N"], expected.planes["N"])
    reads = data.reads[:].astype(np.float32) + 1
    padded = np.pad(reads, ((1, 1), (0, 0), (0, 0), (0, 0)))
    assert np.array_equal(found.sci, (padded[:-2] + padded[1:-1] + padded[2:] + 2)[:, :, 0, -1])


def test_without_a_fit_the_ramp_comes_out_whole():
    data = ramp()

    result = run(data, [adding(1), smoothing()], NONE)

    assert isinstance(result, Ramp)
    assert result.reads.shape == data.reads.shape
    assert np.array_equal(result.groupdq, data.groupdq)
    assert np.array_equal(result.pixeldq, data.pixeldq)
    assert [record.step for record in result.provenance.steps] == ["add1", "smooth"]


def test_inputs_are_left_as_they_are():
    data = ramp()
    for array in (data.reads, data.groupdq, data.pixeldq, data.times):
        array.flags.writeable = False
    before = data.header.copy()

    run(data, [task("saturation"), task("gain_scale"), task("ramp_fit", method="cds")], NONE)

    assert data.header == before
    assert data.provenance == Provenance()


def test_everything_is_recorded_and_watched(tmp_path):
    write_frame(frame(seed=3, provenance=Provenance()), tmp_path / "dark.fits")
    library = Library(Overrides({"dark": tmp_path / "dark.fits"}, NoReferences()))
    watcher = Seen()
    data = frame(provenance=Provenance())

    result = run(data, [task("dark_sub"), task("normalize", method="mean")], library, watcher)

    dark, normalized = result.provenance.steps
    assert dark.references[0].reference.path == tmp_path / "dark.fits"
    assert len(dark.references[0].sha256) == 64
    assert (normalized.keyword, normalized.parameters) == ("S_NORMAL", {"method": "mean"})
    assert watcher.begins == ["dark_sub", "normalize"]
    assert watcher.ends == [("dark_sub", "COMPLETE"), ("normalize", "COMPLETE")]


def test_what_is_left_out_is_recorded_and_needs_nothing():
    data = frame(provenance=Provenance())

    result = run(data, [Task(STEPS["dark_sub"], STEPS["dark_sub"].parameters(), LEFT_OUT)], NONE)

    [record] = result.provenance.steps
    assert (record.status, record.reason, record.references) == ("SKIPPED", LEFT_OUT, ())
    assert result.sci is data.sci


def test_references_that_are_missing_or_do_not_apply():
    data = frame(provenance=Provenance())

    with pytest.raises(MissingReferenceError, match="no rules for reference files of type dark") as caught:
        run(data, [task("dark_sub")], NONE)
    assert "--override dark=FILE" in caught.value.hint
    allowed = run(data, [task("dark_sub")], Library(NoReferences(), {"dark"})).provenance.steps[0]
    assert (allowed.status, allowed.references[0].reference.keyword_value) == ("SKIPPED", "MISSING")
    absent = run(data, [task("dark_sub")], Library(Overrides({"dark": None}))).provenance.steps[0]
    assert (absent.status, absent.references[0].reference.keyword_value) == ("SKIPPED", "N/A")


def test_a_step_may_do_without_a_type_that_has_no_rules():
    step = FrameStep(
        "s", "", "s", (Need("sky", False),), apply=lambda data, refs, _: Skipped("none") if not refs else data
    )

    [record] = run(frame(provenance=Provenance()), [Task(step, step.parameters())], NONE).provenance.steps

    assert (record.status, record.reason, record.references) == ("SKIPPED", "none", ())


@pytest.mark.parametrize(
    ("data", "name"), [(frame(), "ramp_fit"), (ramp(), "normalize"), (frame(), "saturation")]
)
def test_steps_that_do_not_go_with_the_data(data, name):
    with pytest.raises(ParameterError, match=f"the step {name} can't be run on"):
        run(data, [task(name)], NONE)


def test_combining():
    frames = [by_rows(frame(seed=seed, provenance=Provenance())) for seed in range(3)]

    result = combine(frames, task("combine_frames"), NONE)

    assert [record.step for record in result.provenance.steps] == ["combine_frames"]
    with pytest.raises(DataError, match="there is none"):
        combine([], task("combine_frames"), NONE)
    with pytest.raises(ParameterError, match="the step normalize does not combine frames"):
        combine(frames, task("normalize"), NONE)
