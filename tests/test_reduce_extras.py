"""A package that is not installed is named, with what to do about it."""

import sys

import numpy as np
import pytest

from reduce.errors import ParameterError
from reduce.extras import INSTALL, needing


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from reduce.kernels.mesh import slow_part

    for name in [name for name in sys.modules if name.partition(".")[0] == "scipy"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "scipy", None)

    with (
        pytest.raises(ParameterError, match="subtract_bkg needs scipy, which is not installed") as caught,
        needing("subtract_bkg"),
    ):
        slow_part(np.zeros((8, 8)), np.zeros((8, 8), dtype=np.bool_), box=4)

    assert caught.value.hint == INSTALL


def test_another_missing_module_is_a_mistake_of_ours() -> None:
    with pytest.raises(ModuleNotFoundError), needing("a step"):
        import reduce.not_there  # type: ignore[import-not-found]  # noqa: F401


def test_nothing_missing_changes_nothing() -> None:
    with needing("a step"):
        pass
