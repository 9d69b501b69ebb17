"""``calmap sync`` makes a local cache what one elsewhere is."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from astropy.io import fits
from click.testing import CliRunner
from remote_servers import CONTEXT, ROOT, SUMS, demo_cache, list_files, pieces, web_server
from rich.console import Console

from calmap.cache.remote.trouble import StaleWarning
from calmap.cli.main import cli
from calmap.cli.options import Invocation
from calmap.cli.transfer import Transfer

DARK = "IRIS_IMG1_DARK_20250312T003000_0.0.1.fits"
PLACE = f"references/ligeriri/iris/{DARK}"
RMAP = "mappings/ligeriri/ligeriri_iris_dark_0001.rmap"
EXPOSURE = "exposures/2025A-P207-002_IRIS_IMG1_SCI-M92-K-4.0_LVL0_0001-00.fits"
INTERRUPTED = 130


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    """Try again at once."""
    patient = SimpleNamespace(sleep=lambda _: None, monotonic=lambda: 0.0)
    monkeypatch.setattr("calmap.cache.remote.patience.time", patient)


@pytest.fixture
def origin(tmp_path):
    """A cache to copy."""
    return demo_cache(tmp_path / "origin")


@pytest.fixture
def local(tmp_path):
    """Where the copy shall be."""
    return tmp_path / "local"


@pytest.fixture
def sync(tmp_path, origin, local):
    """Run it, from the origin into the local folder."""

    def run(*arguments, stdin=None, cwd=None):
        command = ["sync", "--from", "origin", "--cache", "local", *arguments]
        invocation = Invocation({"CALMAP_MIRRORS": str(tmp_path / "mirrors")}, cwd or tmp_path)
        return CliRunner().invoke(
            cli, command, obj=invocation, prog_name="calmap", input=stdin, catch_exceptions=False
        )

    return run


def contents(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.relative_to(root).parts[0] not in (".origin", SUMS)
    }


def spoil(path: Path) -> None:
    """Flip a bit in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def told(result, folder):
    return re.sub(r"file://\S*/origin", "URL", result.stdout).replace(str(folder), "FOLDER")


def test_everything_comes(sync, origin, local, tmp_path, snapshot):
    list_files(origin)

    result = sync()

    assert result.exit_code == 0, result.output
    assert contents(local) == contents(origin)
    assert told(result, tmp_path) == snapshot
    assert not pieces(local)


def test_a_second_run_has_nothing_to_do(sync, origin, local, tmp_path, snapshot):
    list_files(origin)
    sync()
    before = {path: path.stat().st_mtime_ns for path in local.rglob("*.*map")}

    result = sync("--check")

    assert result.exit_code == 0
    assert told(result, tmp_path) == snapshot
    assert {path: path.stat().st_mtime_ns for path in local.rglob("*.*map")} == before


def test_what_no_digest_proves_is_told(sync, tmp_path, snapshot):
    assert told(sync(CONTEXT), tmp_path) == snapshot


def test_json(sync, origin):
    list_files(origin)
    (origin / PLACE).unlink()

    result = sync("--format", "json")
    data = json.loads(result.stdout)

    assert result.exit_code == 1
    assert data["contexts"] == [CONTEXT]
    assert data["from"] == f"file://{origin}"
    rows = {Path(row["path"]).name: row for row in data["files"]}
    assert rows[DARK]["fate"] == "absent"
    assert {row["fate"] for name, row in rows.items() if name != DARK} == {"fetched"}
    assert {row["verified_by"] for name, row in rows.items() if name != DARK} == {SUMS}


