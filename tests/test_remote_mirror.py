"""Caches that are elsewhere, seen through a local folder."""

import json
import pickle
import re
import shutil
import sys
import uuid
import warnings
from pathlib import Path

import fsspec
import pytest
from click.testing import CliRunner
from remote_servers import CONTEXT, ROOT, SUMS, demo_cache, list_files, mirror_of, pieces

import calmap
from calmap.cache.layout import Layout
from calmap.cache.remote.mirror import Mirror
from calmap.cache.remote.partial import abandoned, arriving
from calmap.cache.remote.trouble import DamagedError, StaleWarning, UnreachableError
from calmap.cache.settings import resolve_settings
from calmap.cache.transaction import changing
from calmap.cli.main import cli
from calmap.cli.options import Invocation
from calmap.compat.crds import getreferences
from calmap.errors import CacheError, NotInCacheError, UsageError
from calmap.headers import read_header

DARK = "IRIS_IMG1_DARK_20250312T003000_0.0.1.fits"
PLACE = f"references/ligeriri/iris/{DARK}"
RMAP = "mappings/ligeriri/ligeriri_iris_dark_0001.rmap"
EXPOSURE = next(iter(sorted((ROOT / "exposures").glob("2025A*LVL0*.fits"))))


@pytest.fixture
def memory():
    """A file system in memory and the URL of a copy of the demonstration cache in it."""
    files = fsspec.filesystem("memory")
    url = f"memory://{uuid.uuid4().hex}/crds"
    for name in ("mappings", "references", "config"):
        files.put(f"{ROOT / name}/", f"{url}/{name}/", recursive=True)
    yield files, url
    files.rm(url, recursive=True)


@pytest.fixture
def disk(tmp_path):
    """A cache on disk and its URL."""
    folder = demo_cache(tmp_path / "origin")
    return folder, f"file://{folder}"


def here(root: Path) -> set[str]:
    """Files of a mirror."""
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {path.as_posix() for path in found if path.parts[0] != ".origin"}


def test_answers_are_those_of_the_cache(memory, tmp_path):
    _, url = memory
    header = read_header(EXPOSURE)
    plain = calmap.Cache(ROOT).context(CONTEXT).bestrefs(header)

    refs = calmap.Cache(mirror_of(url, tmp_path / "m")).context().bestrefs(header)

    assert {name: (ref.status, ref.files) for name, ref in refs.items()} == {
        name: (ref.status, ref.files) for name, ref in plain.items()
    }


def test_only_what_is_needed_comes(memory, tmp_path):
    _, url = memory
    context = calmap.Cache(mirror_of(url, tmp_path)).context()

    context.bestrefs(read_header(EXPOSURE), ["dark"])
    assert here(tmp_path) == {
        "config/ligeriri/ref_cache_subdir_mode",
        "mappings/ligeriri/ligeriri_0001.pmap",
        "mappings/ligeriri/ligeriri_iris_0001.imap",
        RMAP,
    }

    path = context.reference_path(DARK, "iris")
    assert path == tmp_path / PLACE
    assert path.read_bytes() == (ROOT / PLACE).read_bytes()
    assert not pieces(tmp_path)


def test_nothing_is_asked_for_twice(memory, tmp_path):
    files, url = memory
    calmap.Cache(mirror_of(url, tmp_path)).context(CONTEXT).reference_path(DARK, "iris")
    files.rm(url, recursive=True)

    context = calmap.Cache(mirror_of(url, tmp_path)).context(CONTEXT)

    assert context.reference_path(DARK, "iris").is_file()
    assert context.has_reference(DARK, "iris")
    files.mkdir(url)


def test_a_folder_that_is_gone_leaves_its_mirror(disk, tmp_path):
    folder, url = disk
    calmap.Cache(mirror_of(url, tmp_path / "m")).context()
    folder.rename(tmp_path / "gone")

    with pytest.warns(StaleWarning, match="there is no folder"):
        context = calmap.Cache(mirror_of(url, tmp_path / "m")).context()
    assert context.name == CONTEXT
    with pytest.raises(UnreachableError):
        context.reference_path(DARK, "iris")


