"""What differs between two mappings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rule_strategies import rmaps
from small_rmaps import Question
from syrupy.assertion import SnapshotAssertion

from calmap.compare.difference import MappingDifference, difference
from calmap.compare.rules import RuleChange
from calmap.model.mapping import load_mapping, parse_mapping
from calmap.report.difference import render
from calmap.syntax.ast import MappingFile

PARKEY = (("DETECTOR", "FILTER"), ("DATE-OBS", "TIME-OBS"))
NAME = "tobs_tinstr_tfilekind_0001.rmap"


def parsed(text: str, name: str = NAME) -> MappingFile:
    mapping = parse_mapping(Path(name), text.encode())
    assert mapping.file is not None, mapping.diagnostics
    return mapping.file


def rmap(
    selector: str,
    parkey: tuple[tuple[str, ...], ...] = PARKEY,
    extra: Mapping[str, object] | None = None,
    name: str = NAME,
) -> MappingFile:
    return parsed(Question(selector, parkey, {}, extra or {}, name).text(), name)


def match(**rules: str) -> str:
    """A Match of rules by ``A_B``, each with what follows."""
    entries = ", ".join(f"{tuple(key.split('_'))!r}: {value}" for key, value in rules.items())
    return f"Match({{{entries}}})"


def changes(found: MappingDifference) -> list[tuple[object, ...]]:
    return [(change.kind, *(row and (*row.keys, row.file) for row in change[1:])) for change in found.rules]


def mirrored(change: RuleChange) -> tuple[object, ...]:
    kinds = {"added": "removed", "removed": "added"}
    return kinds.get(change.kind, change.kind), change.new, change.old


ONE = match(A_X="UseAfter({'2020-01-01 00:00:00': 'a.fits', '2021-01-01 00:00:00': 'b.fits'})")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("'2020-01-01': 'a.fits'", "'2020-01-01': 'a.fits', '2021-01-01': 'b.fits'", ["added"]),
        ("'2020-01-01': 'a.fits', '2021-01-01': 'b.fits'", "'2020-01-01': 'a.fits'", ["removed"]),
        ("'2020-01-01': 'a.fits'", "'2020-01-01': 'b.fits'", ["replaced"]),
        ("'2020-01-01': 'a.fits'", "'2020-01-02': 'a.fits'", ["moved"]),
        ("'2020-01-01': 'N/A'", "'2020-01-02': 'N/A'", ["removed", "added"]),
        (
            "'2020-01-01': 'a.fits'",
            "'2020-01-02': 'a.fits', '2020-01-03': 'a.fits'",
            ["removed", "added", "added"],
        ),
        ("'2020-01-01': 'a.fits'", "'01/01/2020' : 'a.fits'", []),
        ("'2020-01-01': 'n/a'", "'2020-01-01T00:00:00' : 'N/A'", []),
        ("'2020-01-01': 'a.fits'", "'2020-01-01': 'b.fits', '2020-01-01': 'a.fits'", []),
    ],
)
def test_rules_by_date(old: str, new: str, expected: list[str]) -> None:
    found = difference(*(rmap(match(A_X=f"UseAfter({{{rows}}})")) for rows in (old, new)))

    assert [change.kind for change in found.rules] == expected
    assert found.is_empty == (not expected)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("('A', '1')", "('a ', 1.0)"),
        ("('A|B', 'X')", "('B|A', 'X')"),
        ("('b|A', 'X')", "('A|B', 'X')"),
        ("('A', 'ANY')", "('A', '*')"),
        ("('A', 'N/A')", "('A', 'NOT APPLICABLE')"),
        ("(('A', 'B'), 'X')", "('B|A', 'X')"),
        ("('A', True)", "('A', 'T')"),
    ],
)
def test_keys_that_mean_the_same(old: str, new: str) -> None:
    assert difference(*(rmap(f"Match({{{key}: 'a.fits'}})") for key in (old, new))).is_empty


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("('A', '(X|Y)')", "('A', '(Y|X)')"),
        ("('A', '{x}')", "('A', '{X}')"),
        ("('A', 'NOT X')", "('A', 'X')"),
    ],
)
def test_keys_that_may_not_mean_the_same(old: str, new: str) -> None:
    found = difference(*(rmap(f"Match({{{key}: 'a.fits'}})") for key in (old, new)))

    assert [change.kind for change in found.rules] == ["moved"]


def test_versions_are_no_numbers() -> None:
    found = difference(
        *(rmap(f"VersionAfter({{'{version}': 'a.fits'}})", (("V",),)) for version in ("1.1", "1.10"))
    )

    assert [change.kind for change in found.rules] == ["moved"]


def test_of_doubled_keys_the_last_counts_with_all_below_it() -> None:
    rules = "('A', 'X'): UseAfter({'2020-01-01': '%s.fits'}), ('A', 'X'): UseAfter({'2021-01-01': 'b.fits'})"
    old, new = (rmap(f"Match({{{rules % file}}})") for file in ("a", "c"))

    found = difference(old, new)

    assert found.is_empty
    assert len(found.notes) == 2
    assert "does not count, as a later one has the same key (line 3)" in found.notes[0]


def test_a_rule_without_any_file_is_a_rule() -> None:
    found = difference(rmap(match(A_X="'a.fits'")), rmap(match(A_X="'a.fits'", B_X="UseAfter({})")))

    assert changes(found) == [("added", None, (("B", "X"), "no rules (UseAfter)"))]


def test_another_selector_over_the_same_rules_is_one_change() -> None:
    found = difference(rmap(ONE), rmap(ONE.replace("UseAfter", "ClosestTime")))

    assert not found.rules
    assert [(change.old, change.new, change.level, change.rules) for change in found.selectors] == [
        ("UseAfter", "ClosestTime", 1, 2)
    ]


def test_selectors_with_nothing_in_common() -> None:
    found = difference(rmap("Match({})"), rmap("UseAfter({})"))

    assert [(change.old, change.new) for change in found.selectors] == [("Match", "UseAfter")]


@pytest.mark.parametrize(
    ("parkey", "key", "words"),
    [
        (("DETECTOR", "FILTER", "CCDAMP"), "('A', 'X', 'N/A')", "CCDAMP added"),
        (("CCDAMP", "FILTER", "DETECTOR"), "('N/A', 'X', 'A')", "CCDAMP added"),
        (("FILTER", "DETECTOR"), "('X', 'A')", "order changed"),
        (("DETECTOR", "FILTER1"), "('A', 'X')", "FILTER renamed to FILTER1"),
    ],
)
def test_a_changed_parkey_changes_no_rule(parkey: tuple[str, ...], key: str, words: str) -> None:
    old = rmap(match(A_X="UseAfter({'2020-01-01': 'a.fits'})"))
    new = rmap(f"Match({{{key}: UseAfter({{'2020-01-01': 'a.fits'}})}})", (parkey, PARKEY[1]))

    found = difference(old, new)

    assert not found.rules
    assert not found.is_empty
    assert words in " ".join(render(found).split())
    assert not difference(new, old).rules


def test_a_parameter_that_splits_a_rule() -> None:
    old = rmap("Match({('A',): 'a.fits'})", (("DETECTOR",),))
    new = rmap("Match({('A', '1'): 'a.fits', ('A', '2'): 'b.fits'})", (("DETECTOR", "CCDAMP"),))

    assert changes(difference(old, new)) == [
        ("moved", (("A",), "a.fits"), (("A", "1"), "a.fits")),
        ("added", None, (("A", "2"), "b.fits")),
    ]


def test_header_values_by_inner_key() -> None:
    old = {"substitutions": {"A": {"X": "Y", "Z": "W"}}, "extra_keys": ("E",), "merge_overlaps": False}
    new = {"substitutions": {"A": {"X": "Q"}}, "merge_overlaps": "False", "rmap_relevance": "(A == 'X')"}

    found = difference(rmap(ONE, extra=old), rmap(ONE, extra=new))

    assert [(change.kind, change.path, change.old, change.new) for change in found.header] == [
        ("removed", ("extra_keys",), "('E',)", None),
        ("replaced", ("merge_overlaps",), "False", "'False'"),
        ("added", ("rmap_relevance",), None, "(A == 'X')"),
        ("replaced", ("substitutions", "A", "X"), "Y", "Q"),
        ("removed", ("substitutions", "A", "Z"), "W", None),
    ]


def test_names_and_checksums_are_no_difference() -> None:
    found = difference(rmap(ONE), rmap(ONE, extra={"sha1sum": "0" * 40}, name=NAME.replace("1", "2")))

    assert found.is_empty
    assert [change.path for change in found.boring] == [("name",), ("sha1sum",)]
    assert "the text differs, the rules are the same" in render(found)


def test_types_that_are_not_the_same_are_noted() -> None:
    found = difference(rmap(ONE), rmap(ONE, extra={"filekind": "other"}))

    assert found.notes == ("the mappings are of different types: filekind 'tfilekind' and 'other'",)


def test_entries_of_an_imap() -> None:
    header = "header = {'mapping': 'INSTRUMENT'}\n"
    old = parsed(header + "selector = {'A': 'a_0001.rmap', 'B': 'b.rmap', 'C': 'n/a', 'c': 'N/A'}", "t.imap")
    new = parsed(header + "selector = {'a': 'a_0002.rmap', 'C': 'N/A', 'd': 'd.rmap'}", "t.imap")

    found = difference(old, new)

    assert [(link.kind, link.key, link.old, link.new) for link in found.links] == [
        ("replaced", "a", "a_0001.rmap", "a_0002.rmap"),
        ("removed", "b", "b.rmap", None),
        ("added", "d", None, "d.rmap"),
    ]


def test_what_people_read(snapshot: SnapshotAssertion) -> None:
    old = rmap(
        match(
            A_X="UseAfter({'2020-01-01 00:00:00': 'a.fits', '2021-01-01 00:00:00': 'b.fits'})",
            B_X="UseAfter({'2020-01-01 00:00:00': 'c.fits', '2021-01-01 00:00:00': 'd.fits'})",
            C_X="'e.fits'",
            D_X="('f.fits', 'g.fits')",
        ),
        extra={"reffile_required": "YES"},
    )
    long = "tobs_" + "very_" * 12 + "long.fits"
    new = rmap(
        match(
            A_X=f"UseAfter({{'2020-01-01 00:00:00': '{long}', '2021-01-01 12:00:00': 'b.fits'}})",
            B_Y="UseAfter({'2020-01-01 00:00:00': 'c.fits'})",
            C_X="'h\\x1b[31m[red].fits'",
            D_X="('f.fits', 'i.fits')",
        ),
        extra={"reffile_required": "NO"},
        name=NAME.replace("1", "2"),
    )

    shown = render(difference(old, new))

    assert shown == snapshot
    assert "\x1b" not in shown
    assert max(len(line) for line in shown.splitlines() if long not in line) <= 80


@given(rmaps())
@settings(max_examples=60, deadline=None)
def test_nothing_differs_from_itself(question: tuple[str, Any]) -> None:
    text = question[0]
    found = difference(parsed(text), parsed(f"# a comment\n{text}"))

    assert found.is_empty
    assert not found.same_text
    assert found.parkey is None


@given(rmaps(), rmaps())
@settings(max_examples=60, deadline=None)
def test_the_other_way_round_is_the_mirror_image(one: tuple[str, Any], other: tuple[str, Any]) -> None:
    old, new = parsed(one[0]), parsed(other[0])

    there, back = difference(old, new), difference(new, old)

    assert {mirrored(change) for change in there.rules} == {tuple(change) for change in back.rules}
    assert there.count("moved") == back.count("moved")
    assert {(change.path, change.new, change.old) for change in there.header} == {
        (change.path, change.old, change.new) for change in back.header
    }
    assert len(there.selectors) == len(back.selectors)


KEYS = st.tuples(st.sampled_from("ABC"), st.sampled_from("XYZ"))
DATES = st.integers(2000, 2030).map(lambda year: f"{year}-01-01 00:00:00")
PLACES = st.tuples(KEYS, DATES)


def text_of(rules: Mapping[tuple[tuple[str, str], str], str]) -> str:
    nested: dict[tuple[str, str], dict[str, str]] = {}
    for (key, date), file in rules.items():
        nested.setdefault(key, {})[date] = file
    rows = ",\n".join(f"{key!r} : UseAfter({table!r})" for key, table in nested.items())
    return f"Match({{{rows}}})"


@given(st.data(), st.lists(PLACES, min_size=2, max_size=12, unique=True))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_edit_is_reported_as_what_it_is(data: st.DataObject, places: list[Any]) -> None:
    rules = {place: f"f{number}.fits" for number, place in enumerate(places)}
    changed = dict(rules)
    chosen = data.draw(st.sampled_from(places))
    free = data.draw(PLACES.filter(lambda place: place not in rules))
    kind = data.draw(st.sampled_from(("added", "removed", "replaced", "moved")))
    if kind == "added":
        changed[free] = "new.fits"
        expected = (None, (*_keys(free), "new.fits"))
    elif kind == "replaced":
        changed[chosen] = "new.fits"
        expected = ((*_keys(chosen), rules[chosen]), (*_keys(chosen), "new.fits"))
    elif kind == "removed":
        file = changed.pop(chosen)
        expected = ((*_keys(chosen), file), None)
    else:
        file = changed.pop(chosen)
        changed[free] = file
        expected = ((*_keys(chosen), file), (*_keys(free), file))

    found = difference(rmap(text_of(rules)), rmap(text_of(changed)))

    assert changes(found) == [(kind, *expected)]


def _keys(place: tuple[tuple[str, str], str]) -> tuple[tuple[str, ...], ...]:
    return place[0], (place[1],)


def test_crds_finds_the_same_in_real_rmaps(corpus: Path) -> None:
    if find_spec("crds") is None:
        pytest.skip("the package crds is not installed")
    folder = corpus / "crds-cache" / "mappings" / "jwst"
    series: dict[str, list[str]] = {}
    for path in sorted(folder.glob("jwst_*_*_*.rmap")):
        series.setdefault(path.name.rpartition("_")[0], []).append(str(path))
    pairs = [(paths[0], paths[1]) for paths in series.values() if len(paths) > 1]
    pairs = [pair for pair in pairs if difference(*map(_loaded, pair)).parkey is None]
    pairs = [pair for pair in pairs if "_ifu" not in pair[0]][:30]
    program = Path(__file__).with_name("crds_differences.py")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CRDS_")}
    environment |= {"CRDS_OBSERVATORY": "jwst", "CRDS_READONLY_CACHE": "1", "CRDS_PATH": str(program.parent)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", program],
        input=json.dumps(pairs),
        env=environment | {"CRDS_SERVER_URL": "https://crds-serverless-mode.stsci.edu"},
        capture_output=True,
        text=True,
        check=True,
    )

    answers = [Counter(map(tuple, found)) for found in json.loads(done.stdout)]

    assert answers == [_in_words_of_crds(difference(*map(_loaded, pair))) for pair in pairs]
    assert sum(map(Counter.total, answers)) > 500


def _loaded(path: str) -> MappingFile:
    file = load_mapping(path).file
    assert file is not None
    return file


def _in_words_of_crds(found: MappingDifference) -> Counter[tuple[str, ...]]:
    words: Counter[tuple[str, ...]] = Counter()
    for change in found.rules:
        if change.kind == "replaced" and change.old and change.new:
            words["replaced", change.old.file, change.new.file] += 1
        if change.kind in ("removed", "moved") and change.old:
            words["removed", change.old.file, ""] += 1
        if change.kind in ("added", "moved") and change.new:
            words["added", change.new.file, ""] += 1
    return words
