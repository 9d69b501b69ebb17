"""What refactorings do to rules and headers, by example."""

from functools import partial
from itertools import product
from pathlib import Path

import pytest
from laid_out import compiled

from calmap.compile.hooks import HOOK_KEYWORDS, HOOKS
from calmap.edit.collisions import collision_count
from calmap.edit.formatting import format_layout
from calmap.edit.header import delete_key, set_key
from calmap.edit.literals import value_of
from calmap.edit.merging import left_apart, merge_rules
from calmap.edit.ordering import sort
from calmap.edit.parameters import add_parameter, drop_parameter
from calmap.edit.parkeys import set_parkey
from calmap.edit.refactoring import refactored
from calmap.edit.renaming import rename_parameter
from calmap.edit.shape import shape
from calmap.edit.splitting import split_rule
from calmap.edit.values import remove_substitution, replace_value, set_substitution
from calmap.errors import RefusedError, UsageError
from calmap.model.mapping import Mapping, parse_mapping
from calmap.observatories.library import load_observatory

NAME = "tobs_cam_flat_0001.rmap"
RULES = """Match({
    # the first camera
    ('A|B', 'N/A') : UseAfter({
        '2020-01-01 00:00:00' : 'one.fits',  # good
    }),  # both
    ('C', 'N/A') : UseAfter({
        '2020-01-01 00:00:00' : 'one.fits',
    }),
    ("O'Neil", 'X') : UseAfter({
        '2020-01-01 00:00:00' : 'two.fits',
    }),
})"""
FLAT = "Match({\n    'A|B' : 'one.fits',\n    'C' : 'one.fits',\n})"


def rmap(selector: str = RULES, *, extra: str = "", parkey: str = "(('DET', 'FILT'), ('DATE',))") -> Mapping:
    text = f"""header = {{
    'derived_from' : 'NONE',
    'filekind' : 'FLAT',
    'instrument' : 'CAM',
    'mapping' : 'REFERENCE',
    'name' : '{NAME}',
    'observatory' : 'TOBS',
    'parkey' : {parkey},
{extra}    'sha1sum' : '',
}}

selector = {selector}
"""
    return parse_mapping(Path(NAME), text.encode())


def lines(mapping: Mapping, new: Mapping) -> list[str]:
    """Lines that are new, without indentation and that of the checksum."""
    old = mapping.text.splitlines()
    return [line.strip() for line in new.text.splitlines() if line not in old and "sha1sum" not in line]


def test_rename_reaches_every_place():
    mapping = rmap(
        extra="    'comment_parkeys' : ('DET',),\n"
        "    'extra_keys' : ('OTHER',),\n"
        "    'parkey_relevance' : {\n        'det' : '(FILT == \"DET\")',\n    },\n"
        "    'reference_to_dataset' : {\n        'DETECTOR' : 'DET',\n    },\n"
        "    'rmap_relevance' : '(DET != \"DET\" and '  # why\n        'OTHER in (\"X\", DET))',\n"
        "    'substitutions' : {\n        'DET' : {\n            'Q' : 'N/A',\n        },\n    },\n"
    )
    new = refactored(mapping, partial(rename_parameter, old="DET", new="META.DETECTOR"))

    assert lines(mapping, new) == [
        "'parkey' : (('META.DETECTOR', 'FILT'), ('DATE',)),",
        "'comment_parkeys' : ('META.DETECTOR',),",
        "'META.DETECTOR' : '(FILT == \"DET\")',",
        "'DETECTOR' : 'META.DETECTOR',",
        "'rmap_relevance' : '(META.DETECTOR != \"DET\" and '  # why",
        "'OTHER in (\"X\", META.DETECTOR))',",
        "'META.DETECTOR' : {",
    ]


