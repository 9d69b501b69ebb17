"""``calmap check`` on files, folders, contexts and whole caches."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from calmap.cli.main import cli
from calmap.cli.options import Invocation
from calmap.errors import CacheError
from calmap.model.mapping import load_mapping

CHECKOUT = Path(__file__).parent.parent
NAME = "ligeriri_iris_dark_0001.rmap"
DARK = f"mappings/ligeriri/{NAME}"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A copy of the demonstration cache; the current folder."""
    for folder in ("mappings", "references", "config"):
        shutil.copytree(CHECKOUT / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments, **variables):
    invocation = Invocation(variables, Path.cwd())
    return CliRunner().invoke(
        cli, ["check", *map(str, arguments)], obj=invocation, prog_name="calmap", catch_exceptions=False
    )


def codes(result):
    return [finding["code"] for finding in json.loads(result.stdout)]


def change(path, old, new):
    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new))


def doubled(path):
    """Write a second rule for the date of another one, which also makes the checksum stale."""
    line = next(line for line in Path(path).read_text().splitlines(True) if "2024-09-26" in line)
    change(path, line, line + line.replace("IRIS_IFU_DARK_20240926", "IRIS_IFU_DARK_20250313"))


def test_good_cache(cache):
    assert len(list(Path().rglob("*.?map"))) == 13
    for paths in ((), ("mappings",), (".",), (DARK,), ("ligeriri_0001.pmap",)):
        result = run(*paths)
        assert (result.exit_code, result.output) == (0, "No findings\n")


def test_findings_are_shown(cache, snapshot):
    doubled(DARK)

    result = run(DARK)

    assert result.exit_code == 1
    assert result.stdout == snapshot


@pytest.mark.parametrize("style", ["full", "concise", "json", "sarif", "github"])
def test_formats(cache, style):
    doubled(DARK)

    result = run(DARK, "--format", style)

    assert result.exit_code == 1
    assert DARK in result.stdout
    assert "CM201" in result.stdout
    assert "\x1b[" not in result.stdout
    if style in ("json", "sarif"):
        json.loads(result.stdout)
        assert json.loads(run("mappings/ligeriri/ligeriri_0001.pmap", "--format", style).stdout) is not None


def test_colour(cache):
    doubled(DARK)

    assert "\x1b[" in run(DARK, "--color", "always").stdout
    assert "\x1b[" not in run(DARK, "--color", "auto").stdout


def test_quiet(cache):
    doubled(DARK)

    result = run(DARK, "-q")

    assert (result.exit_code, result.output) == (1, "")


def test_context_is_checked_with_everything_below(cache):
    doubled(DARK)

    assert set(codes(run("ligeriri_0001.pmap", "--format", "json"))) == {"CM201", "CM501"}
    assert set(codes(run("ligeriri_iris_0001.imap", "--format", "json"))) == {"CM201", "CM501"}
    assert codes(run("ligeriri_liger_0001.imap", "--format", "json")) == []
    assert codes(run("mappings/ligeriri/ligeriri_0001.pmap", "--format", "json")) == []
    assert codes(run("--context", "ligeriri_iris_0001.imap", "--format", "json")) != []


def test_context_of_another_cache(cache, tmp_path_factory, monkeypatch):
    doubled(DARK)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))

    assert run("ligeriri_0001.pmap").exit_code == 2
    for result in (
        run("ligeriri_0001.pmap", "--cache", cache, "--format", "json"),
        run("--format", "json", CRDS_PATH=str(cache)),
        run(cache, "--format", "json"),
    ):
        assert set(codes(result)) == {"CM201", "CM501"}


def test_newest_context_of_each_telescope(cache):
    (cache / "mappings/tobs").mkdir()
    (cache / "mappings/tobs/tobs_0001.pmap").write_text("header = {")
    doubled(DARK)

    found = json.loads(run("--format", "json").stdout)

    assert {Path(finding["file"]).name for finding in found} == {"tobs_0001.pmap", NAME}
    chosen = json.loads(run("--format", "json", "--observatory", "tobs").stdout)
    assert {Path(finding["file"]).name for finding in chosen} == {"tobs_0001.pmap"}


