"""Caches on a web server, one that misbehaves too."""

import itertools
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from remote_servers import CONTEXT, ROOT, SUMS, demo_cache, list_files, mirror_of, pieces, web_server

import calmap
from calmap.cache.remote.origin import Origin
from calmap.cache.remote.patience import Patience
from calmap.cache.remote.supply import Supply
from calmap.cache.remote.trouble import DamagedError, ForbiddenError, StaleWarning, UnreachableError
from calmap.errors import CacheError, NotInCacheError
from calmap.headers import read_header

DARK = "IRIS_IMG1_DARK_20250312T003000_0.0.1.fits"
PLACE = f"references/ligeriri/iris/{DARK}"
RMAP = "mappings/ligeriri/ligeriri_iris_dark_0001.rmap"
NAME = RMAP.rpartition("/")[2]
MODE = "config/ligeriri/ref_cache_subdir_mode"
NOBODY = "http://127.0.0.1:9/crds"


@pytest.fixture
def web(tmp_path):
    """A web server of a copy of the demonstration cache."""
    with web_server(demo_cache(tmp_path / "origin")) as server:
        yield server


def reference(web, root):
    return mirror_of(web.url, root).reference_path(DARK, "ligeriri", "iris")


def test_folders_that_are_listed(web, tmp_path):
    mirror = mirror_of(web.url, tmp_path / "m")

    assert mirror.newest_context() == CONTEXT
    assert reference(web, tmp_path / "m").read_bytes() == (ROOT / PLACE).read_bytes()


def test_folders_that_are_not_listed(web, tmp_path):
    web.listing = False
    mirror = mirror_of(web.url, tmp_path / "m")

    with pytest.raises(NotInCacheError, match="does not tell which contexts it has") as caught:
        mirror.newest_context()
    assert SUMS in (caught.value.hint or "")
    assert calmap.Cache(mirror).context(CONTEXT).reference_path(DARK, "iris").is_file()


def test_a_list_serves_for_folders(web, tmp_path):
    web.listing = False
    list_files(web.folder)

    assert mirror_of(web.url, tmp_path / "m").newest_context() == CONTEXT
    assert reference(web, tmp_path / "m").is_file()


def test_what_is_there_is_not_asked_for(web, tmp_path):
    calmap.Cache(mirror_of(web.url, tmp_path / "m")).context(CONTEXT).reference_path(DARK, "iris")
    web.log.clear()

    calmap.Cache(mirror_of(web.url, tmp_path / "m")).context(CONTEXT).reference_path(DARK, "iris")

    assert web.log == []


@pytest.mark.parametrize("fault", ["500", "503", "429", "drop", "cut"])
@pytest.mark.parametrize("place", [PLACE, RMAP])
def test_what_passes_is_tried_again(web, tmp_path, fault, place):
    web.faults[place] = [fault]
    mirror = mirror_of(web.url, tmp_path / "m")

    path = mirror.mapping_path(NAME) if place is RMAP else mirror.reference_path(DARK, "ligeriri", "iris")

    assert path.read_bytes() == (ROOT / place).read_bytes()


@pytest.mark.parametrize("fault", ["corrupt", "short", "html"])
def test_what_was_damaged_on_the_way_is_fetched_again(web, tmp_path, fault):
    list_files(web.folder)
    web.faults[PLACE] = [fault]

    assert reference(web, tmp_path / "m").read_bytes() == (ROOT / PLACE).read_bytes()
    assert web.fetched(below="references/") == [PLACE, PLACE]


@pytest.mark.parametrize("fault", ["corrupt!", "short!", "html!"])
@pytest.mark.parametrize("place", [PLACE, RMAP])
def test_what_is_damaged_is_never_kept(web, tmp_path, fault, place):
    list_files(web.folder)
    web.faults[place] = [fault]
    mirror = mirror_of(web.url, tmp_path / "m")

    def ask():
        return mirror.mapping_path(NAME) if place is RMAP else reference(web, tmp_path / "m")

    for _ in range(2):
        with pytest.raises(DamagedError, match=r"gave is damaged: .* has the SHA-256"):
            ask()
        assert not (tmp_path / "m" / place).exists()
        assert not pieces(tmp_path / "m")

    web.faults.clear()
    assert calmap.Cache(mirror).context(CONTEXT).reference_path(DARK, "iris").is_file()


@pytest.mark.parametrize("fault", ["corrupt!", "short!", "html!"])
def test_mappings_need_no_list(web, tmp_path, fault):
    web.faults[RMAP] = [fault]

    with pytest.raises(DamagedError):
        mirror_of(web.url, tmp_path / "m").mapping_path(NAME)
    assert not (tmp_path / "m" / RMAP).exists()