def test_only_what_datasets_need(sync, local, tmp_path):
    (tmp_path / "list.txt").write_text(f"{ROOT / EXPOSURE}\n# no more\n")

    result = sync("--datasets", "@list.txt")

    assert result.exit_code == 0, result.output
    names = {path.name for path in local.glob("references/*/*/*")}
    asked = CliRunner().invoke(
        cli,
        ["bestref", "--cache", str(local), "--format", "paths", str(ROOT / EXPOSURE)],
        obj=Invocation({}, tmp_path),
    )
    assert asked.exit_code == 0
    assert {Path(line).name for line in asked.stdout.splitlines()} == names


def test_only_what_tables_need(sync, local, tmp_path):
    (tmp_path / "one").mkdir()
    shutil.copy(ROOT / EXPOSURE, tmp_path / "one")
    header = {str(key): str(value) for key, value in fits.getheader(ROOT / EXPOSURE).items() if key}
    (tmp_path / "table.csv").write_text(",".join(header) + "\n" + ",".join(header.values()) + "\n")
    sync("--datasets", "one")
    expected = {path.name for path in local.glob("references/*/*/*")}
    shutil.rmtree(local)

    result = sync("--table", str(tmp_path / "table.csv"))

    assert result.exit_code == 0, result.output
    assert {path.name for path in local.glob("references/*/*/*")} == expected


def test_a_dataset_that_can_not_be_read(sync, tmp_path):
    (tmp_path / "bad.fits").write_text("nothing")

    result = sync("--datasets", "bad.fits", "--prune", "--yes")

    assert result.exit_code == 3
    assert "bad.fits" in result.stdout


def test_mappings_only(sync, local):
    assert sync("--no-references").exit_code == 0
    assert len(list(local.glob("mappings/*/*"))) == 13
    assert not (local / "references").exists()


def test_older_contexts(sync, origin, local):
    text = (origin / "mappings/ligeriri" / CONTEXT).read_text()
    (origin / "mappings/ligeriri/ligeriri_0002.pmap").write_text(text)

    assert sync("--no-references").exit_code == 0
    assert not (local / "mappings/ligeriri" / CONTEXT).exists()
    assert sync(CONTEXT, "ligeriri_0002.pmap", "--no-references").exit_code == 0
    assert (local / "mappings/ligeriri" / CONTEXT).exists()


@pytest.mark.parametrize("listed", [True, False])
def test_damage_is_found_and_mended(sync, origin, local, listed):
    if listed:
        list_files(origin)
    sync()
    spoil(local / RMAP.replace("iris_dark", "liger_flat"))
    with (local / PLACE).open("ab") as file:
        file.truncate(5000)
    good = contents(origin)

    found = sync("--check")
    assert found.exit_code == 1
    assert "1 damaged" in found.stdout
    assert DARK in found.stdout
    assert contents(local) != good

    planned = sync("--repair", "--dry-run")
    assert planned.exit_code == 1
    assert contents(local) != good

    mended = sync("--repair")
    assert mended.exit_code == 0, mended.output
    assert "1 repaired" in mended.stdout
    assert contents(local) == good


def test_checksums_of_fits_files_are_looked_at(sync, origin, local):
    for name in (PLACE, PLACE.replace("003000", "000000")):
        with fits.open(origin / name) as file:
            file.writeto(origin / name, checksum=True, overwrite=True)
    sync()
    spoil(local / PLACE)

    found = sync("--check", "--format", "json")

    assert found.exit_code == 1
    rows = {Path(row["path"]).name: row for row in json.loads(found.stdout)["files"]}
    assert rows[DARK]["fate"] == "damaged"
    assert "DATASUM does not hold" in rows[DARK]["note"]
    assert rows[DARK.replace("003000", "000000")]["verified_by"] == "its own CHECKSUM"
    assert sync("--repair").exit_code == 0
    assert contents(local) == contents(origin)


def test_a_checksum_that_is_wrong_in_the_cache_too(sync, origin, local):
    with fits.open(origin / PLACE) as file:
        file.writeto(origin / PLACE, checksum=True, overwrite=True)
    spoil(origin / PLACE)
    sync()

    result = sync("--repair", "--format", "json")

    rows = {Path(row["path"]).name: row for row in json.loads(result.stdout)["files"]}
    assert rows[DARK]["fate"] == "kept"
    assert "there as here" in rows[DARK]["note"]
    assert contents(local) == contents(origin)