def test_file_is_compared_with_its_cache(cache):
    (cache / "mappings/ligeriri/ligeriri_iris_dq_0001.rmap").unlink()
    next((cache / "references/ligeriri/iris").glob("IRIS_IFU_DARK_20240926*")).unlink()

    assert codes(run("mappings/ligeriri/ligeriri_iris_0001.imap", "--format", "json")) == ["CM401"]
    assert codes(run(DARK, "--format", "json")) == ["CM403"]


def test_loose_file_lacks_nothing(cache, tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("drafts")
    shutil.copy(DARK, folder)
    shutil.rmtree(cache / "references/ligeriri/iris")
    (cache / "references/ligeriri/iris").mkdir()
    monkeypatch.chdir(folder)

    assert run(NAME).exit_code == 0
    assert set(codes(run(NAME, "--cache", cache, "--format", "json"))) == {"CM403"}


def test_same_file_is_checked_once(cache):
    doubled(DARK)

    assert codes(run(DARK, "mappings", DARK, NAME, "--format", "json")) == codes(
        run(DARK, "--format", "json")
    )


def test_hidden_folders_are_left_out_and_links_are_followed_once(cache):
    doubled(DARK)
    (cache / ".old").mkdir()
    shutil.copy(DARK, cache / ".old")
    (cache / "mappings/loop").symlink_to(cache / "mappings")

    assert codes(run(".", "--format", "json")) == ["CM501", "CM201"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--select", "CM2"], ["CM201"]),
        (["--select", "duplicate-key"], ["CM201"]),
        (["--select", "cm501,CM201"], ["CM501", "CM201"]),
        (["--select", "CM5", "--select", "CM201"], ["CM501", "CM201"]),
        (["--ignore", "CM2"], ["CM501"]),
        (["--select", "CM", "--ignore", "wrong-checksum"], ["CM201"]),
        (["--select", "CM3"], []),
    ],
)
def test_choice_of_rules(cache, arguments, expected):
    doubled(DARK)

    result = run(DARK, "--format", "json", *arguments)

    assert codes(result) == expected
    assert result.exit_code == int(bool(expected))


@pytest.mark.parametrize(
    ("word", "hint"),
    [("duplicate-keys", "duplicate-key"), ("CM20l", "CM20"), ("zzz", "the beginning of one")],
)
def test_unknown_rule(cache, word, hint):
    result = run(DARK, "--select", word)

    assert result.exit_code == 2
    assert f"no rule is called '{word}'" in result.stderr
    assert hint in result.stderr


def test_fix(cache):
    right = Path(DARK).read_text()
    change(DARK, f"'name' : '{NAME}'", "'name' : 'ligeriri_iris_dark_0007.rmap'")
    change(DARK, load_mapping(DARK).recorded_checksum, "0" * 40)

    result = run(DARK, "--fix")

    assert result.exit_code == 0
    assert result.stdout == "No findings\n"
    assert "Fixed 2 of these in 1 file" in result.stderr
    assert "CM106" in result.stderr
    assert Path(DARK).read_text() == right


def test_fix_leaves_what_it_cannot_repair(cache):
    doubled(DARK)

    result = run(DARK, "--fix", "--format", "json")

    assert result.exit_code == 1
    assert codes(result) == ["CM201"]
    assert load_mapping(DARK).recorded_checksum == load_mapping(DARK).checksum


def test_fix_of_chosen_rules_only(cache):
    doubled(DARK)
    before = Path(DARK).read_text()

    run(DARK, "--fix", "--ignore", "CM501")

    assert Path(DARK).read_text() == before


def test_diff_shows_and_does_not_write(cache):
    change(DARK, load_mapping(DARK).recorded_checksum, "0" * 40)
    before = Path(DARK).read_text()

    result = run(DARK, "--diff")

    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[:2] == [f"--- {DARK}", f"+++ {DARK}"]
    assert [line[0] for line in lines if "sha1sum" in line] == ["-", "+"]
    assert Path(DARK).read_text() == before
    assert run("mappings/ligeriri/ligeriri_0001.pmap", "--diff").exit_code == 0