@pytest.mark.parametrize("fault", ["short!", "html!"])
def test_references_without_a_list_have_their_length_and_kind(web, tmp_path, fault):
    web.faults[PLACE] = [fault]

    with pytest.raises(DamagedError, match="bytes"):
        reference(web, tmp_path / "m")
    assert not (tmp_path / "m" / PLACE).exists()


@pytest.mark.parametrize("place", [SUMS, PLACE, RMAP])
@pytest.mark.parametrize("fault", ["gzip!", "encoded!"])
def test_files_come_as_they_are(web, tmp_path, place, fault):
    """Whether a server packs them for the way, or says of a packed file that it packed it."""
    list_files(web.folder)
    web.faults[place] = [fault]
    mirror = mirror_of(web.url, tmp_path / "m")

    assert mirror.mapping_path(NAME).read_bytes() == (ROOT / RMAP).read_bytes()
    assert reference(web, tmp_path / "m").read_bytes() == (ROOT / PLACE).read_bytes()


@pytest.mark.parametrize("place", [SUMS, PLACE, RMAP, MODE])
def test_what_has_no_end_is_broken_off(web, tmp_path, monkeypatch, place):
    for module in ("supply", "listing"):
        monkeypatch.setattr(f"calmap.cache.remote.{module}.MAX_BYTES", 1_000_000)
    if place != PLACE:
        list_files(web.folder)
    web.faults[place] = ["endless!"]
    mirror = mirror_of(web.url, tmp_path / "m")

    with pytest.raises(DamagedError, match=r"has more than [0-9,]* bytes"):
        _ = mirror.mapping_path(NAME), mirror.reference_path(DARK, "ligeriri", "iris")

    assert not (tmp_path / "m" / place).exists()
    assert not pieces(tmp_path / "m")


@pytest.mark.parametrize(
    ("fault", "error"), [("500!", UnreachableError), ("drop!", UnreachableError), ("403!", ForbiddenError)]
)
def test_what_does_not_pass_is_told(web, tmp_path, fault, error):
    web.faults[RMAP] = [fault]

    with pytest.raises(error) as caught:
        mirror_of(web.url, tmp_path / "m").mapping_path(NAME)
    assert caught.value.hint
    assert not pieces(tmp_path / "m")


def test_what_is_not_there(web, tmp_path):
    web.faults[PLACE] = ["404!"]
    (web.folder / PLACE).unlink()

    with pytest.raises(NotInCacheError, match=f"reference file {DARK} is not in {web.url}"):
        reference(web, tmp_path / "m")


def test_a_server_that_is_down(tmp_path):
    with web_server(demo_cache(tmp_path / "origin")) as web:
        url = web.url
        calmap.Cache(mirror_of(url, tmp_path / "m")).context().reference_path(DARK, "iris")

    mirror = mirror_of(url, tmp_path / "m")
    with pytest.warns(StaleWarning, match="can't be reached"):
        context = calmap.Cache(mirror).context()
    assert context.reference_path(DARK, "iris").is_file()
    with pytest.raises(UnreachableError, match="can't be reached"):
        context.reference_path("IRIS_IMG1_DARK_20240924T000000_0.0.1.fits", "iris")


def test_a_server_that_was_never_there(tmp_path):
    with pytest.raises(UnreachableError):
        calmap.Cache(mirror_of(NOBODY, tmp_path)).context()
    with pytest.raises(UnreachableError):
        calmap.Cache(mirror_of(NOBODY, tmp_path)).context(CONTEXT)


def test_a_page_in_place_of_the_list(web, tmp_path):
    (web.folder / SUMS).write_text("<!DOCTYPE html>\n<html>Log in</html>\n")

    with pytest.raises(CacheError, match=f"{SUMS}:1: this is no line of a list"):
        reference(web, tmp_path / "m")


@pytest.mark.parametrize(("fault", "error"), [("500!", UnreachableError), ("html!", DamagedError)])
def test_rules_that_can_not_be_fetched_are_no_answer(web, tmp_path, fault, error):
    """Nobody may take them for a type without a file; and they are asked for again."""
    header = read_header(ROOT / "exposures/2024B-P123-008_IRIS_IMG1_SCI-J1458+1013-Y-4.0_LVL1_0001-00.fits")
    context = calmap.Cache(mirror_of(web.url, tmp_path / "m")).context(CONTEXT)
    web.faults[RMAP] = [fault]
    for _ in range(2):
        with pytest.raises(error):
            context.bestrefs(header, ["dark"])
    assert context.bestrefs(header, ["flat"])["flat"].status == "found"

    web.faults.clear()

    assert context.bestrefs(header, ["dark"])["dark"].status == "found"


