from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from calmap.checks import Folder, apply_fixes, check_mapping
from calmap.diagnostics import Severity
from calmap.model.checksum import checksum
from calmap.model.mapping import parse_mapping

NAME = Path("tobs_tinstr_tfilekind_0001.rmap")
TEXT = """\
# kept: the first line
header = {
    'derived_from' : 'created by hand',  # kept: beside an entry
    'filekind' : 'TFILEKIND',
    'instrument' : 'TINSTR',
    'mapping' : "INSTRUMENT",
    'name' : 'tobs_tinstr_other_0001.rmap',
    'observatory' : 'TOBS',
    'parkey' : (('DETECTOR',), ('DATE-OBS',)),
    'sha1sum' : '0895daddfafcea2bbfea29b30ba64f63da40fd87',
}

selector = Match({
    ('A|B||A',) : UseAfter({
        # kept: above a row
        '2020-01-01T12:00:00' : 'one.fits',
        '2021-01-01 00:00:00' : 'two.fits',
        '2021-01-01 00:00:00' : 'two.fits',
    }),
    ('C',) : Bracket({
        '1.50' : 'one.fits',
    }),
})
"""
FIXED = """\
# kept: the first line
header = {
    'derived_from' : 'created by hand',  # kept: beside an entry
    'filekind' : 'TFILEKIND',
    'instrument' : 'TINSTR',
    'mapping' : "REFERENCE",
    'name' : 'tobs_tinstr_tfilekind_0001.rmap',
    'observatory' : 'TOBS',
    'parkey' : (('DETECTOR',), ('DATE-OBS',)),
    'sha1sum' : '$SUM',
}

selector = Match({
    ('A|B',) : UseAfter({
        # kept: above a row
        '2020-01-01T12:00:00' : 'one.fits',
        '2021-01-01 00:00:00' : 'two.fits',
    }),
    ('C',) : Bracket({
        1.50 : 'one.fits',
    }),
})
"""


def test_everything_safe_is_fixed_and_nothing_else_touched() -> None:
    fixed = apply_fixes(NAME, TEXT.encode())
    assert fixed.text == FIXED.replace("$SUM", checksum(FIXED))
    assert [finding.rule.code for finding in fixed.applied] == [
        *("CM107", "CM106", "CM310", "CM201", "CM307", "CM501")
    ]
    assert [f.rule.code for f in fixed.remaining if f.severity is not Severity.INFO] == ["CM303"]


def test_a_second_run_changes_nothing() -> None:
    once = apply_fixes(NAME, TEXT.encode())
    twice = apply_fixes(NAME, once.text.encode())
    assert twice.text == once.text
    assert twice.applied == ()


def test_only_what_is_wanted_is_fixed() -> None:
    fixed = apply_fixes(NAME, TEXT.encode(), wanted=lambda finding: finding.rule.code == "CM106")
    assert fixed.text == TEXT.replace("tobs_tinstr_other_0001", "tobs_tinstr_tfilekind_0001")


def test_a_right_checksum_follows_the_text() -> None:
    right = TEXT.replace("0895daddfafcea2bbfea29b30ba64f63da40fd87", checksum(TEXT))
    fixed = apply_fixes(NAME, right.encode(), wanted=lambda finding: finding.rule.code == "CM106")
    assert fixed.mapping.recorded_checksum == fixed.mapping.checksum
    assert fixed.mapping.recorded_checksum != checksum(TEXT)


def test_a_suppressed_finding_is_not_fixed() -> None:
    text = TEXT.replace("_other_0001.rmap',", "_other_0001.rmap',  # calmap: ignore[wrong-name]")
    assert "tobs_tinstr_other_0001.rmap" in apply_fixes(NAME, text.encode()).text


def test_unsafe_fixes_wait_to_be_asked_for() -> None:
    text = FIXED.replace("    'sha1sum'", "    'rmap_omit' : 'True',\n    'sha1sum'")
    assert "'rmap_omit' : 'True'" in apply_fixes(NAME, text.encode()).text
    assert "'rmap_omit' : '(True)'" in apply_fixes(NAME, text.encode(), wanted=lambda finding: True).text


def test_a_date_is_brought_to_the_usual_form_only_if_that_is_wanted() -> None:
    assert "'2020-01-01T12:00:00' : 'one.fits'" in apply_fixes(NAME, TEXT.encode()).text
    fixed = apply_fixes(NAME, TEXT.encode(), wanted=lambda finding: finding.rule.code == "CM303")
    assert fixed.text == TEXT.replace("2020-01-01T12:00:00", "2020-01-01 12:00:00")


def test_a_date_that_would_become_a_duplicate_is_left_alone() -> None:
    text = FIXED.replace("'2021-01-01 00:00:00'", "'2020-01-01 12:00:00'")
    fixed = apply_fixes(NAME, text.encode(), wanted=lambda finding: True)
    assert "'2020-01-01T12:00:00' : 'one.fits'" in fixed.text
    assert "CM302" in [finding.rule.code for finding in fixed.remaining]


@pytest.mark.parametrize(
    "header",
    [
        "{'name' : 'x.pmap', 'parkey' : ('A',)}",
        "{'name' : 'x.pmap', 'parkey' : ('A',), }",
        "{\n    'name' : 'x.pmap',\n    'parkey' : ('A',)\n}",
        "{\n    'name' : 'x.pmap',\n    'parkey' : ('A',)  # no comma\n}",
        "{\n    'name' : 'x.pmap',\n    'zzz' : 'A'\n}",
        "{\n\t'zzz' : ('A'\n),\n}",
        "{\n    ('zzz') : ('A'),\n}",
        "{\n    'parkey' : ('A'),\n}",
        "{\r\n    'name' : 'x.pmap',\r\n    'zzz' : 'A'\r\n}",
        "{\r\n    'name' : 'x.pmap'\r\n}",
        "{ # first\n  'name'\n:\n'x.pmap'\n,\n}",
        "{}",
        "{'sha1sum' :\n '123',}",
        "{'sha1sum' : '123', 'zzz' : 'A'}",
        "{'sha1sum' : r'123' '4', 'sha1sum' : \"5\"}",
        "{\n    'sha1sum' : '''1\n2''',\n}",
    ],
)
def test_checksum_finds_its_place(header: str) -> None:
    text = f"header = {header}\nselector = {{\n}}\n"
    fixed = apply_fixes(Path("x.pmap"), text.encode(), wanted=lambda finding: finding.rule.code[:3] == "CM5")
    assert fixed.mapping.recorded_checksum == fixed.mapping.checksum
    again = apply_fixes(Path("x.pmap"), fixed.text.encode(), wanted=lambda f: f.rule.code[:3] == "CM5")
    assert again.text == fixed.text


def test_checksum_is_inserted_in_order() -> None:
    text = TEXT.replace("    'sha1sum' : '0895daddfafcea2bbfea29b30ba64f63da40fd87',\n", "")
    text = text.replace("\n}\n\nselector", "\n    'suffix' : 'x',\n}\n\nselector", 1)
    fixed = apply_fixes(NAME, text.encode(), wanted=lambda finding: finding.rule.code == "CM502")
    lines = [line.partition(" : ")[0].strip(" '") for line in fixed.text.partition("}")[0].splitlines()]
    assert lines[-2:] == ["sha1sum", "suffix"]
    assert fixed.text.replace(f"    'sha1sum' : '{fixed.mapping.checksum}',\n", "") == text


def test_real_cache_is_repaired_in_one_go(corpus: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ligeriri"
    shutil.copytree(corpus / "liger-iris-crds-cache" / "mappings" / "ligeriri", folder)
    for path in folder.iterdir():
        data = path.read_bytes()
        fixed = apply_fixes(path, data, Folder(folder))
        old, new = data.decode().splitlines(), fixed.text.splitlines()
        changed = {
            line.partition(":")[0].strip(" '") for line, other in zip(old, new, strict=True) if line != other
        }
        assert changed <= {"sha1sum", "name"}
        left = {finding.rule.code for finding in check_mapping(parse_mapping(path, fixed.text.encode()))}
        assert left <= {"CM105"}
