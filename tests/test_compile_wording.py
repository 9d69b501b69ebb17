"""Elements of keys and expressions in words."""

from __future__ import annotations

import pytest

from calmap.compile.wording import element_words, expression_words, spoken
from calmap.syntax.expression_text import parse_expression


@pytest.mark.parametrize(
    ("element", "words"),
    [
        ("H", "is H"),
        ("H|J|K", "is H, J or K"),
        (("H", "J"), "is H or J"),
        ("N/A", "doesn't matter"),
        ("*", "may be anything, which counts as a match"),
        ("any", "may be anything, which counts as a match"),
        (2, "is 2.0"),
        (">5", "is greater than 5"),
        ("<= 2.5", "is at most 2.5"),
        ("#>1 AND <3#", "is greater than 1 and less than 3"),
        ("# >4200 and <=5800 #", "is greater than 4200 and at most 5800"),
        ("BETWEEN 1 3", "is at least 1 and less than 3"),
        ("NOT X|Y", "is not X or Y"),
        ("NOT X*", "is none that begins with X"),
        ("F1*", "begins with F1"),
        ("*W", "ends with W"),
        ("*0*", "has 0 in it"),
        ("F?1*", "is like F?1*"),
        ("H|F1*", "is H or begins with F1"),
        ("(F.*)", "begins with what the regular expression F.* describes"),
        ("{a|B}", "is exactly a|B"),
    ],
)
def test_elements(element: object, words: str) -> None:
    assert element_words(element) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(DETECTOR == 'FUV')", "DETECTOR is FUV"),
        ("(A != 'X' and B in ['1.0', '2.0'])", "A is not X and B is 1.0 or 2.0"),
        (
            "(not (A == 'X' or B == 'Y') and C > 3)",
            "it is not so that (A is X or B is Y) and C is greater than 3",
        ),
        ("(A == 'X' and (B == 'Y' or B == 'Z'))", "A is X and (B is Y or B is Z)"),
        ("('A' if B == 'X' else C == 'Y')", "if B is X, A, else C is Y"),
        ("(True)", "always"),
        ("(False)", "never"),
    ],
)
def test_expressions(text: str, words: str) -> None:
    assert expression_words(parse_expression(text)) == words


@pytest.mark.parametrize(
    ("keyword", "words"),
    [
        ("DETECTOR", "DETECTOR"),
        ("META.INSTRUMENT.DETECTOR", "detector"),
        ("META.EXPOSURE.TYPE", "exposure type"),
        ("META.EXPOSURE.EXPOSURE_TIME", "exposure time"),
        ("META.DATE", "date"),
    ],
)
def test_keywords(keyword: str, words: str) -> None:
    assert spoken(keyword) == words