def test_an_empty_mirror_of_nothing(tmp_path):
    with pytest.raises(UnreachableError, match="there is no folder"):
        calmap.Cache(mirror_of(f"file://{tmp_path}/none", tmp_path / "m")).context()


def test_the_newest_context_is_that_of_the_cache(disk, tmp_path):
    folder, url = disk
    mirror = mirror_of(url, tmp_path / "m")
    assert mirror.newest_context() == CONTEXT

    text = (folder / "mappings/ligeriri" / CONTEXT).read_text()
    (folder / "mappings/ligeriri/ligeriri_0002.pmap").write_text(text)

    assert mirror.newest_context() == "ligeriri_0002.pmap"
    assert mirror.contexts("ligeriri") == (CONTEXT, "ligeriri_0002.pmap")


def test_what_a_cache_does_not_have(memory, tmp_path):
    _, url = memory
    mirror = mirror_of(url, tmp_path)
    context = calmap.Cache(mirror).context()

    assert mirror.find_mapping("ligeriri_0009.pmap") is None
    with pytest.raises(NotInCacheError, match=r"mapping ligeriri_0009\.pmap is not in memory://"):
        mirror.mapping_path("ligeriri_0009.pmap")
    with pytest.raises(NotInCacheError, match=r"reference file none\.fits is not in memory://"):
        context.reference_path("none.fits", "iris")
    assert not context.has_reference("none.fits", "iris")


@pytest.mark.parametrize("name", ["../../evil.fits", "/etc/passwd", "a/b.fits", "..", ".hidden", "x\0.fits"])
def test_names_that_lead_out(memory, tmp_path, name):
    mirror = mirror_of(memory[1], tmp_path)

    with pytest.raises(CacheError, match="can't be the name of a"):
        mirror.reference_path(name, "ligeriri", "iris")
    with pytest.raises(CacheError, match="can't be the name of a"):
        mirror.reference_path(DARK, "ligeriri", name)
    with pytest.raises(CacheError, match="can't be the name of a"):
        mirror.find_mapping(name)


def test_names_that_a_server_lists(memory, tmp_path):
    files, url = memory
    for name in (
        "mappings/ligeriri/ligeriri_0009.pmap/x",
        "mappings/ligeriri/ ligeriri_0010.pmap",
        "mappings/-/a",
    ):
        files.pipe(f"{url}/{name}", b"x")

    assert mirror_of(url, tmp_path).contexts("ligeriri") == (CONTEXT,)
    assert mirror_of(url, tmp_path).observatories() == ("ligeriri",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no mapping"),
        (b"<html><body>Not now</body></html>", "no mapping"),
        (b"header = {}", "has the SHA-1|no mapping"),
    ],
)
def test_a_mapping_that_is_something_else(memory, tmp_path, content, words):
    files, url = memory
    files.pipe(f"{url}/{RMAP}", content)
    mirror = mirror_of(url, tmp_path)

    with pytest.raises(DamagedError, match=words):
        mirror.mapping_path(Path(RMAP).name)
    assert not (tmp_path / RMAP).exists()
    assert not pieces(tmp_path)


def test_a_mapping_that_was_changed(memory, tmp_path):
    files, url = memory
    text = files.cat(f"{url}/{RMAP}")
    files.pipe(f"{url}/{RMAP}", text.replace(b"20250312T003000", b"20250312T000000"))

    with pytest.raises(DamagedError, match=r"SHA-1 [0-9a-f]{12}…, [0-9a-f]{12}… was expected") as caught:
        mirror_of(url, tmp_path).mapping_path(Path(RMAP).name)
    assert "thrown away 3 times" in (caught.value.hint or "")


def test_a_mapping_without_checksum_is_taken_as_it_is(memory, tmp_path):
    files, url = memory
    lines = files.cat(f"{url}/{RMAP}").splitlines(keepends=True)
    files.pipe(f"{url}/{RMAP}", b"".join(line for line in lines if b"sha1sum" not in line))

    assert mirror_of(url, tmp_path).mapping_path(Path(RMAP).name).is_file()


