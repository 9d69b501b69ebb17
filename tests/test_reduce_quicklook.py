import re
import subprocess
import sys
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.image import imread
from reduce_files import WCS_CARDS, frame, header, history, ramp, write

from reduce.dq import DQ
from reduce.errors import DataError, OutputError, ParameterError
from reduce.files.writer import write_frame
from reduce.frame import Frame, Ramp
from reduce.library import Library
from reduce.pipeline import Task, Unwatched, run
from reduce.provenance import Provenance, StepRecord
from reduce.quicklook.collector import Collector
from reduce.quicklook.drawing import difference, figure, overlay, plain, style, wrapped
from reduce.quicklook.figures import bins, overview
from reduce.quicklook.groups import GROUPS
from reduce.quicklook.page import page
from reduce.quicklook.report import Report, report_on, with_steps
from reduce.quicklook.subject import of_frame, of_ramp, subject
from reduce.quicklook.views import SIZE, look, stretch, view
from reduce.quicklook.words import facts, lines, use_lines, why
from reduce.references import NoReferences
from reduce.replay import Finder
from reduce.session import Request, opened, planned, reduced
from reduce.step import Prepared, RampStep

UNIT = "electron / s"


def image(sci: object, dq: object = None, **fields: object) -> Frame:
    values = np.asarray(sci, dtype=np.float32)
    flags = np.zeros(values.shape, dtype=np.uint32) if dq is None else np.asarray(dq, dtype=np.uint32)
    given = {"sci_header": header({"BUNIT": UNIT}), "planes": {}, "variances": {}, **fields}
    return frame(values.shape, sci=values, dq=flags, **given)


def drawn(png: bytes) -> np.ndarray:
    return imread(BytesIO(png), format="png")


# what is seen


def test_a_small_image_is_shown_as_it_is() -> None:
    made = frame()

    seen = view(made)

    good = (made.dq & DQ.DO_NOT_USE) == 0
    np.testing.assert_array_equal(seen.image[good], made.sci[good])
    assert np.isnan(seen.image[~good]).all()
    assert (seen.cell, seen.shape, seen.unusable) == ((1, 1), (7, 5), pytest.approx(1 / 35))


def test_a_large_image_is_averaged_over_its_good_pixels() -> None:
    sci = np.arange(1200 * 1030, dtype=np.float32).reshape(1200, 1030)
    dq = np.zeros(sci.shape, dtype=np.uint32)
    dq[0, 0] = DQ.DO_NOT_USE
    dq[3:6, 3:6] = DQ.DO_NOT_USE

    seen = view(image(sci, dq))

    assert seen.cell == (3, 3)
    assert seen.image.shape == (400, 343)
    assert max(seen.image.shape) <= SIZE
    assert seen.image[0, 0] == pytest.approx(sci[:3, :3].ravel()[1:].mean())
    assert np.isnan(seen.image[1, 1])
    assert seen.image[399, 342] == pytest.approx(sci[1197:, 1026:1029].mean())
    assert seen.share[0, 0] == pytest.approx(1 / 9)


def test_numbers_are_those_of_good_pixels() -> None:
    rng = np.random.default_rng(1)
    sci = rng.normal(10, 2, (80, 60))
    dq = np.where(rng.random(sci.shape) < 0.1, DQ.DO_NOT_USE | DQ.HOT, 0)
    sci[dq != 0] = 1e9

    seen = look(image(sci, dq, variances={"A": np.full(sci.shape, 9.0), "B": np.full(sci.shape, 16.0)}))

    np.testing.assert_allclose(np.sort(seen.values), np.sort(sci[dq == 0]), rtol=1e-6)
    np.testing.assert_array_equal(seen.errors, 5.0)
    assert seen.counts == {"DO_NOT_USE": (dq != 0).sum(), "HOT": (dq != 0).sum()}
    assert 4 < seen.view.low < 10 < seen.view.high < 16


def test_a_large_image_is_sampled_regularly() -> None:
    sci = np.broadcast_to(np.arange(2100, dtype=np.float32)[:, None], (2100, 2100))

    seen = look(image(sci))

    np.testing.assert_array_equal(np.unique(seen.values), np.arange(0, 2100, 2))