def test_damage_in_the_cache_never_comes_here(sync, origin, local):
    list_files(origin)
    spoil(origin / PLACE)

    result = sync()

    assert result.exit_code == 1
    assert "1 damaged" in result.stdout
    assert not (local / PLACE).exists()
    assert not pieces(local)
    sync("--repair")
    assert not (local / PLACE).exists()


def test_good_files_outlive_a_damaged_cache(sync, origin, local):
    list_files(origin)
    sync()
    good = contents(local)
    spoil(origin / PLACE)

    assert sync("--repair").exit_code == 0
    assert contents(local) == good


def test_a_dry_run_writes_nothing(sync, local, tmp_path, snapshot):
    result = sync("--dry-run")

    assert result.exit_code == 0
    assert told(result, tmp_path) == snapshot
    assert not local.exists()


@pytest.fixture
def crowded(sync, origin, local):
    """A local cache with more than is needed: an older context, strangers, links, another telescope."""
    text = (origin / "mappings/ligeriri" / CONTEXT).read_text()
    (origin / "mappings/ligeriri/ligeriri_0002.pmap").write_text(text)
    shutil.copy(origin / PLACE, origin / "references/ligeriri/iris/old.fits")
    shutil.copy(origin / PLACE, origin / "references/ligeriri/iris/changed.fits")
    list_files(origin)
    sync(CONTEXT)
    folder = local / "references/ligeriri/iris"
    shutil.copy(origin / PLACE, folder / "old.fits")
    (folder / "changed.fits").write_text("this is not what the cache has")
    (folder / "stranger.fits").write_text("mine")
    (folder / "link.fits").symlink_to(folder / DARK)
    (local / "mappings/ligeriri/ligeriri_0007.pmap").write_text(text)
    (local / "mappings/hst").mkdir()
    (local / "mappings/hst/hst_0001.pmap").write_text("other")
    (local / "notes.txt").write_text("mine")
    return local


STAYS = {
    "references/ligeriri/iris/changed.fits",
    "references/ligeriri/iris/stranger.fits",
    "references/ligeriri/iris/link.fits",
    "mappings/ligeriri/ligeriri_0007.pmap",
    "mappings/hst/hst_0001.pmap",
    "notes.txt",
}
GOES = {"references/ligeriri/iris/old.fits", f"mappings/ligeriri/{CONTEXT}"}


def test_pruning(sync, crowded, tmp_path, snapshot):
    before = set(contents(crowded))

    result = sync("ligeriri_0002.pmap", "--prune", "--yes")

    assert result.exit_code == 0, result.output
    after = set(contents(crowded))
    assert before - after == GOES
    assert after >= STAYS
    assert told(result, tmp_path) == snapshot


def test_pruning_is_shown_first(sync, crowded):
    sync("ligeriri_0002.pmap")
    before = contents(crowded)

    result = sync("ligeriri_0002.pmap", "--prune", "--dry-run")

    assert result.exit_code == 0
    assert "old.fits" in result.stdout
    assert contents(crowded) == before


def test_pruning_asks(sync, crowded, monkeypatch):
    assert sync("ligeriri_0002.pmap", "--prune").exit_code == 2

    monkeypatch.setattr("calmap.cli.sync.has_reader", lambda: True)
    before = contents(crowded)
    result = sync("ligeriri_0002.pmap", "--prune", stdin="n\n")
    assert "Remove 2 files" in result.stderr
    assert set(contents(crowded)) >= set(before)
    result = sync("ligeriri_0002.pmap", "--prune", stdin="y\n")
    assert set(before) - set(contents(crowded)) == GOES


