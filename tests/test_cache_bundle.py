"""A context in one file selects where no mappings are, as the cache does."""

import gzip
import io
import json
import pickle
import shutil
import zipfile

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import calmap
from calmap.cache.bundle import BundleLayout
from calmap.cache.compiled import sealed, unsealed
from calmap.cache.rulesets import mapping_key
from calmap.cli.main import cli
from calmap.errors import CacheError, CalmapError, HeaderError, NotInCacheError
from calmap.headers import read_header

FRAME = "exposures/2024B-P123-008_IRIS_IMG1_SCI-J1458+1013-Y-4.0_LVL1_0001-00.fits"
DARK = "ligeriri_iris_dark_0001.rmap"
_SELECTOR, _DATES, _CHOICES, _GROUPS, _NODES, _ROOT = 2, 2, 3, 5, 6, 7


@pytest.fixture(scope="module")
def demo(repo_root) -> bytes:
    return calmap.Cache(repo_root).context("ligeriri_0001.pmap").bundle()


def changed(data: bytes, change) -> bytes:
    """The archive with its parts changed by a function of the dictionary of them."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target.getvalue()


@pytest.mark.parametrize(
    "name", ["hst_0729.pmap", "jwst_0541.pmap", "hst_acs_0421.imap", "hst_acs_atodtab_0251.rmap"]
)
def test_it_answers_as_the_cache_does(corpus, name):
    context = calmap.Cache(corpus / "crds-cache").context(name)
    alone = calmap.Cache.of_bytes(context.bundle()).context()
    with gzip.open(corpus / "cases/bestref_context.jsonl.gz", "rt") as cases:
        known = (case for case in map(json.loads, cases) if case["context"][:3] == name[:3])
        headers = [case["header"] for case in known][::9]
    compared = 0
    for header in headers:
        try:
            wanted = context.bestrefs(header)
        except HeaderError as problem:
            with pytest.raises(HeaderError, match=problem.message[:20].replace("(", ".")):
                alone.bestrefs(header)
            continue
        found = alone.bestrefs(header)
        assert found == wanted
        for reftype, ref in found.items():
            assert ref.reason.rpartition("/")[2] == wanted[reftype].reason.rpartition("/")[2]
        compared += len(found)
    assert compared > 40
    assert alone.name == name
    assert alone.required_keywords() == context.required_keywords()


def test_the_same_context_always_makes_the_same_file(repo_root, demo):
    assert calmap.Cache(repo_root).context("ligeriri_0001.pmap").bundle() == demo
    with zipfile.ZipFile(io.BytesIO(demo)) as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {1980}


def test_it_explains_as_the_cache_does(repo_root, demo):
    header = read_header(repo_root / FRAME)
    wanted = calmap.Cache(repo_root).context("ligeriri_0001.pmap").bestrefs(header)

    for reftype, ref in calmap.Cache.of_bytes(demo).context().bestrefs(header).items():
        assert ref.explain() == wanted[reftype].explain()


def rename(parts, observatory):
    """Let the compiled form of the rules for darks name another file than the text does."""
    key = mapping_key(parts[f"mappings/{DARK}"], observatory)
    packed = msgspec.msgpack.decode(unsealed(key, parts[f"compiled/{DARK}"]))
    packed[_SELECTOR][1] = ["forged.fits"] * len(packed[_SELECTOR][1])
    parts[f"compiled/{DARK}"] = sealed(key, msgspec.msgpack.encode(packed))


def test_a_file_of_another_version_is_compiled_again(repo_root, demo):
    def age(parts):
        parts["calmap.json"] = json.dumps(
            {**json.loads(parts["calmap.json"]), "compiler": "0.0.1-0-big"}
        ).encode()

    def strip(parts):
        for name in [name for name in parts if name.startswith("compiled/")]:
            del parts[name]

    def forge(parts):
        rename(parts, calmap.Cache.of_bytes(demo).context().observatory)

    header = read_header(repo_root / FRAME)
    wanted = calmap.Cache.of_bytes(demo).context().bestrefs(header)
    forged = changed(demo, forge)
    assert calmap.Cache.of_bytes(forged).context().bestrefs(header)["dark"].files == ("forged.fits",)
    old = calmap.Cache.of_bytes(changed(forged, age)).context()
    none = calmap.Cache.of_bytes(changed(demo, strip)).context()

    assert old.bestrefs(header) == none.bestrefs(header) == wanted


@pytest.mark.parametrize("junk", [b"", b"calmap compiled\n" + bytes(40), b"x" * 1000])
def test_compiled_forms_that_are_damaged_are_made_again(repo_root, demo, junk):
    def damage(parts):
        parts.update({name: junk for name in parts if name.startswith("compiled/")})

    header = read_header(repo_root / FRAME)
    context = calmap.Cache.of_bytes(changed(demo, damage)).context()

    assert context.bestrefs(header) == calmap.Cache.of_bytes(demo).context().bestrefs(header)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        b"header = {}",
        changed(b"PK\x05\x06" + bytes(18), lambda parts: parts.update({"calmap.json": b"[1]"})),
        changed(b"PK\x05\x06" + bytes(18), lambda parts: parts.update({"calmap.json": b"\xff"})),
        changed(b"PK\x05\x06" + bytes(18), lambda parts: parts.update({"calmap.json": b'{"kind": "other"}'})),
        changed(
            b"PK\x05\x06" + bytes(18),
            lambda parts: parts.update(
                {
                    "calmap.json": b'{"kind": "calmap context", "context": "../../x.pmap",'
                    b' "observatory": "..", "compiler": ""}'
                }
            ),
        ),
    ],
)
def test_anything_else_is_refused(data):
    with pytest.raises(CacheError, match="is not a whole file of compiled rules"):
        calmap.Cache.of_bytes(data)


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 0.999))
def test_a_truncated_file_is_refused(demo, share):
    with pytest.raises(CacheError):
        calmap.Cache.of_bytes(demo[: int(len(demo) * share)])


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_refused_or_answers_the_same(repo_root, demo, data):
    header = read_header(repo_root / FRAME)
    damaged = bytearray(demo)
    damaged[data.draw(st.integers(0, len(demo) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    wanted = calmap.Cache.of_bytes(demo).context().bestrefs(header)
    try:
        found = calmap.Cache.of_bytes(bytes(damaged)).context().bestrefs(header)
    except CalmapError:
        return
    assert {name: ref for name, ref in found.items() if "is not a whole file" not in ref.reason} == {
        name: wanted[name] for name, ref in found.items() if "is not a whole file" not in ref.reason
    }


def test_a_text_that_was_changed_in_it_counts(repo_root, demo):
    def edit(parts):
        place = f"mappings/{DARK}"
        parts[place] = parts[place].replace(b"IRIS_IMG1_DARK_20240924T000000_0.0.1.fits", b"OTHER.fits")

    header = read_header(repo_root / FRAME)

    assert calmap.Cache.of_bytes(changed(demo, edit)).context().bestrefs(header)["dark"].files == (
        "OTHER.fits",
    )


def _set(packed, place, value):
    *way, last = place
    for step in way:
        packed = packed[step]
    packed[last] = value


@pytest.mark.parametrize(
    ("mapping", "place", "value"),
    [
        (DARK, (_ROOT,), 10**6),
        (DARK, (_ROOT,), -(10**6)),
        (DARK, (_NODES, 0, 1, 0, 3), b"\xff" * 4),
        (DARK, (_NODES, 0, 2), b"\xff" * 3),
        (DARK, (_NODES, 1, 1), "Sideways"),
        (DARK, (_NODES, 1, 4), 10**6),
        ("ligeriri_iris_drizpars_0001.rmap", (_CHOICES,), (-1).to_bytes(4, "little", signed=True) * 2),
        ("ligeriri_iris_drizpars_0001.rmap", (_GROUPS,), (2).to_bytes(4, "little") + bytes(4)),
        ("ligeriri_iris_drizpars_0001.rmap", (_GROUPS,), b"\xff" * 8),
        ("ligeriri_iris_drizpars_0001.rmap", (_DATES,), b"\xff" * 7 + b"\x7f" + b"\xff" * 7 + b"\x7f"),
    ],
)
def test_compiled_forms_that_contradict_themselves_are_made_again(repo_root, demo, mapping, place, value):
    """Even if whoever made them knew how to seal them."""
    context = calmap.Cache.of_bytes(demo).context()
    name = f"compiled/{mapping}"

    def forge(parts):
        key = mapping_key(parts[f"mappings/{mapping}"], context.observatory)
        packed = msgspec.msgpack.decode(unsealed(key, parts[name]))
        _set(packed[_SELECTOR], place, value)
        parts[name] = sealed(key, msgspec.msgpack.encode(packed))

    forged = changed(demo, forge)
    header = read_header(repo_root / FRAME)

    assert forged != demo
    assert calmap.Cache.of_bytes(forged).context().bestrefs(header) == context.bestrefs(header)


@pytest.mark.parametrize("sealed_again", [False, True])
def test_a_text_that_is_none_is_told(repo_root, demo, sealed_again):
    text, observatory = b"\xff\xfe header", calmap.Cache.of_bytes(demo).context().observatory
    place, compiled = f"mappings/{DARK}", f"compiled/{DARK}"

    def spoil(parts):
        if sealed_again:
            body = unsealed(mapping_key(parts[place], observatory), parts[compiled])
            parts[compiled] = sealed(mapping_key(text, observatory), body)
        parts[place] = text

    broken = changed(demo, spoil)
    if sealed_again:
        calmap.Cache.of_bytes(broken).context().bestrefs(read_header(repo_root / FRAME))
        return
    found = calmap.Cache.of_bytes(broken).context().bestrefs(read_header(repo_root / FRAME))

    assert found["dark"].status == "not_found"
    assert DARK in found["dark"].reason
    assert found["flat"].status == "found"


def test_what_could_grow_beyond_measure_is_refused(demo, tmp_path):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("calmap.json", b" " * 10**7)
    with pytest.raises(CacheError, match="it is compressed"):
        calmap.Cache.of_bytes(target.getvalue())

    large = tmp_path / "large.calmap"
    with large.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(CacheError, match="is not a whole file of compiled rules"):
        calmap.Cache(large)


def test_tables_that_lead_back_to_the_context(repo_root, tmp_path):
    shutil.copytree(repo_root / "mappings", tmp_path / "mappings")
    table = tmp_path / "mappings/ligeriri/ligeriri_iris_0001.imap"
    table.write_text(table.read_text().replace(DARK, "ligeriri_0001.pmap"))

    with zipfile.ZipFile(io.BytesIO(calmap.Cache(tmp_path).context().bundle())) as archive:
        names = {name for name in archive.namelist() if name.startswith("mappings/")}

    assert names == {f"mappings/{path.name}" for path in table.parent.iterdir()} - {f"mappings/{DARK}"}


@pytest.mark.parametrize(
    "command",
    [
        ["check"],
        ["check", DARK],
        ["check", "--fix"],
        ["uses", "x.fits"],
        ["undo"],
        ["undo", "--list"],
        ["undo", "--recover"],
        ["explain", f"{DARK}:20"],
        ["validity", "show", f"{DARK}:20"],
        ["insert-reference", str(FRAME)],
        ["delete-reference", "x.fits"],
        ["new-context", DARK],
        ["sync", "--write-checksums"],
    ],
)
def test_commands_that_need_files_of_mappings(repo_root, demo, tmp_path, monkeypatch, command):
    """They never take the folder that the file is in for its cache."""
    shutil.copytree(repo_root / "mappings", tmp_path / "mappings")
    (tmp_path / ".calmap").mkdir()
    (tmp_path / "one.calmap").write_bytes(demo)
    monkeypatch.chdir(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    done = CliRunner().invoke(cli, [*command, "--cache", "one.calmap"])

    assert done.exit_code == 3, done.output
    assert "one.calmap is a context in one file, and no cache" in done.stderr
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_mapping_that_is_not_in_it(demo):
    cache = calmap.Cache.of_bytes(demo)

    with pytest.raises(NotInCacheError, match=r"it is of ligeriri_0001\.pmap"):
        cache.context("ligeriri_0002.pmap")
    with pytest.raises(NotInCacheError, match="is of ligeriri, not of hst"):
        cache.layout.newest_context("hst")
    with pytest.raises(CacheError, match="no cache"):
        cache.layout.mapping_files()


@pytest.mark.parametrize("name", ["nope.pmap", "ligeriri_0099.pmap"])
def test_a_context_that_is_not_there(repo_root, tmp_path, name):
    target = tmp_path / "x.calmap"
    made = CliRunner().invoke(cli, ["compile", name, "--cache", str(repo_root), "-o", str(target)])

    assert made.exit_code == 3
    assert made.stderr.startswith(f"error: mapping {name} is not in {repo_root / 'mappings'}")
    assert not target.exists()


def test_the_commands(repo_root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    made = run(cli, ["compile", "ligeriri_0001.pmap", "--cache", str(repo_root)])
    assert made.exit_code == 0, made.output
    assert made.stdout.startswith("ligeriri_0001.calmap: ligeriri_0001.pmap, 13 mappings, ")

    asked = [
        "bestref",
        str(repo_root / FRAME),
        "--cache",
        "ligeriri_0001.calmap",
        "--type",
        "dark",
        "--format",
    ]
    answer = json.loads(run(cli, [*asked, "json"]).stdout)
    assert answer[0]["files"] == ["IRIS_IMG1_DARK_20240924T000000_0.0.1.fits"]
    assert "not in the cache" in run(cli, [*asked, "table"]).stdout

    shutil.copytree(repo_root / "references", tmp_path / "references")
    shown = run(cli, [*asked, "paths"])
    assert shown.stdout.strip() == str(tmp_path / "references/ligeriri/iris" / answer[0]["files"][0])


def test_a_context_with_a_broken_mapping(repo_root, tmp_path):
    shutil.copytree(repo_root / "mappings", tmp_path / "mappings")
    broken = tmp_path / "mappings/ligeriri/ligeriri_iris_flat_0001.rmap"
    broken.write_text("header = {")
    missing = tmp_path / "mappings/ligeriri/ligeriri_iris_dark_0001.rmap"
    missing.unlink()
    target = tmp_path / "out.calmap"

    made = CliRunner().invoke(
        cli, ["compile", "--cache", str(tmp_path), "-o", str(target), "--format", "json"]
    )

    assert made.exit_code == 1
    assert len(json.loads(made.stdout)["problems"]) == 2
    assert "ligeriri_iris_flat_0001.rmap:1" in made.stderr
    header = read_header(repo_root / FRAME)
    there, here = (calmap.Cache(root).context().bestrefs(header) for root in (tmp_path, target))
    assert {name: ref.status for name, ref in there.items()} == {
        name: ref.status for name, ref in here.items()
    }
    assert here["flat"].status == here["dark"].status == "not_found"


def test_nothing_is_left_of_a_file_that_cannot_be_written(repo_root, tmp_path):
    target = tmp_path / "no" / "folder.calmap"

    made = CliRunner().invoke(cli, ["compile", "--cache", str(repo_root), "-o", str(target)])

    assert made.exit_code == 3
    assert not target.parent.exists()
    assert isinstance(calmap.Cache(repo_root).layout, BundleLayout) is False


def test_it_can_be_sent_to_another_process(repo_root, demo):
    header = read_header(repo_root / FRAME)
    layout = calmap.Cache.of_bytes(demo).layout

    sent = pickle.loads(pickle.dumps(layout))

    assert calmap.Cache(sent).context().bestrefs(header) == calmap.Cache(layout).context().bestrefs(header)
