"""Compiled mappings kept between runs: never in the way, whatever becomes of them."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import calmap
from calmap.cache import compiled
from calmap.cache.compiled import NO_STORE, CompiledStore, entry_key, sealed, unsealed
from calmap.cache.layout import Layout
from calmap.cache.rulesets import mapping_key, telescope
from calmap.cache.settings import compiled_store
from calmap.cli.main import cli
from calmap.errors import ObservatoryError
from calmap.headers import read_header

FRAME = "exposures/2024B-P123-008_IRIS_IMG1_SCI-J1458+1013-Y-4.0_LVL1_0001-00.fits"
CONTEXT = "ligeriri_0001.pmap"


@pytest.fixture
def store(tmp_path):
    return CompiledStore(tmp_path / "compiled")


@pytest.fixture
def header(repo_root):
    return read_header(repo_root / FRAME)


def answers(root: Path, store: CompiledStore, header) -> dict[str, tuple[str, ...]]:
    context = calmap.Cache(root, store).context(CONTEXT)
    return {name: (ref.status, ref.files, ref.reason) for name, ref in context.bestrefs(header).items()}


def entries(store: CompiledStore) -> list[Path]:
    return sorted(path for path in store.folder.rglob("*") if path.is_file())


def test_a_second_run_finds_what_the_first_compiled(repo_root, store, header, monkeypatch):
    first = answers(repo_root, store, header)
    kept = entries(store)
    monkeypatch.setattr("calmap.cache.rulesets.pack_mapping", None)

    assert answers(repo_root, store, header) == first == answers_without(repo_root, header, monkeypatch)
    assert entries(store) == kept


def answers_without(repo_root, header, monkeypatch):
    monkeypatch.undo()
    return answers(repo_root, NO_STORE, header)


def test_a_text_that_changes_is_compiled_anew(repo_root, store, header, tmp_path):
    root = tmp_path / "cache"
    mapping = root / "mappings/ligeriri/ligeriri_iris_dark_0001.rmap"
    mapping.parent.mkdir(parents=True)
    for path in (repo_root / "mappings/ligeriri").iterdir():
        (mapping.parent / path.name).write_bytes(path.read_bytes())
    before = answers(root, store, header)["dark"]

    mapping.write_text(mapping.read_text().replace(before[1][0], "ANOTHER_DARK.fits"))

    assert answers(root, store, header)["dark"][1] == ("ANOTHER_DARK.fits",)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.999])
def test_a_truncated_entry_counts_as_none_and_is_made_again(repo_root, store, header, share):
    first = answers(repo_root, store, header)
    whole = {path: path.read_bytes() for path in entries(store)}
    for path, data in whole.items():
        path.write_bytes(data[: int(len(data) * share)])

    assert answers(repo_root, store, header) == first
    assert {path: path.read_bytes() for path in entries(store)} == whole


def test_a_damaged_entry_counts_as_none(repo_root, store, header):
    first = answers(repo_root, store, header)
    for number, path in enumerate(entries(store)):
        data = bytearray(path.read_bytes())
        data[number * 37 % len(data)] ^= 0x10
        path.write_bytes(data)

    assert answers(repo_root, store, header) == first


@pytest.mark.parametrize("body", [b"", b"\x00", b"\x93\x01\x02\x03", b"\xff" * 100, None])
def test_what_somebody_else_put_there_counts_as_none(repo_root, store, header, body):
    first = answers(repo_root, store, header)
    for path in entries(store):
        path.write_bytes(b"something else" if body is None else sealed(path.name, body))

    assert answers(repo_root, store, header) == first


def test_entries_in_each_others_places_are_not_taken_for_each_other(repo_root, store, header):
    first = answers(repo_root, store, header)
    whole = [path.read_bytes() for path in entries(store)]
    for path, other in zip(entries(store), [*whole[1:], whole[0]], strict=True):
        path.write_bytes(other)

    assert answers(repo_root, store, header) == first


def test_a_folder_in_the_way_of_an_entry(repo_root, store, header):
    first = answers(repo_root, store, header)
    for path in entries(store):
        path.unlink()
        path.mkdir()

    assert answers(repo_root, store, header) == first
    assert entries(store) == []


def test_an_entry_that_is_used_stays_young(repo_root, store, header):
    """So that it is not among the oldest when room is made."""
    answers(repo_root, store, header)
    for path in entries(store):
        os.utime(path, (1, 1))

    answers(repo_root, store, header)

    used = [path for path in entries(store) if path.stat().st_mtime > 1]
    assert len(used) == len(entries(store))


def test_entries_belong_to_one_telescope(repo_root, store):
    """What is compiled from the same text may differ by the definition of the telescope."""
    definition = telescope(calmap.Cache(repo_root).layout, "ligeriri")
    others = [
        replace(definition, hooks=(*definition.hooks, "precondition_header_x_v1")),
        replace(definition, after_failure="other"),
        replace(definition, extra_keys=("X",)),
    ]

    assert len({mapping_key(b"text", each) for each in (definition, *others)}) == 4


def test_a_definition_tells_where_it_stands(repo_root, store, tmp_path):
    """Also when another cache has the same; and it is not that of another telescope."""
    found = []
    text = (repo_root / "calmap/observatories/ligeriri.yaml").read_text()
    for place in ("one/config/ligeriri", "two/config/ligeriri", "two/config/other"):
        path = tmp_path / place / "observatory.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(text)
        with suppress(ObservatoryError):
            found.append(telescope(Layout(path.parents[2]), path.parent.name, store))

    assert [Path(each.origin).parent for each in found] == [
        tmp_path / "one/config/ligeriri",
        tmp_path / "two/config/ligeriri",
    ]


def test_a_pipe_or_something_huge_in_the_place_of_an_entry(repo_root, store, header):
    first = answers(repo_root, store, header)
    for number, path in enumerate(entries(store)):
        path.unlink()
        if number % 2:
            os.mkfifo(path)
        else:
            with path.open("wb") as file:
                file.truncate(2**40)

    assert answers(repo_root, store, header) == first
    assert store.kept().size < 10**6


def test_two_versions_live_side_by_side(repo_root, store, header, monkeypatch):
    first = answers(repo_root, store, header)
    old = entries(store)

    monkeypatch.setattr(compiled, "COMPILER", "9.9.9-7-little")
    assert answers(repo_root, store, header) == first
    assert store.kept().entries == len(old) == store.kept().others
    monkeypatch.undo()

    assert answers(repo_root, store, header) == first
    assert len(entries(store)) == 2 * len(old)


_WARM = """
import sys, calmap
from calmap.cache.compiled import CompiledStore
from pathlib import Path
context = calmap.Cache(sys.argv[1], CompiledStore(Path(sys.argv[2]))).context(sys.argv[3])
for instrument in context.instruments():
    for reftype in context.reftypes(instrument):
        rules = context.type_rules(instrument, reftype)
        print(instrument, reftype, rules.mapping, rules.reference is not None)