def test_flags_have_the_colour_of_what_most_pixels_of_a_cell_have() -> None:
    dq = np.zeros((1024, 1024), dtype=np.uint32)
    dq[0, :2] = DQ.DEAD | DQ.DO_NOT_USE
    dq[1, 0] = DQ.JUMP_DET
    dq[2:4, 2:4] = DQ.NO_FLAT_FIELD
    dq[4:6, 4:6] = DQ.DO_NOT_USE

    seen = view(image(np.ones(dq.shape), dq))

    named = {group.name: number for number, group in enumerate(GROUPS)}
    assert (seen.group[0, 0], seen.share[0, 0]) == (named["dead, dim or open"], 0.5)
    assert seen.share[1, 1] == 0, "usable pixels that are not calibrated may be all of them"
    assert (seen.group[2, 2], seen.share[2, 2]) == (named["unusable, other"], 1)
    colors = overlay(seen)
    assert colors[2, 2, 3] == 1
    assert 0.2 < colors[0, 0, 3] < 1
    assert colors[9, 9, 3] == 0


@pytest.mark.parametrize("values", [[[np.nan]], [[3.0]], [[7.0, 7.0]], [[0.0, 0.0]], [[1e30, -1e30]]])
def test_there_is_always_a_stretch(values: list[list[float]]) -> None:
    low, high = stretch(np.array(values, dtype=np.float32))

    assert np.isfinite([low, high]).all()
    assert low < high


@pytest.mark.parametrize(
    "values",
    [
        [5.0],
        [5.0] * 9,
        [0.0, 1e-30],
        [1e300, -1e300],
        [1.0, 2.0, 3.0],
        list(np.linspace(0, 1, 999)),
        [1e9, 1e9 + 1],
    ],
)
def test_there_are_always_bins_around_the_median(values: list[float]) -> None:
    edges = bins(np.array(values))

    assert (np.diff(edges) > 0).all()
    assert edges[0] <= np.median(values) <= edges[-1]
    np.histogram(values, edges)


def test_whole_numbers_have_a_bin_each() -> None:
    np.testing.assert_array_equal(bins(np.array([1.0, 2, 2, 5])), np.arange(6) + 0.5)


# files


def test_a_ramp_shows_what_it_gained() -> None:
    given = ramp((6, 5, 2, 4))

    seen = of_ramp(given, "a")

    gained = given.reads[:, :, 0, 3].astype(np.float32) - given.reads[:, :, 0, 0]
    np.testing.assert_array_equal(seen.main.view.image, gained)
    assert seen.main.counts == {"SATURATED": 1, "HOT": 1}
    assert seen.curves is not None
    assert seen.curves.levels.shape == (3, 4)
    assert "2 groups of 4 reads" in next(lines(seen))


def test_one_read_is_shown_itself() -> None:
    given = ramp((6, 5, 1, 1))

    seen = of_ramp(given, "a")

    np.testing.assert_array_equal(seen.main.view.image, given.reads[:, :, 0, 0])
    assert seen.panels[0].title == "the only read"


@pytest.mark.parametrize("last", [True, False])
def test_coefficients_are_shown_plane_by_plane(tmp_path: Path, last: bool) -> None:
    planes = np.random.default_rng(1).normal(size=(3, 8, 9)).astype(np.float32)
    dq = np.zeros((8, 9), dtype=np.uint32)
    dq[1, 2] = DQ.DO_NOT_USE
    stored = np.moveaxis(planes, 0, -1) if last else planes
    path = write(tmp_path / "a.fits", ("COEFFS", np.ascontiguousarray(stored)), ("DQ", dq))

    seen = subject(path)

    assert [panel.title for panel in seen.panels] == [f"COEFFS, plane {number}" for number in range(3)]
    for panel, plane in zip(seen.panels, planes, strict=True):
        np.testing.assert_array_equal(panel.glance.view.image[dq == 0], plane[dq == 0])
    assert seen.main.counts == {"DO_NOT_USE": 1}


