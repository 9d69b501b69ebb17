"""New caches: valid, complete, and made as a whole or not at all."""

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
import yaml
from astropy.io import fits

import calmap
from calmap.cache.inspection import Inspector
from calmap.cache.layout import Layout
from calmap.cache.targets import context_targets
from calmap.delivery import scaffold_folder
from calmap.delivery.insertion import plan_insertion
from calmap.delivery.scaffold import cache_files, telescope
from calmap.delivery.scaffold_demo import EXPOSURE, NEW_FLAT, demo_files
from calmap.delivery.scaffold_folder import NewFile, fill
from calmap.errors import CacheError, RefusedError, UsageError
from calmap.headers import read_header
from calmap.observatories.library import load_observatory

CHECKOUT = Path(__file__).parent.parent
FILES = (
    NewFile(PurePosixPath("a/one"), b"1"),
    NewFile(PurePosixPath("mappings/b/two"), b"2"),
    NewFile(PurePosixPath("three"), b"3"),
)


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scaffold") / "demo"
    fill(folder, demo_files())
    return folder


def findings(root, context):
    inspector = Inspector()
    return [
        finding.message
        for target in context_targets(context, Layout(root))
        for finding in inspector.check(target)
    ]


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("instruments", [(), ("owl",), ("Owl", "lynx", "owl")])
def test_new_telescope_is_valid(tmp_path, instruments):
    fill(tmp_path / "ridge", cache_files(telescope("Ridge", "Ridge: “the” \\ 'Observatory' #1", instruments)))

    found = load_observatory("ridge", tmp_path / "ridge/config")

    assert found.title == "Ridge: “the” \\ 'Observatory' #1"
    assert set(found.instruments) == {name.lower() for name in instruments}
    assert findings(tmp_path / "ridge", "ridge_0001.pmap") == []
    assert set(calmap.Cache(tmp_path / "ridge").context().instruments()) == set(found.instruments)


def test_known_telescope_keeps_its_definition(tmp_path):
    fill(tmp_path / "new", cache_files(telescope("jwst", None, ["MIRI"])))

    assert not (tmp_path / "new/config/jwst/observatory.yaml").exists()
    assert "META.INSTRUMENT.NAME" in (tmp_path / "new/mappings/jwst/jwst_0001.pmap").read_text()
    assert findings(tmp_path / "new", "jwst_0001.pmap") == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("../x",), "can't be the name of a telescope"),
        (("-rf",), "can't be the name of a telescope"),
        (("",), "can't be the name of a telescope"),
        (("größe",), "can't be the name of a telescope"),
        (("r" * 300,), "can't be the name of a telescope"),
        (("ridge\n",), "can't be the name of a telescope"),
        (("ridge", None, ["../x"]), "can't be the name of an instrument"),
        (("ridge", None, [""]), "can't be the name of an instrument"),
        (("ridge", "two\nlines"), "one line of text"),
        (("ridge", " "), "one line of text"),
        (("ridge", "x" * 300), "one line of text"),
        (("jwst", "Mine"), "knows jwst already"),
        (("jwst", None, ["mri"]), "no instrument of James Webb"),
    ],
)
def test_names_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        telescope(*arguments)


def test_files_of_the_repository_are_right():
    files = {str(file.path): file.content.decode() for file in cache_files(telescope("ridge"))}
    hooks = {hook["id"] for hook in yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text())}
    chosen = yaml.safe_load(files[".pre-commit-config.yaml"])["repos"]
    steps = yaml.safe_load(files[".github/workflows/check.yml"])["jobs"]["check"]["steps"]
    commands = [step.get("run", "") for step in steps]
    known = calmap_commands()

    assert {hook["id"] for repo in chosen for hook in repo["hooks"]} == hooks
    assert chosen[0]["repo"] in (CHECKOUT / "README.md").read_text()
    assert {word for text in commands for word in re.findall(r"\bcalmap ([a-z-]+)", text)} == {
        "check",
        "diff",
    }
    assert set(re.findall(r"`calmap ([a-z-]+)", files["README.md"])) <= known
    assert '"origin/$GITHUB_BASE_REF...HEAD" --format markdown >> "$GITHUB_STEP_SUMMARY"' in commands[-1]


def calmap_commands():
    from calmap.cli.main import _COMMANDS

    return {name for name, _ in _COMMANDS}


def test_git_gets_the_attributes_meant(tmp_path):
    fill(tmp_path / "new", cache_files(telescope("ridge")))
    subprocess.run(["git", "init", "-q", tmp_path / "new"], check=True)
    asked = ["references/ridge/owl/a.fits", "mappings/ridge/ridge_0001.pmap", "new/a.fits", ".calmap/journal"]

    done = subprocess.run(
        ["git", "check-attr", "filter", "eol", "text", "--", *asked],
        cwd=tmp_path / "new", capture_output=True, text=True, check=True,
    )  # fmt: skip
    ignored = subprocess.run(["git", "check-ignore", "-q", asked[-1]], cwd=tmp_path / "new", check=False)

    told = dict(line.rsplit(": ", 1) for line in done.stdout.splitlines())
    assert [told[f"{name}: filter"] for name in asked[:3]] == ["lfs", "unspecified", "unspecified"]
    assert told[f"{asked[1]}: eol"] == "lf"
    assert [told[f"{name}: text"] for name in asked[:3]] == ["unset", "set", "unset"]
    assert ignored.returncode == 0