def test_rename_writes_down_what_a_name_stands_for():
    mapping = rmap(RULES.replace("'X'", "'GENERIC'"), parkey="(('DET', 'SUBARRAY'), ('DATE',))")
    new = refactored(mapping, partial(rename_parameter, old="SUBARRAY", new="SUB"))

    assert "'substitutions' : {'SUB' : {'GENERIC' : 'N/A'}}," in lines(mapping, new)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (partial(rename_parameter, old="DET", new="FILT"), "'FILT' is there already"),
        (partial(rename_parameter, old="DEET", new="X"), "'DEET' is not in parkey"),
        (partial(add_parameter, name="DET"), "'DET' is in parkey already"),
        (partial(add_parameter, name="X", level=2), "level 2 of parkey has a UseAfter selector"),
        (partial(drop_parameter, name="DATE"), "level 2 of parkey has a UseAfter selector"),
        (partial(set_parkey, parkey=(("DET",),)), "the rules have 2 levels of selectors, the parkey 1"),
        (partial(set_parkey, parkey=(("DET",), ("FILT", "DATE"))), "FILT would go from level 1 to another"),
        (partial(replace_value, parameter="DET", old="Z", new="Y"), "no rule has 'Z' for DET"),
        (partial(replace_value, parameter="DET", old="A", new="N/A"), "'N/A' can't be one of several values"),
        (partial(remove_substitution, parameter="DET", old="A"), "there is no substitution of 'A' for DET"),
        (partial(set_substitution, parameter="NO", old="A", new="B"), "'NO' is not in parkey"),
        (partial(set_key, key="parkey", value="X"), "'parkey' can't be set like this"),
        (partial(delete_key, key="sha1sum"), "'sha1sum' can't be deleted like this"),
        (partial(delete_key, key="autor"), "the header has no 'autor'"),
        (partial(set_key, key="rmap_relevance", value="(DET ="), "the result could not be used"),
        (partial(split_rule, line=17), "the rule has no or-glob"),
        (partial(split_rule, line=3), "no rule of a Match selector is there"),
        (partial(split_rule, line=14, parameter="FILT"), "the rule has not several values for FILT"),
    ],
)
def test_refused_with_a_reason(change, reason):
    with pytest.raises(RefusedError, match=None) as refused:
        refactored(rmap(), change)

    assert reason in refused.value.message


@pytest.mark.parametrize(
    ("change", "pairs"),
    [
        (partial(replace_value, parameter="DET", old="C", new="A|B"), "lines 14 and 17"),
        (partial(set_substitution, parameter="DET", old="C", new="A|B"), "lines 14 and 17"),
    ],
)
def test_rules_that_would_be_lost_are_named(change, pairs):
    with pytest.raises(RefusedError) as refused:
        refactored(rmap(), change)

    assert pairs in str(refused.value.hint)


def test_a_dropped_parameter_joins_equal_rules_and_keeps_their_comments():
    rules = RULES.replace("'A|B'", "'C'", 1).replace("('C', 'N/A') : U", "('C', 'Y') : U", 2)
    rules = rules.replace("('C', 'Y') : U", "('C', 'N/A') : U", 1)
    mapping = rmap(rules, extra="    'parkey_relevance' : {'filt' : '(DET == \"C\")'},  # kept\n")
    new = refactored(mapping, partial(drop_parameter, name="FILT"))

    assert new.text.count("('C',)") == 1
    assert [
        word for word in ("# the first camera", "# good", "# both", "# kept") if word not in new.text
    ] == []
    assert "parkey_relevance' : {}" in new.text.replace("{ }", "{}") or "filt" not in new.text


def test_a_parameter_that_tells_rules_apart_is_not_dropped():
    rules = RULES.replace("\"O'Neil\", 'X'", "'C', 'X'")
    with pytest.raises(RefusedError) as refused:
        refactored(rmap(rules), partial(drop_parameter, name="FILT"))

    assert "lines 17 and 20" in str(refused.value.hint)


def test_a_parameter_that_an_expression_names_is_not_dropped():
    mapping = rmap(extra="    'rmap_relevance' : '(FILT != \"DARK\")',\n")
    with pytest.raises(RefusedError, match="the expression of rmap_relevance names FILT"):
        refactored(mapping, partial(drop_parameter, name="FILT"))


def test_a_plain_key_becomes_a_tuple_and_the_last_parameter_can_go():
    mapping = rmap("Match({\n    'A' : 'one.fits',\n})", parkey="(('DET',),)")
    added = refactored(mapping, partial(add_parameter, name="FILT"))
    dropped = refactored(mapping, partial(drop_parameter, name="DET"))

    assert lines(mapping, added) == ["'parkey' : (('DET', 'FILT'),),", "('A', 'N/A') : 'one.fits',"]
    assert lines(mapping, dropped) == ["'parkey' : ((),),", "() : 'one.fits',"]
    again = refactored(dropped, partial(add_parameter, name="DET"))
    assert lines(dropped, again) == ["'parkey' : (('DET',),),", "('N/A',) : 'one.fits',"]