def test_nothing_is_pruned_when_the_needs_are_unknown(sync, origin, crowded):
    (origin / "mappings/ligeriri/ligeriri_0002.pmap").write_text("header = {\n")
    list_files(origin)
    before = contents(crowded)

    result = sync("ligeriri_0002.pmap", "--prune", "--yes")

    assert result.exit_code == 3
    assert set(contents(crowded)) >= set(before)


def test_a_file_that_was_changed_here_stays_though_it_is_as_long(sync, origin, crowded):
    """Where no list of checksums tells that the cache elsewhere has another one."""
    (origin / SUMS).unlink()
    shutil.rmtree(crowded / ".origin")
    spoil(crowded / "references/ligeriri/iris/old.fits")
    text = (origin / "mappings/ligeriri" / CONTEXT).read_text()
    (origin / "mappings/ligeriri/ligeriri_0007.pmap").write_text(text[::-1])
    before = set(contents(crowded))

    result = sync("ligeriri_0002.pmap", "--prune", "--yes")

    assert result.exit_code == 0, result.output
    assert before - set(contents(crowded)) == {f"mappings/ligeriri/{CONTEXT}"}
    assert not pieces(crowded)


def test_a_cache_is_not_pruned_by_itself(tmp_path, origin, crowded):
    """What a link or a mount makes look like a copy can't be fetched again."""
    alias = tmp_path / "alias"
    alias.symlink_to(origin)
    before = contents(origin)
    command = ["sync", "--cache", str(origin), CONTEXT, "--prune", "--yes", "--from"]
    for source in (origin, alias, f"file://{alias}"):
        result = CliRunner().invoke(cli, [*command, str(source)], obj=Invocation({}, tmp_path))
        assert result.exit_code == 2
        assert "is the cache that files come from" in result.stderr

    shutil.rmtree(crowded / "mappings")
    (crowded / "mappings").symlink_to(origin / "mappings")
    command[2] = str(crowded)
    assert CliRunner().invoke(cli, [*command, str(origin)], obj=Invocation({}, tmp_path)).exit_code == 0
    assert contents(origin) == before


def test_folders_that_are_linked_are_not_pruned(sync, crowded, tmp_path):
    """What a link leads to may be somebody else's."""
    own, shared = crowded / "references/ligeriri", tmp_path / "shared"
    own.rename(shared)
    own.symlink_to(shared)
    before = contents(shared)

    assert sync("ligeriri_0002.pmap", "--prune", "--yes").exit_code == 0
    assert contents(shared) == before


def test_references_stay_if_nobody_asks_about_them(sync, crowded):
    result = sync("ligeriri_0002.pmap", "--prune", "--yes", "--no-references")

    assert result.exit_code == 0
    assert (crowded / "references/ligeriri/iris/old.fits").exists()
    assert not (crowded / "mappings/ligeriri" / CONTEXT).exists()


def test_a_flat_cache_stays_flat(sync, origin, local):
    (local / "mappings").mkdir(parents=True)
    (local / "config").mkdir()
    (local / "config/ref_cache_subdir_mode").write_text("flat\n")

    assert sync().exit_code == 0
    assert (local / "references/ligeriri" / DARK).is_file()
    assert not (local / "references/ligeriri/iris").exists()
    assert sync("--check").exit_code == 0


def test_mappings_go_where_mappings_are(sync, origin, local):
    """Also in a cache of one telescope, which has them right in its folder of mappings."""
    shutil.copytree(origin / "mappings/ligeriri", local / "mappings")
    text = (origin / "mappings/ligeriri" / CONTEXT).read_text()
    (origin / "mappings/ligeriri/ligeriri_0002.pmap").write_text(text)

    assert sync("--no-references").exit_code == 0
    assert (local / "mappings/ligeriri_0002.pmap").is_file()
    assert not (local / "mappings/ligeriri").exists()


