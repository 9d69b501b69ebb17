from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reduce.dq import DQ
from reduce.errors import DataError, ParameterError
from reduce.kernels.ramp.linear import fit_linear
from reduce.kernels.ramp.selection import parse_reads, select_reads


@pytest.mark.parametrize(
    ("text", "indices"),
    [
        ("0", [0]),
        ("-1", [7]),
        ("1,3-5", [1, 3, 4, 5]),
        ("2:", [2, 3, 4, 5, 6, 7]),
        (":-1", [0, 1, 2, 3, 4, 5, 6]),
        ("-3:", [5, 6, 7]),
        ("::3", [0, 3, 6]),
        ("1:6:2", [1, 3, 5]),
        (" 6 , 1-2 ,2", [1, 2, 6]),
        (":", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("4:100", [4, 5, 6, 7]),
    ],
)
def test_text_names_reads(text: str, indices: list[int]) -> None:
    assert parse_reads(text, 8) == tuple(indices)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8",
        "-9",
        "3-1",
        "3-8",
        "x",
        "1,,2",
        "1;2",
        "1.0",
        "::0",
        "::-1",
        "8:",
        "--1",
        "1-2-3",
        "٣",
        "3--1",
    ],
)
def test_text_that_names_none(text: str) -> None:
    with pytest.raises(ParameterError):
        parse_reads(text, 8)


@given(st.sets(st.integers(0, 19), min_size=1))
def test_what_is_written_is_read(chosen: set[int]) -> None:
    assert parse_reads(",".join(map(str, chosen)), 20) == tuple(sorted(chosen))


@given(st.text(alphabet="0123456789,:- ", max_size=12), st.integers(1, 12))
def test_any_text_gives_indices_that_exist_or_is_refused(text: str, n: int) -> None:
    try:
        indices = parse_reads(text, n)
    except ParameterError:
        return
    assert indices == tuple(sorted(set(indices)))
    assert indices
    assert set(indices) <= set(range(n))


def test_reads_and_groups_are_left_out() -> None:
    reads = np.arange(2 * 3 * 4 * 5, dtype=np.uint16).reshape(2, 3, 4, 5)
    times = np.arange(20.0).reshape(4, 5)
    flags = np.zeros(reads.shape, dtype=np.uint8)
    for array in (reads, times, flags):
        array.flags.writeable = False
    some = select_reads(reads, times, flags, keep="0,2-4", groups=[-1, 0])
    np.testing.assert_array_equal(some.reads, reads[:, :, [0, 3]][..., [0, 2, 3, 4]])
    np.testing.assert_array_equal(some.times, times[[0, 3]][:, [0, 2, 3, 4]])
    assert some.groupdq is not None
    assert some.groupdq.shape == some.reads.shape


def test_everything_is_kept_without_copies() -> None:
    reads, times = np.zeros((2, 3, 4, 5)), np.arange(20.0).reshape(4, 5)
    some = select_reads(reads, times, None)
    assert some.reads.shape == reads.shape
    assert np.shares_memory(some.reads, reads)
    assert some.groupdq is None


def test_reads_that_follow_one_another_are_not_copied() -> None:
    reads, times = np.zeros((2, 3, 4, 5)), np.arange(20.0).reshape(4, 5)
    assert np.shares_memory(select_reads(reads, times, None, keep="2:").reads, reads)


def test_a_jump_goes_on_to_the_next_read() -> None:
    flags = np.zeros((1, 1, 1, 6), dtype=np.uint8)
    flags[..., 2] = DQ.JUMP_DET | DQ.DO_NOT_USE
    some = select_reads(np.zeros((1, 1, 1, 6)), np.arange(6.0)[None], flags, keep="0,1,4,5")
    assert some.groupdq is not None
    assert some.groupdq.ravel().tolist() == [0, 0, DQ.JUMP_DET, 0]


def test_a_jump_before_all_reads_is_of_no_matter_but_saturation_is() -> None:
    flags = np.zeros((1, 1, 1, 6), dtype=np.uint8)
    flags[..., 1] = DQ.JUMP_DET | DQ.SATURATED
    some = select_reads(np.zeros((1, 1, 1, 6)), np.arange(6.0)[None], flags, keep="3:")
    assert some.groupdq is not None
    assert some.groupdq.ravel().tolist() == [DQ.SATURATED, 0, 0]


def test_a_slope_without_the_read_where_a_jump_was_found() -> None:
    times = np.arange(10.0)[None]
    reads = np.broadcast_to(3.0 * times, (2, 2, 1, 10)).copy()
    reads[..., 4:] += 100.0
    flags = np.zeros(reads.shape, dtype=np.uint8)
    flags[..., 4] = DQ.JUMP_DET
    some = select_reads(reads, times, flags, keep="0-3,5-9")
    fit = fit_linear(some.reads, some.times, method="ols", read_noise=1.0, groupdq=some.groupdq)
    np.testing.assert_allclose(fit.rate, 3.0)


def test_shapes_have_to_go_together() -> None:
    with pytest.raises(DataError):
        select_reads(np.zeros((2, 3, 4, 5)), np.zeros((4, 6)), None)
    with pytest.raises(DataError):
        select_reads(np.zeros((2, 3, 4, 5)), np.zeros((4, 5)), np.zeros((2, 3, 4, 6), dtype=np.uint8))


@pytest.mark.parametrize("which", [[], [5], [-6], "5"])
def test_reads_that_there_are_not(which: list[int] | str) -> None:
    with pytest.raises(ParameterError):
        select_reads(np.zeros((2, 3, 4, 5)), np.zeros((4, 5)), None, keep=which)
