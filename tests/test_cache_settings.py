"""Who says which cache and context are used."""

import os

import pytest

from calmap.cache.settings import resolve_settings
from calmap.errors import CacheError, UsageError


def make_cache(root, *contexts):
    for name in contexts:
        file = root / "mappings" / name.split("_")[0] / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return root


@pytest.fixture
def here(tmp_path):
    """A folder that no cache and no configuration is above."""
    folder = tmp_path / "home/project/data"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def cache(tmp_path):
    return make_cache(tmp_path / "one", "hst_0001.pmap", "hst_0002.pmap")


@pytest.fixture
def other(tmp_path):
    return make_cache(tmp_path / "two", "hst_0001.pmap", "jwst_0003.pmap")


def write_config(folder, text):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "calmap.toml").write_text(text)


def test_nothing_is_known(here):
    settings = resolve_settings({}, {}, here)

    assert [item.value for item in settings] == [None] * 6
    with pytest.raises(UsageError, match="which cache") as caught:
        settings.layout()
    assert "--cache" in caught.value.hint


@pytest.mark.parametrize(
    ("options", "environ", "origin"),
    [
        ({"cache": "ONE"}, {"CALMAP_CACHE": "TWO", "CRDS_PATH": "TWO"}, "--cache"),
        ({"cache": None}, {"CALMAP_CACHE": "ONE", "CRDS_PATH": "TWO"}, "CALMAP_CACHE"),
        ({}, {"CALMAP_CACHE": "", "CRDS_PATH": "ONE"}, "CRDS_PATH"),
        ({}, {"CRDS_PATH_SINGLE": "ONE", "CRDS_PATH": "TWO"}, "CRDS_PATH_SINGLE"),
    ],
)
def test_order_of_sources(here, cache, other, options, environ, origin):
    write_config(here, f'cache = "{other}"')
    places = {"ONE": str(cache), "TWO": str(other)}
    options, environ = ({k: places.get(v, v) for k, v in given.items()} for given in (options, environ))

    settings = resolve_settings(options, environ, here)

    assert (settings.cache.value, settings.cache.origin) == (str(cache), origin)


def test_configuration_files(here, cache, other):
    home = here.parent.parent
    write_config(here.parent, f'# mine\ncache = "{cache}"\n')
    write_config(home / ".config/calmap", f'cache = "{other}"\ncontext = "hst_0001.pmap"\n')

    settings = resolve_settings({}, {"HOME": str(home)}, here)

    assert settings.cache.value == str(cache)
    assert settings.cache.origin == f"{here.parent / 'calmap.toml'}:2"
    assert settings.context.origin == f"{home / '.config/calmap/calmap.toml'}:2"
    assert settings.context_name() == "hst_0001.pmap"


def test_xdg_configuration(here, cache, tmp_path):
    write_config(tmp_path / "xdg/calmap", f'cache = "{cache}"')

    settings = resolve_settings({}, {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}, here)

    assert settings.cache.value == str(cache)


def test_configuration_is_not_looked_for_above_the_repository(here, cache):
    write_config(here.parent.parent, f'cache = "{cache}"')
    (here.parent / ".git").mkdir()

    assert resolve_settings({}, {}, here).cache.value is None


def test_relative_paths_start_at_the_file_that_has_them(here, tmp_path, cache):
    write_config(tmp_path / "home", 'cache = "../one"')

    assert resolve_settings({}, {}, here).cache.value == str(cache)
    assert resolve_settings({"cache": "../../../two"}, {}, here).cache.value == str(tmp_path / "two")
    assert resolve_settings({"cache": "~/c"}, {"HOME": "/home/me"}, here).cache.value == "/home/me/c"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('cache = "x"\ncache', r"calmap\.toml:2: not readable as TOML", None),
        ('cache = = "x"\n', r"calmap\.toml:1: not readable as TOML: Invalid value$", None),
        ('\n\ncash = "x"', r"calmap\.toml:3: unknown setting 'cash'", "did you mean 'cache'?"),
        ("context = 7", r"calmap\.toml:1: 'context' must be a text", 'such as context = "..."'),
        ("[context]\nname = 'x'", r"calmap\.toml:1: 'context' must be a text", 'such as context = "..."'),
        ("\n#\nx = '\udcff'", r"calmap\.toml:3: not UTF-8", None),
    ],
)
def test_wrong_configuration_names_file_and_line(here, text, message, hint):
    (here / "calmap.toml").write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(UsageError, match=message) as caught:
        resolve_settings({}, {}, here)
    assert caught.value.hint == hint


def test_unreadable_configuration(here, monkeypatch):
    write_config(here, "")

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(UsageError, match=r"calmap\.toml can't be read: Permission denied"):
        resolve_settings({}, {}, here)


def test_cache_around_the_current_folder(cache):
    inside = cache / "mappings/hst"

    settings = resolve_settings({}, {}, inside)

    assert (settings.cache.value, settings.cache.origin) == (str(cache), "a folder above this one")
    assert settings.context_name() == "hst_0002.pmap"
    assert settings.context.origin == "the newest one in the cache"
    assert (settings.observatory.value, settings.observatory.origin) == ("hst", "the only one in the cache")


def test_several_telescopes_need_a_choice(here, other):
    settings = resolve_settings({"cache": str(other)}, {}, here)

    assert settings.observatory.value is None
    with pytest.raises(UsageError, match="the cache has hst, jwst"):
        settings.context_name()
    chosen = resolve_settings({"cache": str(other), "observatory": "JWST"}, {}, here)
    assert chosen.context_name() == "jwst_0003.pmap"
    assert chosen.observatory.value == "jwst"