"""


def test_eight_processes_warm_one_store_at_once(corpus, store):
    arguments = [sys.executable, "-c", _WARM, str(corpus / "crds-cache"), str(store.folder), "jwst_0541.pmap"]

    def run(_):
        return subprocess.run(arguments, capture_output=True, text=True, check=True)

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(run, range(8)))

    assert len({run.stdout for run in done}) == 1
    assert not any(run.stderr for run in done)
    assert not list(store.folder.rglob("*.tmp"))
    assert all(unsealed(path.name, path.read_bytes()) is not None for path in entries(store))
    assert len(entries(store)) == store.kept().entries > 100


def test_the_oldest_entries_make_room(tmp_path):
    store = CompiledStore(tmp_path, limit=50_000)
    keys = [entry_key(str(number).encode()) for number in range(400)]
    for age, key in enumerate(keys):
        store.put(key, bytes(1000))
        path = store.folder / compiled.COMPILER / key[:2] / key
        if path.exists():
            os.utime(path, (age, age))

    newest = [key for key in keys[-20:] if store.get(key) is not None]

    assert store.kept().size <= 50_000 + 100 * 1100
    assert len(newest) == 20
    assert store.get(keys[0]) is None


def test_nothing_happens_where_nothing_can_be_written(repo_root, tmp_path, header):
    (tmp_path / "file").write_text("in the way")
    store = CompiledStore(tmp_path / "file" / "compiled")

    assert answers(repo_root, store, header) == answers(repo_root, NO_STORE, header)
    assert store.kept().entries == 0


def test_clear_removes_entries_and_nothing_else(repo_root, store, header):
    answers(repo_root, store, header)
    mine = store.folder / "notes.txt"
    mine.write_text("mine")
    stray = entries(store)[0]
    stray.with_name(f".{stray.name}.0123456789ab.tmp").write_text("of a process that was killed")
    other = store.folder / "photos" / "00" / entries(store)[0].name
    other.parent.mkdir(parents=True)
    other.write_text("not of a version")

    version = store.folder / compiled.COMPILER
    (version / "empty").mkdir()
    note = entries(store)[0].with_name("notes.txt")
    note.write_text("mine too")
    (version / "00").mkdir(exist_ok=True)
    (version / "00" / entries(store)[0].name).mkdir()
    (store.folder / "1.0-1-little").write_text("a file that is called like a version")
    (store.folder / "2.0-1-little").symlink_to(other.parent.parent)

    gone = store.clear()

    assert gone.entries > 5
    assert store.kept().entries == 0
    assert entries(store) == sorted([note, store.folder / "1.0-1-little", mine, other])
    assert (store.folder / "2.0-1-little").is_symlink()
    assert sorted(path.name for path in version.iterdir()) == sorted({"00", note.parent.name, "empty"})
    assert (version / "00" / other.name).is_dir()


def test_where_a_store_is(tmp_path, monkeypatch):
    assert compiled_store({"CALMAP_STORE": str(tmp_path)}).folder == tmp_path
    assert compiled_store({"CALMAP_STORE": "off"}) == NO_STORE
    assert compiled_store({}).folder.parts[-2:] == ("calmap", "compiled")
    assert compiled_store({"CALMAP_STORE": "~nobody-of-this-name/x"}).folder == Path("~nobody-of-this-name/x")


def test_a_user_without_a_home(repo_root, monkeypatch):
    """As in a container that runs under a number that nobody has."""

    def lost(*_arguments, **_named):
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("platformdirs.user_cache_path", lost)
    monkeypatch.delenv("CALMAP_STORE", raising=False)
    run = CliRunner().invoke

    assert compiled_store({}) == NO_STORE
    assert run(cli, ["bestref", str(repo_root / FRAME), "--cache", str(repo_root), "-q"]).exit_code == 0
    assert "no compiled mappings are kept" in run(cli, ["cache", "info"]).stdout
    elsewhere = run(cli, ["list", "contexts", "--cache", "https://host/crds"])
    assert elsewhere.exit_code == 2
    assert "CALMAP_MIRRORS" in elsewhere.stderr


def test_the_commands(repo_root, tmp_path, monkeypatch):
    folder = tmp_path / "kept"
    monkeypatch.setenv("CALMAP_STORE", str(folder))
    run = CliRunner().invoke
    assert run(cli, ["bestref", str(repo_root / FRAME), "--cache", str(repo_root), "-q"]).exit_code == 0

    told = json.loads(run(cli, ["cache", "info", "--format", "json"]).stdout)
    assert told["folder"] == str(folder)
    assert told["entries"] > 5
    assert told["others"] == 0
    assert f"compiled  {told['entries']} mappings" in run(cli, ["cache", "info"]).stdout
    assert run(cli, ["cache", "clear"]).stdout.startswith(f"{told['entries']} compiled mappings removed, ")
    assert json.loads(run(cli, ["cache", "clear", "--format", "json"]).stdout) == {"removed": 0, "bytes": 0}
    assert not run(cli, ["cache", "clear", "--quiet"]).output


def test_a_store_that_can_not_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    info = ["cache", "info"]
    for place, troubled in (("file", True), ("file/below", True), ("new/below", False)):
        monkeypatch.setenv("CALMAP_STORE", str(tmp_path / place))
        assert ("it can't be written" in CliRunner().invoke(cli, info).stdout) is troubled
        told = json.loads(CliRunner().invoke(cli, [*info, "--format", "json"]).stdout)
        assert (told["trouble"] is not None) is troubled
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_store_that_is_off(repo_root, monkeypatch):
    monkeypatch.setenv("CALMAP_STORE", "off")

    assert "no compiled mappings are kept" in CliRunner().invoke(cli, ["cache", "info"]).stdout
    assert json.loads(CliRunner().invoke(cli, ["cache", "info", "--format", "json"]).stdout)["folder"] is None