def test_own_definitions_stay(sync, origin, local):
    text = (ROOT / "calmap/observatories/ligeriri.yaml").read_text()
    there, here = (root / "config/ligeriri/observatory.yaml" for root in (origin, local))
    there.write_text(text)
    sync("--no-references")
    assert here.read_text() == text
    there.write_text(text + "# newer\n")
    sync("--no-references")
    assert here.read_text() == text + "# newer\n"

    here.write_text(text + "# mine\n")
    there.write_text(text + "# newest\n")
    sync("--no-references")
    assert here.read_text() == text + "# mine\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cache", "local"], "from where are files to come?"),
        (["--from", "origin"], "which folder is to be filled?"),
        (["--from", "none", "--cache", "local"], "none is neither a URL nor a cache"),
        (["--from", "origin", "--cache", "s3://a/b"], "which folder is to be filled?"),
        (["--from", "origin", "--cache", "other"], "is no cache, and not empty"),
        (["--from", "origin", "--cache", "local", "notes.txt"], "is not the name of a mapping"),
        (["--from", "origin", "--cache", "local", "--no-references", "--table", "x.csv"], "leaves nothing"),
        (["--cache", "s3://a/b", "--write-checksums"], "can't be written to"),
    ],
)
def test_wrong_usage(tmp_path, origin, arguments, message):
    (tmp_path / "other").mkdir()
    (tmp_path / "other/thesis.tex").write_text("mine")
    invocation = Invocation({"CALMAP_MIRRORS": str(tmp_path / "mirrors")}, origin.parent)

    result = CliRunner().invoke(cli, ["sync", *arguments], obj=invocation, prog_name="calmap")

    assert result.exit_code in (2, 3)
    assert message in result.stderr
    assert not (tmp_path / "local").exists()


def test_a_cache_that_is_found_is_not_filled(origin, tmp_path):
    shutil.copytree(origin, tmp_path / "mine")
    invocation = Invocation({}, tmp_path / "mine")

    result = CliRunner().invoke(cli, ["sync", "--from", str(origin)], obj=invocation)

    assert result.exit_code == 2
    assert "which folder is to be filled?" in result.stderr


def test_checksums_are_written(origin, tmp_path):
    invocation = Invocation({}, tmp_path)

    result = CliRunner().invoke(cli, ["sync", "--cache", "origin", "--write-checksums"], obj=invocation)

    assert result.exit_code == 0
    assert result.stdout == f"wrote {origin / SUMS} with 61 files\n"
    command = ["sync", "--cache", "origin", "--write-checksums", "--format", "json"]
    told = CliRunner().invoke(cli, command, obj=invocation).stdout
    assert json.loads(told) == {"file": str(origin / SUMS), "files": 61}
    assert not CliRunner().invoke(cli, [*command, "--quiet"], obj=invocation).output


def test_a_place_without_a_cache(origin, tmp_path):
    shutil.rmtree(origin / "mappings")
    invocation = Invocation({"CALMAP_MIRRORS": str(tmp_path / "mirrors")}, tmp_path)

    result = CliRunner().invoke(cli, ["sync", "--cache", f"file://{origin}"], obj=invocation)

    assert result.exit_code == 3
    assert "hint: is the URL right? name a context, or put" in result.stderr
    assert "--context" not in result.stderr