def test_diff_is_what_fix_does(cache):
    change(DARK, load_mapping(DARK).recorded_checksum, "0" * 40)
    Path("change.diff").write_text(run(DARK, "--diff").stdout)
    shutil.copy(DARK, "before.rmap")
    run(DARK, "--fix")

    subprocess.run(["patch", "-s", "before.rmap", "change.diff"], check=True)

    assert Path("before.rmap").read_text() == Path(DARK).read_text()


def test_note_alone_is_no_failure(cache, monkeypatch):
    from calmap.cache import inspection
    from calmap.diagnostics import Diagnostic, Rule, Severity
    from calmap.source import Span

    rule = Rule("CM201", "duplicate-key", "A note", Severity.INFO)
    monkeypatch.setattr(
        inspection,
        "check_mapping",
        lambda mapping, _: (Diagnostic(rule, mapping.source, Span(0, 1), "noted"),),
    )

    result = run(DARK)

    assert "noted" in result.stdout
    assert result.exit_code == 0


@pytest.mark.parametrize("path", ["nowhere", "nowhere/x.rmap", "references"])
def test_missing_path(cache, path):
    result = run(DARK, path)

    assert result.exit_code == 3
    assert path in result.stderr


def test_missing_context(cache):
    result = run("ligeriri_0009.pmap")

    assert result.exit_code == 3
    assert "ligeriri_0009.pmap is not in" in result.stderr
    assert "the newest context there is ligeriri_0001.pmap" in result.stderr


def test_wrong_telescope_definition(cache):
    (cache / "config/ligeriri/observatory.yaml").write_text("instruments: [")

    result = run(DARK)

    assert result.exit_code == 3
    assert "observatory.yaml" in result.stderr


def test_defects_of_a_real_cache(corpus):
    cache = corpus / "liger-iris-crds-cache"

    found = [
        (row["code"], Path(row["file"]).name) for row in json.loads(run(cache, "--format", "json").stdout)
    ]

    assert [name for code, name in found if code == "CM106"] == ["ligeriri_iris_nonlin_0001.rmap"]
    assert sum(code == "CM501" for code, _ in found) == 8
    assert [name for code, name in found if code == "CM401"] == ["ligeriri_liger_0001.imap"] * 5
    assert {name for code, name in found if code == "CM403"} == {
        "ligeriri_iris_dq_0001.rmap",
        "ligeriri_iris_drizpars_0001.rmap",
    }
    assert {code for code, _ in found} == {"CM105", "CM106", "CM401", "CM403", "CM404", "CM501"}


@pytest.mark.parametrize("option", ["--quiet", "--diff", "--fix", "--format=json"])
def test_file_that_cannot_be_read_does_not_hide_the_others(cache, option):
    doubled(DARK)
    Path("a_lost.rmap").symlink_to("nowhere.rmap")
    os.mkfifo("z_pipe.rmap")
    Path("z_zero.rmap").symlink_to("/dev/zero")

    result = run(".", option)

    assert result.exit_code == 3
    assert result.stderr.splitlines()[-3:] == [
        "error: a_lost.rmap does not exist",
        "error: z_pipe.rmap is not an ordinary file",
        "error: z_zero.rmap is not an ordinary file",
    ]
    if option == "--format=json":
        assert set(codes(result)) == {"CM201", "CM501"}
    elif option != "--quiet":
        assert NAME in result.output


def test_file_that_cannot_be_written_does_not_hide_the_others(cache, monkeypatch):
    def refuse(path, *_arguments):
        raise CacheError(f"{path} can't be written: Operation not permitted")

    monkeypatch.setattr("calmap.cache.inspection.write_atomically", refuse)
    change(DARK, load_mapping(DARK).recorded_checksum, "0" * 40)

    result = run(DARK, "--fix", "--format", "json")

    assert result.exit_code == 3
    assert result.stderr == f"error: {DARK} can't be written: Operation not permitted\n"
    assert codes(result) == ["CM501"]
