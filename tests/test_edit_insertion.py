"""References put into rules and taken out of them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmap.compare.rows import rows
from calmap.edit.application import edited
from calmap.edit.deletion import delete
from calmap.edit.insertion import insert
from calmap.errors import MappingError
from calmap.model.mapping import parse_mapping

HEADER = """\
header = {{
    'derived_from' : 'NONE',
    'filekind' : 'FLAT',
    'instrument' : 'TINSTR',
    'mapping' : 'REFERENCE',
    'name' : 'tobs_tinstr_flat_0001.rmap',
    'observatory' : 'TOBS',
    'parkey' : {parkey},{more}
}}

"""
DATED = "(('DETECTOR', 'FILTER'), ('DATE-OBS', 'TIME-OBS'))"
RULES = """\
# flats of the imager
selector = Match({
    # detector one
    ('A', 'H') : UseAfter({
        '2020-01-01 00:00:00' : 'h_old.fits',  # the first
        '2022-01-01 00:00:00' : 'h_new.fits',
    }),
    # detector two
    ('B|C', 'J') : UseAfter({
        '2020-01-01 00:00:00' : 'j.fits',
    }),
    ('D', 'K') : 'N/A',
})
"""


def rmap(selector: str = RULES, parkey: str = DATED, more: str = ""):
    found = parse_mapping(
        Path("tobs_tinstr_flat_0001.rmap"), (HEADER.format(parkey=parkey, more=more) + selector).encode()
    )
    assert found.file is not None, found.diagnostics
    return found


def values(detector: str, band: str, date: str = "2021-01-01", time: str = "00:00:00") -> dict[str, str]:
    return {"DETECTOR": detector, "FILTER": band, "DATE-OBS": date, "TIME-OBS": time}


def inserted(found, header, name="new.fits"):
    insertion = insert(found.file, header, name)
    return insertion, edited(found, insertion.edits)


def selector_of(found) -> str:
    return found.text[found.text.index("selector") :]


def test_a_new_date_is_one_new_line_in_its_place():
    insertion, new = inserted(rmap(), values("A", "H"))

    assert insertion.new_levels == 1
    assert insertion.removed == ()
    assert "  # the first\n        '2021-01-01 00:00:00' : 'new.fits',\n        '2022" in new.text
    assert len(new.text.splitlines()) == len(rmap().text.splitlines()) + 1


def test_values_in_another_order_are_the_same_rule():
    _, new = inserted(rmap(), values("C | B", "j"))

    assert "'2020-01-01 00:00:00' : 'j.fits',\n        '2021-01-01 00:00:00' : 'new.fits',\n" in new.text


def test_the_same_date_replaces_the_file_only():
    insertion, new = inserted(rmap(), values("A", "H", "2020-01-01"))

    assert [row.file for row in insertion.removed] == ["h_old.fits"]
    assert new.text == rmap().text.replace("h_old.fits", "new.fits")


def test_the_same_date_written_otherwise_is_the_same_date():
    """CD17."""
    insertion, _ = inserted(rmap(), values("A", "H", "2020/01/01", "00:00"))

    assert [row.file for row in insertion.removed] == ["h_old.fits"]


def test_a_new_rule_is_written_like_its_neighbours():
    insertion, new = inserted(rmap(), values("A", "J"))

    assert insertion.new_levels == 2
    rule = "    ('A', 'J') : UseAfter({\n        '2021-01-01 00:00:00' : 'new.fits',\n    }),\n"
    assert f"    }}),\n{rule}    # detector two\n" in new.text


def test_rules_without_dates_get_the_file_itself():
    """CD16: parkey has one level, and no classes say that there should be two."""
    found = rmap("selector = Match({\n    ('A',) : 'old.fits',\n})\n", "(('DETECTOR',),)")

    _, new = inserted(found, values("B", "H"))

    assert selector_of(new) == "selector = Match({\n    ('A',) : 'old.fits',\n    ('B',) : 'new.fits',\n})\n"


def test_a_rule_that_says_not_applicable_gets_dates():
    insertion, new = inserted(rmap(), values("D", "K"))

    assert [row.file for row in insertion.removed] == ["N/A"]
    assert "    ('D', 'K') : UseAfter({\n        '2021-01-01 00:00:00' : 'new.fits',\n    }),\n})" in new.text


def test_rules_on_one_line_stay_on_one_line():
    found = rmap("selector = Match({('A', 'H'): UseAfter({'2020-01-01 00:00:00': \"old.fits\"})})\n")

    _, row = inserted(found, values("A", "H"))
    _, rule = inserted(found, values("B", "H"))

    assert selector_of(row) == (
        "selector = Match({('A', 'H'): UseAfter({'2020-01-01 00:00:00': \"old.fits\","
        " '2021-01-01 00:00:00': \"new.fits\"})})\n"
    )
    assert selector_of(rule) == (
        "selector = Match({('A', 'H'): UseAfter({'2020-01-01 00:00:00': \"old.fits\"}),"
        " ('B', 'H'): UseAfter({'2021-01-01 00:00:00': 'new.fits'})})\n"
    )


def test_the_first_rule_of_an_empty_selector():
    _, new = inserted(rmap("selector = Match({\n})\n"), values("A", "H"))

    assert selector_of(new) == (
        "selector = Match({\n    ('A', 'H') : UseAfter({\n        '2021-01-01 00:00:00' : 'new.fits',\n"
        "    }),\n})\n"
    )


def test_line_ends_are_kept():
    found = parse_mapping(Path("x.rmap"), rmap().text.replace("\n", "\r\n").encode())

    _, new = inserted(found, values("A", "J"))

    assert "\n" not in new.text.replace("\r\n", "")


def test_an_order_from_new_to_old_is_kept():
    found = rmap(
        "selector = Match({\n    ('A', 'H') : UseAfter({\n        '2022-01-01 00:00:00' : 'c.fits',\n"
        "        '2020-01-01 00:00:00' : 'a.fits',\n    }),\n})\n"
    )

    _, new = inserted(found, values("A", "H"))

    assert [row.file for row in rows(new.file.selector)] == ["c.fits", "new.fits", "a.fits"]


def test_rules_in_groups_are_joined_by_their_group():
    found = rmap(
        "selector = Match({\n    ('B', 'H') : 'bh.fits',\n    ('B', 'J') : 'bj.fits',\n"
        "    ('A', 'H') : 'ah.fits',\n})\n",
        "(('DETECTOR', 'FILTER'),)",
    )

    _, new = inserted(found, values("B", "K"))

    assert [row.file for row in rows(new.file.selector)] == ["bh.fits", "bj.fits", "new.fits", "ah.fits"]


def test_comments_in_keys_do_not_count_and_follow_the_file():
    found = rmap(
        "selector = Match({\n    ('A', 'made by hand') : 'old.fits',\n})\n",
        "(('DETECTOR', 'FILTER'),)",
        "\n    'comment_parkeys' : ('FILTER',),",
    )

    insertion, new = inserted(found, values("A", "made by machine"))

    assert selector_of(new) == "selector = Match({\n    ('A', 'made by machine') : 'new.fits',\n})\n"
    assert insertion.added.keys == (("A", "made by machine"),)


def test_names_that_need_escapes_survive():
    found = rmap("selector = Match({\n    ('A',) : 'old.fits',\n})\n", "(('DETECTOR',),)")

    _, new = inserted(found, {"DETECTOR": 'it\'s \\ "B"\n'})

    assert [row.keys for row in rows(new.file.selector)] == [(("A",),), (('it\'s \\ "B"\n',),)]


@pytest.mark.parametrize(
    ("parkey", "more", "said"),
    [
        (
            "(('DETECTOR', 'FILTER'),)",
            "\n    'classes' : ('Match', 'UseAfter'),",
            "classes names 2 selectors",
        ),
        ("('DETECTOR',)", "", "parkey must be a tuple"),
        ("(('DETECTOR', 'COLOUR'), ('DATE-OBS',))", "", "lacks COLOUR"),
    ],
)
def test_rules_without_a_place_are_refused(parkey, more, said):
    with pytest.raises(MappingError, match=said):
        insert(rmap(parkey=parkey, more=more).file, values("A", "H"), "new.fits")


NAMES = st.sampled_from("ABCD")
DATES = st.integers(2000, 2030).map(lambda year: f"{year}-01-01")


@given(st.lists(st.tuples(NAMES, NAMES, DATES), max_size=6), st.tuples(NAMES, NAMES, DATES))
def test_what_is_said_is_what_changes_and_it_can_be_taken_back(earlier, last):
    found = rmap()
    for number, (detector, band, date) in enumerate(earlier):
        _, found = inserted(found, values(detector, band, date), f"file{number}.fits")
    before = [(row.keys, row.file) for row in rows(found.file.selector)]

    insertion, new = inserted(found, values(*last))

    after = [(row.keys, row.file) for row in rows(new.file.selector)]
    gone = [(row.keys, row.file) for row in insertion.removed]
    come = (insertion.added.keys, insertion.added.file)
    assert sorted(after) == sorted([item for item in before if item not in gone] + [come])
    if not gone:
        back = edited(new, delete(new.file, frozenset({"new.fits"})).edits)
        assert back.text == found.text


def test_a_deletion_takes_the_rule_that_is_left_empty():
    deletion = delete(rmap().file, frozenset({"j.fits"}))
    new = edited(rmap(), deletion.edits)

    assert [row.keys[0] for row in deletion.removed] == [("B|C", "J")]
    assert "'B|C'" not in new.text
    assert "# detector two" in new.text


def test_a_deletion_of_several_files_at_once():
    new = edited(rmap(), delete(rmap().file, frozenset({"h_old.fits", "h_new.fits", "j.fits"})).edits)

    assert [row.file for row in rows(new.file.selector)] == ["N/A"]


def test_a_rule_that_still_says_not_applicable_stays():
    found = rmap(RULES.replace("'h_new.fits'", "'N/A'"))

    new = edited(found, delete(found.file, frozenset({"h_old.fits"})).edits)

    assert ("A", "H") in [row.keys[0] for row in rows(new.file.selector)]


@pytest.mark.parametrize("name", ["absent.fits", "N/B"])
def test_a_file_in_no_rule_can_not_be_deleted(name):
    with pytest.raises(MappingError, match=f"no rule leads to {name}"):
        delete(rmap().file, frozenset({name, "j.fits"}))


def test_a_file_among_others_is_left_to_hands():
    found = rmap("selector = Match({\n    ('A',) : ('a.fits', 'b.fits'),\n})\n", "(('DETECTOR',),)")

    with pytest.raises(MappingError, match=r"no rule leads to a\.fits") as refused:
        delete(found.file, frozenset({"a.fits"}))
    assert refused.value.hint == "line 12 has it among others: change that rule by hand"
