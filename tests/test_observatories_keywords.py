import pytest

from calmap.errors import HeaderError
from calmap.observatories import (
    KeywordResolver,
    accepted_keywords,
    instrument_of,
    load_observatory,
    missing_keyword_hint,
)

LIGERIRI = load_observatory("ligeriri")
WANTED = (
    "META.INSTRUMENT.ERA",
    "META.INSTRUMENT.DETECTOR",
    "META.EXPOSURE.READMODE",
    "META.SUBARRAY.NAME",
    "META.DATE",
)
EXPECTED = dict(zip(WANTED, ("0.0.0", "IMG1", "DEFAULT", "FULL", "2024-09-24 01:02:03"), strict=True))


def value(header: dict[str, str], key: str) -> str | None:
    return KeywordResolver(LIGERIRI, [key]).resolve(header).get(key)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(dict(EXPECTED), id="names of the rules"),
        pytest.param(
            {
                "ERA": "0.0.0",
                "DETECTOR": "IMG1",
                "READPATT": "DEFAULT",
                "SUBARRAY": "FULL",
                "DATE-OBS": "2024-09-24",
                "TIME-OBS": "01:02:03",
                "DATE": "2031-01-01T00:00:00",
            },
            id="era A",
        ),
        pytest.param(
            {
                "ERA": "0.0.0",
                "DETECTOR": "IMG1",
                "READMODE": "DEFAULT",
                "SUBARRAY": "FULL",
                "DATE": "2024-09-24 01:02:03",
            },
            id="era B",
        ),
        pytest.param(
            {
                "INSTERA": "0.0.0",
                "DETECTOR": "IMG1",
                "READMODE": "DEFAULT",
                "SUBARRAY": "FULL",
                "EXPDTST": 20240924010203,
                "DATE": "2031-01-01T00:00:00",
            },
            id="era C",
        ),
        pytest.param(
            {
                "INSTERA": "0.0.0",
                "DETECTOR": "IMG1",
                "READMODE": "DEFAULT",
                "SUBARRAY": "FULL",
                "EXPJDST": 2460577.543090278,
            },
            id="era C, Julian Date",
        ),
        pytest.param(
            {
                "INSTERA": "0.0.0",
                "DET_ID": "IMG1",
                "SAMPMODE": "DEFAULT",
                "SARRMODE": "FULL_FRAME",
                "DATE-OBS": "2024-09-24 01:02:03",
            },
            id="telemetry",
        ),
        pytest.param(
            {
                "era": "0.0.0",
                "Detector": "IMG1",
                "readmode": "DEFAULT",
                "subarray": "FULL",
                "date": "2024-09-24 01:02:03",
            },
            id="lower case",
        ),
    ],
)
def test_every_era_gives_the_same_values(header: dict[str, object]) -> None:
    assert KeywordResolver(LIGERIRI, WANTED).resolve(header) == EXPECTED


def test_a_missing_date_stays_missing() -> None:
    values = KeywordResolver(LIGERIRI, WANTED).resolve({"ERA": "0.0.0", "DATE": "UNDEFINED"})
    assert values == {"META.INSTRUMENT.ERA": "0.0.0"}
    assert value({}, "META.DATE") is None


def test_accepted_keywords_are_named_in_order_of_precedence() -> None:
    accepted = accepted_keywords(LIGERIRI, "meta.date")
    assert accepted[:3] == ("META.DATE", "EXPDTST", "EXPJDST")
    assert accepted[-2:] == ("DATE-OBS and TIME-OBS", "DATE")
    assert missing_keyword_hint(LIGERIRI, "META.DATE").endswith("DATE-OBS and TIME-OBS, or DATE")
    assert missing_keyword_hint(LIGERIRI, "META.INSTRUMENT.FILTER") == "set META.INSTRUMENT.FILTER or FILTER"
    assert missing_keyword_hint(LIGERIRI, "MOONAGE") == "set MOONAGE"


def test_an_undefined_value_gives_way_to_the_next_name() -> None:
    header = {"INSTERA": "UNDEFINED", "ERA": "0.1.0"}
    assert value(header, "META.INSTRUMENT.ERA") == "0.1.0"


def test_the_own_name_of_a_keyword_wins_over_its_aliases() -> None:
    header = {"META.INSTRUMENT.FILTER": "Y", "FILTER": "K"}
    assert value(header, "META.INSTRUMENT.FILTER") == "Y"


def test_upper_case_wins_where_a_header_has_both() -> None:
    assert value({"filter": "K", "FILTER": "Y"}, "META.INSTRUMENT.FILTER") == "Y"


def test_values_become_text() -> None:
    jwst = load_observatory("jwst")
    resolver = KeywordResolver(jwst, ["META.SUBARRAY.XSTART", "META.VISIT.TSOVISIT", "MINE"])
    assert resolver.resolve({"SUBSTRT1": 1, "TSOVISIT": False, "MINE": 2.5}) == {
        "META.SUBARRAY.XSTART": "1",
        "META.VISIT.TSOVISIT": "False",
        "MINE": "2.5",
    }


def test_telemetry_has_two_words_for_the_full_frame() -> None:
    assert value({"SARRMODE": "FULL"}, "META.SUBARRAY.NAME") == "FULL"
    assert value({"SARRMODE": "FULL_FRAME"}, "META.SUBARRAY.NAME") == "FULL"


def test_an_untranslated_value_does_not_count() -> None:
    assert value({"SARRMODE": "ODGW"}, "META.SUBARRAY.NAME") is None
    header = {"MODE": "IFU", "IFUMODE": "SLICER"}
    assert value(header, "META.INSTRUMENT.MODE") == "SLICER"
    assert value({"MODE": "IMG", "IFUMODE": "N/A"}, "META.INSTRUMENT.MODE") == "IMG"


@pytest.mark.parametrize(
    ("observatory", "header", "instrument"),
    [
        ("ligeriri", {"INSTRUME": "IRIS"}, "iris"),
        ("ligeriri", {"META.INSTRUMENT.NAME": "Liger"}, "liger"),
        ("hst", {"INSTRUME": "ACS"}, "acs"),
        ("roman", {"ROMAN.META.INSTRUMENT.NAME": "WFI"}, "wfi"),
        ("jwst", {"meta.instrument.name": "miri"}, "miri"),
    ],
)
def test_instrument(observatory: str, header: dict[str, object], instrument: str) -> None:
    assert instrument_of(load_observatory(observatory), header) == instrument


def test_an_instrument_that_is_missing_or_unknown_is_an_error_that_helps() -> None:
    with pytest.raises(HeaderError, match=r"names no instrument \(set META.INSTRUMENT.NAME, INSTRUME or"):
        instrument_of(LIGERIRI, {"FILTER": "Y"})
    with pytest.raises(HeaderError, match=r"no instrument 'IRISS' \(did you mean 'iris'\?\)"):
        instrument_of(LIGERIRI, {"INSTRUME": "IRISS"})
    with pytest.raises(HeaderError, match="known are iris, liger"):
        instrument_of(LIGERIRI, {"INSTRUME": "ZZZ"})
    assert instrument_of(LIGERIRI, {"INSTRUME": "ZZZ"}, known=["ZZZ"]) == "zzz"
