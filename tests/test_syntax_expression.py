"""Header expressions: what they mean, what they name, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmap.compile.evaluate import EvaluationError, evaluate
from calmap.syntax.expression import ExpressionError, names
from calmap.syntax.expression_text import MAX_EXPRESSION, parse_expression

VALUES = {"A": "X", "B": "1.0", "T": "T", "META.B": "Y"}

TRUE = [
    "A == 'X'",
    "(A == 'X')",
    'A != "Y"',
    "A in ('X', 'Y')",
    "A in ['X']",
    "A not in ('Y',)",
    "A not   in ()",
    "'X' in A",
    "not A == 'Y'",
    "not not A == 'X'",
    "A == 'X' and B == '1.0'",
    "A == 'Y' or B == '1.0'",
    "A == 'Y' and FOO or T == 'T'",
    "A == 'X' or FOO == 'X'",
    "'A' < A <= 'X'",
    "B < '2'",
    "META.B == 'Y'",
    "True",
    "A",
    "(A == 'Y') if B == '2' else (T == 'T')",
    "A == 'Y' if False else True",
    "-1 < 1.5e3",
    "A == 'X' ''",
    "(A, B) == ('X', '1.0')",
    "'' == ''",
    "\n A == 'X' \n",
]
FALSE = [
    "A == 'Y'",
    "A > 'X'",
    "None",
    "False",
    "0",
    "()",
    "''",
    "A == 1",
    "not A",
    "A == 'X' and not B",
    "B == 1.0",
]


@pytest.mark.parametrize(("text", "result"), [*((t, True) for t in TRUE), *((t, False) for t in FALSE)])
def test_values(text, result):
    assert bool(evaluate(parse_expression(text), VALUES)) is result


@pytest.mark.parametrize(
    ("text", "words"), [("FOO == 'X'", "FOO"), ("A < 3", "compared"), ("A in 3", "compared")]
)
def test_expressions_without_a_value(text, words):
    with pytest.raises(EvaluationError, match=words):
        evaluate(parse_expression(text), VALUES)


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("", 0),
        ("(A ==", 5),
        ("A x= 'X'", 2),
        ("A = 'X'", 2),
        ("A + 'X'", 2),
        ("A.lower()", 7),
        ("A[0]", 1),
        ("lambda: 1", 6),
        ("A 'X'", 2),
        ("(A == 'X'", 9),
        ("A == 'X", 5),
        ("not", 3),
        ("A is None", 2),
        ("__import__('os')", 10),
        ("(" * 60 + ")" * 60, 40),
    ],
)
def test_what_is_no_expression(text, offset):
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text)

    assert caught.value.offset == offset


@pytest.mark.parametrize("text", ["not " * 500 + "A", "A" * (MAX_EXPRESSION + 1), "A if A else " * 300 + "A"])
def test_huge_expressions_are_refused(text):
    with pytest.raises(ExpressionError):
        parse_expression(text)


def test_names_and_where_they_stand():
    text = "A == 'B' and (META.C in (D, 'E') or not F) if G else H < I"
    found = list(names(parse_expression(text)))

    assert [name.name for name in found] == ["A", "META.C", "D", "F", "G", "H", "I"]
    assert all(text[name.span.start : name.span.end] == name.name for name in found)


@given(st.text(alphabet="AB'\"()[],.=!<>0 1andorti-n\n\\", max_size=40))
def test_any_text_is_an_expression_or_says_why_not(text):
    try:
        expression = parse_expression(text)
    except ExpressionError:
        return
    assert all(text[name.span.start : name.span.end] == name.name for name in names(expression))