def test_quality_bits_alone_are_all_shown(tmp_path: Path) -> None:
    dq = np.zeros((8, 9), dtype=np.uint32)
    dq[1, 2] = DQ.NO_FLAT_FIELD
    path = write(tmp_path / "a.fits", ("DQ", dq))

    seen = subject(path)

    assert seen.panels[0].mask
    assert seen.main.view.share.sum() == 1
    assert seen.main.counts == {"NO_FLAT_FIELD": 1}
    assert facts(seen)["images"][0]["median"] is None


def test_whole_numbers_and_the_primary_image_are_shown(tmp_path: Path) -> None:
    values = np.arange(12, dtype=np.int16).reshape(3, 4)

    first = subject(write(tmp_path / "a.fits", ("PRIMARY", values)))
    named = subject(write(tmp_path / "b.fits", ("COUNTS", values)))

    for seen in (first, named):
        np.testing.assert_array_equal(seen.main.view.image, values)


def test_a_table_can_not_be_shown(tmp_path: Path) -> None:
    path = write(tmp_path / "a.fits", ("PARS", np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f4")])))

    with pytest.raises(DataError, match="no image that can be shown; it has PRIMARY, PARS"):
        subject(path)


def test_broken_coordinates_do_not_keep_an_image_from_being_shown() -> None:
    broken = header({**WCS_CARDS, "CD1_1": 0.0, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 0.0}, BUNIT=UNIT)

    assert of_frame(frame(sci_header=broken), "a").wcs is None
    assert of_frame(frame(), "a").wcs is not None


# pictures


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(image(np.full((20, 20), 7.0)), id="constant"),
        pytest.param(image(np.full((9, 9), np.nan), np.ones((9, 9))), id="nothing"),
        pytest.param(image([[3.0]]), id="one pixel"),
        pytest.param(image(np.ones((1, 3000))), id="a row"),
        pytest.param(image(np.random.default_rng(1).normal(size=(30, 30)) * 1e37), id="huge values"),
        pytest.param(image(np.eye(20), sci_header=header({"BUNIT": "$\\frac{"})), id="odd unit"),
        pytest.param(ramp((4, 3, 1, 1)), id="one read"),
    ],
)
def test_anything_can_be_drawn(made: Frame | Ramp) -> None:
    with style():
        picture = overview(report_on(made, "a", ()).subject)

    assert picture.shape[1:] == (1150, 3)
    assert len(np.unique(picture)) > 10


def test_names_may_be_long_and_odd() -> None:
    with style():
        pictures = [
            overview(of_frame(image(np.eye(9)), name))
            for name in ("a" * 300 + ".fits", "$x$ \\frac{ \n <b> 語 \udcff ＆.fits")
        ]

    for picture in pictures:
        assert (picture[:, :20] == 255).all(), "nothing is cut off on the left"
        assert (picture[:60, -20:] == 255).all(), "nor on the right"


def test_a_long_text_keeps_both_ends() -> None:
    text = wrapped("begin_" + "x" * 500 + "_end.fits", 50, 2)

    assert len(text.splitlines()) == 2
    assert text.startswith("begin_")
    assert text.endswith("_end.fits")
    assert plain("a\nb\x00\udcff") == "a\ufffdb\ufffd\ufffd"


def test_a_changed_unit_has_no_difference() -> None:
    one, other = view(image(np.eye(9))), view(image(np.eye(9), sci_header=header({"BUNIT": "DN"})))

    for before, after, words in ((one, other, f"from {UNIT} to DN"), (one, one, "no value changed")):
        axes, bar = figure(3).subplots(1, 2)
        difference(axes, bar, before, after)
        assert [text.get_text() for text in axes.texts] == [words]


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    report = report_on(frame((40, 30)), "a.fits", ())
    for name in ("a.png", "b.png", "a.html", "b.html"):
        report.write(tmp_path / name)

    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    for word in (b"Software", b"matplotlib", b"tEXt", b"tIME"):
        assert word not in (tmp_path / "a.png").read_bytes()


