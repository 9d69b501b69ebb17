"""Validity of references, certified and decertified in the rules of a context."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import pytest
from astropy.io import fits
from deliveries import changed_lines, demo_cache, reference

from calmap.bestref import Cache
from calmap.cache.rulesets import Rules
from calmap.delivery.chosen_rules import Choice, RuleLine
from calmap.delivery.recertification import plan_certification, plan_decertification
from calmap.delivery.validity import Recertified
from calmap.edit.spans import OverlapError, Span
from calmap.errors import CalmapError, HeaderError, RefusedError, UsageError

OLD, LATE = "IRIS_IMG1_DQ_20240901T000000_0.0.1.fits", "IRIS_IMG1_DQ_20250301T000000_0.0.1.fits"
NEW = "IRIS_IMG1_DQ_20250601T000000_0.0.1.fits"
RMAP = "ligeriri_iris_dq_0001.rmap"
CONTEXT = "ligeriri_0001.pmap"
RULES = """\
header = {
    'derived_from' : 'NONE',
    'filekind' : 'DEADTAB',
    'instrument' : 'COS',
    'mapping' : 'REFERENCE',
    'name' : 'hst_cos_deadtab_0001.rmap',
    'observatory' : 'HST',
    'parkey' : (('DETECTOR', 'OBSTYPE'), ('DATE-OBS', 'TIME-OBS')),
}