def calmap(tmp_path, *arguments):
    """Start the program itself."""
    variables = {**os.environ, "CALMAP_MIRRORS": str(tmp_path / "mirrors"), "HOME": str(tmp_path)}
    return subprocess.Popen(
        [sys.executable, "-m", "calmap", *arguments],
        env=variables,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_ended_leaves_nothing_half(origin, local, tmp_path, number):
    with web_server(origin) as web:
        web.faults[PLACE] = ["hang"]
        command = ["sync", "--from", web.url, "--cache", str(local), "--jobs", "2"]
        with calmap(tmp_path, *command) as process:
            assert web.hanging.wait(30)
            process.send_signal(number)
            if number is not signal.SIGKILL:
                web.released.set()
            process.communicate(timeout=30)
        assert process.returncode == (INTERRUPTED if number is signal.SIGINT else -number)
        assert not (local / PLACE).exists()
        assert bool(pieces(local)) == (number is signal.SIGKILL)
        came = contents(local)
        web.log.clear()

        with calmap(tmp_path, *command) as process:
            out, err = process.communicate(timeout=60)

        assert (process.returncode, err) == (0, ""), out
        assert not pieces(local)
        assert contents(local) == contents(origin)
        assert not [place for place in web.fetched() if place in came and place.endswith(".fits")]


def test_a_server_that_goes_down(origin, local, tmp_path, monkeypatch):
    with web_server(origin) as web:
        web.faults = {place: ["500!"] for place in contents(origin) if place.startswith("references/")}
        invocation = Invocation({}, tmp_path)
        result = CliRunner().invoke(
            cli, ["sync", "--from", web.url, "--cache", str(local), "--jobs", "1"], obj=invocation
        )

    assert result.exit_code == 3
    assert "47 not fetched" in result.stdout
    assert "it was not tried, as the cache has not answered" in result.stdout


def test_what_is_here_can_be_checked_without_the_cache(sync, origin, local, monkeypatch):
    list_files(origin)
    sync()
    spoil(local / PLACE)
    gone = origin.rename(origin.with_name("gone"))

    assert sync("--check").exit_code == 2
    url = f"file://{origin}"
    with pytest.warns(StaleWarning, match="checking by what is known here"):
        result = sync("--from", url, "--check", CONTEXT)
    assert result.exit_code == 1
    assert "46 there already, 1 damaged" in result.stdout
    assert contents(gone)


def test_the_mirror_of_a_cache_is_filled(origin, tmp_path):
    list_files(origin)
    invocation = Invocation({"CALMAP_MIRRORS": str(tmp_path / "mirrors")}, tmp_path)
    command = ["sync", "--cache", f"file://{origin}"]

    result = CliRunner().invoke(cli, command, obj=invocation, catch_exceptions=False)

    assert result.exit_code == 0
    (mirror,) = (tmp_path / "mirrors").iterdir()
    assert contents(mirror) == contents(origin)


def test_progress_on_a_terminal(monkeypatch):
    monkeypatch.setattr("calmap.cli.transfer._PATIENCE", -1.0)
    screen = StringIO()
    bar = Transfer(Console(file=screen, force_terminal=True, width=80))

    bar.begin("References", 4)
    bar.received(3_500_000)
    bar.done()
    bar.end()
    bar.received(1)

    assert "1 of 4 files, 3.5 MB" in screen.getvalue()


def test_mappings_in_tables_that_lead_out(sync, origin, local, tmp_path):
    path = origin / "mappings/ligeriri/ligeriri_iris_0001.imap"
    text = re.sub(r"\n.*sha1sum.*", "", path.read_text())
    path.write_text(text.replace("ligeriri_iris_dark_0001.rmap", "../../../evil.rmap"))
    (tmp_path / "evil.rmap").write_text("mine")

    result = sync("--no-references")

    assert "12 fetched" in result.stdout
    assert set(contents(local)) < set(contents(origin))
    assert (tmp_path / "evil.rmap").read_text() == "mine"


def test_names_in_rules_that_lead_out(sync, origin, local, tmp_path):
    path = origin / RMAP
    text = re.sub(r"\n.*sha1sum.*", "", path.read_text())
    path.write_text(text.replace(DARK, "../../../../evil.fits"))
    (tmp_path / "evil.fits").write_text("mine")
    before = {path for path in tmp_path.iterdir() if path != local}

    result = sync()

    assert "46 fetched" in result.stdout
    assert {path for path in tmp_path.iterdir() if path != local} == before
    assert set(contents(local)) < set(contents(origin))