def test_settings_of_matplotlib_change_nothing(tmp_path: Path) -> None:
    report = report_on(image(np.eye(9)), "a.fits", ())
    report.write(tmp_path / "a.png")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "text.usetex": True}):
        report.write(tmp_path / "b.png")
        assert matplotlib.rcParams["font.size"] == 30

    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


# pages


class Checker(HTMLParser):
    """Elements that are open, and pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.pictures: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "img":
            self.pictures.append(dict(attrs)["src"] or "")
        elif tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_stands_alone_and_escapes_what_files_say(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    record = StepRecord(evil, "S_X", "SKIPPED", {evil: evil}, (), evil)
    told = Provenance(evil, evil, history().inputs, (*history().steps, record))
    report = report_on(frame(header=header(OBJECT=evil), provenance=told), evil, (), evil)

    report.write(tmp_path / "a.html")

    text = (tmp_path / "a.html").read_text("utf-8")
    checker = Checker()
    checker.feed(text)
    assert not checker.open
    assert "script" not in checker.tags
    assert not re.search(r"(?:src|href)=\"(?!data:)", text)
    assert "http" not in text
    assert "ligeriri_iris_dark_0002.rmap:27 of ligeriri_0002.pmap" in text
    assert "the closest in time" in text
    assert "Königs flat &#x27; .fits" in text
    assert drawn(b64decode(checker.pictures[0].partition(",")[2])).ndim == 3


@pytest.mark.parametrize("name", ["a.pdf", "a", "a.fits"])
def test_only_pages_and_pictures_are_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(ParameterError, match="can't be written as"):
        report_on(frame(), "a", ()).write(tmp_path / name)

    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten_unless_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("mine")

    with pytest.raises(OutputError, match="exists"):
        report_on(frame(), "a", ()).write(tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text() == "mine"
    report_on(frame(), "a", ()).write(tmp_path / "a.html", overwrite=True)
    assert (tmp_path / "a.html").read_text().startswith("<!DOCTYPE html>")


def test_matplotlib_is_asked_for_only_when_something_is_drawn() -> None:
    code = "import sys, reduce.batch, reduce.quicklook.report; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_matplotlib_the_message_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)

    with pytest.raises(ParameterError, match="not installed") as caught:
        report_on(frame(), "a", ()).write(tmp_path / "a.png")
    assert "pip install" in (caught.value.hint or "")


# steps


@pytest.fixture(scope="module")
def request_() -> Request:
    return Request(NoReferences(), allowed=("dq", "dark", "flat", "nonlincoeff"))


@pytest.fixture(scope="module")
def raw(repo_root: Path) -> Path:
    return next((repo_root / "exposures").glob("*_LVL0_*.fits"))


@pytest.fixture(scope="module")
def reduction(raw: Path, request_: Request) -> tuple[Frame, Collector]:
    data = opened(raw)
    plan = planned(data, raw, request_)
    collector = Collector()
    result = reduced(data, plan, request_, collector)
    assert isinstance(result, Frame)
    return result, collector


def test_each_step_that_was_run_is_seen_before_and_after(reduction: tuple[Frame, Collector]) -> None:
    result, collector = reduction

    changes = collector.finish()

    complete = [record.step for record in result.provenance.steps if record.status == "COMPLETE"]
    assert [change.record.step for change in changes] == complete
    assert "ramp_fit" in complete
    for one, next_one in pairwise(changes):
        assert one.after is next_one.before
    np.testing.assert_array_equal(changes[-1].after.image, view(result).image)


def test_before_the_first_step_is_the_last_read(raw: Path, reduction: tuple[Frame, Collector]) -> None:
    data = opened(raw)
    assert isinstance(data, Ramp)
    first = reduction[1].finish()[0].before

    good = ~np.isnan(first.image)
    np.testing.assert_array_equal(first.image[good], np.asarray(data.reads[:])[:, :, 0, -1][good])
    assert first.unit == data.unit


def test_large_ramps_are_seen_at_single_pixels_whatever_the_blocks() -> None:
    """A ramp of more rows than a small image has, by a step that has blocks of its own."""

    def add(block: Ramp) -> Ramp:
        rows = np.arange(block.first_row, block.first_row + block.shape[0], dtype=np.float32)
        return replace(block, reads=block.reads + rows[:, None, None, None])

    def prepare(given: Ramp, *_: object) -> Prepared:
        flags = given.pixeldq.copy()
        flags[0, 0] = DQ.DO_NOT_USE
        return Prepared(replace(given, sci_header=header({"BUNIT": "electron"}), pixeldq=flags), add, halo=3)

    step = RampStep("add", "S_ADD", "add", prepare=prepare)
    reads = np.random.default_rng(1).normal(size=(1100, 7, 1, 2)).astype(np.float32)
    data = ramp(reads.shape, reads=reads, groupdq=None, pixeldq=np.zeros((1100, 7), dtype=np.uint32))
    collector = Collector()

    run(data, [Task(step, step.parameters())], Library(NoReferences()), collector)

    (change,) = collector.finish()
    assert change.after.cell == (3, 1)
    np.testing.assert_array_equal(change.before.image, reads[:1098:3, :, 0, -1])
    rows = np.arange(0, 1098, 3, dtype=np.float32)
    expected = change.before.image + rows[:, None]
    expected[0, 0] = np.nan
    np.testing.assert_array_equal(change.after.image, expected)
    assert (change.before.unit, change.after.unit) == ("DN", "electron")
    assert (change.before.unusable, change.after.unusable) == (0, 1 / reads[..., 0, 0].size)


def test_a_product_is_made_again_to_see_its_steps(
    raw: Path, reduction: tuple[Frame, Collector], tmp_path: Path
) -> None:
    write_frame(reduction[0], tmp_path / "product.fits")
    seen = subject(tmp_path / "product.fits")

    report = with_steps(seen, tmp_path / "product.fits", Finder((raw.parent,)), Unwatched())

    assert report.note == "The steps were run again, with the same result."
    assert [one.record.step for one in report.changes] == [one.record.step for one in reduction[1].finish()]
    for one, other in zip(report.changes, reduction[1].finish(), strict=True):
        np.testing.assert_array_equal(one.after.image, other.after.image)


def test_the_report_says_why_steps_are_not_shown(reduction: tuple[Frame, Collector]) -> None:
    lost = of_frame(frame(), "a.fits")
    plain_ = of_frame(frame(provenance=Provenance()), "a.fits")

    notes = [with_steps(one, Path("a.fits"), Finder(), Unwatched()).note for one in (lost, plain_)]

    assert notes[0].startswith(
        "Steps are not shown: the input /data/raw ü.fits is not there (name the folder"
    )
    assert notes[1] == "The file does not say that any step was run on it."


def test_pictures_of_steps_are_below_the_overview(reduction: tuple[Frame, Collector], tmp_path: Path) -> None:
    result, collector = reduction
    Report(of_frame(result, "a")).write(tmp_path / "without.png")
    report_on(result, "a", collector.finish()).write(tmp_path / "with.png")

    heights = [drawn((tmp_path / name).read_bytes()).shape[0] for name in ("without.png", "with.png")]

    assert heights[1] - heights[0] == 315 * len(collector.finish())


def test_files_that_somebody_named_are_shown_by_name() -> None:
    product = of_frame(frame(), "a.fits")

    for text in ("\n".join(lines(product)), "\n".join(use_lines(history())), page(product, ())):
        assert "Königs flat" in text
        assert "/data/Königs" not in text


def test_the_account_names_rules_and_reasons() -> None:
    told = facts(of_frame(frame(), "a.fits"))
    dark, flat, bias = told["references"]

    assert dark["rule"] == "ligeriri_iris_dark_0002.rmap:27"
    assert dark["reason"] == "the closest in time"
    assert (flat["origin"], bias["file"]) == ("override", "N/A")
    assert told["flags"] == {"DO_NOT_USE": 1, "NO_FLAT_FIELD": 1, "REFERENCE_PIXEL": 1}
    assert told["images"][0]["percentiles"]["50"] == told["images"][0]["median"]
    assert [why(use) for use in history().references] == ["the closest in time", "named by the user", ""]