def test_demo_is_complete(demo):
    assert findings(demo, "ligeriri_0001.pmap") == []
    for path in (demo / "mappings/ligeriri").iterdir():
        assert path.read_bytes() == (CHECKOUT / "mappings/ligeriri" / path.name).read_bytes()
    assert {path.name for path in (demo / "references").rglob("*.fits")} == {
        path.name for path in (CHECKOUT / "references").rglob("*.fits")
    }
    known = load_observatory("ligeriri")
    assert replace(load_observatory("ligeriri", demo / "config"), origin=known.origin) == known


def test_demo_is_small_and_the_same_each_time(demo):
    assert tree(demo) == {str(file.path): file.content for file in demo_files()}
    assert sum(map(len, tree(demo).values())) < 1_500_000


def test_demo_selects_and_takes_the_new_flat(demo):
    header = read_header(demo / "exposures" / EXPOSURE)
    context = calmap.Cache(demo).context()

    before = context.bestrefs(header)
    delivery = plan_insertion(context.rules, context.name, [demo / "new" / NEW_FLAT])

    assert {answer.status for answer in before.values()} == {"found"}
    assert before["flat"].files == ("IRIS_IMG1_FLAT_20250313T003000_0.0.1.fits",)
    assert [item.kind for item in delivery.inserted] == ["row"]
    assert delivery.revision.context == "ligeriri_0002.pmap"


def test_every_reference_of_the_demo_goes_where_it_is(demo):
    context = calmap.Cache(demo).context()
    files = sorted((demo / "references").rglob("*.fits"))

    delivery = plan_insertion(context.rules, context.name, files)

    assert {item.kind for item in delivery.inserted} == {"same"}
    assert delivery.revision.changes == ()


def test_demo_files_are_sound_fits(demo):
    for path in demo.rglob("*.fits"):
        with fits.open(path) as hdus:
            hdus.verify("exception")
            assert hdus[0].header["FILENAME"] == path.name


@pytest.mark.parametrize("there", [False, True])
def test_folder_is_filled(tmp_path, there):
    folder = tmp_path / "größe $x"
    if there:
        (folder / "a").mkdir(parents=True)
        (folder / "a/kept").write_bytes(b"kept")

    fill(folder, FILES)

    kept = {"a/kept": b"kept"} if there else {}
    assert tree(folder) == {"a/one": b"1", "mappings/b/two": b"2", "three": b"3", **kept}
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, lambda path: path.symlink_to("nowhere")])
def test_nothing_is_overwritten(tmp_path, make):
    (tmp_path / "a").mkdir()
    make(tmp_path / "a/one")

    with pytest.raises(RefusedError, match="has a/one already"):
        fill(tmp_path, FILES)

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "one"]


def test_names_of_many_files_are_cut_short(tmp_path):
    fill(tmp_path / "new", cache_files(telescope("ridge")))

    with pytest.raises(RefusedError, match=r"has \.gitattributes, .* and 4 more already"):
        fill(tmp_path / "new", cache_files(telescope("ridge")))


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_trouble_on_the_way_leaves_nothing(tmp_path, monkeypatch, there, after):
    folder = tmp_path / "new"
    if there:
        folder.mkdir()
    done = []
    name = "_name" if there else "write_new"
    real = getattr(scaffold_folder, name)

    def failing(*arguments):
        if len(done) == after:
            raise OSError(28, "No space left on device")
        done.append(arguments)
        real(*arguments)

    monkeypatch.setattr(scaffold_folder, name, failing)

    with pytest.raises(CacheError, match="No space left") as trouble:
        fill(folder, FILES)

    assert trouble.value.hint == "the disk is full"
    assert list(tmp_path.rglob("*")) == ([folder] if there else [])


def test_file_that_appears_meanwhile_is_kept(tmp_path, monkeypatch):
    real = scaffold_folder._name

    def slow(staged, path):
        if path.name == "two":
            path.write_bytes(b"theirs")
        real(staged, path)

    monkeypatch.setattr(scaffold_folder, "_name", slow)

    with pytest.raises(CacheError, match="File exists"):
        fill(tmp_path, FILES)

    assert tree(tmp_path) == {"mappings/b/two": b"theirs"}


def test_file_system_without_links_will_do(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)

    fill(tmp_path, FILES)

    assert len(tree(tmp_path)) == 3


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("file", "is no folder"),
        ("dangling", "is no folder"),
        ("a/b", "there is no folder"),
        ("x" * 300, "too long"),
    ],
)
def test_folder_that_can_not_be_made_is_refused(tmp_path, place, message):
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")

    with pytest.raises((RefusedError, CacheError), match=message):
        fill(tmp_path / place, FILES)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder_is_left_alone(tmp_path):
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(CacheError, match="can't be written"):
            fill(tmp_path, FILES)
    finally:
        tmp_path.chmod(0o755)

    assert list(tmp_path.iterdir()) == []
