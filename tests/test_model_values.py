"""Conditioning of values, as crds 14.0.3 does it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmap.model.values import alternatives, condition_element, condition_value, is_esoteric


@pytest.mark.parametrize(
    ("value", "conditioned"),
    [
        *[
            (" any ", "*"),
            ("a", "A"),
            ("", ""),
            ("  ", ""),
            (None, "NONE"),
            (True, "T"),
            ("false", "F"),
            ("tRuE", "T"),
        ],
        *[
            ("1", "1.0"),
            (1, "1.0"),
            (1.5, "1.5"),
            ("1e3", "1000.0"),
            ("1E400", "inf"),
            ("5.", "5.0"),
            (".5", "0.5"),
        ],
        *[
            ("+1", "1.0"),
            ("-0", "-0.0"),
            ("007", "7.0"),
            ("1e", "1E"),
            ("1_0", "1_0"),
            ("nan", "NAN"),
            ("1 2", "1 2"),
        ],
        *[
            ("4294967295", "-1.0"),
            ("-2147483648", "N/A"),
            ("-2147483648.0", "N/A"),
            ("-2147483648.5", "-2147483648.5"),
        ],
        *[("n/a", "N/A"), ("N/AFOO", "N/A"), ("()", "N/A"), ("()x", "N/A"), ("(x)", "(X)")],
        *[
            ("NOT APPLICABLE", "N/A"),
            ("not applicable x", "N/A"),
            ("NOT_APPLICABLE", "N/A"),
            ("X N/A", "X N/A"),
        ],
    ],
)
def test_header_values(value, conditioned):
    assert condition_value(value) == conditioned


def test_a_number_of_thousands_of_digits_is_text():
    assert condition_value("9" * 5000) == "9" * 5000


@pytest.mark.parametrize(
    ("element", "conditioned"),
    [
        *[
            ("b|A", "A|B"),
            ("a | 1|any", "1.0|A|*"),
            ("A||B|", "A|B"),
            ("|", ""),
            (("b", "A"), "B|A"),
            ((1, "x"), "1.0|X"),
        ],
        *[
            ("{a}", "{a}"),
            ("(a|b)", "(a|b)"),
            ("{a", "{A"),
            ("#>1 and <2#", "#>1 AND <2#"),
            ("not b|a", "NOT B|A"),
        ],
        *[
            ("between 1 2", "BETWEEN 1 2"),
            (1, "1.0"),
            (True, "T"),
            (None, "NONE"),
            ("N/A", "N/A"),
            ("()", "()"),
        ],
    ],
)
def test_elements_of_match_keys(element, conditioned):
    assert condition_element(element) == conditioned


@pytest.mark.parametrize(
    ("element", "esoteric"),
    [
        ("A|B", False),
        ("A*", False),
        (">5", False),
        ("{A}", True),
        ("(A)", True),
        ("#A#", True),
        ("NOT A", True),
        ("between", True),
    ],
)
def test_what_is_more_than_a_list_of_values(element, esoteric):
    assert is_esoteric(element) is esoteric


def test_alternatives():
    assert alternatives("b | a|") == ("a", "b")
    assert alternatives("a b") == ("a b",)
    assert alternatives("(a|b)") == ("(a|b)",)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none()))
def test_conditioning_twice_is_conditioning_once(value):
    once = condition_value(value)

    assert condition_value(once) == once
