from datetime import datetime

import pytest
import yaml
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from reduce.errors import DataError, ParameterError
from reduce.keywords import date, find, keyword, keywords, real, standard, text, whole
from reduce.schemas import model, model_of, models, reference_keywords, validate

ERAS = {
    "A": {"INSTRUME": "IRIS", "DETECTOR": "IRIS1", "READPATT": "MCDS", "EXP_TYPE": "SCI", "EFFEXPTM": 30.0,
          "DATE-OBS": "2025-06-01", "TIME-OBS": "09:00:00", "DATE": "2026-01-01"},
    "B": {"INSTRUME": "IRIS", "DETECTOR": "IRIS1", "READMODE": "MCDS", "IMTYPE": "SCI", "ITIME": 30.0,
          "DATE": "2025-06-01T09:00:00"},
    "C": {"INSTRUME": "IRIS", "DETECTOR": "IRIS1", "READMODE": "MCDS", "IMTYPE": "SCI", "EXPTIME": 30.0,
          "EXPDTST": "20250601090000", "EXPJDST": 2460000.0},
    "T": {"INSTRUME": "IRIS", "DET_ID": "IRIS1", "SAMPMODE": "MCDS", "IMTYPE": "SCI", "EXPTIME": 30.0,
          "EXPJDST": 2460827.875},
}  # fmt: skip


@pytest.mark.parametrize("era", ERAS)
def test_every_era_says_the_same(era):
    assert standard(ERAS[era]) == {
        "INSTRUME": "IRIS",
        "DETECTOR": "IRIS1",
        "READMODE": "MCDS",
        "IMTYPE": "SCI",
        "EXPTIME": 30.0,
        "DATE-BEG": "2025-06-01 09:00:00",
    }


def test_the_cache_and_the_reduction_look_in_the_same_places(repo_root):
    path = repo_root / "calmap" / "observatories" / "ligeriri.yaml"
    rules = yaml.safe_load(path.read_text())["keywords"]
    pairs = {"META.DATE": "DATE-BEG", "META.EXPOSURE.TYPE": "IMTYPE"}
    ours = {name: keywords()[name].sources for name in keywords()}

    compared = 0
    for rule, places in rules.items():
        plain = [place for place in places if not isinstance(place, str) or "." not in place]
        first = plain[0] if isinstance(plain[0], str) else plain[0]["keyword"]
        name = pairs.get(rule, first)
        if (
            rule.endswith(("EXPOSURE_TYPE", "READPATT", "OBSERVATION.DATE", "OBSERVATION.TIME"))
            or name not in ours
        ):
            continue
        compared += 1
        assert [place if isinstance(place, str) else place["keyword"] for place in plain] == [
            " + ".join(source.names) for source in ours[name]
        ], rule
    assert compared > 25


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ({"EXPDTST": "20250601090000.250"}, "2025-06-01 09:00:00.25"),
        ({"EXPDTST": 20250601090000}, "2025-06-01 09:00:00"),
        ({"EXPJDST": 60827.375}, "2025-06-01 09:00:00"),
        ({"EXPSTDT": "20250601", "EXPSTTM": "090000"}, "2025-06-01 09:00:00"),
        ({"DATETOBS": "2025-06-01T09:00:00.5"}, "2025-06-01 09:00:00.5"),
        ({"DATE-OBS": "2025-06-01T09:00:00", "TIME-OBS": "01:00:00"}, "2025-06-01 09:00:00"),
        ({"DATE-OBS": "2025-06-01"}, "2025-06-01 00:00:00"),
        ({"DATE": "2026-01-01", "EXPDTST": "20250601090000"}, "2025-06-01 09:00:00"),
        ({"EXPDTST": "UNDEFINED", "DATE": "2025/06/01 09:00"}, "2025-06-01 09:00:00"),
    ],
)
def test_dates(cards, expected):
    assert find(cards, "DATE-BEG") == expected


@settings(deadline=None)
@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)))
def test_julian_dates_are_right_to_the_millisecond(when):
    days = (when - datetime(1858, 11, 17)).total_seconds() / 86400

    for number in (days + 2400000.5, days):
        if number >= 1:
            assert abs((date({"EXPJDST": number}) - when).total_seconds()) < 2e-3


@pytest.mark.parametrize("value", ["yesterday", "2025-02-30", "20250601", 12])
def test_a_date_that_is_none_is_refused(value):
    with pytest.raises(DataError, match=r"DATETOBS is .* not a date"):
        date({"DATETOBS": value})


def test_a_missing_keyword_is_told_with_all_its_names():
    with pytest.raises(DataError, match="no READMODE") as caught:
        keyword({}, "READMODE")

    assert caught.value.hint == "set READMODE, READPATT or SAMPMODE"


