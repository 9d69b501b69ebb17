"""Values against types, lists, ranges and the checks of dates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmap.certify.dates import DATE_CHECKS
from calmap.certify.values import telescope_faults, value_faults
from calmap.diagnostics import Severity
from calmap.observatories import load_observatory
from calmap.observatories.constraints import CHECKS, Constraint, Subject


def faults(text, **given_):
    return [fault.message for fault in value_faults(Constraint(Subject.KEYWORD, "A", **given_), text)]


@pytest.mark.parametrize(
    ("text", "constraint"),
    [
        ("fuv ", {"type": "text", "values": ("FUV", "NUV")}),
        ("FUV|NUV", {"type": "text", "values": ("FUV", "NUV")}),
        ("1.0", {"type": "text", "values": ("1",)}),
        ("anything", {"type": "text"}),
        ("any", {"type": "text", "values": ("ANY",)}),
        ("Ab", {"type": "exact-text", "values": ("Ab",)}),
        ("5", {"type": "integer", "range": ("1", "5")}),
        ("5.0", {"type": "integer", "values": ("5",)}),
        ("1D2", {"type": "real", "values": ("100",)}),
        ("0.1000000001", {"type": "real", "values": ("0.1",)}),
        ("7e9", {"type": "real", "range": ("0", "INF")}),
        ("T", {"type": "logical"}),
        ("False", {"type": "logical"}),
    ],
)
def test_allowed(text, constraint):
    assert faults(text, **constraint) == []


LONG = "is 'X', expected one of A, B, C, D, E, F, G, H, I, J, K, L and 2 more"


@pytest.mark.parametrize(
    ("text", "constraint", "message"),
    [
        ("BROKEN", {"type": "text", "values": ("FUV", "NUV")}, "is 'BROKEN', expected one of FUV, NUV"),
        ("FUV|X", {"values": ("FUV",)}, "is 'X', expected FUV"),
        ("ab", {"type": "exact-text", "values": ("Ab",)}, "is 'ab', expected Ab"),
        ("6", {"type": "integer", "range": ("1", "5")}, "is 6, expected a number from 1 to 5"),
        ("5.5", {"type": "integer"}, "is '5.5', expected an integer"),
        ("1_0", {"type": "integer"}, "is '1_0', expected an integer"),
        ("inf", {"type": "integer"}, "is 'inf', expected an integer"),
        ("nan", {"type": "real"}, "is 'nan', expected a number"),
        ("N/A", {"type": "real"}, "is 'N/A', expected a number"),
        ("0.11", {"type": "real", "values": ("0.1", "0.2")}, "is '0.11', expected one of 0.1, 0.2"),
        ("0.1000000001", {"type": "double", "values": ("0.1",)}, "is '0.1000000001', expected 0.1"),
        ("maybe", {"type": "logical"}, "is 'maybe', expected T or F"),
        ("X", {"values": tuple("ABCDEFGHIJKLMN")}, LONG),
        ("X" * 99, {"values": ("A",)}, f"is '{'X' * 57}...', expected A"),
    ],
)  # fmt: skip
def test_refused(text, constraint, message):
    assert faults(text, **constraint) == [message]


@pytest.mark.parametrize(
    ("check", "good"),
    [
        ("sybdate", ("Mar 21 2001", "Mar 21 2001 12:00:00", "mar 21, 2001 12:00:00 PM")),
        ("jwstdate", ("2018-12-22", "2018-12-22T00:00:00", "2015-11-01T00:00:00.000")),
        ("slashdate", ("21/03/2001", "21 / 03 / 2001")),
        ("anydate", ("21/03/2001", "Mar 21 2001", "2001-03-21T10:00:00")),
        ("useafter", ("Mar 21 2001",)),
        ("pedigree", ("GROUND", "inflight 25/02/1996 26/02/1996", "GROUND 16/07/2008 16/07/2010")),
        ("pedigree", ("INFLIGHT 1996-02-25 1996-02-25", "SIMULATION", "DUMMY", "MODEL")),
        (
            "jwstpedigree",
            ("GROUND", "dummy", "INFLIGHT 2018-01-01 2018-01-02", "MODEL 2018-01-01 2018-01-02"),
        ),
    ],
)
def test_good_dates(check, good):
    assert [faults(text, check=check) for text in good] == [[]] * len(good)


@pytest.mark.parametrize(
    ("check", "text", "message"),
    [
        ("sybdate", "2001-03-21", "which is no date such as 'Mar 21 2001 12:00:00'"),
        ("sybdate", "Mxx 21 2001", "which is no date"),
        ("sybdate", "Feb 30 2001", "which is no date"),
        ("jwstdate", "yesterday", "is 'yesterday', which is no date"),
        ("slashdate", "03/21/2001", "which is no date such as '21/03/2001'"),
        ("slashdate", "21/03/2001 x", "which is no date"),
        ("anydate", "21/13/2001", "which is no date"),
        ("pedigree", "inflight 12/04/2002 12/31/2015", "but '12/31/2015' is no date"),
        ("pedigree", "INFLIGHT 26/02/1996 25/02/1996", "which ends before it starts"),
        ("pedigree", "INFLIGHT", "is 'INFLIGHT' without dates"),
        ("pedigree", "GROUND 16/07/2008", "expected one word or three"),
        ("pedigree", "GUESS", "which begins with none of INFLIGHT, GROUND"),
        ("pedigree", " ", "which begins with none of"),
        ("jwstpedigree", "GROUND 2018-01-01 2018-01-02", "but GROUND has no dates"),
        ("jwstpedigree", "INFLIGHT 01/01/2018 02/01/2018", "but '01/01/2018' is no date"),
        ("jwstpedigree", "INFLIGHT 2018-01-01T00:00:00 2018-01-02", "but '2018-01-01T00:00:00' is no date"),
    ],
)
def test_bad_dates(check, text, message):
    (found,) = faults(text, check=check)
    assert message in found


def test_a_date_in_another_form_is_worth_a_warning():
    (fault,) = value_faults(Constraint(Subject.KEYWORD, "A", check="jwstdate"), "1900-01-01 00:00:00")

    assert (fault.severity, fault.message) == (
        Severity.WARNING,
        "is '1900-01-01 00:00:00', a date in another form than expected",
    )


@given(st.sampled_from(sorted(DATE_CHECKS)), st.text(max_size=40))
def test_no_text_breaks_a_check(check, text):
    fault = DATE_CHECKS[check](text)
    assert fault is None or fault.message


@given(st.text(max_size=30), st.sampled_from(["text", "exact-text", "integer", "real", "double", "logical"]))
def test_no_value_breaks_a_type(text, kind):
    values = () if kind == "logical" else ("1", "2")
    for fault in value_faults(Constraint(Subject.KEYWORD, "A", type=kind, values=values), text):
        assert fault.message


def test_every_check_of_dates_has_a_name():
    assert set(DATE_CHECKS) <= set(CHECKS)


@pytest.mark.parametrize("text", ["IMG1", "img1|IMG2", "N/A", "ANY", "*", "NOT IMG1", "{IMG}", "UNDEFINED"])
def test_values_that_a_telescope_allows(text):
    assert (
        list(telescope_faults(load_observatory("ligeriri"), "iris", "META.INSTRUMENT.DETECTOR", text)) == []
    )


def test_values_that_a_telescope_does_not_allow():
    (fault,) = telescope_faults(load_observatory("ligeriri"), "iris", "META.SUBARRAY.NAME", "FULL|FULLL")

    assert fault.message == "is 'FULLL', expected one of FULL, CUSTOM, GENERIC, N/A, ANY"
    assert fault.hint == "did you mean 'FULL'?"