def test_parkey_moves_adds_and_drops():
    mapping = rmap()
    wanted = (("NEW", "DET"), ("DATE",))
    new = refactored(mapping, partial(set_parkey, parkey=wanted))

    assert lines(mapping, new) == [
        "'parkey' : (('NEW', 'DET'), ('DATE',)),",
        "('N/A', 'A|B') : UseAfter({",
        "('N/A', 'C') : UseAfter({",
        '("N/A", "O\'Neil") : UseAfter({',
    ]


def test_a_parameter_gets_a_line_where_each_has_one():
    mapping = rmap(parkey="(\n    (\n        'DET',\n        'FILT',\n    ), ('DATE',))")
    last = refactored(mapping, partial(add_parameter, name="NEW"))
    second = refactored(mapping, partial(add_parameter, name="NEW", after="DET"))
    back = refactored(second, partial(drop_parameter, name="NEW"))

    assert "        'FILT',\n        'NEW',\n    )," in last.text
    assert "        'DET',\n        'NEW',\n        'FILT',\n" in second.text
    assert back.text.replace(back.checksum, "") == mapping.text


def test_the_order_of_files_chosen_together_is_kept_unless_asked():
    rules = "Match({\n    ('A', 'Y') : 'one.fits',\n    ('B', 'X') : 'two.fits',\n})"
    mapping = rmap(rules, parkey="(('DET', 'FILT'),)")
    change = partial(set_parkey, parkey=(("FILT", "DET"),))
    with pytest.raises(RefusedError, match="would come in another order"):
        refactored(mapping, change)
    forced = refactored(mapping, partial(change, strictly=False))
    header = {"DET": "N/A", "FILT": "N/A"}

    assert compiled(mapping).choose(header).files == ("one.fits", "two.fits")
    assert compiled(forced).choose(header).files == ("two.fits", "one.fits")
    words = rmap(rules.replace("two.fits", "N/A"), parkey="(('DET', 'FILT'),)")
    assert refactored(words, change) is not words


def bias(*names: str) -> Mapping:
    rules = f"Match({{\n    {('N/A',) * len(names)!r} : 'one.fits',\n}})"
    hooks = "    'hooks' : {'precondition_header' : 'precondition_header_acs_biasfile_v2'},\n"
    found = rmap(rules, extra=hooks, parkey=f"({names!r},)")
    text = found.text.replace("'TOBS'", "'HST'").replace("'CAM'", "'ACS'").replace("'FLAT'", "'BIASFILE'")
    return parse_mapping(Path("hst_acs_biasfile_0001.rmap"), text.encode())


def test_what_a_hook_reads_keeps_its_name_and_other_parameters_come_and_go():
    hst = load_observatory("hst")
    mapping = bias("CCDAMP", "FLASHCUR")
    changes = (
        partial(add_parameter, name="NAXIS1", observatory=hst),
        partial(drop_parameter, name="CCDAMP", observatory=hst),
        partial(rename_parameter, old="CCDAMP", new="AMP", observatory=hst),
        partial(rename_parameter, old="FLASHCUR", new="NAXIS2", observatory=hst),
        partial(set_parkey, parkey=(("CCDAMP", "APERTURE"),), observatory=hst),
    )
    for change in changes:
        with pytest.raises(RefusedError, match="the hook precondition_header_acs_biasfile_v2 reads"):
            refactored(mapping, change)
    added = refactored(mapping, partial(add_parameter, name="FRESH", observatory=hst))
    renamed = refactored(added, partial(rename_parameter, old="FRESH", new="F", observatory=hst))

    assert refactored(renamed, partial(drop_parameter, name="F", observatory=hst)).file is not None


@pytest.mark.parametrize("name", ["DETECTOR", "CCDGAIN"])
def test_a_parameter_that_turns_a_check_on_is_not_added(name):
    hst = load_observatory("hst")
    other = {"DETECTOR": "CCDGAIN", "CCDGAIN": "DETECTOR"}[name]
    mapping = rmap(RULES.replace("TOBS", "HST"), parkey=f"(('{other}', 'FILT'), ('DATE',))")
    changes = (
        partial(add_parameter, name=name, observatory=hst),
        partial(rename_parameter, old="FILT", new=name, observatory=hst),
        partial(set_parkey, parkey=((other, "FILT", name), ("DATE",)), observatory=hst),
    )
    for change in changes:
        with pytest.raises(RefusedError, match=f"the check dnr_check reads {name} by its name"):
            refactored(mapping, change)
    alone = rmap(parkey="(('X', 'FILT'), ('DATE',))")
    assert refactored(alone, partial(add_parameter, name=name, observatory=hst)) is not alone