@pytest.mark.parametrize(
    "content", [b"<!DOCTYPE html>\n<p>Log in</p>", b"version https://git-lfs.github.com/spec/v1"]
)
def test_a_reference_that_is_something_else(memory, tmp_path, content):
    files, url = memory
    files.pipe(f"{url}/{PLACE}", content)

    with pytest.raises(DamagedError, match=r"is a page of a server|begins with"):
        mirror_of(url, tmp_path).reference_path(DARK, "ligeriri", "iris")
    assert not (tmp_path / PLACE).exists()


def test_a_list_finds_every_damage(disk, tmp_path):
    folder, url = disk
    list_files(folder)
    data = bytearray((folder / PLACE).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / PLACE).write_bytes(data)

    with pytest.raises(DamagedError, match=r"SHA-256 [0-9a-f]{12}…, [0-9a-f]{12}… was expected"):
        mirror_of(url, tmp_path / "m").reference_path(DARK, "ligeriri", "iris")
    assert not (tmp_path / "m" / PLACE).exists()
    assert not pieces(tmp_path / "m")


def test_what_is_not_listed_is_not_there(disk, tmp_path):
    folder, url = disk
    list_files(folder)
    shutil.copy(folder / PLACE, folder / "references/ligeriri/iris/new.fits")
    mirror = mirror_of(url, tmp_path / "m")

    with pytest.raises(NotInCacheError, match=f"not listed in {SUMS}|is not in") as caught:
        mirror.reference_path("new.fits", "ligeriri", "iris")
    assert SUMS in (caught.value.hint or "")

    list_files(folder)
    assert mirror_of(url, tmp_path / "m").reference_path("new.fits", "ligeriri", "iris").is_file()


def test_a_list_that_is_gone_is_missed(disk, tmp_path):
    folder, url = disk
    list_files(folder)
    mirror_of(url, tmp_path / "m").newest_context()
    (folder / SUMS).unlink()

    with pytest.raises(CacheError, match="has lost its list of checksums"):
        mirror_of(url, tmp_path / "m").newest_context()


@pytest.mark.parametrize("mode", ["flat", "instrument", "legacy", ""])
def test_arrangements(disk, tmp_path, mode):
    folder, url = disk
    word = folder / "config/ligeriri/ref_cache_subdir_mode"
    if mode == "flat":
        for path in sorted((folder / "references/ligeriri").glob("*/*")):
            path.rename(folder / "references/ligeriri" / path.name)
    word.write_text(mode) if mode else word.unlink()

    path = mirror_of(url, tmp_path / "m").reference_path(DARK, "ligeriri", "iris")

    assert path.read_bytes() == (ROOT / PLACE).read_bytes()
    assert (path.parent.name == "ligeriri") == (mode == "flat")
    assert Layout(tmp_path / "m").reference_path(DARK, "ligeriri", "iris") == path


def test_definition_comes_along(disk, tmp_path):
    folder, url = disk
    source = ROOT / "calmap/observatories/ligeriri.yaml"
    text = source.read_text()
    (folder / "config/ligeriri/observatory.yaml").write_text(text + "\n# ours\n")

    mirror = mirror_of(url, tmp_path / "m")
    calmap.Cache(mirror).context()

    assert (tmp_path / "m/config/ligeriri/observatory.yaml").read_text().endswith("# ours\n")


def test_every_mapping_comes_when_all_are_asked_for(memory, tmp_path):
    names = {path.name for path in (ROOT / "mappings/ligeriri").glob("*.?map")}

    assert {path.name for path in mirror_of(memory[1], tmp_path).mapping_files()} == names


def test_a_mirror_is_not_changed(memory, tmp_path):
    mirror = mirror_of(memory[1], tmp_path)

    with pytest.raises(CacheError, match="is not changed from here"), changing(mirror):
        pass


def test_a_mirror_that_can_not_be_written(memory, tmp_path):
    (tmp_path / "m").write_text("a file where a folder should be")

    with pytest.raises(CacheError, match="can't be"):
        mirror_of(memory[1], tmp_path / "m").mapping_path(CONTEXT)


def test_mirrors_can_be_sent_to_other_processes(memory, tmp_path):
    mirror = mirror_of(memory[1], tmp_path)

    assert pickle.loads(pickle.dumps(mirror)).mapping_path(CONTEXT).is_file()
    assert hash(mirror) == hash(mirror_of(memory[1], tmp_path))
    assert mirror == mirror_of(memory[1], tmp_path)


