"""Expressions of constraints: what can be said, what it means, and what those of rules may still not say."""

from types import SimpleNamespace
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calmap.certify.arrays import ArrayInfo
from calmap.certify.evaluation import EvaluationError, evaluate, truth, undefined_names
from calmap.certify.presence import demanded
from calmap.observatories.constraints import Constraint, Presence, Subject
from calmap.references.contents import Column, Extension
from calmap.syntax.constraint import parse_constraint
from calmap.syntax.expression import ExpressionError
from calmap.syntax.expression_text import parse_expression

IMAGE = ArrayInfo("x.fits", Extension(1, "SCI", 1, "image", (4, 2048, 1032), "float32"))
TABLE = ArrayInfo(
    "x.fits",
    Extension(
        2, "PHOTOM", 1, "table", (9,), "", (Column("filter", "str", ""), Column("GAIN", "float32", ""))
    ),
)
VALUES = {
    "SCI_ARRAY": IMAGE,
    "PHOTOM_ARRAY": TABLE,
    "DETECTOR": "MIRIMAGE",
    "XSTART": 5,
    "XSIZE": 1032,
    "GAIN": 1.5,
    "EXP_TYPE": "MIR_IMAGE",
    "READPATT": "NRSIRS2RAPID",
    "META.MODE": "a-b",
    "VALUE": "abc",
    "SUBARRAY": "FULL",
}


def names(values=VALUES, **more):
    known = {**values, **more}
    return SimpleNamespace(value=lambda name: known.get(name, "UNDEFINED"))


def value(text, **more):
    return evaluate(parse_constraint(text), names(**more))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(1<=XSTART+XSIZE-1<=1036)", True),
        ("(1<=XSTART+XSIZE-1<=1035)", False),
        ("XSTART*2-1", 9),
        ("-XSTART/2", -2.5),
        ("XSTART%2==1", True),
        ("(SCI_ARRAY.SHAPE[-2:]==(2048,1032))", True),
        ("(SCI_ARRAY.SHAPE[-1]==XSIZE)", True),
        ("SCI_ARRAY.SHAPE[:2]", (4, 2048)),
        ("SCI_ARRAY.SHAPE[1:2]", (2048,)),
        ("(len(SCI_ARRAY.SHAPE)in[2,3])", True),
        ("((SCI_ARRAY.SHAPE[0]%2)==1)", False),
        ("(SCI_ARRAY.KIND=='IMAGE')", True),
        ("(PHOTOM_ARRAY.DATA_TYPE['GAIN']=='float32')", True),
        ("('FILTER')in(PHOTOM_ARRAY.COLUMN_NAMES)", True),
        ("ndim(SCI_ARRAY,3)", True),
        ("is_image(SCI_ARRAY)and(not(is_table(SCI_ARRAY)))", True),
        ("array_exists(ERR_ARRAY)", False),
        ("is_image(ERR_ARRAY)", False),
        ("has_type(SCI_ARRAY,['INT','FLOAT'])", True),
        ("has_type(SCI_ARRAY,'INT')", False),
        ("has_type(ERR_ARRAY,'INT')", False),
        ("has_columns(PHOTOM_ARRAY,['gain','FILTER'])", True),
        ("has_columns(PHOTOM_ARRAY,['NO'])", False),
        ("has_column_type(PHOTOM_ARRAY,'FILTER','STRING')", True),
        ("has_column_type(PHOTOM_ARRAY,'GAIN','INT')", False),
        ("has_column_type(PHOTOM_ARRAY,'GAIN','FLOAT_ARRAY')", True),
        ("is_imaging_mode(EXP_TYPE)and(DETECTOR=='MIRIMAGE')", True),
        ("is_imaging_mode('NRS_IFU')", False),
        ("not is_irs2(READPATT)", False),
        ("('IRS2')in(READPATT)", True),
        ("is_full_frame(SUBARRAY)", True),
        ("is_subarray(SUBARRAY)", False),
        ("is_defined(DETECTOR)and(not(is_defined(NOTHING)))", True),
        ("subarray_defined()", False),
        ("optional(True)", "O"),
        ("warning(DETECTOR=='X')", False),
        ("all_subarray()", "A"),
        ("warn_only(1==2)", "W"),
        ("((len(VALUE)>0)and(VALUE==VALUE.lower()))", True),
        ("META.MODE.startswith('a-')", True),
        ("'yes' if GAIN > 1 else 'no'", "yes"),
        ("DETECTOR not in ('A','B')", True),
        ("None", None),
    ],
)
def test_values(text, expected):
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing(1)", "there is no function 'nothing'"),
        ("__import__('os')", "there is no function '__import__'"),
        ("DETECTOR.format(1)", "there is no function 'DETECTOR.format'"),
        ("GAIN.lower()", "GAIN is 1.5, which is no text"),
        ("DETECTOR < 5", "'MIRIMAGE' < 5.0 can't be compared"),
        ("DETECTOR + 1", "'MIRIMAGE' is no number"),
        ("'A' * 1000000000", "'A' is no number"),
        ("NOTHING + 1", "a keyword that has no value"),
        ("not NOTHING", "neither true nor false"),
        ("1 / 0", "division by zero"),
        ("SCI_ARRAY.SHAPE[9]", "index out of range"),
        ("SCI_ARRAY.SHAPE[0.5]", "0.5 is no whole number"),
        ("has_columns()", "has_columns(): missing a required argument: 'info'"),
        ("subarray_defined(1)", "subarray_defined(): too many positional arguments"),
        ("required(True, 1)", "required(): too many positional arguments"),
        ("len(VALUE, VALUE)", "len(): too many positional arguments"),
        ("DETECTOR.lower('x')", "takes no arguments"),
        ("has_column_type(PHOTOM_ARRAY,'NO','INT')", "there is no column 'NO'"),
        ("ndim(ERR_ARRAY,2)", "ndim() of what is no array"),
        ("len(GAIN)", "len() of 1.5"),
    ],
)
def test_what_has_no_value(text, message):
    with pytest.raises(EvaluationError) as raised:
        value(text)

    assert message in str(raised.value)