@pytest.mark.parametrize("name", HOOKS)
def test_other_keywords_do_not_matter_to_a_hook(name):
    known = {key for keywords in HOOK_KEYWORDS.values() for key in keywords}
    choices = {
        "DATE-OBS": ("1997-01-01", "2005-01-01", "2020-01-01"),
        "DETECTOR": ("WFC", "HRC"),
        "CCDAMP": ("A", "C"),
        "CCDGAIN": ("1.0", "4.0"),
        "XCORNER": ("0.0", "1.0"),
        "SUBARRAY": ("T", "F"),
        "APERTURE": ("WFC1-SUB", "UVIS"),
    }
    usual = {**dict.fromkeys(known, "3000.0"), "TIME-OBS": "00:00:00", "YCORNER": "0.0"}
    for values in product(*choices.values()):
        header = {**usual, **dict(zip(choices, values, strict=True))}
        needed = {key: header[key] for key in HOOK_KEYWORDS[name]}
        assert HOOKS[name](header) == {**header, **HOOKS[name](needed)}


def test_a_value_is_replaced_alone_and_among_others():
    mapping = rmap(RULES.replace("'C'", "'NOT A'"))
    new = refactored(mapping, partial(replace_value, parameter="DET", old="a", new="Z"))

    assert lines(mapping, new) == ["('B|Z', 'N/A') : UseAfter({"]


def test_substitutions_are_added_to_those_there():
    mapping = rmap(
        extra="    'substitutions' : {\n        'DET' : {\n            'C' : 'Q',\n        },\n    },\n"
    )
    new = refactored(mapping, partial(set_substitution, parameter="DET", old="D", new="N/A"))
    back = refactored(new, partial(remove_substitution, parameter="DET", old="D"))

    assert lines(mapping, new) == ["'D' : 'N/A',"]
    assert back.text.replace(back.checksum, "") == mapping.text


def test_the_last_substitution_goes_with_its_keys():
    mapping = rmap(
        extra="    'substitutions' : {\n        'DET' : {\n            'C' : 'Q',\n        },\n    },\n"
    )
    new = refactored(mapping, partial(remove_substitution, parameter="DET", old="C"))

    assert "substitutions" not in new.text


def test_a_rule_is_split_into_copies():
    mapping = rmap()
    new = refactored(mapping, partial(split_rule, line=14))

    assert [line for line in lines(mapping, new) if "UseAfter" in line] == [
        "('A', 'N/A') : UseAfter({",
        "('B', 'N/A') : UseAfter({",
    ]
    assert new.text.count("'one.fits'") == 3


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        (rmap(FLAT, parkey="(('DET',),)"), "its files would come twice"),
        (rmap(extra="    'merge_overlaps' : False,\n"), "merge_overlaps is off"),
        (rmap(RULES.replace("UseAfter", "Bracket").replace("'2020-01-01 00:00:00'", "1")), "Bracket"),
    ],
)
def test_a_split_that_changes_answers_has_to_be_forced(mapping, reason):
    line = next(n for n, text in enumerate(mapping.text.splitlines(), 1) if "'A|B'" in text)
    with pytest.raises(RefusedError, match=reason):
        refactored(mapping, partial(split_rule, line=line))
    forced = refactored(mapping, partial(split_rule, line=line, strictly=False))

    assert "A|B" not in forced.text
    assert refactored(mapping, merge_rules) is mapping
    assert "A|B|C" in refactored(forced, partial(merge_rules, strictly=False)).text


@pytest.mark.parametrize("element", ["A|N/A", "A|B?", "A|NOT B", "A|[BC]"])
def test_values_that_would_mean_something_else_alone_are_not_split(element):
    mapping = rmap(RULES.replace("A|B", element))
    with pytest.raises(RefusedError, match="would mean something else in a rule of its own"):
        refactored(mapping, partial(split_rule, line=14))


@pytest.mark.parametrize("element", ["1|1.0", "a|A", "TRUE|T| T"])
def test_values_that_mean_the_same_are_not_split(element):
    mapping = rmap(RULES.replace("A|B", element))
    with pytest.raises(RefusedError, match=r"the values of '.*' mean the same"):
        refactored(mapping, partial(split_rule, line=14))