def test_context_tells_the_telescope(here, other):
    settings = resolve_settings({"cache": str(other), "context": "jwst_0003.pmap"}, {}, here)

    assert settings.observatory.value == "jwst"
    assert settings.observatory.origin == "the name of the context jwst_0003.pmap"


def test_option_wins_over_a_variable_for_another_telescope(here, other):
    environ = {"CRDS_CONTEXT": "hst_0001.pmap", "CRDS_PATH": str(other)}
    settings = resolve_settings({"observatory": "jwst"}, environ, here)
    assert settings.context_name() == "jwst_0003.pmap"

    environ = {"CRDS_OBSERVATORY": "hst", "CRDS_PATH": str(other)}
    settings = resolve_settings({"context": "jwst_0003.pmap"}, environ, here)
    assert settings.observatory.value == "jwst"

    with pytest.raises(UsageError, match="belongs to jwst, not to hst"):
        resolve_settings({"context": "jwst_0003.pmap", "observatory": "hst"}, {}, here)


@pytest.mark.parametrize("name", ["jwst-latest", "hst-operational", "jwst-2018-01-01T00:00:00"])
def test_name_that_only_a_server_knows(here, other, name):
    settings = resolve_settings({}, {"CRDS_CONTEXT": name, "CRDS_PATH": str(other)}, here)

    with pytest.raises(UsageError, match=f"{name}' of CRDS_CONTEXT") as caught:
        settings.context_name()
    assert "server" in caught.value.hint


def test_folders_of_crds(here, cache, tmp_path):
    environ = {"CRDS_PATH": str(tmp_path / "data"), "CRDS_MAPPATH": str(cache / "mappings")}

    settings = resolve_settings({}, environ, here)

    assert settings.mappings.origin == "CRDS_MAPPATH"
    assert settings.layout().mappings == cache / "mappings"
    assert settings.layout().references == tmp_path / "data/references"
    assert resolve_settings({}, {"CRDS_MAPPATH": str(cache / "mappings")}, here).layout().root == cache
    named = resolve_settings({"cache": str(cache)}, {"CRDS_MAPPATH": "/nowhere"}, here)
    assert named.layout().mappings == cache / "mappings"


def test_folder_that_is_no_cache(here):
    settings = resolve_settings({"cache": str(here)}, {}, here)

    with pytest.raises(CacheError, match="is no cache") as caught:
        settings.layout()
    assert caught.value.hint == "it was named by --cache"


def test_environment_of_the_process_is_the_default(here, cache, monkeypatch):
    monkeypatch.setenv("CALMAP_CACHE", str(cache))
    monkeypatch.chdir(here)

    assert resolve_settings({}).cache.value == str(cache)


@pytest.mark.parametrize("source", ["--context", "CALMAP_CONTEXT", "CRDS_CONTEXT", "calmap.toml"])
@pytest.mark.parametrize("relative", [True, False])
def test_context_may_be_a_path(here, cache, other, source, relative):
    def settings(path, **environ):
        text = f"./{os.path.relpath(path, here)}" if relative else str(path)
        if source == "calmap.toml":
            write_config(here, f'context = "{text}"')
        elif source != "--context":
            environ[source] = text
        return resolve_settings({"context": text} if source == "--context" else {}, environ, here)

    own = cache / "mappings/hst/hst_0001.pmap"
    for chosen in (settings(own), settings(own, CRDS_PATH=str(cache))):
        assert chosen.context_name() == "hst_0001.pmap"
        assert chosen.layout().find_mapping("hst_0001.pmap") == own
        assert chosen.observatory.value == "hst"
        assert source in chosen.context.origin

    stray = here / "hst_0001.pmap"
    stray.touch()
    with pytest.raises(UsageError, match=f"{stray} is in no cache"):
        settings(stray).context_name()
    with pytest.raises(UsageError, match=f"{stray} is not in the cache {other}"):
        settings(stray, CRDS_PATH=str(other)).context_name()
    assert settings(stray, CRDS_PATH=str(other)).layout().root == other


def test_path_of_a_context_in_another_cache(here, cache, other):
    path, environ = str(cache / "mappings/hst/hst_0001.pmap"), {"CRDS_PATH": str(other)}

    with pytest.raises(UsageError, match="is not in the cache"):
        resolve_settings({}, {"CRDS_CONTEXT": path, **environ}, here).context_name()
    with pytest.raises(UsageError, match="is not in the cache") as caught:
        resolve_settings({"context": path, "cache": str(other)}, environ, here).context_name()
    assert "leave out --cache" in caught.value.hint
    assert resolve_settings({"context": path}, environ, here).layout().root == cache


def test_path_of_a_context_where_mappings_are_elsewhere(here, tmp_path):
    path = tmp_path / "rules/hst/hst_0001.pmap"
    path.parent.mkdir(parents=True)
    path.touch()
    environ = {"CRDS_PATH": str(tmp_path / "data"), "CRDS_MAPPATH": str(tmp_path / "rules")}

    for chosen in (
        resolve_settings({"context": str(path)}, environ, here),
        resolve_settings({}, {"CRDS_CONTEXT": str(path), **environ}, here),
    ):
        assert chosen.context_name() == "hst_0001.pmap"
        assert chosen.layout().references == tmp_path / "data/references"


@pytest.mark.parametrize("value", ["None", ""])
def test_what_crds_sets_when_it_is_imported_is_not_set(here, cache, value):
    names = ("OBSERVATORY", "CONTEXT", "PATH_SINGLE", "MAPPATH", "REFPATH", "CFGPATH")
    environ = {"CALMAP_CACHE": "", "CRDS_PATH": str(cache), **{f"CRDS_{name}": value for name in names}}

    assert resolve_settings({}, environ, here) == resolve_settings({}, {"CRDS_PATH": str(cache)}, here)
