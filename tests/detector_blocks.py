"""Small blocks of reads for the tests of the detector's kernels."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reduce.dq import DQ
from reduce.kernels import acceleration
from reduce.kernels.rampdata import RampArrays

SHAPE = (6, 8, 2, 5)


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """The array, so that nobody can write into it."""
    array.flags.writeable = False
    return array


def no_flags(shape: tuple[int, ...] = SHAPE) -> NDArray[np.uint32]:
    return frozen(np.zeros(shape[:2], dtype=np.uint32))


def counts(seed: int, shape: tuple[int, ...] = SHAPE, dtype: Any = np.uint16) -> NDArray[Any]:
    """Rising reads between 1000 and 60000."""
    rng = np.random.default_rng(seed)
    return frozen(np.sort(rng.uniform(1000, 60000, shape), axis=-1).astype(dtype))


def read_flags(seed: int, shape: tuple[int, ...] = SHAPE) -> NDArray[np.uint8]:
    """Some reads with bits that were set before."""
    rng = np.random.default_rng(seed)
    bits = [0, 0, 0, DQ.DO_NOT_USE, DQ.SATURATED, DQ.DROPOUT]
    return frozen(rng.choice(np.array(bits, dtype=np.uint8), shape))


def on_each_path(monkeypatch: pytest.MonkeyPatch, compute: Any) -> tuple[Any, Any]:
    """What a function gives with NumPy alone and with numba."""
    pytest.importorskip("numba")
    with monkeypatch.context() as patch:
        patch.setattr(acceleration, "available", lambda: False)
        plain = compute()
    return plain, compute()


def assert_same(plain: RampArrays, fast: RampArrays) -> None:
    np.testing.assert_allclose(fast.reads, plain.reads, rtol=1e-6)
    assert fast.reads.dtype == plain.reads.dtype
    np.testing.assert_array_equal(fast.pixeldq, plain.pixeldq)
    assert fast.pixeldq.dtype == np.uint32
    if plain.groupdq is None:
        assert fast.groupdq is None
    else:
        np.testing.assert_array_equal(fast.groupdq, plain.groupdq)
        assert fast.groupdq is not None
        assert fast.groupdq.dtype == np.uint8
