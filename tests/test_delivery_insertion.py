"""References put into the rules of a context."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from astropy.io import fits
from deliveries import NEW, calmap, demo_cache, reference
from git_repositories import git, repository
from syrupy.assertion import SnapshotAssertion

from calmap.bestref import Cache
from calmap.delivery.change import Change, make
from calmap.delivery.deletion import plan_deletion
from calmap.delivery.insertion import Delivery, DeliveryError, plan_insertion

RULES = """\
header = {{
    'derived_from' : 'NONE',
    'filekind' : '{kind}',
    'instrument' : '{instrument}',
    'mapping' : 'REFERENCE',
    'name' : '{name}',
    'observatory' : '{telescope}',
    'parkey' : (('{first}', '{second}'), ('{date}', '{time}')),
}}

selector = Match({{
    ('{a}', '{b}') : UseAfter({{
        '2000-01-01 00:00:00' : 'old.fits',
    }}),{more}
}})
"""
JWST = {
    "telescope": "JWST",
    "instrument": "MIRI",
    "kind": "IPC",
    "first": "META.INSTRUMENT.DETECTOR",
    "second": "META.INSTRUMENT.FILTER",
    "date": "META.OBSERVATION.DATE",
    "time": "META.OBSERVATION.TIME",
}
HST = {
    "telescope": "HST",
    "instrument": "COS",
    "kind": "DEADTAB",
    "first": "DETECTOR",
    "second": "OBSTYPE",
    "date": "DATE-OBS",
    "time": "TIME-OBS",
}


def cache_of(folder: Path, terms: dict[str, str], a: str, b: str, more: str = "") -> tuple[Cache, str]:
    """A cache with one rmap, which is its context too."""
    name = f"{terms['telescope']}_{terms['instrument']}_{terms['kind']}_0001.rmap".lower()
    path = folder / "mappings" / terms["telescope"].lower() / name
    path.parent.mkdir(parents=True)
    path.write_text(RULES.format(**terms, name=name, a=a, b=b, more=more))
    return Cache(folder), name


def file_of(folder: Path, name: str = "new.fits", **header: object) -> Path:
    path = folder / name
    fits.PrimaryHDU(header=fits.Header({"USEAFTER": "2020-01-01", **header})).writeto(path)
    return path


def planned(cache: Cache, name: str, *paths: Path) -> Delivery:
    return plan_insertion(cache.rules(name.partition("_")[0]), name, paths)


MIRI = {"TELESCOP": "JWST", "INSTRUME": "MIRI", "REFTYPE": "IPC", "DETECTOR": "MIRIMAGE"}
COS = {"TELESCOP": "HST", "INSTRUME": "COS", "FILETYPE": "DEADTIME REFERENCE TABLE", "DETECTOR": "FUV"}


def test_a_special_case_is_refused_for_jwst(tmp_path: Path) -> None:
    cache, name = cache_of(tmp_path, JWST, "MIRIMAGE", "F560W|F770W")

    with pytest.raises(DeliveryError) as refused:
        planned(cache, name, file_of(tmp_path, **MIRI, FILTER="F560W"))

    (problem,) = refused.value.problems
    assert "MIRIMAGE, F560W would be a special case of the one in jwst_miri_ipc_0001" in problem.message
    assert "P_FILTER = 'F560W|F770W'" in str(problem.hint)


def test_a_special_case_is_told_for_hst(tmp_path: Path) -> None:
    cache, name = cache_of(tmp_path, HST, "FUV", "IMAGING|SPECTROSCOPIC")

    (item,) = planned(cache, name, file_of(tmp_path, **COS, OBSTYPE="IMAGING")).inserted

    (warning,) = item.outlook.warnings
    assert "an observation with DETECTOR=FUV, OBSTYPE=IMAGING" in warning
    assert warning.endswith("also matches the rule in line 16 with the same weight: the later date wins")


def test_a_general_rule_does_not_compete_with_one_of_more_weight(tmp_path: Path) -> None:
    cache, name = cache_of(tmp_path, JWST, "MIRIMAGE", "N/A")

    (item,) = planned(cache, name, file_of(tmp_path, **MIRI, FILTER="F560W")).inserted

    assert (item.kind, item.outlook.warnings) == ("rule", ())


def test_the_interval_between_two_others(tmp_path: Path) -> None:
    cache, name = cache_of(tmp_path, HST, "FUV", "IMAGING")
    first, second = (
        file_of(tmp_path, f"{year}.fits", **{**COS, "OBSTYPE": "IMAGING", "USEAFTER": f"{year}-01-01"})
        for year in ("2010", "2005")
    )

    _, middle = planned(cache, name, first, second).inserted

    outlook = middle.outlook
    assert (outlook.since, outlook.until) == ("2005-01-01 00:00:00", "2010-01-01 00:00:00")
    assert (outlook.before, outlook.after) == ("old.fits", "2010.fits")


def test_the_same_file_twice_is_one(tmp_path: Path) -> None:
    cache, name = cache_of(tmp_path, HST, "FUV", "IMAGING")
    path = file_of(tmp_path, **COS, OBSTYPE="IMAGING")

    delivery = planned(cache, name, path, path)

    assert [item.kind for item in delivery.inserted] == ["row"]
    assert len(delivery.copies) == 1


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    cache, name = cache_of(tmp_path, HST, "FUV", "IMAGING")
    (tmp_path / "other").mkdir()
    first = file_of(tmp_path, **COS, OBSTYPE="IMAGING")
    second = file_of(tmp_path / "other", **COS, OBSTYPE="SPECTROSCOPIC")

    with pytest.raises(DeliveryError) as refused:
        planned(cache, name, first, second)

    assert "new.fits" in refused.value.problems[0].message


def test_every_problem_is_told(tmp_path: Path) -> None:
    cache, name = cache_of(tmp_path, HST, "FUV", "IMAGING")
    bad = file_of(tmp_path, "bad.fits", **{**COS, "DETECTOR": ""})

    with pytest.raises(DeliveryError) as refused:
        planned(cache, name, bad, tmp_path / "none.fits", file_of(tmp_path, **COS, OBSTYPE="IMAGING"))

    assert [problem.message.count(".fits") > 0 for problem in refused.value.problems] == [True, True]


@pytest.mark.parametrize("header", [{}, {"FILTER": "CO"}, {"FILTER": "J", "USEAFTER": "2020-01-01"}])
def test_insertion_and_deletion_give_the_text_back(tmp_path: Path, header: dict[str, str]) -> None:
    root = demo_cache(tmp_path)
    name = "ligeriri_iris_flat_0001.rmap"
    old = (root / "mappings/ligeriri" / name).read_text()
    path = reference(tmp_path, **header)

    def insertion() -> Change:
        delivery = plan_insertion(Cache(root).rules("ligeriri"), name, [path], in_place=True)
        return Change("insert", delivery.revision, delivery.copies)

    def deletion() -> Change:
        return Change(
            "delete", plan_deletion(Cache(root).rules("ligeriri"), name, [NEW], in_place=True).revision
        )

    make(Cache(root).layout, insertion)
    assert NEW in (root / "mappings/ligeriri" / name).read_text()
    make(Cache(root).layout, deletion)

    assert (root / "mappings/ligeriri" / name).read_text() == old


def test_a_real_cache(corpus: Path, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """Repaired and with a new flat, it lacks nothing but the files that are truly missing."""
    cache = tmp_path / "cache"
    shutil.copytree(corpus / "liger-iris-crds-cache", cache, copy_function=shutil.copyfile)
    for folder in (cache, *cache.rglob("*/")):
        folder.chmod(0o755)
    repository(cache)
    flat = reference(tmp_path)

    calmap(Path.cwd(), "check", "--fix", cache)
    inserted = calmap(cache, "insert-reference", flat)

    assert inserted.exit_code == 0, inserted.stderr
    git(cache, "add", "--all")
    assert git(cache, "diff", "--cached", "--stat=78").replace("\t", " ") == snapshot
    found = calmap(Path.cwd(), "check", "--format", "concise", cache).stdout
    errors = [line.split(": ", 1)[1] for line in found.splitlines() if " CM" in line]
    missing = ("CM401 ", "CM403 ", "CM404 ")
    assert [line for line in errors if not line.startswith((*missing, "CM105 "))] == []
    assert NEW not in found
