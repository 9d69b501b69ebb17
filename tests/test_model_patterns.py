"""What one element of a match key accepts; tests/test_compile_semantics.py has them within rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmap.model.patterns import DONT_CARE, MATCH, NO_MATCH, PatternError, has_glob, pattern
from calmap.model.values import condition_element

ELEMENTS = (
    *("N/A", "X", "X|Y", "X|N/A", "X*", "?|Z", "(X.*)", "{x}", "#>1 AND <3#", "#<1 OR X#", "BETWEEN 1 3"),
    *("NOT X", "NOT X|Y", "NOT N/A", ">5", "<= 2", "*"),
)


@pytest.mark.parametrize(
    "element", [e for e in ELEMENTS if e not in ("N/A", "NOT X", "NOT X|Y", "NOT N/A", "{N/A}")]
)
def test_a_header_with_a_star_matches_and_one_with_n_a_is_not_looked_at(element):
    judge = pattern(condition_element(element))

    assert judge.match("*") == MATCH
    assert judge.match("N/A") == DONT_CARE


@given(st.sampled_from(ELEMENTS), st.text(max_size=20))
def test_any_value_is_judged(element, value):
    assert pattern(condition_element(element)).match(value) in (MATCH, DONT_CARE, NO_MATCH)


@given(st.text(max_size=40))
def test_any_element_is_a_pattern_or_says_why_not(text):
    try:
        judge = pattern(condition_element(text))
    except PatternError:
        return
    assert judge.match("X") in (MATCH, DONT_CARE, NO_MATCH)


@pytest.mark.parametrize(
    ("element", "words"),
    [
        ("#>1 AND <2 AND <3#", "more than two terms"),
        (">5X", "'X' after the relation '>5'"),
        ("# >1 #", "blanks inside"),
    ],
)
def test_what_crds_ignores_is_refused_when_strict(element, words):
    pattern(element)

    with pytest.raises(PatternError, match=words):
        pattern(element, strict=True)


@pytest.mark.parametrize(
    ("element", "words"),
    [
        ("BETWEEN 3 1", "reversed"),
        ("BETWEEN 1", "low high"),
        ("BETWEEN A B", "no number"),
        ("BETWEEN NAN 1", "no number"),
        ("#>A#", "not a relation"),
        ("(A(B)", "not a regular expression"),
    ],
)
def test_elements_without_a_meaning(element, words):
    with pytest.raises(PatternError, match=words):
        pattern(element)


def test_a_match_of_the_expression_begins_the_value():
    judge = pattern(r"(F\d+[WM])")

    assert [judge.match(value) for value in ("F814W", "F814W;X", "AF814W", "F814N")] == [1, 1, -1, -1]


@pytest.mark.parametrize("text", ["BETWEEN 5 5", "NOT", "#", "##"])
def test_what_is_pointless_is_refused_only_when_strict(text: str) -> None:
    pattern(text)

    with pytest.raises(PatternError):
        pattern(text, strict=True)


def test_globs_are_told_by_their_signs() -> None:
    assert all(map(has_glob, ("*", "A*", "?B", "[AB]", "x[")))
    assert not any(map(has_glob, ("", "A", "A]", "(A.+)", "{1}", "A|B")))