@pytest.mark.parametrize(
    ("read", "cards", "name"),
    [
        (whole, {"NREADS": 1.5}, "NREADS"),
        (whole, {"NREADS": "ten"}, "NREADS"),
        (whole, {"NREADS": True}, "NREADS"),
        (real, {"EXPTIME": float("nan")}, "EXPTIME"),
        (real, {"ITIME": "long"}, "EXPTIME"),
    ],
)
def test_numbers_that_are_none_are_refused(read, cards, name):
    with pytest.raises(DataError, match="which is not a"):
        read(cards, name)


def test_numbers_may_be_written_as_text():
    assert whole({"NUMREADS": " 10 "}, "NREADS") == 10
    assert real({"EXPTIME": "1.5"}, "EXPTIME") == 1.5


@pytest.mark.parametrize(
    ("cards", "mode"),
    [
        ({"INSTMODE": "SLICER", "MODE": "IMG"}, "SLICER"),
        ({"MODE": "IFU", "IFUMODE": "lenslet"}, "LENSLET"),
        ({"MODE": "IFU", "IFUMODE": "NONE"}, "IFU"),
        ({"SARRMODE": "FULL_FRAME", "INSTMODE": ""}, None),
    ],
)
def test_modes(cards, mode):
    assert find(cards, "INSTMODE") == mode


def test_a_header_of_astropy_will_do():
    header = fits.Header([("READPATT", "MCDS"), ("HISTORY", "x"), ("SARRMODE", "SUB_ARRAY")])

    assert text(header, "READMODE") == "MCDS"
    assert text(header, "SUBARRAY") == "CUSTOM"


def test_an_unknown_name_is_a_mistake_of_the_program():
    with pytest.raises(ParameterError, match="no keyword COLOUR"):
        keyword({}, "COLOUR")


# Kinds of data


def test_the_schemas_hold_together():
    for one in models().values():
        assert set(one.required) <= set(one.keywords), one.name
        assert set(one.keywords) <= set(keywords()), one.name
        assert len(set(one.keywords)) == len(one.keywords), one.name
    for one in keywords().values():
        assert one.description
        assert len(f"{one.name:8}= '{'x' * 8}' / {one.comment}") <= 80
        assert one.kind in ("text", "whole", "real", "date")
    assert all(len(name) <= 8 and name.startswith("R_") for name in reference_keywords().values())


def test_the_cache_and_the_reduction_write_the_same_keywords_for_references(repo_root):
    path = repo_root / "calmap" / "observatories" / "ligeriri.yaml"
    rules = yaml.safe_load(path.read_text())["references"]["keywords"]

    assert {reftype: reference_keywords().get(reftype) for reftype in rules} == rules


def test_a_good_header_has_no_problems(repo_root):
    for path in (repo_root / "references").rglob("*.fits"):
        header = fits.getheader(path)
        assert validate(header, header["DATAMODL"]) == []


def test_problems_are_told_one_by_one():
    header = {
        "INSTRUME": "NIRSPEC",
        "DETECTOR": "IMG1",
        "EXPTIME": -1.0,
        "DATALVL": 9,
        "NREADS": "x",
        "SEMID": "24B",
    }

    problems = {problem.keyword: problem.message for problem in validate(header, "RampModel")}

    assert problems["INSTRUME"] == "'NIRSPEC' is none of IRIS, Liger"
    assert problems["EXPTIME"] == "-1.0 is less than 0"
    assert problems["DATALVL"] == "9 is more than 3"
    assert "not a whole number" in problems["NREADS"]
    assert "does not look like" in problems["SEMID"]
    assert problems["READMODE"] == "it is missing; set READMODE or READPATT or SAMPMODE"
    assert set(problems) == {"INSTRUME", "EXPTIME", "DATALVL", "NREADS", "SEMID", "READMODE", "DATE-BEG"}


def test_models_are_found_by_name_and_by_type():
    assert model_of("dark") is model("DarkModel")
    with pytest.raises(ParameterError, match="no data model CakeModel"):
        model("CakeModel")
    with pytest.raises(ParameterError, match="references of type cake"):
        model_of("cake")
    with pytest.raises(ParameterError):
        model_of("")


@pytest.mark.parametrize(
    ("mode", "name"), [("FULL", "FULL"), ("FULL_FRAME", "FULL"), ("SUB_ARRAY", "CUSTOM")]
)
def test_telemetry_tells_the_subarray(mode, name):
    assert find({"SARRMODE": mode}, "SUBARRAY") == name