def test_settings_name_a_mirror(tmp_path):
    (tmp_path / "calmap.toml").write_text('cache = "s3://bucket/crds"\nmirrors = "here"\n')
    settings = resolve_settings({"context": "hst_0001.pmap"}, {"HOME": str(tmp_path)}, tmp_path)

    assert settings.cache.value == "s3://bucket/crds"
    assert settings.mirror.value is not None
    assert Path(settings.mirror.value).parent == tmp_path / "here"
    assert Path(settings.mirror.value).name.startswith("s3-bucket-crds-")
    assert settings.mappings.value == f"{settings.mirror.value}/mappings"
    layout = settings.layout()
    assert isinstance(layout, Mirror)
    assert layout.origin == "s3://bucket/crds"
    assert not (tmp_path / "here").exists()


def test_a_cache_by_url(disk, tmp_path, monkeypatch):
    monkeypatch.setenv("CALMAP_MIRRORS", str(tmp_path / "mirrors"))
    cache = calmap.Cache(disk[1])

    assert cache.context().name == CONTEXT
    assert cache.root.parent == tmp_path / "mirrors"


@pytest.mark.parametrize("url", ["nonsense://x/y", "s3://"])
def test_urls_of_no_kind(tmp_path, url):
    with pytest.raises(UsageError):
        mirror_of(url, tmp_path).mapping_path(CONTEXT)


def test_what_killed_runs_left(tmp_path):
    with arriving(tmp_path / "a.fits") as part:
        left = tmp_path / ".b.fits.0123456789ab.part"
        left.touch()
        (tmp_path / ".c.fits.0123456789ab.tmp").touch()
        (tmp_path / ".d").touch()
        assert list(abandoned(tmp_path)) == [left]
        assert part.is_file()
    assert not part.exists()