def test_data_of_arrays(monkeypatch):
    import numpy as np

    monkeypatch.setattr(ArrayInfo, "data", lambda self: np.array([0.5, 1.0]))

    assert value("(np.all(SCI_ARRAY.DATA<=1))")
    assert not value("(np.all(1<=SCI_ARRAY.DATA))")
    with pytest.raises(EvaluationError, match="use np"):
        value("0<SCI_ARRAY.DATA<2")


def test_names_that_have_no_value():
    term = parse_constraint("(ERR_ARRAY.SHAPE[-2:]==SCI_ARRAY.SHAPE[-2:])and(NOTHING.X==len(GAIN))")

    assert undefined_names(term, names()) == ("ERR_ARRAY", "NOTHING.X")


@pytest.mark.parametrize(
    "text",
    [
        *("", "A[", "A[0", "f(", "f(,)", "--A", "A**2", "A//2", "'a'.lower()", "f(1)[0]", "lambda: 1", "A=1"),
        *("{}", "A if B", "A;B", "[i for i in A]", "A is None", "f(a=1)", "f(*A)", "A.__mro__()[0]", "`A`"),
        *("(" * 50 + "A" + ")" * 50, "not " * 200 + "A", "A" * 30_000, "A[" * 60 + "0" + "]" * 60),
    ],
)
def test_what_is_no_expression(text):
    with pytest.raises(ExpressionError):
        parse_constraint(text)


@pytest.mark.parametrize(
    "text", ["len(A) > 1", "A[0] == 1", "A + 1 == 2", "-A == 1", "A.lower() == 'a'", "A % 2", "f()", "A[1:]"]
)
def test_expressions_of_rules_may_still_not_calculate_or_call(text):
    parse_constraint(text)
    with pytest.raises(ExpressionError):
        parse_expression(text)


SIGNS = st.sampled_from(["+", "-", "*", "/", "%", "==", "<", " in ", " and ", " or "])
LEAVES = st.sampled_from(
    ["A", "B", "C", "1", "2", "0.5", "'A'", "True", "None", "SCI_ARRAY", "SCI_ARRAY.SHAPE", "SCI_ARRAY.DATA"]
)
TEXTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, SIGNS, inner).map(lambda parts: f"({''.join(parts)})"),
        inner.map("not({})".format),
        inner.map("len({})".format),
        inner.map("[{}]".format),
        inner.map("SCI_ARRAY.SHAPE[{}]".format),
        inner.map("optional({})".format),
    ),
    max_leaves=8,
)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("text", ["np.all(1/(SCI_ARRAY.DATA-1)>0)", "np.all(3%(3%SCI_ARRAY.DATA)==0)"])
def test_division_of_arrays_by_zero_is_no_trouble(text):
    import numpy as np

    with patch.object(ArrayInfo, "data", lambda self: np.array([0.5, 1.0])):
        assert value(text) is False


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_every_expression_has_a_value_or_a_reason_why_not(text):
    import numpy as np

    term = parse_constraint(text)
    with patch.object(ArrayInfo, "data", lambda self: np.array([0.5, 1.0])):
        try:
            first = repr(truth(evaluate(term, names(A=3, B="x"))))
        except EvaluationError as problem:
            first = str(problem)
    assert first


@given(st.text(alphabet="AB01.,()[]:'\"+-*/%<>=! inotadrf", max_size=30))
@settings(max_examples=300, deadline=None)
def test_any_text_is_an_expression_or_refused(text):
    try:
        parse_constraint(text)
    except ExpressionError as problem:
        assert 0 <= problem.offset <= len(text)  # noqa: PT017


@pytest.mark.parametrize(
    ("presence", "condition", "values", "expected"),
    [
        ("required", None, {}, Presence.REQUIRED),
        ("required", "DETECTOR=='MIRIMAGE'", {}, Presence.REQUIRED),
        ("required", "DETECTOR=='NO'", {}, None),
        ("required", "(optional(True))", {}, Presence.OPTIONAL),
        ("required", "(warning(True))", {}, Presence.WARN),
        ("required", "(excluded(True))", {}, Presence.EXCLUDED),
        ("warn", "True", {}, Presence.WARN),
        ("required", "(full_frame(True))", {}, Presence.REQUIRED),
        ("full-frame", None, {}, Presence.OPTIONAL),
        ("required", "(full_frame(True))", {"SUBARRAY": "SUB64"}, None),
        ("subarray", None, {}, None),
        ("subarray", None, {"SUBARRAY": "SUB64"}, Presence.OPTIONAL),
        ("full-frame", None, {"SUBARRAY": "UNDEFINED"}, None),
        ("any-subarray", None, {}, None),
        (
            "any-subarray",
            None,
            dict.fromkeys(("SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2"), 1),
            Presence.OPTIONAL,
        ),
    ],
)
def test_when_a_constraint_counts(presence, condition, values, expected):
    constraint = Constraint(Subject.KEYWORD, "A", Presence(presence), condition)

    assert demanded(constraint, names(**values)) is expected


def test_a_condition_on_what_has_no_value_can_not_be_told():
    with pytest.raises(EvaluationError):
        demanded(Constraint(Subject.KEYWORD, "A", condition="(optional(NIR_FILTER)and NIR_FILTER)"), names())