selector = Match({
    # of the first tube
    ('FUV', 'N/A') : UseAfter({
        '2009-05-11 00:00:00' : 's7g1700gl_dead.fits',   # before flight
        '1996-10-01 00:00:00' : "first_dead.fits",
    }),
    ('NUV', 'N/A') : UseAfter({
        '1996-10-01 00:00:00' : 's7g1700ql_dead.fits', # both tubes
    }),
    ('NUV', 'IMAGING') : UseAfter({
        '1996-10-01 00:00:00' : 's7g1700ql_dead.fits', '2000-01-01 00:00:00' : 'N/A',
    }),
})
"""


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return demo_cache(tmp_path)


@pytest.fixture
def hst(tmp_path: Path) -> Rules:
    """One rmap of HST, which is its context too."""
    return hst_rules(tmp_path / "hst", RULES)


def hst_rules(folder: Path, text: str) -> Rules:
    path = folder / "mappings/hst/hst_cos_deadtab_0001.rmap"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return Cache(folder).rules("hst")


def demo_rules(cache: Path) -> Rules:
    return Cache(cache).rules("ligeriri")


def since(begin: str | None = None, end: str | None = None) -> Span:
    return Span(*(None if text is None else datetime.fromisoformat(text) for text in (begin, end)))


def new_text(done: Recertified) -> str:
    return done.revision.changes[0].new.text


def changed(done: Recertified) -> tuple[list[str], list[str]]:
    """Lines of the rules that go and come, without those of the header."""
    change = done.revision.changes[0]
    assert change.old is not None
    gone, come = changed_lines(change.old.text, change.new.text)
    return [line for line in gone if ".fits" in line or "N/A" in line], [
        line for line in come if ".fits" in line or "N/A" in line
    ]


def test_a_file_of_the_rules_is_certified_again_before_all_others(cache: Path) -> None:
    done = plan_certification(demo_rules(cache), CONTEXT, [Path(LATE)], since("2024-01-01", "2024-02-01"))

    assert changed(done) == (
        [],
        [f"        '2024-01-01 00:00:00' : '{LATE}',", "        '2024-02-01 00:00:00' : 'N/A',"],
    )
    (told,) = done.validities
    assert told.before == (since("2025-03-01"),)
    assert told.after == (since("2024-01-01", "2024-02-01"), since("2025-03-01"))
    assert (told.gaps, told.silence) == ((since("2024-02-01", "2024-09-01"),), ())
    assert [change.new.name for change in done.revision.changes] == [
        "ligeriri_iris_dq_0002.rmap",
        "ligeriri_iris_0002.imap",
        "ligeriri_0002.pmap",
    ]


def test_the_pieces_of_a_decertified_file_begin_with_its_own_name(cache: Path) -> None:
    done = plan_decertification(demo_rules(cache), CONTEXT, [LATE], since("2025-04-01", "2025-04-03"))

    assert changed(done) == (
        [],
        ["        '2025-04-01 00:00:00' : 'N/A',", f"        '2025-04-03 00:00:00' : '{LATE}',"],
    )
    assert done.validities[0].after == (since("2025-03-01", "2025-04-01"), since("2025-04-03"))


def test_a_new_file_goes_into_the_rule_of_its_header(cache: Path, tmp_path: Path) -> None:
    rules = demo_rules(cache)
    path = reference(tmp_path, NEW, LATE, USEAFTER="2030-01-01T00:00:00")

    done = plan_certification(rules, CONTEXT, [path], since("2024-08-01", "2024-09-01"))

    assert changed(done) == ([], [f"        '2024-08-01 00:00:00' : '{NEW}',"])
    assert [copy.place for copy in done.copies] == [cache / "references/ligeriri/iris" / NEW]
    assert done.validities[0].gaps == ()


def test_a_new_rule_ends_with_the_span(cache: Path, tmp_path: Path) -> None:
    path = reference(tmp_path, NEW, LATE, DETECTOR="IRIS1")

    done = plan_certification(demo_rules(cache), CONTEXT, [path], since("2025-06-01 12:00", "2025-07-01"))

    assert (
        f"    ('IRIS1', 'GENERIC') : UseAfter({{\n        '2025-06-01 12:00:00' : '{NEW}',\n"
        "        '2025-07-01 00:00:00' : 'N/A',\n    }),\n"
    ) in new_text(done)
    assert done.validities[0].old_line is None
    assert done.validities[0].line == 42


def test_several_files_follow_each_other(cache: Path, tmp_path: Path) -> None:
    rules = demo_rules(cache)
    files = [reference(tmp_path, NEW, LATE), reference(tmp_path, "second.fits", LATE, DETECTOR="IMG2")]
    cut = plan_decertification(
        rules, CONTEXT, [LATE, "IRIS_IMG2_DQ_20240901T000000_0.0.1.fits"], since("2025-06-01")
    )
    for change in cut.revision.changes:
        change.new.path.write_text(change.new.text)

    done = plan_certification(demo_rules(cache), "ligeriri_0002.pmap", files, since("2025-06-01"))

    assert [told.name for told in done.validities] == [NEW, "second.fits"]
    assert len(done.copies) == 2
    assert "'2025-06-01 00:00:00' : 'N/A'" not in new_text(done)


def test_what_is_so_already_changes_nothing(cache: Path) -> None:
    done = plan_certification(demo_rules(cache), CONTEXT, [Path(LATE)], since("2025-04-01"))

    assert done.revision.changes == ()
    assert done.validities[0].before == done.validities[0].after


def test_comments_order_and_quotes_stay(hst: Rules) -> None:
    done = plan_decertification(
        hst, "hst_cos_deadtab_0001.rmap", ["s7g1700gl_dead.fits"], since("2010-01-01", "2010-02-01")
    )

    assert (
        "    # of the first tube\n"
        "    ('FUV', 'N/A') : UseAfter({\n"
        "        '2010-02-01 00:00:00' : 's7g1700gl_dead.fits',\n"
        "        '2010-01-01 00:00:00' : 'N/A',\n"
        "        '2009-05-11 00:00:00' : 's7g1700gl_dead.fits',   # before flight\n"
        "        '1996-10-01 00:00:00' : \"first_dead.fits\",\n"
    ) in new_text(done)


def test_all_rules_of_a_file_are_meant_unless_one_is_named(hst: Rules) -> None:
    name, file, span = "hst_cos_deadtab_0001.rmap", "s7g1700ql_dead.fits", since("1999-01-01")

    both = plan_decertification(hst, name, [file], span)
    one = plan_decertification(hst, name, [file], span, choice=Choice(rule=RuleLine(name, 21)))
    typed = plan_decertification(hst, name, [file], span, choice=Choice(reftype="deadtab"))

    assert [told.rule for told in both.validities] == [
        (("DETECTOR", "NUV"), ("OBSTYPE", "N/A")),
        (("DETECTOR", "NUV"), ("OBSTYPE", "IMAGING")),
    ]
    assert [told.line for told in one.validities] == [21]
    assert "'1999-01-01 00:00:00' : 'N/A',\n" in new_text(one)
    assert "'2000-01-01 00:00:00'" not in new_text(one)
    assert typed.validities == both.validities
    with pytest.raises(RefusedError, match="no rule of"):
        plan_decertification(hst, name, [file], span, choice=Choice(reftype="flatfile"))


def test_a_file_of_another_rule_needs_no_header_where_the_rule_is_named(hst: Rules) -> None:
    name = "hst_cos_deadtab_0001.rmap"
    choice = Choice(rule=RuleLine(name, 21))

    done = plan_certification(hst, name, [Path("first_dead.fits")], since("2000-01-01"), choice=choice)

    assert "'2000-01-01 00:00:00' : 'first_dead.fits'," in new_text(done)


def test_the_rule_goes_with_its_last_file(hst: Rules) -> None:
    done = plan_decertification(hst, "hst_cos_deadtab_0001.rmap", ["s7g1700ql_dead.fits"], Span())

    assert "NUV" not in new_text(done)
    assert [told.line for told in done.validities] == [None, None]
    assert done.validities[1].silence == (since("1996-10-01", "2000-01-01"),)


def test_only_the_rule_that_is_empty_goes(tmp_path: Path) -> None:
    nested = """\