def test_each_meaning_gets_one_rule():
    mapping = rmap(RULES.replace("A|B", "1|1.0|2"))
    new = refactored(mapping, partial(split_rule, line=14))

    assert [line for line in lines(mapping, new) if "UseAfter" in line] == [
        "('1', 'N/A') : UseAfter({",
        "('2', 'N/A') : UseAfter({",
    ]


@pytest.mark.parametrize(
    ("selector", "first", "second", "is_same"),
    [
        ("UseAfter", "'2020-01-01 00:00:00'", "'2020-01-01T00:00:00'", True),
        ("UseAfter", "'2020-01-01 00:00:00'", "'2020-01-01 00:00:01'", False),
        ("UseAfter", "'no date'", "'no date'", True),
        ("VersionAfter", "'1.2'", "'01.2'", True),
        ("Bracket", "1", "'1.0'", True),
        ("Bracket", "1", "2", False),
        ("Match", "'a'", "'A'", True),
    ],
)
def test_keys_that_mean_the_same_collide(selector, first, second, is_same):
    table = f"{selector}({{\n    {first} : 'a.fits',\n    {second} : 'b.fits',\n}})"
    mapping = rmap(table, parkey="(('DET',),)")

    assert collision_count(shape(mapping.file)) == is_same


def test_a_value_that_has_a_rule_is_not_split_off():
    mapping = rmap(RULES.replace("'A|B'", "'A|C'"))
    with pytest.raises(RefusedError, match="line 17 has a rule for 'C' already"):
        refactored(mapping, partial(split_rule, line=14))


def test_rules_that_lead_to_the_same_are_merged_and_keep_comments():
    mapping = rmap(RULES.replace("('C', 'N/A') : UseAfter({", "('C', 'N/A') : UseAfter({  # third"))
    new = refactored(mapping, merge_rules)

    assert "('A|B|C', 'N/A') : UseAfter({" in new.text
    assert new.text.count("'one.fits'") == 1
    assert [word for word in ("# good", "# both", "# third") if word not in new.text] == []
    assert refactored(new, merge_rules) is new


@pytest.mark.parametrize("element", ["(C.*)", "{c}", "C*", "N/A", "NOT C", ">3", "C?"])
def test_values_that_would_mean_something_else_together_are_not_merged(element):
    mapping = rmap(RULES.replace("'C'", f"'{element}'"))

    assert refactored(mapping, merge_rules) is mapping


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        (rmap(FLAT, parkey="(('DET',),)"), ("DET", "its files would come twice", True)),
        (rmap(RULES.replace("'C'", "'NOT C'")), ("DET", "'NOT C' would mean something else", False)),
        (rmap(extra="    'comment_parkeys' : ('DET',),\n"), ("DET", "DET is in comment_parkeys", False)),
        (
            rmap(extra="    'substitutions' : {'DET' : {'A|B|C' : 'Q'}},\n"),
            ("DET", "A|B|C is substituted", False),
        ),
        (
            rmap(RULES.replace("\"O'Neil\", 'X'", "'C|A|B', 'N/A'")),
            ("DET", "line 20 has a rule for A|B|C already", False),
        ),
    ],
)
def test_rules_left_apart_are_told_with_the_reason(mapping, told):
    found = left_apart(mapping)

    assert refactored(mapping, merge_rules) is mapping
    assert len(found) == 1
    assert (found[0].parameter, found[0].can_be_forced) == (told[0], told[2])
    assert told[1] in found[0].reason
    assert len(found[0].lines) == 2
    merged = partial(merge_rules, strictly=False)
    assert (refactored(mapping, merged) is not mapping) == found[0].can_be_forced


def test_only_those_in_the_way_are_told_where_others_merge():
    rules = RULES.replace("\"O'Neil\", 'X'", "'N/A', 'N/A'").replace("two", "one")
    mapping = rmap(rules)

    assert [apart.lines for apart in left_apart(mapping)] == [(20,)]
    assert "A|B|C" in refactored(mapping, merge_rules).text
    assert left_apart(mapping, frozenset({14, 17})) == ()


def test_only_rules_of_the_lines_given_are_merged():
    mapping = rmap(RULES.replace("\"O'Neil\", 'X'", "'D', 'N/A'").replace("two", "one"))
    new = refactored(mapping, partial(merge_rules, lines=frozenset({17, 20})))

    assert lines(mapping, new) == ["('C|D', 'N/A') : UseAfter({"]


