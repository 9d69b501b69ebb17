"""Pictures of validity over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from calmap.bestref import Cache
from calmap.bestref.coverage import Surveyor
from calmap.bestref.validity import Bar, Lane, TypeTimeline, timeline
from calmap.errors import UsageError
from calmap.report.timeline import _span, _summed, draw, pages

pytest.importorskip("matplotlib")
PNG = b"\x89PNG"


def drawn(timelines: Sequence[TypeTimeline], title: str, path: Path) -> tuple[Path, ...]:
    return tuple(map(draw, pages(timelines, title, path)))


def of(repo_root: Path, name: str) -> tuple[TypeTimeline, ...]:
    context = Cache(repo_root).context(name)
    return timeline(context, Surveyor(context).types())


def test_bars_go_from_useafter_to_the_next(repo_root: Path) -> None:
    (dq,) = of(repo_root, "ligeriri_iris_dq_0001.rmap")
    first = next(lane for lane in dq.lanes if lane.label == "IMG1")

    assert [(bar.start, bar.end) for bar in first.bars] == [
        (datetime(2024, 9, 1), datetime(2025, 3, 1)),
        (datetime(2025, 3, 1), None),
    ]


def test_nearest_dates_meet_in_the_middle(repo_root: Path) -> None:
    (dark,) = of(repo_root, "ligeriri_iris_dark_0001.rmap")
    lane = next(lane for lane in dark.lanes if len(lane.bars) == 2)

    assert lane.bars[0].start is None
    assert lane.bars[0].end == lane.bars[1].start
    assert lane.bars[1].end is None


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_same_rules_give_the_same_bytes(repo_root: Path, tmp_path: Path, suffix: str) -> None:
    timelines = of(repo_root, "ligeriri_iris_dark_0001.rmap")
    one, other = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"

    assert drawn(timelines, "ligeriri_0001.pmap", one) == (one,)
    drawn(timelines, "ligeriri_0001.pmap", other)

    assert one.read_bytes() == other.read_bytes()
    assert one.read_bytes().startswith(PNG if suffix == ".png" else b"<?xml")
    assert b"<dc:date>" not in one.read_bytes()


def test_every_reference_is_named_in_a_drawing(repo_root: Path, tmp_path: Path) -> None:
    timelines = of(repo_root, "ligeriri_0001.pmap")
    drawn(timelines, "ligeriri_0001.pmap", tmp_path / "a.svg")

    drawing = (tmp_path / "a.svg").read_text()
    for name in {name for t in timelines for lane in t.lanes for bar in lane.bars for name in bar.files}:
        assert f"<title>{name}, from" in drawing


def test_names_of_files_are_not_formulas_nor_tags(tmp_path: Path) -> None:
    bar = Bar(datetime(2024, 1, 1), None, ("a$x$<b>&.fits",), "a$x$<b>&.fits")
    drawn([TypeTimeline("i", "dark", "m.rmap", (), (Lane("any", 1, (bar,)),))], "m.rmap", tmp_path / "a.svg")

    assert "<title>a$x$&lt;b&gt;&amp;.fits, from" in (tmp_path / "a.svg").read_text()


def test_many_rules_go_on_several_pages(
    repo_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calmap.report.timeline.ROWS_ON_A_PAGE", 4)

    paths = drawn(of(repo_root, "ligeriri_iris_dark_0001.rmap"), "x", tmp_path / "a.svg")

    assert [page.name for page in paths] == ["a.svg", "a-2.svg", "a-3.svg"]
    assert "page 3 of 3" in paths[2].read_text()
    assert all("ligeriri_iris_dark_0001.rmap" in page.read_text() for page in paths)


def test_rules_of_many_types_are_taken_together() -> None:
    early, late = datetime(2020, 1, 1), datetime(2021, 1, 1)
    lanes = (
        Lane("a", 1, (Bar(early, None, ("a.fits",), "a.fits"),)),
        Lane("b", 2, (Bar(late, None, ("b.fits",), "b.fits"),)),
    )
    stretches = list(_summed(TypeTimeline("i", "dark", "m.rmap", (), lanes)))

    assert [(s.start, s.end, s.share) for s in stretches] == [(early, late, 0.5), (late, None, 1.0)]


def test_a_date_long_before_the_others_does_not_squeeze_them() -> None:
    dates = [datetime(1900, 1, 1), datetime(2020, 1, 1), datetime(2022, 1, 1)]
    bars = tuple(Bar(date, None, ("a.fits",), "a.fits") for date in dates)
    span = _span([TypeTimeline("i", "dark", "m.rmap", (), (Lane("any", 1, bars),))])

    assert span.start.year == 2019
    assert span.end > dates[-1]


def test_nothing_to_draw_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no rules to draw"):
        drawn([], "x.pmap", tmp_path / "a.png")