selector = Match({
    ('FUV',) : Match({
        ('SPECTROSCOPIC',) : UseAfter({
            '1996-10-01 00:00:00' : 'one.fits',
        }),
        ('IMAGING',) : UseAfter({
            '1996-10-01 00:00:00' : 'two.fits',
        }),
    }),
    ('NUV',) : Match({
        ('IMAGING',) : UseAfter({
            '1996-10-01 00:00:00' : 'two.fits',
        }),
    }),
})
"""
    header = RULES.partition("selector")[0].replace("('DETECTOR', 'OBSTYPE')", "('DETECTOR',), ('OBSTYPE',)")
    rules = hst_rules(tmp_path / "hst", header + nested)

    done = plan_decertification(rules, "hst_cos_deadtab_0001.rmap", ["two.fits"], Span())

    assert new_text(done).partition("selector")[2] == (
        " = Match({\n    ('FUV',) : Match({\n        ('SPECTROSCOPIC',) : UseAfter({\n"
        "            '1996-10-01 00:00:00' : 'one.fits',\n        }),\n    }),\n})\n"
    )


def test_several_files_at_a_date_stay(tmp_path: Path) -> None:
    both = "('s7g1700gl_dead.fits', 'b.fits')"
    rules = hst_rules(tmp_path / "hst", RULES.replace("'s7g1700gl_dead.fits'", both))

    done = plan_decertification(
        rules, "hst_cos_deadtab_0001.rmap", ["first_dead.fits"], since("2000-01-01", "2001-01-01")
    )

    assert f"        '2009-05-11 00:00:00' : {both},   # before flight\n" in new_text(done)
    assert len(changed(done)[1]) == 2
    with pytest.raises(OverlapError, match=r"b\.fits"):
        plan_certification(rules, "hst_cos_deadtab_0001.rmap", [Path("first_dead.fits")], since("2010-01-01"))


def test_a_date_spread_over_two_keywords(hst: Rules, tmp_path: Path) -> None:
    path = tmp_path / "new_dead.fits"
    header = {"TELESCOP": "HST", "INSTRUME": "COS", "FILETYPE": "DEADTIME REFERENCE TABLE", "DETECTOR": "NUV"}
    fits.PrimaryHDU(header=fits.Header({**header, "OBSTYPE": "IMAGING"})).writeto(path)

    done = plan_certification(
        hst, "hst_cos_deadtab_0001.rmap", [path], since("2001-01-01 06:00", "2002-01-01")
    )

    assert (
        "'2000-01-01 00:00:00' : 'N/A', '2001-01-01 06:00:00' : 'new_dead.fits', "
        "'2002-01-01 00:00:00' : 'N/A'," in new_text(done)
    )


def test_a_stored_file_that_no_rule_names_goes_by_its_header(cache: Path, tmp_path: Path) -> None:
    path = reference(tmp_path, NEW, LATE)
    shutil.move(path, cache / "references/ligeriri/iris" / NEW)

    done = plan_certification(demo_rules(cache), CONTEXT, [Path(NEW)], since("2024-08-01", "2024-09-01"))

    assert done.validities[0].name == NEW
    assert done.copies == ()


def test_an_overlap_is_refused_with_the_way_out(cache: Path) -> None:
    with pytest.raises(OverlapError) as refused:
        plan_certification(demo_rules(cache), CONTEXT, [Path(OLD)], since("2025-02-01", "2025-04-01"))

    assert refused.value.message == (
        f"{RMAP}:29: {OLD} can't be certified from 2025-02-01 00:00:00 until 2025-04-01 00:00:00: "
        f"{LATE} is certified from 2025-03-01 00:00:00 on"
    )
    assert refused.value.hint == (
        f"choose another span, or first: calmap validity decertify {LATE} --rule {RMAP}:29 "
        "--begin '2025-03-01 00:00:00' --end '2025-04-01 00:00:00'"
    )


FLAT = "IRIS_IMG1_FLAT_20241106T000000_0.0.1.fits"


@pytest.mark.parametrize(
    ("file", "choice", "words"),
    [
        (FLAT, Choice(), r"flat_0001\.rmap:37: the rule goes by ClosestTime: it chooses the nearest date"),
        (OLD, Choice(rule=RuleLine("ligeriri_iris_flat_0001.rmap", 37)), "goes by ClosestTime"),
        (OLD, Choice(rule=RuleLine(RMAP, 3)), "is in no rule"),
        (OLD, Choice(rule=RuleLine("ligeriri_iris_dq_0009.rmap", 3)), "does not lead to"),
        (OLD, Choice(rule=RuleLine("ligeriri_iris_drizpars_0001.rmap", 20)), "its rules are in"),
        ("none.fits", Choice(), "no rule of ligeriri_0001.pmap leads to none.fits, and there is no file"),
        (OLD, Choice(reftype="flat"), "the header has no value for META.EXPOSURE.READMODE"),
    ],
)
def test_what_can_not_be_certified(cache: Path, file: str, choice: Choice, words: str) -> None:
    with pytest.raises(CalmapError, match=words):
        plan_certification(demo_rules(cache), CONTEXT, [Path(file)], since("2023-01-01"), choice=choice)


def test_a_span_to_certify_has_a_beginning(cache: Path) -> None:
    with pytest.raises(UsageError, match="without a beginning"):
        plan_certification(demo_rules(cache), CONTEXT, [Path(OLD)], since(None, "2025-01-01"))


def test_a_header_must_say_what_the_file_is_for(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(HeaderError):
        plan_certification(
            demo_rules(cache), CONTEXT, [reference(tmp_path, NEW, LATE, SUBARRAY=None)], since("2025-01-01")
        )


def test_a_name_that_stands_for_another_file_is_refused(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="is there already, with other content"):
        plan_certification(
            demo_rules(cache), CONTEXT, [reference(tmp_path, LATE, OLD)], since("2024-01-01", "2024-02-01")
        )


def test_only_a_valid_file_can_be_decertified(cache: Path) -> None:
    with pytest.raises(RefusedError) as refused:
        plan_decertification(demo_rules(cache), CONTEXT, [OLD], since("2025-03-01"))

    assert str(refused.value) == (
        f"{OLD} is not valid from 2025-03-01 00:00:00 on "
        f"(it is valid from 2024-09-01 00:00:00 until 2025-03-01 00:00:00 in {RMAP}:29)"
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("'2009-05-11 00:00:00'", "'2009-05- 00:00:00'", ":14: '2009-05- 00:00:00' is not a date"),
        ("'2009-05-11 00:00:00'", "'1996-10-01'", ":15: the rule has the date 1996-10-01 00:00:00 twice"),
        ("'s7g1700gl_dead.fits'", "('first_dead.fits', 'b.fits')", ":14 has first_dead.fits among others"),
    ],
)
def test_rules_that_are_not_plain_are_left_alone(tmp_path: Path, old: str, new: str, words: str) -> None:
    rules = hst_rules(tmp_path / "hst", RULES.replace(old, new))

    with pytest.raises(RefusedError) as refused:
        plan_decertification(rules, "hst_cos_deadtab_0001.rmap", ["first_dead.fits"], since("2009-01-01"))

    assert words in refused.value.message


def test_a_rule_of_equal_weight_is_told(tmp_path: Path) -> None:
    rules = hst_rules(tmp_path / "hst", RULES.replace("('FUV', 'N/A')", "('N/A', 'IMAGING')"))

    done = plan_certification(
        rules, "hst_cos_deadtab_0001.rmap", [Path("first_dead.fits")], since("1990-01-01", "1991-01-01")
    )

    (warning,) = done.validities[0].warnings
    assert "also matches the rule in line" in warning
