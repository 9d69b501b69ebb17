"""`calmap insert-reference`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from astropy.io import fits
from deliveries import CHECKOUT, DARK, FLAT, NEW, calmap, changed_lines, demo_cache, reference, tree
from git_repositories import git, repository
from syrupy.assertion import SnapshotAssertion

from calmap.bestref import Cache
from calmap.cache.layout import Layout
from calmap.cache.transaction import changing
from calmap.delivery.change import Change, make
from calmap.delivery.insertion import plan_insertion
from calmap.errors import FileChangedError

RMAP = "mappings/ligeriri/ligeriri_iris_flat_0001.rmap"
IMAP = "mappings/ligeriri/ligeriri_iris_0001.imap"
PMAP = "mappings/ligeriri/ligeriri_0001.pmap"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return demo_cache(tmp_path)


@pytest.fixture
def insert(cache: Path):
    """Runs the command in the folder of the cache."""

    def run(*arguments: object, **variables: str):
        return calmap(cache, "insert-reference", *arguments, **variables)

    return run


def later(path: Path) -> Path:
    """The next mapping of a series."""
    return path.with_name(path.name.replace("_0001.", "_0002."))


def replaced(path: Path, *pairs: str) -> None:
    text = path.read_bytes().decode()
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert old in text
        text = text.replace(old, new)
    path.write_bytes(text.encode())
    calmap(Path.cwd(), "update-checksums", path)


def refused(result, code: int, *words: str) -> None:
    """The command ended with an error that says this."""
    assert (result.exit_code, result.stdout) == (code, "")
    for word in words:
        assert word in result.stderr, result.stderr


# What it does


def test_a_new_date(cache: Path, insert, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    before = tree(cache)

    result = insert(reference(tmp_path))

    assert result.exit_code == 0
    assert result.stdout == snapshot
    assert tree(cache).keys() - before.keys() == {
        f"references/ligeriri/iris/{NEW}",
        *(later(Path(name)).as_posix() for name in (RMAP, IMAP, PMAP)),
    }
    assert before.items() <= tree(cache).items()


def test_a_new_rule(insert, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    assert insert(reference(tmp_path, FILTER="CO")).stdout == snapshot


def test_a_replacement(insert, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    assert insert(reference(tmp_path, USEAFTER="2024-11-06")).stdout == snapshot


def test_files_of_several_types_make_one_context(
    cache: Path, insert, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    dark = reference(
        tmp_path, DARK.replace("0312", "1202"), DARK, P_SUBARR="FULL | CUSTOM", USEAFTER="2025-12-02"
    )
    liger = "Liger_IMG_FLAT_20240924T000000_0.0.1.fits"

    result = insert(reference(tmp_path), dark, reference(tmp_path, liger.replace("0924", "1201"), liger))

    assert result.exit_code == 0
    assert result.stdout == snapshot
    assert Layout(cache).contexts("ligeriri") == ("ligeriri_0001.pmap", "ligeriri_0002.pmap")
    assert len(Layout(cache).mapping_files("ligeriri")) == len(tree(CHECKOUT / "mappings")) + 6


@pytest.mark.parametrize("header", [{}, {"FILTER": "CO"}, {"USEAFTER": "2024-11-06"}])
def test_checked_chosen_and_undone(cache: Path, insert, tmp_path: Path, header: dict[str, str]) -> None:
    before = tree(cache)
    path = reference(tmp_path, **header)

    assert insert(path).exit_code == 0

    check = calmap(Path.cwd(), "check", cache)
    assert (check.exit_code, check.stdout) == (0, "No findings\n")
    exposure = tmp_path / "exposure.fits"
    values = fits.getheader(path)
    del values["USEAFTER"], values["REFTYPE"]
    values["DATE"] = "2024-12-02T00:00:00" if "USEAFTER" not in header else "2024-11-06T00:00:00"
    fits.PrimaryHDU(header=values).writeto(exposure)
    chosen = calmap(cache, "bestref", exposure, "--type", "flat")
    assert path.name in chosen.stdout, chosen.stderr
    assert calmap(cache, "undo").exit_code == 0
    assert tree(cache) == before


@pytest.mark.parametrize("header", [{}, {"FILTER": "CO"}])
def test_deletion_gives_the_rules_back(cache: Path, insert, tmp_path: Path, header: dict[str, str]) -> None:
    insert(reference(tmp_path, **header), "--in-place")

    assert calmap(cache, "delete-reference", NEW, "--in-place").exit_code == 0

    assert (cache / RMAP).read_bytes() == (CHECKOUT / RMAP).read_bytes()


def test_the_same_again(cache: Path, insert, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    path = reference(tmp_path)
    insert(path)
    before = tree(cache)

    result = insert(path)

    assert result.exit_code == 0
    assert result.stdout == snapshot
    assert result.stdout.endswith("ligeriri_0002.pmap has all of it already\n")
    assert tree(cache) == before


def test_a_file_at_its_place_is_not_copied(cache: Path, insert, tmp_path: Path) -> None:
    place = shutil.copy(reference(tmp_path), cache / "references/ligeriri/iris")

    result = insert(place, "--format", "json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["copies"] == []
    assert later(cache / RMAP).exists()


def test_a_rule_that_lost_its_file_gets_it_again(cache: Path, insert) -> None:
    present = cache / "references/ligeriri/iris" / FLAT
    away = shutil.move(present, cache.parent / FLAT)

    result = insert(away)

    assert "there already" in result.stdout
    assert f"new file references/ligeriri/iris/{FLAT}" in result.stdout
    assert present.exists()
    assert not later(cache / RMAP).exists()


def test_json(cache: Path, insert, tmp_path: Path) -> None:
    path = reference(tmp_path, P_FILTER=" Y | Y ")

    told = json.loads(insert(path, "--format", "json").stdout)

    place = cache / "references/ligeriri/iris" / NEW
    folder = cache / "mappings/ligeriri"
    assert told == {
        "context": "ligeriri_0001.pmap",
        "new_context": "ligeriri_0002.pmap",
        "references": [
            {
                "file": str(path),
                "place": str(place),
                "instrument": "iris",
                "type": "flat",
                "mapping": "ligeriri_iris_flat_0002.rmap",
                "line": 40,
                "rule": {
                    "META.INSTRUMENT.ERA": "0.0.0",
                    "META.INSTRUMENT.DETECTOR": "IMG1",
                    "META.EXPOSURE.READMODE": "DEFAULT",
                    "META.INSTRUMENT.FILTER": "Y",
                    "META.INSTRUMENT.PUPIL": "CLEAR",
                    "META.DATE": "2024-12-01 00:00:00",
                },
                "change": "row",
                "replaced": [],
                "since": "2024-11-18 12:00:00",
                "until": None,
                "before": FLAT,
                "after": None,
                "notes": [],
                "warnings": [],
            }
        ],
        "mappings": [
            {
                "name": f"{stem}_0002.{kind}",
                "derived_from": f"{stem}_0001.{kind}",
                "path": str(folder / f"{stem}_0002.{kind}"),
            }
            for stem, kind in (
                ("ligeriri_iris_flat", "rmap"),
                ("ligeriri_iris", "imap"),
                ("ligeriri", "pmap"),
            )
        ],
        "warnings": [],
        "copies": [{"source": str(path), "place": str(place)}],
        "dry_run": False,
        "branch": None,
    }


def test_quiet(cache: Path, insert, tmp_path: Path) -> None:
    result = insert(reference(tmp_path), "--quiet")

    assert (result.exit_code, result.output) == (0, "")
    assert later(cache / PMAP).exists()


# Only the lines concerned change


def test_only_the_lines_concerned_change(cache: Path, insert, tmp_path: Path) -> None:
    insert(reference(tmp_path))

    for name, lines in ((RMAP, 1), (IMAP, 0), (PMAP, 0)):
        old, new = (cache / name).read_text(), later(cache / name).read_text()
        gone, come = changed_lines(old, new)
        links = 0 if lines else 1
        assert len(come) == len(gone) + lines == 3 + lines + links
        record = [line.split("'")[1] for line in gone[: len(gone) - links]]
        assert record == ["derived_from", "name", "sha1sum"]


@pytest.mark.parametrize("options", [(), ("--in-place",)])
def test_line_ends_and_comments_are_kept(
    cache: Path, insert, tmp_path: Path, options: tuple[str, ...]
) -> None:
    commented = (cache / RMAP).read_text().replace("'H', 'CLEAR') : Clo", "'H', 'CLEAR') :  # narrow\n Clo")
    (cache / RMAP).write_bytes(commented.replace("\n", "\r\n").encode())
    calmap(Path.cwd(), "update-checksums", cache / RMAP)
    old = (cache / RMAP).read_bytes()

    assert insert(reference(tmp_path, FILTER="CO"), *options).exit_code == 0

    new = (cache / RMAP if options else later(cache / RMAP)).read_bytes()
    assert new.count(b"\n") == new.count(b"\r\n") == old.count(b"\r\n") + 3
    gone, come = changed_lines(old.decode(), new.decode())
    assert len(come) - len(gone) >= 2
    assert all(line.split("'")[1] in ("derived_from", "name", "sha1sum") for line in gone)
    assert calmap(Path.cwd(), "check", cache).stdout == "No findings\n"
    if options:
        assert calmap(cache, "undo").exit_code == 0
        assert (cache / RMAP).read_bytes() == old


# Ways to do it


def test_in_place(cache: Path, insert, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    before = tree(cache)

    result = insert(reference(tmp_path), "--in-place")

    assert result.stdout == snapshot
    after = tree(cache)
    assert {name for name in after if before.get(name) != after[name]} == {
        RMAP,
        f"references/ligeriri/iris/{NEW}",
    }
    assert calmap(Path.cwd(), "check", cache).stdout == "No findings\n"
    assert calmap(cache, "undo").exit_code == 0
    assert tree(cache) == before


def test_a_dry_run_touches_nothing(cache: Path, insert, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    before = tree(cache)
    path = reference(tmp_path)

    result = insert(path, "--dry-run")

    assert result.exit_code == 0
    assert result.stdout.replace(str(path), "NEW") == snapshot
    assert tree(cache) == before
    assert not (cache / ".calmap").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is read-only here")
def test_a_read_only_cache(cache: Path, insert, tmp_path: Path) -> None:
    path = reference(tmp_path)
    cache.chmod(0o555)
    try:
        assert insert(path, "--dry-run").exit_code == 0
        refused(insert(path), 3, ".calmap")
    finally:
        cache.chmod(0o755)


def test_an_rmap_as_the_context(cache: Path, insert, tmp_path: Path) -> None:
    result = insert(reference(tmp_path), "--context", "ligeriri_iris_flat_0001.rmap")

    assert result.exit_code == 0
    assert result.stdout.endswith("the context is now ligeriri_iris_flat_0002.rmap\n")
    assert not later(cache / IMAP).exists()


def test_an_imap_as_the_context(cache: Path, insert, tmp_path: Path) -> None:
    result = insert(reference(tmp_path), "--context", "ligeriri_iris_0001.imap")

    assert result.stdout.endswith("the context is now ligeriri_iris_0002.imap\n")
    assert not later(cache / PMAP).exists()


@pytest.mark.parametrize(
    "context", ["ligeriri_liger_0001.imap", "ligeriri_liger_flat_0001.rmap", "ligeriri_iris_dark_0001.rmap"]
)
def test_a_context_for_something_else(cache: Path, insert, tmp_path: Path, context: str) -> None:
    before = tree(cache)

    refused(insert(reference(tmp_path), "--context", context), 1, f"{context} is for", "and the reference is")

    assert tree(cache) == before


def test_an_older_context_is_told(insert, tmp_path: Path) -> None:
    insert(reference(tmp_path))

    result = insert(
        reference(tmp_path, NEW.replace("1201", "1202"), FILTER="J"), "--context", "ligeriri_0001.pmap"
    )

    lacks = "ligeriri_0003.pmap does not have what came after its basis, up to ligeriri_0002.pmap"
    assert result.stderr == f"warning: {lacks}\n"
    assert "new mapping ligeriri_iris_flat_0003.rmap from ligeriri_iris_flat_0001.rmap" in result.stdout
    assert result.stdout.endswith("the context is now ligeriri_0003.pmap\n")


def test_what_others_do_meanwhile_is_not_lost(cache: Path, tmp_path: Path) -> None:
    """Another change between planning and the lock makes it plan again."""
    from calmap.delivery import change

    taken = change.changing
    first, second = reference(tmp_path), reference(tmp_path, NEW.replace("1201", "1202"), FILTER="J")

    def late(*arguments, **options):
        change.changing = taken
        assert calmap(cache, "insert-reference", second).exit_code == 0
        return taken(*arguments, **options)

    change.changing = late
    try:
        result = calmap(cache, "insert-reference", first)
    finally:
        change.changing = taken

    assert result.stdout.endswith("the context is now ligeriri_0003.pmap\n")
    text = (cache / "mappings/ligeriri/ligeriri_iris_flat_0003.rmap").read_text()
    assert first.name in text
    assert second.name in text
    assert "'derived_from' : 'ligeriri_iris_flat_0002.rmap'" in text


def test_an_interrupted_change_is_taken_back_first_and_told(cache: Path, insert, tmp_path: Path) -> None:
    from calmap.cache.journal import Record
    from calmap.cache.ledger import Ledger

    with changing(Layout(cache)):
        pass
    Ledger(cache).journal.begin(Record(1, "Insert other.fits", (), (), (), None, ()))

    dry = insert(reference(tmp_path), "--dry-run")
    result = insert(reference(tmp_path))

    assert "warning: the change 'Insert other.fits' of the cache" in dry.stderr
    assert result.exit_code == 0
    assert result.stderr == "note: took back the change 'Insert other.fits', which had been interrupted\n"


# Rules that compete


def test_files_that_match_alike_are_refused(cache: Path, insert, tmp_path: Path) -> None:
    before = tree(cache)
    twin = NEW.replace("_0.0.1", "_0.0.2")

    result = insert(reference(tmp_path), reference(tmp_path, twin))

    refused(result, 1, f"{twin} has the same rule and date as {NEW}", "only one of them would be chosen")
    assert tree(cache) == before


def test_a_special_case_of_equal_weight_is_refused(
    insert, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    path = reference(tmp_path, "IRIS_IMG1_DARK_20251202T000000_0.0.1.fits", DARK)

    result = insert(path)

    assert result.exit_code == 1
    assert result.stderr.replace(str(path), "NEW") == snapshot


def test_a_rule_that_hides_it_is_told(cache: Path, insert, tmp_path: Path) -> None:
    rules = "    ('0.0.0', 'IMG1', 'DEFAULT', 'H', 'CLEAR') : ClosestTime({\n"
    everything = "    ('0.0.0', 'IMG1', 'DEFAULT', '*', '*') : ClosestTime({\n"
    everything += "        '2020-01-01 00:00:00' : 'all.fits',\n    }),\n"
    replaced(cache / RMAP, rules, everything + rules)

    result = insert(reference(tmp_path, P_FILTER="N/A"))

    assert result.exit_code == 0
    assert "it is never chosen" in result.stdout


# What can't be inserted


def test_the_same_name_with_other_content(cache: Path, insert, tmp_path: Path) -> None:
    before = tree(cache)

    refused(
        insert(reference(tmp_path, FLAT)),
        1,
        "is there already, with other content",
        "give the new one another name",
    )

    assert tree(cache) == before


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"FILTER": None}, ("no value for META.INSTRUMENT.FILTER", "FILTER")),
        ({"USEAFTER": None, "DATE": None}, ("no useafter date", "set USEAFTER")),
        ({"USEAFTER": "yesterday"}, ("USEAFTER", "yesterday")),
        ({"DETECTOR": "IMG11"}, ("'IMG11' is no value of iris", "did you mean IMG1?")),
        ({"PUPIL": "OPEN|CLEAR"}, ("'OPEN' is no value of iris", "allowed are CLEAR")),
        ({"REFTYPE": None}, ("the header names no reference type", "--type")),
        ({"REFTYPE": "flatt"}, ("REFTYPE = 'flatt' is no reference type of iris", "did you mean 'flat'?")),
        ({"INSTRUME": "SCALES"}, ("SCALES",)),
        ({"INSTRUME": None}, ("INSTRUME",)),
    ],
)
def test_headers_that_do_not_do(
    cache: Path, insert, tmp_path: Path, header: dict, words: tuple[str, ...]
) -> None:
    before = tree(cache)

    refused(insert(reference(tmp_path, **header)), 1, NEW, *words)

    assert tree(cache) == before
    assert not (cache / ".calmap").exists()


def test_the_type_can_be_given(insert, tmp_path: Path) -> None:
    result = insert(reference(tmp_path, REFTYPE=None), "--type", "FLAT")

    assert "ligeriri_iris_flat_0002.rmap" in result.stdout
    refused(
        insert(reference(tmp_path), "--type", "nonsense"),
        1,
        "has no rules for the type nonsense",
        "calmap new-mapping",
    )


def test_every_file_is_looked_at(cache: Path, insert, tmp_path: Path) -> None:
    good, bad = reference(tmp_path), reference(tmp_path, "a.fits", FILTER=None)

    refused(insert(bad, good, tmp_path / "none.fits"), 1, "a.fits", "none.fits")

    assert not later(cache / PMAP).exists()


def unreadable(kind: str, folder: Path) -> Path:
    path = folder / "bad.fits"
    if kind == "directory":
        path.mkdir()
    elif kind == "pointer":
        path.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 8640\n")
    elif kind == "truncated":
        path.write_bytes(reference(folder).read_bytes()[:1000])
    elif kind == "text":
        path.write_text("nothing of the kind")
    elif kind == "empty":
        path.touch()
    return path


@pytest.mark.parametrize("kind", ["directory", "pointer", "truncated", "text", "empty", "missing"])
def test_files_that_can_not_be_read(cache: Path, insert, tmp_path: Path, kind: str) -> None:
    result = insert(unreadable(kind, tmp_path))

    refused(result, 1, "bad.fits")
    assert not (cache / ".calmap").exists()
    if kind == "pointer":
        assert "LFS" in result.stderr


@pytest.mark.parametrize("name", ["a b.fits", "-a.fits", "é\x1b[31m.fits", ".fits", "a'b.fits"])
def test_names_that_can_not_be(cache: Path, insert, tmp_path: Path, name: str) -> None:
    result = insert("--", reference(tmp_path, "good.fits").rename(tmp_path / name))

    refused(result, 1, "can't be the name of a reference")
    assert "\x1b" not in result.output


# Caches that are not in order


def test_a_type_that_says_not_applicable(cache: Path, insert, tmp_path: Path) -> None:
    replaced(cache / IMAP, "'ligeriri_iris_flat_0001.rmap'", "'N/A'")

    refused(insert(reference(tmp_path)), 1, "says N/A for the type flat", "calmap new-mapping iris flat")


def test_a_mapping_that_does_not_parse(cache: Path, insert, tmp_path: Path) -> None:
    (cache / RMAP).write_text((cache / RMAP).read_text().replace("selector = Match(", "selector = Match(("))

    refused(insert(reference(tmp_path)), 1, "ligeriri_iris_flat_0001.rmap:2", "calmap check tells more")


def test_a_mapping_that_is_not_there(cache: Path, insert, tmp_path: Path) -> None:
    (cache / RMAP).unlink()

    refused(insert(reference(tmp_path)), 1, "ligeriri_iris_flat_0001.rmap is not in")


@pytest.mark.parametrize(
    ("context", "code"), [("ligeriri_0009.pmap", 3), ("nonsense", 2), ("../../x.pmap", 2)]
)
def test_a_context_that_is_not_there(insert, tmp_path: Path, context: str, code: int) -> None:
    refused(insert(reference(tmp_path), "--context", context), code, Path(context).name)


def test_a_series_that_is_full(cache: Path, insert, tmp_path: Path) -> None:
    shutil.copy(cache / RMAP, cache / RMAP.replace("0001", "9999"))
    before = tree(cache)

    refused(insert(reference(tmp_path)), 3, "has reached 9999", "another name")

    assert tree(cache) == before


def test_wrong_usage(insert, tmp_path: Path) -> None:
    refused(insert(), 2, "Missing argument 'FILES...'")
    refused(insert(reference(tmp_path), "--dry-run", "--git"), 2, "--dry-run and --git can't go together")


# Git


@pytest.fixture
def repo(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache as a repository."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    repository(cache)
    git(cache, "config", "user.name", "Tester")
    git(cache, "config", "user.email", "tester@example.org")
    return cache


def state(repo: Path) -> tuple[object, ...]:
    return (
        tree(repo),
        git(repo, "status", "--porcelain"),
        git(repo, "branch", "--all"),
        git(repo, "rev-parse", "HEAD"),
    )


def test_git_makes_one_commit_on_a_branch(
    repo: Path, insert, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    (repo / "staged.txt").write_text("staged")
    git(repo, "add", "staged.txt")
    (repo / PMAP).write_text((repo / PMAP).read_text() + "# not yet committed\n")
    before = git(repo, "status", "--porcelain")

    result = insert(reference(tmp_path), "--git")

    assert result.exit_code == 0, result.stderr
    assert result.stdout.endswith("now ligeriri_0002.pmap, committed on the branch calmap/ligeriri_0002\n")
    assert git(repo, "rev-list", "--count", "main..calmap/ligeriri_0002") == "1\n"
    assert git(repo, "show", "--format=%B", "--name-status", "HEAD") == snapshot
    assert git(repo, "status", "--porcelain") == before
    assert git(repo, "branch", "--show-current") == "calmap/ligeriri_0002\n"


def test_git_with_a_detached_head_and_a_branch_of_that_name(repo: Path, insert, tmp_path: Path) -> None:
    git(repo, "branch", "calmap/ligeriri_0002")
    git(repo, "checkout", "--quiet", "--detach")

    result = insert(reference(tmp_path), "--git")

    assert "committed on the branch calmap/ligeriri_0002-2" in result.stdout
    assert git(repo, "branch", "--show-current") == "calmap/ligeriri_0002-2\n"


@pytest.mark.parametrize("does", ["", "echo '# mended' >> mappings/ligeriri/ligeriri_iris_flat_0002.rmap"])
@pytest.mark.parametrize("detached", [False, True])
def test_a_hook_that_fails_takes_all_back(
    repo: Path, insert, tmp_path: Path, does: str, *, detached: bool
) -> None:
    if detached:
        git(repo, "checkout", "--quiet", "--detach")
    (repo / "staged.txt").write_text("staged")
    git(repo, "add", "staged.txt")
    hook = repo / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{does}\necho 'not on a Friday' >&2\nexit 1\n")
    hook.chmod(0o755)
    before = state(repo)

    refused(insert(reference(tmp_path), "--git"), 3, "git commit in", "not on a Friday")

    assert state(repo) == before


def test_git_in_place(repo: Path, insert, tmp_path: Path) -> None:
    assert insert(reference(tmp_path), "--git", "--in-place").exit_code == 0

    assert (
        git(repo, "show", "--format=", "--name-status", "HEAD")
        == f"M\t{RMAP}\nA\treferences/ligeriri/iris/{NEW}\n"
    )
    assert git(repo, "status", "--porcelain") == ""


def test_git_of_a_cache_in_a_subfolder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    cache = demo_cache(tmp_path / "repo")
    repository(tmp_path / "repo")
    git(tmp_path / "repo", "config", "user.name", "Tester")
    git(tmp_path / "repo", "config", "user.email", "tester@example.org")

    result = calmap(cache, "insert-reference", reference(tmp_path), "--git")

    assert result.exit_code == 0, result.stderr
    names = git(tmp_path / "repo", "show", "--format=", "--name-only", "HEAD").splitlines()
    assert len(names) == 4
    assert all(name.startswith("cache/") for name in names)


def test_git_without_a_repository(
    cache: Path, insert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    before = tree(cache)

    refused(insert(reference(tmp_path), "--git"), 3, "not a git repository", "leave out --git")

    assert tree(cache) == before
    assert not (cache / ".calmap").exists()


def test_git_that_does_not_know_who_commits(repo: Path, insert, tmp_path: Path) -> None:
    git(repo, "config", "--unset", "user.name")
    git(repo, "config", "--unset", "user.email")
    git(repo, "config", "user.useConfigOnly", "true")
    before = state(repo)

    refused(insert(reference(tmp_path), "--git"), 3, "git does not know who commits", "set user.name and")

    assert state(repo) == before
    assert not (repo / ".calmap").exists()


def test_a_reference_that_no_lfs_pattern_takes_is_told(repo: Path, insert, tmp_path: Path) -> None:
    (repo / ".gitattributes").write_text("*.asdf filter=lfs diff=lfs merge=lfs -text\n")

    result = insert(reference(tmp_path))

    words = " ".join(result.stdout.split())
    assert f"warning: no pattern of .gitattributes gives {NEW} to Git LFS, which keeps others" in words


def test_a_file_that_changes_after_its_header_was_read_is_refused(cache: Path, tmp_path: Path) -> None:
    path = reference(tmp_path)
    opened = Cache(cache)
    before = tree(cache)

    def plan() -> Change:
        rules = opened.context("ligeriri_0001.pmap").rules
        delivery = plan_insertion(rules, "ligeriri_0001.pmap", [path])
        path.write_bytes(path.read_bytes() + b" " * 2880)
        return Change("Insert", delivery.revision, delivery.copies)

    with pytest.raises(FileChangedError, match="has changed since it was read"):
        make(opened.layout, plan)
    assert tree(cache) == before


@pytest.mark.parametrize("name", ["OMIT", "N_A.rmap", "x.pmap"])
def test_words_of_rules_are_no_names_of_files(cache: Path, insert, tmp_path: Path, name: str) -> None:
    before = tree(cache)
    path = reference(tmp_path).rename(tmp_path / name)

    refused(insert(path), 1, f"'{name}' can't be the name of a reference")
    assert tree(cache) == before


def test_a_file_that_was_cut_off_is_refused(cache: Path, insert, tmp_path: Path) -> None:
    before = tree(cache)
    path = reference(tmp_path)
    path.write_bytes(path.read_bytes()[:-8000])

    refused(insert(path), 1, "ends before its data do", "cut off")
    assert tree(cache) == before


@pytest.mark.parametrize("value", ["|||", " | "])
def test_empty_patterns_do_not_count(insert, tmp_path: Path, value: str) -> None:
    result = insert(reference(tmp_path, P_READMO=value))

    assert result.exit_code == 0
    assert "META.EXPOSURE.READMODE    DEFAULT" in result.stdout


def test_git_with_a_locked_index_stays_on_its_branch(repo: Path, insert, tmp_path: Path) -> None:
    (repo / ".git/index.lock").touch()
    before = state(repo)

    refused(insert(reference(tmp_path), "--git"), 3, "index.lock")
    assert state(repo) == before
    assert git(repo, "branch", "--show-current") == "main\n"


def test_a_report_that_can_not_be_printed_does_not_hide_the_change(cache: Path, tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("the system has no /dev/full")
    command = (sys.executable, "-m", "calmap", "insert-reference", str(reference(tmp_path)))

    with full.open("w") as stdout:
        done = subprocess.run(
            command, cwd=cache, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False
        )

    assert done.returncode == 3
    assert "note: the change is made" in done.stderr
    assert (cache / RMAP.replace("0001", "0002")).exists()
