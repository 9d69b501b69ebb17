"""`calmap refactor`."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from calmap.cache import together
from calmap.cli.main import cli
from calmap.cli.options import Invocation
from calmap.cli.refactor import refactor
from calmap.edit.shape import shape
from calmap.errors import CacheError
from calmap.model.mapping import load_mapping

DARK = "ligeriri_iris_dark_0001.rmap"
FLAT = "ligeriri_iris_flat_0001.rmap"
DETECTOR = "META.INSTRUMENT.DETECTOR"


@pytest.fixture
def cache(tmp_path: Path, repo_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the demo cache, in which the program runs."""
    for folder in ("mappings", "config"):
        shutil.copytree(repo_root / folder, tmp_path / "cache" / folder)
    monkeypatch.chdir(tmp_path / "cache")
    return tmp_path / "cache"


def run(root: Path, *arguments: str, command: str = "refactor") -> Result:
    return CliRunner().invoke(cli, (command, *arguments), obj=Invocation({}, root), env={"COLUMNS": "80"})


def texts(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*.[pir]map"))}


def test_new_serials_up_to_the_context_and_undo(cache):
    before = texts(cache)
    done = run(cache, "add-parameter", "FILTER", "--type", "flat", "--instrument", "iris")

    assert done.exit_code == 0, done.output
    assert "ligeriri_iris_flat_0001.rmap → ligeriri_iris_flat_0002.rmap" in done.output
    assert "FILTER added" in done.output
    assert done.output.endswith("the context is now ligeriri_0002.pmap\n")
    new = load_mapping(cache / "mappings/ligeriri/ligeriri_iris_flat_0002.rmap")
    assert new.recorded_checksum == new.checksum
    assert f"'derived_from' : '{FLAT}'" in new.text
    assert {name: data for name, data in texts(cache).items() if name in before} == before
    assert run(cache, command="undo").exit_code == 0
    assert texts(cache) == before


def test_in_place_changes_the_file_alone_and_undo(cache):
    before = texts(cache)
    done = run(cache, "rename-parameter", DETECTOR, "DET", f"mappings/ligeriri/{DARK}", "--in-place")

    after = texts(cache)
    assert done.exit_code == 0, done.output
    assert f"changed mapping mappings/ligeriri/{DARK}" in done.output
    assert [name for name in after if after[name] != before[name]] == [f"mappings/ligeriri/{DARK}"]
    assert b"'DET'" in after[f"mappings/ligeriri/{DARK}"]
    assert run(cache, command="undo").exit_code == 0
    assert texts(cache) == before


def test_a_dry_run_shows_all_and_writes_nothing(cache):
    before = texts(cache)
    done = run(cache, "rename-parameter", DETECTOR, "DET", DARK, "--dry-run")

    assert done.exit_code == 0
    assert f"{DETECTOR} renamed to DET" in done.output
    assert "nothing was written" in done.output
    assert "+            'DET'," in done.output
    assert "+    'name' : 'ligeriri_0002.pmap'," in done.output
    assert texts(cache) == before


def test_json_for_programs(cache):
    done = run(cache, "add-parameter", "X", FLAT, "--format", "json")
    data = json.loads(done.output)

    assert data["context"] == "ligeriri_0002.pmap"
    assert [Path(item["new"]).name for item in data["changed"]] == ["ligeriri_iris_flat_0002.rmap"]
    assert not data["dry_run"]


def test_refused_for_one_is_done_for_none(cache):
    before = texts(cache)
    done = run(cache, "drop-parameter", DETECTOR, "--context", "ligeriri_0001.pmap")

    assert done.exit_code == 1
    assert "would make rules the same" in done.output
    assert "nothing was changed" in done.output
    assert texts(cache) == before


def test_rmaps_without_the_parameter_are_left_alone_unless_named(cache):
    done = run(cache, "rename-parameter", "META.DATE", "D", "--context", "ligeriri_0001.pmap")
    named = run(cache, "rename-parameter", "NO.SUCH", "D", FLAT)
    nowhere = run(cache, "rename-parameter", "NO.SUCH", "D", "--instrument", "iris")

    assert done.exit_code == 0, done.output
    assert named.exit_code == 1
    assert "'NO.SUCH' is not in parkey" in named.output
    assert nowhere.exit_code == 2


def test_of_a_folder_only_rmaps_of_the_context_get_new_serials(cache):
    for _ in range(2):
        done = run(cache, "add-parameter", "X", "mappings/ligeriri", "--type", "flat")
        assert done.exit_code in (0, 2), done.output
        run(cache, "drop-parameter", "X", "mappings/ligeriri", "--type", "flat")

    names = [name.rpartition("/")[2] for name in texts(cache) if "iris_flat" in name]
    assert names == [f"ligeriri_iris_flat_{serial:04d}.rmap" for serial in range(1, 6)]


def test_a_pmap_named_itself_can_be_formatted(cache):
    pmap = cache / "mappings/ligeriri/ligeriri_0001.pmap"
    pmap.write_text(pmap.read_text().replace("    'IRIS'", "  'IRIS'").replace("    'iris'", "  'iris'"))
    done = run(cache, "format", "mappings/ligeriri/ligeriri_0001.pmap", "--in-place")
    labelled = run(cache, "set-header", "author", "O'Neil", "mappings/ligeriri/ligeriri_0001.pmap")

    assert done.exit_code == 0, done.output
    assert labelled.exit_code == 0, labelled.output
    assert "O\\'Neil" in (cache / "mappings/ligeriri/ligeriri_0002.pmap").read_text()


def test_what_is_right_already_stays(cache):
    done = run(cache, "sort", "--context", "ligeriri_0001.pmap")
    again = run(cache, "sort", "--context", done.output.split()[-1]) if "context" in done.output else done

    assert again.exit_code == 0
    assert "left unchanged" in again.output
    assert "context" not in again.output


def test_lone_files_are_changed_in_place_or_written_elsewhere(cache, tmp_path):
    lone = tmp_path / "lone" / FLAT
    lone.parent.mkdir()
    shutil.copy(cache / "mappings/ligeriri" / FLAT, lone)
    before = lone.read_bytes()
    unsure = run(cache, "add-parameter", "X", str(lone))
    shown = run(cache, "add-parameter", "X", str(lone), "--dry-run")
    other = run(cache, "add-parameter", "X", str(lone), "-o", str(tmp_path / "new.rmap"))

    assert unsure.exit_code == 2
    assert "+++" in shown.output
    assert other.exit_code == 0, other.output
    assert lone.read_bytes() == before
    assert run(cache, "add-parameter", "X", str(lone), "--in-place").exit_code == 0
    assert lone.read_bytes() == (tmp_path / "new.rmap").read_bytes() != before


@pytest.fixture
def lone(tmp_path: Path, repo_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two rmaps in a folder that is no cache, in which the program runs."""
    folder = tmp_path / "lone"
    folder.mkdir()
    for name in (DARK, FLAT):
        shutil.copy(repo_root / "mappings/ligeriri" / name, folder)
    monkeypatch.chdir(folder)
    return folder


def all_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def add_to(folder: Path) -> Result:
    return run(folder, "add-parameter", "X", str(folder / DARK), str(folder / FLAT), "--in-place")


def test_lone_files_are_changed_together(lone):
    before = all_in(lone)
    done = add_to(lone)

    assert done.exit_code == 0, done.output
    assert all_in(lone).keys() == before.keys()
    assert all(all_in(lone)[name] != before[name] for name in before)


@pytest.mark.parametrize("failing", ["write_new", "replace"])
def test_of_lone_files_none_is_changed_if_one_can_not_be(lone, failing, monkeypatch):
    before = all_in(lone)
    write_new, replace = together.write_new, Path.replace

    def no_room(new, *arguments):
        if FLAT in new.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        write_new(new, *arguments)

    def not_permitted(path, target):
        if target.name == FLAT:
            raise PermissionError(errno.EACCES, "Permission denied")
        return replace(path, target)

    if failing == "write_new":
        monkeypatch.setattr(together, "write_new", no_room)
    else:
        monkeypatch.setattr(Path, "replace", not_permitted)
    done = add_to(lone)

    assert done.exit_code == 3
    assert f"{FLAT} can't be written" in done.stderr
    outcome = (
        "no file was changed" if failing == "write_new" else "(1 of the files) has its old content again"
    )
    assert outcome in done.stderr
    assert done.stdout == ""
    assert all_in(lone) == before


def test_old_content_that_can_not_be_put_back_is_kept_and_told(lone, monkeypatch):
    before = all_in(lone)
    replace = Path.replace
    calls = []

    def fails_later(path, target):
        calls.append(target.name)
        if len(calls) > 1:
            raise OSError(errno.EIO, "Input/output error")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", fails_later)
    done = add_to(lone)
    (kept,) = all_in(lone).keys() - before.keys()

    assert done.exit_code == 3
    assert all_in(lone)[kept] == before[DARK] != all_in(lone)[DARK]
    assert f"{DARK} (its old content is in {lone / kept})" in done.stderr
    assert all_in(lone)[FLAT] == before[FLAT]


def test_a_lone_file_that_somebody_else_changes_keeps_all_as_they_are(lone, monkeypatch):
    before = all_in(lone)
    write_new = together.write_new

    def changed_meanwhile(new, *arguments):
        write_new(new, *arguments)
        (lone / FLAT).write_bytes(b"other")

    monkeypatch.setattr(together, "write_new", changed_meanwhile)
    done = add_to(lone)

    assert done.exit_code == 3
    assert "has changed since it was read; no file was changed" in done.stderr
    assert all_in(lone) == {**before, FLAT: b"other"}


def test_one_lone_file_under_two_names_is_refused(lone):
    before = all_in(lone)
    with pytest.raises(CacheError, match=r"are the same file; no file was changed"):
        together.write_together(
            together.NewContent(path, before[FLAT], b"new")
            for path in (lone / FLAT, lone / ".." / "lone" / FLAT)
        )

    assert all_in(lone) == before


def test_split_and_merge_by_line(cache):
    path = cache / "mappings/ligeriri" / FLAT
    path.write_text(path.read_text().replace("'IMG1'", "'IMG1|IMG9'", 1))
    number = next(n for n, line in enumerate(path.read_text().splitlines(), 1) if "IMG1|IMG9" in line)
    split = run(cache, "split-rule", f"mappings/ligeriri/{FLAT}:{number}", "--in-place", "--force")
    lines = [n for n, line in enumerate(path.read_text().splitlines(), 1) if "'IMG9'" in line]

    assert split.exit_code == 0, split.output
    assert "IMG1|IMG9" not in path.read_text()
    assert len(lines) == 1
    place = f"mappings/ligeriri/{FLAT}"
    merged = run(cache, "merge-rules", f"{place}:{number}", f"{place}:{lines[0]}", "--in-place", "--force")
    assert merged.exit_code == 0, merged.output
    assert "IMG1|IMG9" in path.read_text()
    assert run(cache, "merge-rules", f"{place}:{number}", "--in-place").exit_code == 1


def test_rules_left_apart_are_told_and_forced_ones_warned_of(cache):
    path = cache / "mappings/ligeriri" / FLAT
    head, _, _ = path.read_text().partition("selector")
    rules = "".join(f"    ('0.0.0', '{word}', 'N/A', 'H', 'N/A') : 'x.fits',\n" for word in "AB")
    path.write_text(f"{head}selector = Match({{\n{rules}}})\n")
    place = str(path.relative_to(cache))
    left = run(cache, "merge-rules", place, "--in-place")
    named = run(cache, "merge-rules", f"{place}:28", f"{place}:29", "--in-place")
    forced = run(cache, "merge-rules", place, "--in-place", "--force", "--format", "json")

    assert left.exit_code == 0
    assert f"{FLAT}\n  lines 28, 29 left apart, which differ in {DETECTOR} only:" in left.output
    assert "--force merges them" in left.output
    assert max(map(len, left.output.splitlines())) <= 80
    assert named.exit_code == 1
    assert "its files would come twice" in named.output
    assert [note["warning"] for note in json.loads(forced.stdout)["notes"]] == [True]
    assert "'A|B'" in path.read_text()
    split = run(cache, "split-rule", f"{place}:28", "--in-place", "--force")
    assert f"warning: {FLAT}: where a header has N/A or * for {DETECTOR} the answer" in split.stderr


def test_another_value_than_na_is_warned_of(cache):
    done = run(cache, "add-parameter", "X", FLAT, "--value", "Y", "--dry-run")

    assert f"warning: {FLAT}: the rules now match only headers that Y fits for X" in done.stderr
    assert "warning" not in run(cache, "add-parameter", "X", FLAT, "--dry-run").stderr


def test_the_name_of_a_context_stands_for_its_rmaps(cache):
    done = run(cache, "merge-rules", "ligeriri_0001.pmap", "--cache", ".")

    assert done.exit_code == 0, done.output
    assert done.output == "10 mappings left unchanged\n"


def test_the_newest_context_of_the_telescope_is_changed_where_there_are_several(cache):
    folder = cache / "mappings/tobs"
    folder.mkdir()
    (folder / "tobs_0001.pmap").write_text("header = {}\nselector = {}\n")
    done = run(cache, "add-parameter", "X", f"mappings/ligeriri/{FLAT}", "--dry-run")

    assert done.exit_code == 0, done.output
    assert "would make mappings/ligeriri/ligeriri_0002.pmap" in done.output


def test_headers_values_and_substitutions(cache):
    steps = (
        ("set-header", "description", "two words", DARK),
        ("set-header", "rmap_relevance", "(META.INSTRUMENT.DETECTOR != 'NONE')", DARK),
        ("set-substitution", DETECTOR, "ANYONE", "N/A", DARK),
        ("set-substitution", "--remove", DETECTOR, "ANYONE", DARK),
        ("replace-value", DETECTOR, "IMG1", "IMG", DARK),
        ("del-header", "description", DARK),
        ("format", DARK),
    )
    for step in steps:
        done = run(cache, *step, "--in-place")
        assert done.exit_code == 0, done.output
    path = cache / "mappings/ligeriri" / DARK
    text = path.read_text()

    assert "'IMG'" in text
    assert "'IMG1'" not in text
    assert "description" not in text
    assert run(cache, "set-header", "parkey", "X", DARK).exit_code == 1
    reversed_parkey = str(tuple(level[::-1] for level in shape(load_mapping(path).file).parkey))
    assert run(cache, "set-parkey", reversed_parkey, DARK, "--in-place").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("sort",),
        ("sort", DARK, "-o", "x.rmap", "--in-place"),
        ("sort", "ligeriri_0001.pmap", "-o", "x.rmap"),
        ("split-rule", DARK),
        ("split-rule", f"{DARK}:0"),
        ("merge-rules", f"{DARK}:20", FLAT),
        ("set-substitution", DETECTOR, "A"),
        ("set-header", "author", "('A'", DARK),
        ("set-parkey", "DETECTOR", DARK, "--in-place"),
        ("rename-parameter", DETECTOR, "a b", DARK),
    ],
)
def test_wrong_usage(cache, arguments):
    before = texts(cache)
    done = run(cache, *arguments)

    assert done.exit_code == 2, done.output
    assert texts(cache) == before


def test_a_file_that_can_not_be_read_is_told(cache):
    path = cache / "mappings/ligeriri" / DARK
    path.write_text("header = {")
    done = run(cache, "sort", f"mappings/ligeriri/{DARK}", "--in-place")

    assert done.exit_code == 3
    assert f"{DARK}:1:" in done.output
    assert path.read_text() == "header = {"


def test_every_subcommand_shows_examples(cache):
    for name in refactor.commands:
        shown = run(cache, name, "--help")
        assert f"calmap refactor {name}" in shown.output
        assert "--dry-run" in shown.output