def test_bytes_that_come_again_are_taken_back(web, tmp_path):
    """So that progress never tells of more than came."""
    list_files(web.folder)
    web.faults[PLACE] = ["cut", "corrupt"]
    counts: list[int] = []
    supply = Supply.between(Origin(web.url), tmp_path / "m", counts.append, Patience((0.0, 0.0)))

    supply.fetch((PLACE,), tmp_path / "m" / PLACE)

    size = (ROOT / PLACE).stat().st_size
    assert sum(counts) == size
    assert min(counts) < 0


def test_a_server_that_was_down_a_moment_ago_is_asked_only_once():
    asked: list[str] = []

    def ask():
        asked.append("asked")
        raise UnreachableError("it does not answer")

    patience = Patience((0.0, 0.0))
    for expected in (3, 4, 5):
        with pytest.raises(UnreachableError):
            patience.tried(ask)
        assert len(asked) == expected
    assert patience.tried(lambda: "here") == "here"
    with pytest.raises(UnreachableError):
        patience.tried(ask)
    assert len(asked) == 8


def test_threads_that_want_the_same(web, tmp_path):
    mirror = mirror_of(web.url, tmp_path / "m")

    with ThreadPoolExecutor(6) as pool:
        paths = set(pool.map(lambda _: mirror.reference_path(DARK, "ligeriri", "iris"), range(6)))

    assert [path.read_bytes() for path in paths] == [(ROOT / PLACE).read_bytes()]
    assert not pieces(tmp_path / "m")


def test_processes_that_want_the_same(web, tmp_path):
    code = (
        "import sys, calmap; cache = calmap.Cache(sys.argv[1]);"
        f"print(cache.context().reference_path({DARK!r}, 'iris').stat().st_size)"
    )
    command = [sys.executable, "-W", "error", "-c", code, web.url]
    variables = {"CALMAP_MIRRORS": str(tmp_path / "m"), "HOME": str(tmp_path)}
    running = [
        subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]

    told = [process.communicate(timeout=60) for process in running]

    assert told == [(f"{(ROOT / PLACE).stat().st_size}\n", "")] * 4
    assert not pieces(tmp_path / "m")


def test_a_server_without_connection_is_not_asked_again(monkeypatch):
    asked: list[str] = []
    now = [0.0]
    monkeypatch.setattr(
        "calmap.cache.remote.patience.time",
        SimpleNamespace(sleep=lambda _: None, monotonic=lambda: now[0]),
    )

    def ask():
        asked.append("asked")
        raise UnreachableError("it can't be reached", "try again later", silent=True)

    patience = Patience((0.0, 0.0))
    for seconds, expected in ((0, 3), (1, 3), (200, 3), (400, 4), (500, 4)):
        now[0] = seconds
        with pytest.raises(UnreachableError, match="can't be reached"):
            patience.tried(ask)
        assert len(asked) == expected
    now[0] = 1000
    assert patience.tried(lambda: "here") == "here"


def test_who_takes_long_to_find_no_connection_is_not_tried_again(monkeypatch):
    clock = itertools.count(0, 20)
    monkeypatch.setattr(
        "calmap.cache.remote.patience.time",
        SimpleNamespace(sleep=lambda _: None, monotonic=lambda: next(clock)),
    )
    asked: list[str] = []

    def ask():
        asked.append("asked")
        raise UnreachableError("it can't be reached", silent=True)

    with pytest.raises(UnreachableError):
        Patience((0.0, 0.0)).tried(ask)
    assert asked == ["asked"]


def test_another_process_finds_out_for_itself():
    patience = Patience((0.0,))
    with pytest.raises(UnreachableError):
        patience.tried(lambda: Origin(NOBODY).facts(PLACE))
    asked: list[str] = []

    assert pickle.loads(pickle.dumps(patience)).tried(lambda: asked.append("asked")) is None
    assert asked == ["asked"]


@contextmanager
def patched_connection(asked):
    """Notes each time that a file system is asked for."""
    connect = Origin._connected

    def noted(self):
        asked.append(self.url)
        return connect(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Origin, "_connected", noted)
        yield


def test_nobody_is_asked_only_for_the_first_of_many_files(tmp_path):
    mirror = mirror_of(NOBODY, tmp_path / "m")
    asked: list[str] = []

    with patched_connection(asked):
        for name in ("a", "b", "c"):
            with pytest.raises(UnreachableError, match="can't be reached"):
                mirror.find_mapping(f"ligeriri_iris_{name}_0001.rmap")

    assert len(asked) == 3


@pytest.mark.parametrize("size", [5000, 0])
def test_a_fits_file_that_is_cut_where_it_is(web, tmp_path, size):
    path = web.folder / PLACE
    path.write_bytes(path.read_bytes()[:size])

    with pytest.raises(DamagedError, match=r"a multiple of 2,880|no \.fits file begins"):
        reference(web, tmp_path / "m")
    assert not (tmp_path / "m" / PLACE).exists()
    assert not pieces(tmp_path / "m")
