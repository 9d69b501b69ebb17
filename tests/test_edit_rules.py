"""What refactorings do to rules and headers, by example."""

from functools import partial
from pathlib import Path

import pytest

from calmap.edit.arguments import value_of
from calmap.edit.formatting import format_layout
from calmap.edit.headerkeys import delete_key, set_key
from calmap.edit.ordering import sort
from calmap.edit.parameters import add_parameter, drop_parameter, set_parkey
from calmap.edit.refactoring import refactored
from calmap.edit.renaming import rename_parameter
from calmap.edit.unions import merge_rules, split_rule
from calmap.edit.values import remove_substitution, replace_value, set_substitution
from calmap.errors import RefusedError, UsageError
from calmap.model.mapping import Mapping, parse_mapping

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
