"""Refactorings of rmaps however they are written: they keep answers and comments, or refuse."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from laid_out import alike_rmaps, compiled, odd_rmaps

from calmap.edit.comments import Comments
from calmap.edit.formatting import format_layout
from calmap.edit.header import set_key
from calmap.edit.merging import merge_rules
from calmap.edit.ordering import sort
from calmap.edit.parameters import add_parameter, drop_parameter
from calmap.edit.parkeys import set_parkey
from calmap.edit.refactoring import refactored
from calmap.edit.renaming import rename_parameter
from calmap.edit.shape import shape
from calmap.edit.splitting import split_rule
from calmap.edit.values import replace_value, set_substitution
from calmap.errors import CalmapError, MappingError, RefusedError
from calmap.model.mapping import Mapping as MappingText
from calmap.model.mapping import parse_mapping

MANY = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
Change = Callable[[MappingText], MappingText]


def attempt(mapping: MappingText, change: Change) -> MappingText | None:
    """What a refactoring makes of an rmap, or None if it refuses; nothing that was written is lost."""
    try:
        new = refactored(mapping, change)
    except CalmapError:
        return None
    assert new.file is not None
    assert new.text == mapping.text or new.recorded_checksum == new.checksum
    comments = Comments(mapping.text).written(0, len(mapping.text))
    there = Comments(new.text).written(0, len(new.text))
    copied = isinstance(change, partial) and change.func is split_rule
    assert set(comments) == set(there) if copied else sorted(comments) == sorted(there)
    assert parse_mapping(new.path, new.text.encode()).file == new.file
    assert ("\r\n" in new.text) == ("\r\n" in mapping.text) or "\n" not in mapping.text
    return new


def same_answer(old: MappingText, new: MappingText | None, header: Mapping[str, str]) -> None:
    if new is None:
        return
    try:
        before = compiled(old).choose(header)
    except MappingError:
        return
    after = compiled(new).choose(header)
    assert (after.answer, after.files) == (before.answer, before.files)


@MANY
@given(odd_rmaps())
def test_format_keeps_answers_and_is_done_once(case):
    mapping, header = case
    new = attempt(mapping, format_layout)

    same_answer(mapping, new, header)
    assert new is not None
    assert refactored(new, format_layout) is new


@MANY
@given(odd_rmaps())
def test_sort_keeps_answers_and_is_done_once(case):
    mapping, header = case
    new = attempt(mapping, sort)

    same_answer(mapping, new, header)
    assert new is None or refactored(new, sort) is new


@MANY
@given(odd_rmaps())
def test_formatted_rules_can_be_sorted(case):
    mapping, header = case
    formatted = attempt(mapping, format_layout)
    new = formatted and attempt(formatted, sort)

    same_answer(mapping, new or None, header)
    assert new is None or refactored(new, format_layout) is new


@MANY
@given(alike_rmaps())
def test_merge_keeps_answers_and_is_done_once(case):
    mapping, header = case
    new = attempt(mapping, merge_rules)

    same_answer(mapping, new, header)
    assert new is None or refactored(new, merge_rules) is new


@MANY
@given(alike_rmaps())
def test_split_keeps_answers(case):
    mapping, header = case
    for line in range(1, mapping.text.count("\n") + 2):
        for parameter in ("A", "B"):
            new = attempt(mapping, partial(split_rule, line=line, parameter=parameter))
            same_answer(mapping, new, header)


@MANY
@given(odd_rmaps())
def test_rename_keeps_answers(case):
    mapping, header = case
    for old in ("A", "B", "SUBARRAY", "D", "N", "V"):
        new = attempt(mapping, partial(rename_parameter, old=old, new="FRESH.NAME"))
        renamed = {("FRESH.NAME" if key == old else key): value for key, value in header.items()}
        if new is not None:
            try:
                before = compiled(mapping).choose(header)
            except MappingError:
                continue
            after = compiled(new).choose(renamed)
            assert (after.answer, after.files) == (before.answer, before.files)
            back = attempt(new, partial(rename_parameter, old="FRESH.NAME", new=old))
            assert back is None or shape(back.file).parameters == shape(mapping.file).parameters


@MANY
@given(odd_rmaps())
def test_a_new_parameter_keeps_answers_and_can_be_dropped(case):
    mapping, header = case
    for level in (1, 2):
        new = attempt(mapping, partial(add_parameter, name="FRESH", level=level))
        same_answer(mapping, new, {**header, "FRESH": "X"})
        back = new and attempt(new, partial(drop_parameter, name="FRESH"))
        same_answer(mapping, back or None, header)


@MANY
@given(odd_rmaps())
def test_order_of_parameters_keeps_answers(case):
    mapping, header = case
    parkey = tuple(names[::-1] for names in shape(mapping.file).parkey)
    new = attempt(mapping, partial(set_parkey, parkey=parkey))
    if new is not None:
        try:
            before = compiled(mapping).choose(header)
        except MappingError:
            return
        after = compiled(new).choose(header)
        assert (after.answer, after.files) == (before.answer, before.files)
        assert refactored(new, partial(set_parkey, parkey=parkey)) is new


@MANY
@given(odd_rmaps())
def test_changes_of_values_lose_nothing(case):
    mapping, _ = case
    changes = (
        partial(drop_parameter, name="A"),
        partial(replace_value, parameter="A", old="X", new="Q"),
        partial(set_substitution, parameter="B", old="Y", new="Q"),
        partial(set_key, key="author", value="O'Neil"),
    )
    for change in changes:
        attempt(mapping, change)


@pytest.mark.parametrize("change", [format_layout, sort, merge_rules])
def test_a_thousand_rules_are_no_trouble(change):
    rows = "".join(
        f"    ('K{n}', 'X') : UseAfter({{'2020-01-01' : 'f{n // 2}.fits'}}),\n" for n in range(1_000)
    )
    head = (
        "{'derived_from':'x','filekind':'k','instrument':'i','mapping':'REFERENCE','name':'t_i_k_0001.rmap',"
        "'observatory':'t','parkey':(('A','B'),('D',)),'sha1sum':''}"
    )
    mapping = parse_mapping(
        Path("t_i_k_0001.rmap"), f"header = {head}\nselector = Match({{\n{rows}}})\n".encode()
    )
    new = refactored(mapping, change)

    assert new.file is not None
    assert refactored(new, change) is new


def test_a_change_that_would_lose_a_comment_is_refused():
    text = "header = {\n    'name' : 'tobs.pmap',\n}\n# of the night shift\nselector = {\n}\n"
    mapping = parse_mapping(Path("tobs.pmap"), text.encode())

    def careless(old: MappingText) -> MappingText:
        return parse_mapping(old.path, old.text.replace("# of the night shift\n", "").encode())

    with pytest.raises(RefusedError, match=r"tobs\.pmap:4: the comment of this line would be lost"):
        refactored(mapping, careless)
