"""Parameters of steps: declared once, read from text, checked."""

from dataclasses import dataclass, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reduce.errors import ParameterError
from reduce.parameters import build, option, options, texts, unknown
from reduce.step import NoParameters
from reduce.steps import STEPS


@dataclass(frozen=True, slots=True)
class Some:
    method: str = option("mean", "How.", choices=("mean", "median"))
    text: str = option("x", "Anything.")
    size: int = option(3, "How many.", least=1, most=9, unit="pixel")
    level: float = option(1.5, "How much.", least=0)
    limit: float = option(0.0, "At most.", most=2)
    maybe: float | None = option(None, "Perhaps.", least=1e-3)
    on: bool = option(True, "Whether.")


def built(**given):
    return build(Some, given, "some")


def test_defaults():
    assert built() == Some()
    assert built().method == "mean"


def test_what_is_known_of_each():
    known = {each.name: each for each in options(Some)}

    assert (known["size"].kind, known["size"].unit, known["size"].default) == (int, "pixel", 3)
    assert [known[name].allowed for name in known] == [
        "mean, median",
        "a text",
        "a whole number from 1 to 9",
        "a number of at least 0",
        "a number of at most 2",
        "a number of at least 0.001, or none",
        "true or false",
    ]


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("size", "4", 4), ("size", 4.0, 4), ("size", " 4 ", 4), ("level", "1e2", 100.0), ("level", 2, 2.0),
        ("maybe", "none", None), ("maybe", "NULL", None), ("maybe", None, None), ("maybe", "2.5", 2.5),
        ("on", "no", False), ("on", "TRUE", True), ("on", 0, False), ("on", "on", True), ("text", 7, "7"),
        ("text", "001", "001"), ("text", "none", "none"),
    ],
)  # fmt: skip
def test_values_are_taken_as_text_or_as_what_they_are(name, given, value):
    found = getattr(built(**{name: given}), name)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("method", "mode"), ("method", "Mean"), ("size", "0"), ("size", 10), ("size", "2.5"), ("size", 2.5),
        ("size", True), ("size", "many"), ("size", float("inf")), ("size", [3]), ("size", None),
        ("level", -0.1), ("level", "nan"), ("level", float("nan")), ("level", "1,5"), ("level", {}),
        ("limit", 3), ("maybe", 0), ("on", "maybe"), ("on", 2), ("on", None),
    ],
)  # fmt: skip
def test_wrong_values_are_refused_with_what_is_allowed(name, given):
    with pytest.raises(ParameterError, match=rf"some\.{name} is ") as caught:
        built(**{name: given})
    assert caught.value.hint.startswith("it has to be ")


def test_infinite_numbers_are_no_parameters():
    with pytest.raises(ParameterError):
        built(level="inf")


def test_a_name_that_does_not_exist():
    with pytest.raises(ParameterError, match=r"there is no parameter 'some\.metod'") as caught:
        built(metod="mean")
    assert caught.value.hint == "did you mean 'some.method'?"


@given(
    st.builds(
        Some,
        method=st.sampled_from(["mean", "median"]),
        text=st.text(),
        size=st.integers(1, 9),
        level=st.floats(0, 1e300),
        limit=st.floats(-1e300, 2),
        maybe=st.none() | st.floats(1e-3, 1e300),
        on=st.booleans(),
    )
)
def test_texts_read_back(parameters):
    assert build(Some, texts(parameters), "some") == parameters


@pytest.mark.parametrize("name", STEPS)
def test_every_step_has_parameters_that_are_documented_and_read_back(name):
    kind = STEPS[name].parameters

    assert build(kind, texts(kind()), name) == kind()
    for each in options(kind):
        assert each.help.endswith("."), each.name
        assert each.value(each.default, name) == each.default
    assert kind is NoParameters or fields(kind)


def test_the_nearest_name_is_told_or_all_of_them():
    assert unknown("step", "flat", ["flat_field", "dark_sub"]).hint == "did you mean 'flat_field'?"
    assert unknown("step", "zzz", ["b", "a"]).hint == "there are a, b"
    assert unknown("step", "", []).hint == "there is none"
