import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reduce.dq import DQ
from reduce.errors import DataError
from reduce.kernels.subarrays import Window, cut, draw_map, flag_holes, full_frame, merge, parse_map

SHAPE = (40, 50)
ONE, FOUR = Window(1, 3, 2, 10, 5), Window(4, 21, 11, 7, 9)


def numbered(shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    array.flags.writeable = False
    return array


def test_starts_are_counted_from_one() -> None:
    part = cut(numbered(), ONE)
    assert part.shape == (5, 10)
    assert part[0, 0] == numbered()[1, 2]
    assert part[-1, -1] == numbered()[ONE.yend - 1, ONE.xend - 1]


def test_a_reference_with_a_window_of_its_own_is_cut_relative_to_it() -> None:
    holds = Window(0, 11, 6, 30, 25)
    reference = cut(numbered(), holds)
    np.testing.assert_array_equal(cut(reference, FOUR, of=holds), cut(numbered(), FOUR))
    assert cut(reference, holds._replace(id=4), of=holds) is reference
    with pytest.raises(DataError, match=r"columns 3 to 12.*reaches out of.*columns 11 to 40"):
        cut(reference, ONE, of=holds)
    with pytest.raises(DataError, match="can't hold 25 rows of 30 columns"):
        cut(numbered(), FOUR, of=holds)


@pytest.mark.parametrize(
    "window",
    [
        Window(1, 0, 1, 5, 5),
        Window(1, 1, 0, 5, 5),
        Window(1, 47, 1, 5, 5),
        Window(1, 1, 37, 5, 5),
        Window(1, 5, 5, 0, 5),
    ],
)
def test_nothing_is_cut_beyond_the_edge(window: Window) -> None:
    with pytest.raises(DataError, match="subarray 1"):
        cut(numbered(), window)


def test_cutting_reads_only_the_rows_it_needs() -> None:
    class File:
        shape, dtype = SHAPE, np.dtype(np.float32)
        asked: slice

        def __getitem__(self, key: slice) -> np.ndarray:
            self.asked = key
            return numbered()[key]

    file = File()
    np.testing.assert_array_equal(cut(file, FOUR), cut(numbered(), FOUR))
    assert file.asked == slice(10, 19)


def test_a_cut_is_a_new_array() -> None:
    source = np.zeros(SHAPE)
    cut(source, ONE)[...] = 1
    assert not source.any()


def test_a_map_without_subarrays_has_none() -> None:
    assert parse_map(np.zeros(SHAPE, np.uint16)) == ()


def test_a_subarray_that_is_no_rectangle_is_named() -> None:
    drawn = draw_map((ONE, FOUR), SHAPE)
    drawn[12, 22] = 0
    with pytest.raises(DataError, match="subarray 4 is not a rectangle"):
        parse_map(drawn)


def test_the_map_has_to_agree_with_headers() -> None:
    drawn = draw_map((ONE, FOUR), SHAPE)
    with pytest.raises(DataError, match=r"subarray 4 is columns 21 to 27.*in the map, but columns 22 to 28"):
        parse_map(drawn, windows=(ONE, FOUR._replace(xstart=22)))
    with pytest.raises(DataError, match=r"subarray 6 .* is not in the map") as caught:
        parse_map(drawn, windows=(Window(6, 40, 30, 2, 2),))
    assert caught.value.hint == "the map has 1, 4"
    with pytest.raises(DataError, match="overlap"):
        parse_map(drawn, windows=(ONE, FOUR._replace(xstart=5, ystart=3)))
    with pytest.raises(DataError, match="two subarrays 1"):
        parse_map(drawn, windows=(ONE, ONE))


def test_maps_that_are_none_are_refused() -> None:
    with pytest.raises(DataError, match="whole numbers"):
        parse_map(np.zeros(SHAPE))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="whole numbers"):
        parse_map(np.zeros((2, 2, 2), np.int16))
    with pytest.raises(DataError, match="number -3"):
        parse_map(np.full(SHAPE, -3, np.int16))
    with pytest.raises(DataError, match="number 70000"):
        draw_map((ONE._replace(id=70000),), SHAPE)


def test_merging_needs_each_part_in_its_size_and_type() -> None:
    drawn = draw_map((ONE, FOUR), SHAPE)
    parts = {window.id: cut(numbered(), window) for window in (ONE, FOUR)}
    with pytest.raises(DataError, match="subarray 1 is in the map, but not among the files"):
        merge(numbered(), {4: parts[4]}, drawn)
    with pytest.raises(DataError, match="subarrays 5, 9 are not in the map"):
        merge(numbered(), {**parts, 9: parts[1], 5: parts[1]}, drawn)
    with pytest.raises(DataError, match=r"subarray 4 has the shape \(5, 10\)"):
        merge(numbered(), {**parts, 4: parts[1]}, drawn)
    with pytest.raises(DataError, match="uint32, which does not fit into uint16"):
        merge(np.zeros(SHAPE, np.uint16), {1: parts[1].astype(np.uint32)}, drawn, allow_missing=True)
    with pytest.raises(DataError, match="map of subarrays has the shape"):
        merge(np.zeros((3, 3)), parts, drawn)
    np.testing.assert_array_equal(merge(numbered(), {4: parts[4]}, drawn, allow_missing=True), numbered())


def test_holes_of_the_full_frame_get_no_colliding_bit() -> None:
    dq = np.full(SHAPE, DQ.JUMP_DET, np.uint32)
    dq.flags.writeable = False
    drawn = draw_map((FOUR,), SHAPE)
    flags = flag_holes(dq, drawn)
    assert (flags[drawn != 0] == DQ.JUMP_DET | DQ.NON_SCIENCE | DQ.DO_NOT_USE).all()
    assert (flags[drawn == 0] == DQ.JUMP_DET).all()
    with pytest.raises(DataError, match="map of subarrays"):
        flag_holes(dq[:3], drawn)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(1, 9), st.integers(1, 9)), max_size=4
    )
)
def test_either_windows_are_refused_or_they_come_back(sizes: list[tuple[int, int, int, int]]) -> None:
    windows = tuple(Window(3 * place + 2, *size) for place, size in enumerate(sizes))
    if any(one.overlaps(other) for one in windows for other in windows if one is not other):
        with pytest.raises(DataError, match="overlap"):
            draw_map(windows, SHAPE)
        return
    drawn = draw_map(windows, SHAPE)
    assert parse_map(drawn) == windows
    assert np.count_nonzero(drawn) == sum(window.xsize * window.ysize for window in windows)
    assert all(window.within(full_frame(SHAPE)) for window in windows)
