import numpy as np
import pytest

from reduce.errors import DataError
from reduce.kernels.subarrays import Window, cut, draw_map, merge, parse_map

WINDOWS = tuple(
    Window(number, 7 + 31 * (place % 5), 5 + 60 * (place // 5) + place, 20 + place, 10 + 2 * place)
    for place, number in enumerate((1, 2, 4, 5, 8, 9, 13, 21, 300, 65535))
)
SHAPE = (160, 192)


@pytest.mark.parametrize("kind", ["<f4", ">f4", "<f8", "u2", "u4"])
@pytest.mark.parametrize("more", [(), (3,), (2, 5)])
def test_ten_subarrays_with_gaps_in_their_numbers_come_back_bit_by_bit(
    kind: str, more: tuple[int, ...]
) -> None:
    shape = (*SHAPE, *more)
    bits = np.random.default_rng(11).bytes(int(np.prod(shape)) * np.dtype(kind).itemsize)
    truth = np.frombuffer(bits, dtype=kind).reshape(shape)
    subarray_map = draw_map(WINDOWS, SHAPE)
    windows = parse_map(subarray_map, windows=WINDOWS)
    assert windows == WINDOWS
    parts = {window.id: cut(truth, window) for window in windows}
    full = truth.copy()
    full[subarray_map != 0] = 0
    merged = merge(full, parts, subarray_map)
    assert merged.tobytes() == truth.tobytes()
    assert merged.dtype == truth.dtype
    assert not full[subarray_map != 0].any()
    for window in windows:
        assert cut(merged, window).tobytes() == parts[window.id].tobytes()


def test_an_overlap_is_an_error_that_names_both() -> None:
    first, second = Window(3, 10, 10, 20, 20), Window(7, 25, 25, 20, 20)
    with pytest.raises(DataError, match=r"subarrays 3 .* and 7 .* overlap"):
        draw_map((first, second), SHAPE)
    drawn = draw_map((first,), SHAPE)
    drawn[second.slices(Window(0, 1, 1, SHAPE[1], SHAPE[0]))] = 7
    with pytest.raises(DataError, match=r"subarray 3 .* overlaps with 7"):
        parse_map(drawn)
