"""`calmap validity`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from deliveries import calmap, demo_cache, reference, tree
from git_repositories import git, repository
from syrupy.assertion import SnapshotAssertion

OLD, LATE = "IRIS_IMG1_DQ_20240901T000000_0.0.1.fits", "IRIS_IMG1_DQ_20250301T000000_0.0.1.fits"
NEW = "IRIS_IMG1_DQ_20250601T000000_0.0.1.fits"
RMAP = "ligeriri_iris_dq_0001.rmap"
APRIL = ("--begin", "2025-04-01", "--end", "2025-05-01")
EXPOSURE = {"INSTRUME": "IRIS", "DETECTOR": "IMG1", "SUBARRAY": "FULL"}


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return demo_cache(tmp_path)


@pytest.fixture
def validity(cache: Path):
    """Runs the command in the folder of the cache."""

    def run(*arguments: object, **variables: str):
        return calmap(cache, "validity", *arguments, **variables)

    return run


def chosen(cache: Path, date: str) -> str:
    """The answer of `calmap bestref` for an exposure of a date."""
    path = cache.parent / "exposure.json"
    path.write_text(json.dumps({**EXPOSURE, "DATE": date}))
    found = calmap(cache, "bestref", path, "--type", "dq", "--format", "json")
    return str(json.loads(found.stdout))


def test_show(validity, snapshot: SnapshotAssertion) -> None:
    result = validity("show", f"{RMAP}:29")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == snapshot


def test_show_is_the_same_by_line_path_and_context(cache: Path, validity) -> None:
    whole = validity("show", RMAP)

    assert validity("show", f"{RMAP}:30").stdout in whole.stdout
    assert validity("show", f"mappings/ligeriri/{RMAP}").stdout == whole.stdout
    assert validity("show", "--type", "dq", "--instrument", "iris").stdout == whole.stdout
    assert whole.stdout in validity("show", "--type", "DQ").stdout


def test_show_as_json(validity) -> None:
    (rule,) = json.loads(validity("show", f"{RMAP}:31", "--format", "json").stdout)

    assert rule == {
        "mapping": RMAP,
        "line": 29,
        "rule": {"META.INSTRUMENT.DETECTOR": "IMG1", "META.SUBARRAY.NAME": "GENERIC"},
        "spans": [
            {"begin": "2024-09-01 00:00:00", "end": "2025-03-01 00:00:00", "file": OLD},
            {"begin": "2025-03-01 00:00:00", "end": None, "file": LATE},
        ],
    }


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "name an rmap, or choose rules of the context with --type"),
        ((RMAP, "--type", "dq"), 2, "go with no RMAP"),
        ((f"{RMAP}:2",), 1, f"{RMAP}:2 has no rule with UseAfter"),
        (("ligeriri_iris_flat_0001.rmap",), 1, "has no rule with UseAfter, but ClosestTime"),
        (("--type", "bias"), 1, "ligeriri_0001.pmap has no rules for the type bias"),
        (("none.rmap",), 3, "none.rmap is not in"),
    ],
)
def test_what_can_not_be_shown(validity, arguments: tuple[str, ...], code: int, words: str) -> None:
    result = validity("show", *arguments)

    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr


def test_a_file_is_decertified_and_another_takes_its_place(
    cache: Path, validity, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    before = tree(cache)

    split = validity("decertify", LATE, *APRIL)
    filled = validity("certify", reference(tmp_path, NEW, LATE), *APRIL)

    assert (split.exit_code, filled.exit_code) == (0, 0), filled.stderr
    assert split.stdout + filled.stdout == snapshot
    for date, file in (
        *(("2025-03-31T23:59:59", LATE), ("2025-04-01T00:00:00", NEW)),
        *(("2025-04-30T23:59:59", NEW), ("2025-05-01T00:00:00", LATE)),
    ):
        assert file in chosen(cache, date)
    assert calmap(Path.cwd(), "check", cache).stdout == "No findings\n"
    assert before.items() <= tree(cache).items()
    assert (calmap(cache, "undo").exit_code, calmap(cache, "undo").exit_code) == (0, 0)
    assert tree(cache) == before


def test_an_overlap_changes_no_byte(cache: Path, validity) -> None:
    before = tree(cache)

    result = validity("certify", OLD, *APRIL)

    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{RMAP}:29: {OLD} can't be certified" in result.stderr
    assert f"{LATE} is certified from 2025-03-01 00:00:00 on" in result.stderr
    assert tree(cache) == before
    assert not (cache / ".calmap").exists()


def test_the_hint_is_the_way_out(cache: Path, validity) -> None:
    hint = validity("certify", OLD, *APRIL).stderr.partition("calmap validity ")[2]
    words = [word.strip() for part in hint.split("'") for word in ([part] if ":00" in part else part.split())]

    assert validity(*(word for word in words if word)).exit_code == 0
    assert validity("certify", OLD, *APRIL).exit_code == 0
    assert OLD in chosen(cache, "2025-04-15T00:00:00")


def test_in_place_and_in_a_dry_run(cache: Path, validity) -> None:
    before = tree(cache)

    dry = validity("decertify", LATE, *APRIL, "--dry-run")
    assert "+        '2025-04-01 00:00:00' : 'N/A',\n" in dry.stdout
    assert tree(cache) == before

    assert validity("decertify", LATE, *APRIL, "--in-place", "-q").output == ""
    assert [name for name, found in tree(cache).items() if before[name] != found] == [
        f"mappings/ligeriri/{RMAP}"
    ]


def test_json(validity) -> None:
    told = json.loads(validity("decertify", LATE, "--begin", "2025-04-01", "--format", "json").stdout)

    assert told["validities"] == [
        {
            "file": LATE,
            "instrument": "iris",
            "type": "dq",
            "old_mapping": RMAP,
            "old_line": 29,
            "mapping": "ligeriri_iris_dq_0002.rmap",
            "line": 29,
            "rule": {"META.INSTRUMENT.DETECTOR": "IMG1", "META.SUBARRAY.NAME": "GENERIC"},
            "before": [{"begin": "2025-03-01 00:00:00", "end": None}],
            "after": [{"begin": "2025-03-01 00:00:00", "end": "2025-04-01 00:00:00"}],
            "not_applicable": [{"begin": "2025-04-01 00:00:00", "end": None}],
            "nothing": [],
            "notes": [],
            "warnings": [],
        }
    ]
    assert (told["context"], told["new_context"]) == ("ligeriri_0001.pmap", "ligeriri_0002.pmap")
    assert (told["dry_run"], told["branch"]) == (False, None)


def test_git(cache: Path, validity, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    repository(cache)
    git(cache, "config", "user.name", "Tester")
    git(cache, "config", "user.email", "tester@example.org")

    result = validity("decertify", LATE, "--git")

    assert result.exit_code == 0, result.stderr
    assert git(cache, "show", "--format=%B", "--name-status", "HEAD") == snapshot
    assert git(cache, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("certify", OLD), 2, "Missing option '--begin'"),
        (("certify", OLD, "--begin", "soon"), 2, "Invalid value for '--begin': 'soon' is not a date"),
        (("certify", OLD, "--begin", "2025-02-01", "--end", "2025-01-01"), 2, "its end must be later"),
        (("certify", OLD, "--begin", "2025-02-01", "--rule", RMAP), 2, "write RMAP:LINE"),
        (("decertify", "none.fits"), 1, "no rule of ligeriri_0001.pmap leads to none.fits"),
        (("decertify", OLD, "--begin", "2025-03-01"), 1, f"{OLD} is not valid from 2025-03-01 00:00:00 on"),
        (("decertify", OLD, "--rule", f"{RMAP}:26"), 1, "no rule of"),
    ],
)
def test_what_can_not_be_changed(
    cache: Path, validity, arguments: tuple[str, ...], code: int, words: str
) -> None:
    before = tree(cache)

    result = validity(*arguments)

    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr
    assert tree(cache) == before