def test_plain_caches_need_no_network(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert calmap.Cache(ROOT).layout.origin == ""


def run(tmp_path, *arguments):
    invocation = Invocation({"CALMAP_MIRRORS": str(tmp_path / "mirrors")}, tmp_path)
    return CliRunner().invoke(cli, arguments, obj=invocation, prog_name="calmap", catch_exceptions=False)


def test_commands_that_read(disk, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder, url = disk
    text = (folder / "mappings/ligeriri" / CONTEXT).read_text().replace("liger_0001.imap", "liger_0002.imap")
    (folder / "mappings/ligeriri/ligeriri_0002.pmap").write_text(re.sub(r"\n.*sha1sum.*", "", text))
    text = (folder / "mappings/ligeriri/ligeriri_liger_0001.imap").read_text()
    text = re.sub(r"\n.*(sha1sum|'FLAT'|'flat').*", "", text)
    (folder / "mappings/ligeriri/ligeriri_liger_0002.imap").write_text(text)

    there = run(tmp_path, "list", "contexts", "--cache", url)
    assert there.stdout.splitlines()[-1].split() == ["ligeriri", "ligeriri_0002.pmap"]
    for command in (
        ("check", CONTEXT),
        ("diff", CONTEXT, "ligeriri_0002.pmap"),
        ("uses", DARK),
        ("list", "references", "--context", CONTEXT),
        ("explain", "ligeriri_iris_dark_0001.rmap:47"),
    ):
        near = run(tmp_path, *command, "--cache", str(folder))
        far = run(tmp_path, *command, "--cache", url)
        assert far.exit_code == near.exit_code, near.output + far.output
        assert "ot in the cache" not in far.stdout
        words = [line.split()[:1] for line in far.stdout.splitlines()]
        assert words == [line.split()[:1] for line in near.stdout.splitlines()][: len(words)]
        assert len(words) == len(near.stdout.splitlines()) or command[0] == "explain"
        shutil.rmtree(tmp_path / "mirrors")


def test_a_package_that_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "gcsfs", None)

    for named in ((), ("--context", CONTEXT)):
        result = run(tmp_path, "bestref", str(EXPOSURE), "--cache", f"gs://{uuid.uuid4()}/crds", *named)
        assert result.exit_code == 3
        assert "a package for it is missing" in result.stderr
        assert "hint: pip install 'calmap-toolkit[remote]'" in result.stderr
        assert "which context" not in result.stderr


def test_a_folder_for_mirrors_that_can_not_be_made(disk, tmp_path):
    (tmp_path / "mirrors").write_text("in the way")

    for named in ((), ("--context", CONTEXT)):
        result = run(tmp_path, "bestref", str(EXPOSURE), "--cache", disk[1], *named)
        assert result.exit_code == 3
        assert f"error: {tmp_path}/mirrors/" in result.stderr
        assert "can't be" in result.stderr
        assert "CALMAP_MIRRORS names another folder" in result.stderr
        assert "which context" not in result.stderr
    shown = run(tmp_path, "config", "--cache", disk[1])
    assert shown.exit_code == 0
    assert f"{tmp_path}/mirrors/" in shown.stdout


def test_commands_that_write(disk, tmp_path):
    result = run(tmp_path, "delete-reference", DARK, "--cache", disk[1])

    assert result.exit_code == 3
    assert "is not changed from here" in result.stderr


def test_settings_are_shown(disk, tmp_path):
    data = json.loads(run(tmp_path, "config", "--cache", disk[1], "--format", "json").stdout)

    assert data["cache"]["value"] == disk[1]
    assert data["context"]["value"] == CONTEXT
    assert data["mirror"]["value"].startswith(str(tmp_path / "mirrors"))
    assert data["mirror"]["origin"] == "CALMAP_MIRRORS"


def test_functions_of_crds(disk, tmp_path, monkeypatch):
    monkeypatch.setenv("CALMAP_MIRRORS", str(tmp_path / "mirrors"))
    monkeypatch.setenv("CALMAP_CACHE", disk[1])

    found = getreferences(read_header(EXPOSURE), reftypes=["dark"], observatory="ligeriri")

    assert Path(found["dark"]).is_relative_to(tmp_path / "mirrors")
    assert Path(found["dark"]).is_file()


def test_a_new_definition_comes_with_the_newest_context(disk, tmp_path):
    folder, url = disk
    text = (ROOT / "calmap/observatories/ligeriri.yaml").read_text()
    mine = tmp_path / "m/config/ligeriri/observatory.yaml"
    mirror_of(url, tmp_path / "m").newest_context()
    assert not mine.exists()

    for words in ("# one\n", "# two\n"):
        (folder / "config/ligeriri/observatory.yaml").write_text(text + words)
        mirror_of(url, tmp_path / "m").newest_context()
        assert mine.read_text() == text + words
    (folder / "config/ligeriri/observatory.yaml").unlink()
    mirror_of(url, tmp_path / "m").newest_context()
    assert not mine.exists()


def test_lists_of_bad_files_come_along(disk, tmp_path):
    folder, url = disk
    (folder / "config/ligeriri/bad_files.txt").write_text(f"{DARK}\n")

    calmap.Cache(mirror_of(url, tmp_path / "m")).context(CONTEXT)

    assert (tmp_path / "m/config/ligeriri/bad_files.txt").read_text() == f"{DARK}\n"


def test_a_mirror_that_others_keep(disk, tmp_path, monkeypatch):
    folder, url = disk
    list_files(folder)
    calmap.Cache(mirror_of(url, tmp_path / "m")).context().reference_path(DARK, "iris")
    before = here(tmp_path / "m")
    kept = tmp_path / "m/.origin/SHA256SUMS"
    listed = kept.read_bytes()
    text = (folder / "mappings/ligeriri" / CONTEXT).read_text()
    (folder / "mappings/ligeriri/ligeriri_0002.pmap").write_text(text)
    list_files(folder)
    monkeypatch.setattr("calmap.cache.remote.listing.os.access", lambda *_: False)

    mirror = mirror_of(url, tmp_path / "m")

    assert mirror.newest_context() == "ligeriri_0002.pmap"
    assert calmap.Cache(mirror).context(CONTEXT).reference_path(DARK, "iris").is_file()
    assert here(tmp_path / "m") == before
    assert kept.read_bytes() == listed