def test_sort_moves_comments_with_their_rules():
    rules = (
        "Match({\n    # heading\n\n    # of B\n    'B' : 'two.fits',  # end of B\n    'A' : 'one.fits'\n})"
    )
    mapping = rmap(rules, parkey="(('DET',),)")
    new = refactored(mapping, sort)

    expected = (
        "Match({\n    # heading\n\n    'A' : 'one.fits',\n    # of B\n    'B' : 'two.fits'  # end of B\n})\n"
    )
    assert new.text.endswith(expected)


def test_sort_keeps_doubled_keys_in_their_order():
    mapping = rmap("Match({'B' : 'x.fits', 'A' : 'one.fits', 'A' : 'two.fits'})", parkey="(('DET',),)")
    new = refactored(mapping, sort)

    assert new.text.endswith("Match({'A' : 'one.fits', 'A' : 'two.fits', 'B' : 'x.fits'})\n")


def test_sort_refuses_where_the_order_has_a_meaning():
    mapping = rmap(
        "Match({'Y' : 'one.fits', 'X' : 'two.fits'})",
        parkey="(('DET',),)",
        extra="    'substitutions' : {'DET' : {'X' : 'Z', 'Y' : 'Z'}},\n",
    )
    with pytest.raises(RefusedError, match="keys that mean the same would change places"):
        refactored(mapping, sort)


def test_sort_refuses_where_comments_share_lines():
    mapping = rmap("Match({'B' : 'x.fits', # of B\n'A' : 'one.fits'})", parkey="(('DET',),)")
    with pytest.raises(RefusedError, match="to which rules the comments"):
        refactored(mapping, sort)


def test_format_lays_out_as_crds_does():
    text = (
        f"# about\nheader={{'mapping':'REFERENCE','parkey':(('DET',),),# keys\n'name':'{NAME}',"
        "'observatory':'TOBS','instrument':'CAM','filekind':'FLAT','derived_from' : \\\n'NONE','sha1sum':''};"
        "selector=Match({\n"
        "# of A\n('A' # why\n,):'one.fits'\n\n\n,('B',): 'tw' 'o.fits'}) # end"
    )
    new = refactored(parse_mapping(Path(NAME), text.encode()), format_layout)

    body = new.text.replace(new.checksum, "SUM")
    assert body == (
        f"# about\nheader = {{\n    'mapping' : 'REFERENCE',\n    'parkey' : (('DET',),),  # keys\n"
        f"    'name' : '{NAME}',\n    'observatory' : 'TOBS',\n    'instrument' : 'CAM',\n"
        "    'filekind' : 'FLAT',\n    'derived_from' : 'NONE',\n    'sha1sum' : 'SUM',\n}\n\n"
        "selector = Match({\n    # of A\n    # why\n    ('A',) : 'one.fits',\n\n    ('B',) : 'tw' 'o.fits',\n"
        "})  # end\n"
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("word", "word"),
        ("two words", "two words"),
        ("'quoted'", "quoted"),
        ("('A', 1.5)", ("A", 1.5)),
        ("{'A' : 'B'}", {"A": "B"}),
        ("True", True),
        ("Truely", "Truely"),
        ("-3", -3),
        ("2024-01-01", "2024-01-01"),
        ("O'Neil", "O'Neil"),
        ("__import__('os')", "__import__('os')"),
        ("\N{SNOWMAN}", "\N{SNOWMAN}"),
    ],
)
def test_values_are_read_by_the_grammar(text, value):
    assert value_of(text) == value


@pytest.mark.parametrize(
    "text", ["('A'", "'A' selector = 1", "{'A' : Match({})}", "(__import__('os'),)", "['A' + 'B']"]
)
def test_values_that_are_no_literals_are_refused(text):
    with pytest.raises(UsageError, match="can't be"):
        value_of(text)


@pytest.mark.parametrize("key", ["author's", "line\nbreak", "\N{SNOWMAN}", "# no comment"])
def test_odd_header_keys_are_written_safely(key):
    mapping = rmap()
    new = refactored(mapping, partial(set_key, key=key, value="it's \\ \n \N{SNOWMAN} # odd"))
    back = refactored(new, partial(delete_key, key=key))

    assert new.file is not None
    assert back.text.replace(back.checksum, "") == mapping.text
