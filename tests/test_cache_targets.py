"""Which files paths and names stand for, and which cache each belongs to."""

import os
from pathlib import Path

import pytest

from calmap.cache.files import path_files, shown
from calmap.cache.layout import Layout
from calmap.cache.surroundings import CacheSurroundings, LooseSurroundings, definition
from calmap.cache.targets import Target, context_targets, enclosing_cache, path_targets
from calmap.errors import CacheError, NotInCacheError, ObservatoryError

DEMO = Path(__file__).parent.parent
DARK = "ligeriri_iris_dark_0001.rmap"


def no_layout():
    raise AssertionError("the cache is not needed")


def test_paths_are_shown_as_people_know_them():
    assert shown(Path("a/../b.rmap"), Path("/home/me")) == Path("b.rmap")
    assert shown(Path("/home/me/b.rmap"), Path("/home/me")) == Path("b.rmap")
    assert shown(Path("../b.rmap"), Path("/home/me")) == Path("/home/b.rmap")


def test_folder_stands_for_its_mappings(tmp_path):
    for name in ("b/x.rmap", "b/y.txt", "a.imap", ".git/z.rmap", "b/.z.rmap"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    assert path_files([".", "b/x.rmap"], tmp_path) == (Path("a.imap"), Path("b/x.rmap"))
    assert path_files(["b/y.txt"], tmp_path) == (Path("b/y.txt"),)


def test_unreadable_folder(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)

    with pytest.raises(CacheError, match="can't be read: Permission denied"):
        path_files(["."], tmp_path)


def test_file_belongs_to_the_cache_around_it():
    (target,) = path_targets([f"mappings/ligeriri/{DARK}"], DEMO, no_layout, fixed=False)

    assert target == Target(Path(f"mappings/ligeriri/{DARK}"), Layout(Path()))
    assert enclosing_cache(Path(DARK), DEMO / "mappings/ligeriri") == Layout(DEMO)
    assert enclosing_cache(Path("mappings/x.rmap"), Path("/c")) == Layout(Path())
    assert enclosing_cache(Path("rules/x.rmap"), Path("/c")) is None


def test_file_belongs_to_the_cache_that_was_given():
    given = Layout(Path("/elsewhere"))

    (target,) = path_targets([f"mappings/ligeriri/{DARK}"], DEMO, lambda: given, fixed=True)

    assert target.layout is given


def test_name_stands_for_all_below():
    layout = Layout(DEMO)

    targets = list(path_targets(["ligeriri_iris_0001.imap"], Path("/"), lambda: layout, fixed=False))

    assert [target.path.name for target in targets] == [
        "ligeriri_iris_0001.imap",
        *sorted(path.name for path in (DEMO / "mappings/ligeriri").glob("ligeriri_iris_*.rmap")),
    ]
    assert {target.layout for target in targets} == {layout}


def test_missing_name():
    with pytest.raises(NotInCacheError, match=r"ligeriri_0009\.pmap is not in"):
        context_targets("ligeriri_0009.pmap", Layout(DEMO))


@pytest.mark.parametrize(
    ("target", "telescope"),
    [
        (Target(Path("hst_acs_0001.imap")), "hst"),
        (Target(Path("Strange-Name.rmap")), ""),
        (Target(Path("/c/mappings/hst/Strange-Name.rmap"), Layout(Path("/c"))), "hst"),
        (Target(Path("/c/mappings/Strange-Name.rmap"), Layout(Path("/c"))), ""),
    ],
)
def test_telescope(target, telescope):
    assert target.telescope == telescope


def test_surroundings_in_a_cache():
    around = CacheSurroundings(Layout(DEMO), "ligeriri")
    reference = next((DEMO / "references/ligeriri/iris").iterdir())

    assert around.mapping(DARK).name == DARK
    assert around.mapping(DARK) is around.mapping(DARK)
    assert around.mapping("ligeriri_iris_dark_0009.rmap") is None
    assert around.mapping("../ligeriri_0001.pmap") is None
    assert around.reference(reference.name, "IRIS") == reference
    assert around.reference("../" + reference.name, "iris") is None
    assert around.reference(reference.name, "../iris") is None
    assert around.observatory.name == "ligeriri"
    assert around.knows_mappings
    assert around.knows_references


def test_cache_of_rules_knows_no_references(tmp_path):
    (tmp_path / "mappings/hst").mkdir(parents=True)

    assert not CacheSurroundings(Layout(tmp_path), "hst").knows_references
    assert not CacheSurroundings(Layout(tmp_path), "").knows_references


def test_surroundings_of_a_loose_file():
    around = LooseSurroundings(DEMO / "mappings/ligeriri", "ligeriri")

    assert around.mapping(DARK).name == DARK
    assert around.mapping("other.rmap") is None
    assert around.reference("x.fits", "iris") is None
    assert not around.knows_mappings
    assert not around.knows_references
    assert around.observatory.name == "ligeriri"


def test_definition_of_an_unknown_telescope_is_none(tmp_path):
    assert definition("nowhere", tmp_path) is None
    assert definition("", tmp_path) is None
    assert definition("../etc", tmp_path) is None


def test_wrong_definition_is_an_error(tmp_path):
    (tmp_path / "hst").mkdir()
    (tmp_path / "hst/observatory.yaml").write_text("[")

    with pytest.raises(ObservatoryError):
        definition("hst", tmp_path)
