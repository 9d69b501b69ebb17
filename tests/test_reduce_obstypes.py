import pytest

from reduce.errors import DataError
from reduce.obstypes import kinds, named, observation, observation_of

TABLE = {
    "IMG1-NFF": "CAL", "SLI-NFF": "CAL", "LEN-SPX": "CAL",
    "IMG1-DRK": "CAL", "SLI-DRK": "CAL", "LEN-DRK": "CAL",
    "IMG1-TEL": "CAL", "SLI-TEL": "CAL", "LEN-TEL": "CAL",
    "SLI-IDP": "ENG", "LEN-IDP": "ENG",
    "IMG1-SCI": "SCI", "SLI-SCI": "SCI", "LEN-SCI": "SCI",
    "IMG1-SKY": "SCI", "SLI-SKY": "SCI", "LEN-SKY": "SCI",
}  # fmt: skip


@pytest.mark.parametrize("obsname", TABLE)
def test_the_table_is_read_both_ways(obsname):
    one = named(obsname)

    assert one.obstype == TABLE[obsname]
    assert observation(one.mode, "IMG1", one.imtype) == one


def test_the_table_has_nothing_else():
    built = {
        observation(mode, "IMG1", kind.imtype).obsname for kind in kinds().values() for mode in kind.modes
    }

    assert built == set(TABLE)


@pytest.mark.parametrize("obsname", ["", "IMG1", "IMG1-XYZ", "LEN-NFF", "IMG1-SPX", "FOO-SCI", "-SCI"])
def test_other_names_are_refused(obsname):
    with pytest.raises(DataError, match="OBSNAME"):
        named(obsname)


@pytest.mark.parametrize(
    ("mode", "imtype", "hint"), [("LENSLET", "FLAT", "SCAN"), ("ECHELLE", "SCI", "IMG, SLICER, LENSLET")]
)
def test_what_there_is_not_is_refused_with_what_there_is(mode, imtype, hint):
    with pytest.raises(DataError, match="there is no OBSNAME") as caught:
        observation(mode, "IFU", imtype)

    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("header", "obsname"),
    [
        ({"OBSNAME": "SLI-SCI", "INSTMODE": "IMG"}, "SLI-SCI"),
        ({"INSTMODE": "IMG", "DETECTOR": "IMG3", "IMTYPE": "FLAT"}, "IMG3-NFF"),
        ({"MODE": "IFU", "IFUMODE": "LENSLET", "DETECTOR": "IFU", "IMTYPE": "SKY"}, "LEN-SKY"),
        ({"INSTMODE": "IMG", "DETECTOR": "IMG", "IMTYPE": "SCI-M92-K-4.0"}, "IMG-SCI"),
        ({"INSTMODE": "IMG", "DETECTOR": "IMG1"}, None),
        ({"OBSNAME": "NONSENSE"}, None),
    ],
)
def test_headers_say_what_an_exposure_is(header, obsname):
    found = observation_of(header)

    assert (found and found.obsname) == obsname
