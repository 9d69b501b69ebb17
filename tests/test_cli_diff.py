"""`calmap diff`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from git_repositories import commit, git, repository
from syrupy.assertion import SnapshotAssertion

from calmap.cli.main import cli
from calmap.cli.options import Invocation

DARK = "ligeriri_iris_dark_000{}.rmap"
FLAT = "mappings/ligeriri/ligeriri_liger_flat_0001.rmap"


def run(cwd: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ("diff", *arguments), obj=Invocation({}, cwd), env={"COLUMNS": "80"})


def replaced(path: Path, *swaps: tuple[str, str], to: Path | None = None) -> None:
    text = path.read_text()
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new)
    (to or path).write_text(text)


@pytest.fixture
def cache(repo_root: Path, tmp_path: Path) -> Path:
    """A copy of the demonstration cache, in a repository without any change."""
    for name in ("mappings", "config"):
        shutil.copytree(repo_root / name, tmp_path / name)
    return repository(tmp_path)


@pytest.fixture
def changed(cache: Path) -> Path:
    """The same with a new context that has another dark, and two mappings changed in place."""
    folder = cache / "mappings" / "ligeriri"
    replaced(
        folder / DARK.format(1),
        ("2024-11-05 00:00:00", "2024-12-05 00:00:00"),
        ("IMG1_DARK_20240924T000000_0.0.1", "IMG1_DARK_20240924T000000_0.0.2"),
        ("'name' : 'ligeriri_iris_dark_0001", "'name' : 'ligeriri_iris_dark_0002"),
        to=folder / DARK.format(2),
    )
    replaced(
        folder / "ligeriri_iris_0001.imap", ("dark_0001", "dark_0002"), to=folder / "ligeriri_iris_0002.imap"
    )
    replaced(folder / "ligeriri_0001.pmap", ("iris_0001", "iris_0002"), to=folder / "ligeriri_0002.pmap")
    replaced(cache / FLAT, ("20250702T003000_0.0.1", "20250702T003000_0.0.2"))
    replaced(folder / "ligeriri_liger_dark_0001.rmap", ("header", "# a comment\nheader"))
    return cache


@pytest.mark.parametrize("style", ["table", "json", "markdown"])
def test_the_newest_contexts_of_a_revision_and_now(
    changed: Path, style: str, snapshot: SnapshotAssertion
) -> None:
    result = run(changed, "HEAD", "--format", style)

    assert result.exit_code == 1
    assert result.stdout == snapshot
    assert not result.stderr


def test_brief(changed: Path) -> None:
    result = run(changed, "--brief")

    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "iris dark  1 replaced, 1 moved",
        "liger dark  the text differs, the rules are the same",
        "liger flat  1 replaced",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("HEAD~1", "HEAD"),
        ("HEAD~1..",),
        ("HEAD~1..main",),
        ("main~1...",),
        ("HEAD~1",),
        ("HEAD~1:ligeriri_0001.pmap", "ligeriri_0002.pmap"),
        ("HEAD~1:mappings/ligeriri/ligeriri_0001.pmap", "HEAD:mappings/ligeriri/ligeriri_0002.pmap"),
        ("HEAD~1:./mappings/ligeriri/ligeriri_0001.pmap", "mappings/ligeriri/ligeriri_0002.pmap"),
    ],
)
def test_ways_to_name_the_same(changed: Path, arguments: tuple[str, ...]) -> None:
    expected = run(changed, "HEAD", "--brief").stdout
    commit(changed, "second")

    result = run(changed, *arguments, "--brief")

    assert (result.exit_code, result.stdout) == (1, expected)


def test_a_revision_and_a_mapping(changed: Path) -> None:
    for arguments in (("HEAD", FLAT), ("HEAD", Path(FLAT).name), (f"HEAD:{Path(FLAT).name}", FLAT)):
        assert run(changed, *arguments, "--brief").stdout == f"{Path(FLAT).name}  1 replaced\n"
    assert run(changed / "mappings" / "ligeriri", "HEAD", Path(FLAT).name).exit_code == 1


def test_nothing_changed(cache: Path) -> None:
    for arguments in ((), ("HEAD",), ("ligeriri_0001.pmap", "HEAD:ligeriri_0001.pmap"), (FLAT, FLAT)):
        result = run(cache, *arguments)
        assert (result.exit_code, result.stdout) == (0, "No differences\n")


def test_the_text_alone(changed: Path, snapshot: SnapshotAssertion) -> None:
    arguments = ("HEAD", "ligeriri_liger_dark_0001.rmap")

    assert run(changed, *arguments).exit_code == 0
    result = run(changed, *arguments, "--text")
    assert result.exit_code == 1
    assert result.stdout == snapshot


def test_the_text_is_a_patch(changed: Path) -> None:
    shown = run(changed, "HEAD", FLAT, "--text").stdout
    patch = shown[shown.index("--- a/") :]

    (changed / "text.patch").write_text(patch)
    git(changed / "mappings" / "ligeriri", "apply", "--reverse", str(changed / "text.patch"))

    assert git(changed, "status", "--porcelain", "--", FLAT) == ""


def test_new_files_in_no_context(changed: Path) -> None:
    folder = changed / "mappings" / "ligeriri"
    (folder / "ligeriri_0002.pmap").unlink()
    replaced(
        folder / DARK.format(1),
        ("'derived_from' : 'NONE'", f"'derived_from' : '{DARK.format(1)}'"),
        ("IMG1_DARK_20240924T000000_0.0.1", "other"),
        to=folder / DARK.format(3),
    )
    (folder / "ligeriri_iris_dq_0001.rmap").unlink()

    lines = run(changed, "HEAD", "--brief").stdout.splitlines()

    assert f"{DARK.format(3)}  1 replaced" in lines
    assert f"{DARK.format(2)}  new, and not in ligeriri_0001.pmap" in lines
    assert any(line.startswith("iris dq  mapping ligeriri_iris_dq_0001.rmap is not in") for line in lines)


def test_a_new_type(changed: Path) -> None:
    folder = changed / "mappings" / "ligeriri"
    shutil.copy(folder / DARK.format(1), folder / "ligeriri_iris_dark2_0001.rmap")
    replaced(
        folder / "ligeriri_iris_0002.imap",
        ("selector = {", f"selector = {{ 'more': '{DARK.format(1)}', 'none': 'N/A',"),
    )

    lines = run(changed, "HEAD", "--brief").stdout.splitlines()

    assert "iris more  new, 10 rules" in lines
    assert "iris  2 added, 1 replaced" in lines


def test_a_new_telescope(cache: Path) -> None:
    for path in [*(cache / "mappings" / "ligeriri").iterdir()]:
        name = path.name.replace("ligeriri", "other")
        replaced(path, ("ligeriri", "other"), ("LIGERIRI", "OTHER"), to=cache / name)
    (cache / "mappings" / "other").mkdir()
    for path in cache.glob("other_*"):
        path.rename(cache / "mappings" / "other" / path.name)

    assert run(cache, "--brief").stdout == "other_0001.pmap  the first context of the telescope\n"
    commit(cache, "second")
    assert run(cache, "HEAD..main~1", "--brief").stdout == (
        "other_0001.pmap  the telescope has no context any more\n"
    )


def test_a_new_instrument(cache: Path) -> None:
    pmap = cache / "mappings" / "ligeriri" / "ligeriri_0001.pmap"
    replaced(pmap, ("'IRIS'", "'OWL'"))

    assert run(cache, "--brief").stdout == ("iris  gone, it had 5 types\nowl  new, 5 types\n")


def test_datasets_that_get_another_file(
    changed: Path, repo_root: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    scratch = changed / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    shutil.copytree(repo_root / "exposures", changed / "night")

    found = {}
    for style in ("table", "json", "markdown"):
        result = run(changed, "HEAD", "--affects", "night", "--format", style)
        assert result.exit_code == 1
        found[style] = result.stdout.replace(f"{changed}/", "")

    assert found["table"][found["table"].index("\nnight") :] == snapshot
    assert json.loads(found["json"])["affected"] == snapshot
    assert found["markdown"][found["markdown"].index("#### Affected") :] == snapshot
    assert not list(scratch.iterdir())


def test_a_dataset_that_is_not_there(changed: Path) -> None:
    result = run(changed, "HEAD", "--affects", "night.fits")

    assert result.exit_code == 3
    assert "night.fits does not exist" in result.stderr
    assert "0 of 0 datasets" in result.stdout


def test_a_file_that_cannot_be_parsed(changed: Path) -> None:
    replaced(changed / FLAT, ("selector = Match({", "selector = Match({ ) "))

    below = run(changed, "HEAD", "--brief")
    alone = run(changed, "HEAD", FLAT)

    assert below.exit_code == alone.exit_code == 3
    assert "iris dark  1 replaced, 1 moved" in below.stdout
    for result in (below, alone):
        assert re.search(r"ligeriri_liger_flat_0001.rmap:\d+: .*\nhint: calmap check", result.stderr)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("nothing",), 2, "'nothing' is neither a file nor a revision"),
        (("nothing.rmap",), 3, "mapping nothing.rmap is not in"),
        (("there/nothing.rmap", "HEAD"), 3, "there is no file there/nothing.rmap"),
        (("HEAD:nothing.rmap", "HEAD"), 3, "mapping nothing.rmap is not in HEAD"),
        (("HEAD:a/nothing.rmap", "HEAD"), 3, "there is no a/nothing.rmap in HEAD"),
        (("HEAD:config", "HEAD"), 2, "'config' of HEAD is no mapping"),
        (("ligeriri_0001.pmap",), 2, "what is ligeriri_0001.pmap to be compared with"),
        (("ligeriri_0001.pmap", FLAT), 2, "can't be compared: .pmap and .rmap"),
        ((FLAT, "config/ligeriri.yaml"), 2, "is no mapping"),
        (("a", "b", "c"), 2, "two things can be compared, not 3"),
        (("--brief", "--format", "json"), 2, "--brief goes with neither"),
        (("--row-key", "A"), 2, "--row-key is for reference files"),
        (("--", "-x", "--all"), 2, "'-x' is neither a file nor a revision"),
    ],
)
def test_what_cannot_be_compared(cache: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    (cache / "config" / "ligeriri.yaml").touch()

    result = run(cache, *arguments)

    assert (result.exit_code, message in result.stderr) == (code, True), result.stderr


def test_a_cache_without_git(repo_root: Path, tmp_path: Path) -> None:
    shutil.copytree(repo_root / "mappings", tmp_path / "mappings")

    result = run(tmp_path, "HEAD")

    assert result.exit_code == 3
    assert "HEAD is no file, and" in result.stderr
    assert "hint: revisions need a cache that is kept in Git" in result.stderr
    assert run(tmp_path, "ligeriri_0001.pmap", "ligeriri_0001.pmap").exit_code == 0


def test_a_repository_without_commits(repo_root: Path, tmp_path: Path) -> None:
    shutil.copytree(repo_root / "mappings", tmp_path / "mappings")
    git(tmp_path, "init", "--quiet")

    result = run(tmp_path)

    assert (result.exit_code, f"the repository {tmp_path} has no commit yet" in result.stderr) == (2, True)


def test_a_clone_without_older_commits(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    git(cache, "commit", "--quiet", "--allow-empty", "--message", "second")
    clone = tmp_path_factory.mktemp("shallow") / "clone"
    git(cache, "clone", "--quiet", "--depth", "1", f"file://{cache}", str(clone))

    for argument in ("HEAD~1", "HEAD~1..."):
        result = run(clone, argument)
        assert (result.exit_code, "hint: the clone is shallow; git fetch" in result.stderr) == (2, True)


def test_a_revision_that_is_also_a_file(changed: Path) -> None:
    named = run(changed, "main", "--brief").stdout
    for name in ("HEAD", "main"):
        (changed / name).write_text("no mapping")

    assert run(changed, "--brief").stdout == run(changed, "main", "--brief").stdout == named != ""


def test_files_outside_of_a_cache(repo_root: Path, tmp_path: Path) -> None:
    source = repo_root / FLAT
    (tmp_path / "one").mkdir()
    shutil.copy(source, tmp_path / "one" / "a.rmap")
    replaced(source, ("20250702T003000_0.0.1", "other"), to=tmp_path / "b.rmap")

    result = run(tmp_path, "one/a.rmap", "b.rmap", "--brief")

    assert (result.exit_code, result.stdout) == (1, "b.rmap  1 replaced\n")


def test_names_of_files_cannot_break_markdown(changed: Path) -> None:
    replaced(changed / FLAT, ("Liger_IMG_FLAT_20250702T003000_0.0.2.fits", "a`|<b>**@x**\\u202e.fits"))

    shown = run(changed, "HEAD", FLAT, "--format", "markdown").stdout
    row = next(line for line in shown.splitlines() if line.startswith("| replaced"))

    assert "<code>a&#96;&#124;&#60;b&#62;&#42;&#42;&#64;x&#42;&#42;&#92;u202e.fits</code>" in row
    assert row.count("|") == 5


def test_long_tables_are_folded_away(cache: Path) -> None:
    rows = "".join(f"        '2001-01-01 00:00:{second:02}' : 'f{second}.fits',\n" for second in range(30))
    replaced(cache / FLAT, ("ClosestTime({\n", f"ClosestTime({{\n{rows}"))

    shown = run(cache, "HEAD", FLAT, "--format", "markdown").stdout

    assert "<details>\n<summary>150 added</summary>\n\n| change |" in shown


def test_reference_files(repo_root: Path) -> None:
    old, new = sorted((repo_root / "references" / "ligeriri" / "iris").glob("*IMG1_DARK*.fits"))[:2]

    for style in ("table", "json", "markdown"):
        assert run(repo_root, str(old), str(old), "--format", style).exit_code == 0
        assert run(repo_root, str(old), str(new), "--format", style).exit_code == 1
    assert run(repo_root, str(old), str(new), "--affects", "x").exit_code == 2
    assert run(repo_root, str(old), FLAT).exit_code == 2


def test_quiet(changed: Path) -> None:
    result = run(changed, "HEAD", "-q")

    assert (result.exit_code, result.output) == (1, "")


def test_it_starts_without_what_is_heavy() -> None:
    code = "import sys, calmap.cli.diff; print(*{'rich', 'astropy', 'numpy', 'yaml'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []
