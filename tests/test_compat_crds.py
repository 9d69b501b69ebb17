"""What pipelines import from crds, answered from a cache."""

import gzip
import importlib.util
import json
import logging
import os
import shutil
import socket
import subprocess
import sys

import pytest
from astropy.io import fits

import calmap
from calmap.compat import crds

IRIS = {
    "meta.instrument.name": "IRIS",
    "meta.instrument.era": "0.0.0",
    "meta.instrument.detector": "IMG1",
    "meta.instrument.filter": "Y",
    "meta.instrument.pupil": "CLEAR",
    "meta.exposure.readmode": "DEFAULT",
    "meta.subarray.name": "FULL",
    "meta.date": "2024-10-01T00:00:00",
}
DARK = "IRIS_IMG1_DARK_20240924T000000_0.0.1.fits"
FLAT = "IRIS_IMG1_FLAT_20240924T000000_0.0.1.fits"

PMAP = """
header = {
    'mapping': 'PIPELINE', 'derived_from': 'NONE', 'name': 'ligeriri_0001.pmap', 'observatory': 'LIGERIRI',
    'parkey': ('META.INSTRUMENT.NAME',),
}
selector = {'IRIS': 'ligeriri_iris_0001.imap'}
"""
IMAP = """
header = {
    'mapping': 'INSTRUMENT', 'derived_from': 'NONE', 'name': 'ligeriri_iris_0001.imap',
    'observatory': 'LIGERIRI', 'instrument': 'IRIS', 'parkey': ('REFTYPE',),
}
selector = {
    'DARK': 'ligeriri_iris_dark_0001.rmap', 'DQ': 'N/A', 'DRIZPARS': 'OMIT',
}
"""
RMAP = """
header = {
    'mapping': 'REFERENCE', 'derived_from': 'NONE', 'classes': ('Match',),
    'name': 'ligeriri_iris_dark_0001.rmap', 'observatory': 'LIGERIRI', 'instrument': 'IRIS',
    'filekind': 'DARK', 'parkey': (('META.INSTRUMENT.DETECTOR',),),
}
selector = Match({('IMG1',): ('a.fits', 'b.fits'), ('IMG2',): 'a.fits', ('IMG3',): 'pointer.fits'})
"""


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """An environment that says nothing of caches, and no network."""
    for name in tuple(os.environ):
        if name.startswith(("CALMAP_", "CRDS_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def refuse(*_args, **_keywords):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "socket", refuse)
    return monkeypatch


@pytest.fixture
def demo(alone, repo_root):
    """The demonstration cache, named as for CRDS."""
    alone.setenv("CRDS_PATH", str(repo_root))
    return repo_root


@pytest.fixture
def small(alone, tmp_path):
    """A cache with a tuple of files, an omitted type and a file that isn't there."""
    root = tmp_path / "cache"
    mappings, references = root / "mappings/ligeriri", root / "references/ligeriri/iris"
    mappings.mkdir(parents=True)
    references.mkdir(parents=True)
    for name, text in (("0001.pmap", PMAP), ("iris_0001.imap", IMAP), ("iris_dark_0001.rmap", RMAP)):
        (mappings / f"ligeriri_{name}").write_text(text)
    (references / "a.fits").write_bytes(b"SIMPLE  =")
    (references / "pointer.fits").write_text("version https://git-lfs.github.com/spec/v1\nsize 9\n")
    alone.setenv("CRDS_PATH", str(root))
    return root


def ask(detector: str = "IMG1", **changes):
    parameters = {"META.INSTRUMENT.NAME": "IRIS", "META.INSTRUMENT.DETECTOR": detector}
    return crds.getreferences(parameters, observatory="ligeriri", **changes)


# -- getreferences ----------------------------------------------------------------------------


def test_paths_are_absolute_and_exist(demo):
    found = crds.getreferences(IRIS, reftypes=["dark", "flat"], observatory="ligeriri")
    folder = demo / "references/ligeriri/iris"
    assert found == {"dark": str(folder / DARK), "flat": str(folder / FLAT)}
    assert (folder / DARK).is_file()


def test_the_real_cache_as_it_is(alone, corpus, caplog):
    root = corpus / "liger-iris-crds-cache"
    alone.setenv("CRDS_PATH", str(root))
    alone.setenv("CRDS_CONTEXT", "ligeriri_0001.pmap")
    with caplog.at_level(logging.WARNING, "calmap"):
        found = crds.getreferences(IRIS, reftypes=["dark"], observatory="ligeriri")
    assert found == {"dark": str(root / "references/ligeriri/iris" / DARK)}
    assert "only a Git-LFS pointer; run 'git lfs pull'" in caplog.text


def test_fits_keywords_and_numbers_do_too(demo):
    header = {
        "INSTRUME": "Liger", "ERA": "0.0.0", "DETECTOR": "IMG", "READMODE": "DEFAULT", "SUBARRAY": "FULL",
        "EXPJDST": 2460495.5, "NAXIS": 2, "SIMPLE": True, "COMMENT": None, "WCS": [1, 2],
    }  # fmt: skip
    found = crds.getrecommendations(header, ["dark"], observatory="ligeriri")
    assert found == {"dark": "Liger_IMG_DARK_20240924T000000_0.0.1.fits"}


def test_types_are_returned_in_lower_case_and_none_means_all(demo):
    assert list(crds.getreferences(IRIS, ("DARK",), observatory="ligeriri")) == ["dark"]
    everything = ["dark", "dq", "drizpars", "flat", "nonlincoeff"]
    assert sorted(crds.getreferences(IRIS, observatory="ligeriri")) == everything
    assert sorted(crds.getreferences(IRIS, [], observatory="ligeriri")) == everything


def test_a_type_that_does_not_apply(demo):
    cube = IRIS | {"meta.instrument.detector": "IFU"}
    assert crds.getreferences(cube, ["drizpars"], observatory="ligeriri") == {"drizpars": "NOT FOUND n/a"}


def test_every_type_without_a_reference_is_told_with_its_reason(demo):
    header = IRIS | {"meta.instrument.filter": "Q"}
    with pytest.raises(crds.CrdsLookupError) as caught:
        crds.getreferences(header, ["dark", "flat", "nonlin"], observatory="ligeriri")
    heading, flat, nonlin = str(caught.value).splitlines()
    assert heading == "no best reference in ligeriri_0001.pmap for"
    assert flat.startswith("  flat: META.INSTRUMENT.FILTER='Q' is ")
    assert nonlin.startswith("  nonlin: the reference type 'nonlin' is unknown to ligeriri_iris_0001.imap")
    assert isinstance(caught.value, LookupError)
    assert isinstance(caught.value, calmap.CalmapError)


def test_tuples_and_omitted_types(small):
    references = small / "references/ligeriri/iris"
    (references / "b.fits").write_bytes(b"SIMPLE  =")
    assert ask() == {
        "dark": (str(references / "a.fits"), str(references / "b.fits")),
        "dq": "NOT FOUND n/a",
    }


def test_a_file_that_is_not_in_the_cache(small):
    with pytest.raises(crds.CrdsDownloadError) as caught:
        ask("IMG1", reftypes=["dark"])
    folder = small / "references/ligeriri/iris"
    assert f"dark: reference file b.fits is not in {folder}" in str(caught.value)
    assert isinstance(caught.value, calmap.errors.NotInCacheError)


def test_a_pointer_is_returned_with_a_warning(small, caplog):
    path = str(small / "references/ligeriri/iris/pointer.fits")
    assert ask("IMG3")["dark"] == path
    assert [record.getMessage() for record in caplog.records] == [
        f"{path} is only a Git-LFS pointer; run 'git lfs pull'"
    ]


def test_a_replaced_mapping_is_read_again(small):
    assert ask("IMG2")["dark"].endswith("a.fits")
    mapping = small / "mappings/ligeriri/ligeriri_iris_dark_0001.rmap"
    new = mapping.with_suffix(".new")
    new.write_text(RMAP.replace("('IMG2',): 'a.fits'", "('IMG2',): 'N/A'"))
    new.replace(mapping)
    assert ask("IMG2")["dark"] == "NOT FOUND n/a"


@pytest.mark.parametrize(
    ("parameters", "reftypes", "message"),
    [
        (["META.A"], None, "parameters must be a mapping"),
        ({1: "x"}, None, "the parameter 1 must be a str, not int"),
        ({}, "dark", r"reftypes must be a list such as \['dark'\]"),
        ({}, [b"dark"], "the reference type b'dark' must be a str, not bytes"),
    ],
)
def test_arguments_of_the_wrong_type(demo, parameters, reftypes, message):
    with pytest.raises(TypeError, match=message):
        crds.getreferences(parameters, reftypes, observatory="ligeriri")


# -- bad files --------------------------------------------------------------------------------


@pytest.fixture
def bad(small):
    """The small cache, which calls one of its references bad."""
    config = small / "config/ligeriri"
    config.mkdir(parents=True)
    (config / "bad_files.txt").write_text("x.fits\na.fits\nligeriri_iris_dark_0001.rmap")
    return config / "bad_files.txt"


@pytest.mark.parametrize("answer", [crds.getreferences, crds.getrecommendations])
def test_a_bad_reference_is_refused(bad, answer):
    header = {"META.INSTRUMENT.NAME": "IRIS", "META.INSTRUMENT.DETECTOR": "IMG2"}
    with pytest.raises(crds.CrdsBadReferenceError, match=r"dark: a\.fits .*CRDS_ALLOW_BAD_REFERENCES=1"):
        answer(header, ["dark"], observatory="ligeriri")
    assert set(answer(header, ["dark"], observatory="ligeriri", fast=True)) == {"dark"}
    bad.write_text("b.fits\n")
    assert set(answer(header, ["dark"], observatory="ligeriri")) == {"dark"}
    bad.unlink()
    assert set(answer(header, ["dark"], observatory="ligeriri")) == {"dark"}


def test_a_bad_reference_may_be_let_through(bad, alone, caplog):
    alone.setenv("CRDS_ALLOW_BAD_REFERENCES", "1")
    assert ask("IMG2")["dark"].endswith("a.fits")
    assert "files that the cache calls bad, in bad_files.txt: dark: a.fits" in caplog.text
    alone.setenv("CRDS_ALLOW_BAD_REFERENCES", "0")
    with pytest.raises(crds.CrdsBadReferenceError):
        ask("IMG2")


def test_a_list_of_bad_files_that_can_not_be_read(bad):
    bad.write_bytes(b"\xff")
    with pytest.raises(crds.CrdsError, match=r"bad_files\.txt can't be read"):
        ask("IMG2")


def test_a_bad_reference_is_written_and_counted(bad, alone, tmp_path, caplog):
    frame = tmp_path / "frame.fits"
    fits.PrimaryHDU(header=fits.Header({"INSTRUME": "IRIS", "DETECTOR": "IMG2"})).writeto(frame)
    assert crds.assign_bestrefs([frame], reftypes=["dark"]) == 1
    assert fits.getheader(frame)["R_DARK"] == "crds://a.fits"
    assert "the cache calls the best reference bad, of type dark: a.fits" in caplog.text
    alone.setenv("CRDS_ALLOW_BAD_REFERENCES", "1")
    assert crds.assign_bestrefs([frame], reftypes=["dark"]) == 0


# -- getrecommendations -----------------------------------------------------------------------


def test_recommendations_need_no_files_and_never_fail_for_a_type(small):
    header = {"META.INSTRUMENT.NAME": "IRIS", "META.INSTRUMENT.DETECTOR": "IMG1"}
    assert crds.getrecommendations(header, observatory="ligeriri") == {
        "dark": ("a.fits", "b.fits"),
        "dq": "NOT FOUND n/a",
    }
    header["META.INSTRUMENT.DETECTOR"] = "X"
    lost = crds.getrecommendations(header, ["dark"], observatory="ligeriri")
    assert lost["dark"].startswith("NOT FOUND META.INSTRUMENT.DETECTOR='X' is ")


# -- contexts ---------------------------------------------------------------------------------


def test_the_context_comes_from_argument_then_environment_then_cache(demo, alone):
    assert crds.get_context_name("ligeriri") == "ligeriri_0001.pmap"
    assert crds.get_default_context() == "ligeriri_0001.pmap"
    alone.setenv("CRDS_CONTEXT", "ligeriri_0000.pmap")
    assert crds.get_context_name("ligeriri") == "ligeriri_0000.pmap"
    assert crds.get_default_context("ligeriri", "latest") == "ligeriri_0000.pmap"
    assert crds.get_context_name("ligeriri", "ligeriri_0001.pmap") == "ligeriri_0001.pmap"
    with pytest.raises(crds.CrdsDownloadError, match=r"ligeriri_0000\.pmap is not in .*newest context there"):
        crds.getreferences(IRIS, ["dark"], observatory="ligeriri")


def test_a_named_context_counts_more_than_the_telescope(demo, alone):
    assert list(crds.getreferences(IRIS, ["dark"], context="ligeriri_0001.pmap")) == ["dark"]
    alone.setenv("CRDS_CONTEXT", "ligeriri_0001.pmap")
    assert list(crds.getreferences(IRIS, ["dark"])) == ["dark"]


@pytest.mark.parametrize("name", ["ligeriri-latest", "latest", "jwst-2024-01-01T00:00:00"])
def test_a_context_that_only_a_server_knows(demo, alone, name):
    hint = "only a server knows; name a .pmap"
    with pytest.raises(crds.CrdsConfigError, match=f"the context '{name}' is not the name.*{hint}"):
        crds.getreferences(IRIS, ["dark"], context=name)
    alone.setenv("CRDS_CONTEXT", name)
    with pytest.raises(crds.CrdsConfigError, match=f"the context '{name}' of CRDS_CONTEXT is not .*{hint}"):
        crds.get_context_name("ligeriri")
    with pytest.raises(crds.CrdsConfigError, match="'edit' only a server knows"):
        crds.get_default_context("ligeriri", "edit")


def test_no_cache(alone):
    with pytest.raises(crds.CrdsConfigError, match=r"which cache is meant.*CALMAP_CACHE or CRDS_PATH"):
        crds.getreferences(IRIS)


def test_a_cache_that_is_none(alone, tmp_path):
    alone.setenv("CRDS_PATH", str(tmp_path))
    with pytest.raises(crds.CrdsError, match=r"is no cache.*named by CRDS_PATH"):
        crds.getreferences(IRIS, observatory="ligeriri")


@pytest.mark.parametrize("observatory", ["jwst", "nope", "../x"])
def test_a_telescope_that_the_cache_does_not_have(demo, observatory):
    with pytest.raises(crds.CrdsError):
        crds.getreferences(IRIS, ["dark"], observatory=observatory)


@pytest.mark.parametrize(
    ("name", "message"),
    [(None, "the header names no instrument"), ("IRS", "no instrument 'IRS' .*did you mean 'iris'")],
)
def test_an_instrument_that_the_context_does_not_have(demo, name, message):
    header = {key: value for key, value in IRIS.items() if key != "meta.instrument.name"}
    if name:
        header["meta.instrument.name"] = name
    with pytest.raises(crds.CrdsUnknownInstrumentError, match=rf"ligeriri_0001\.pmap: .*{message}"):
        crds.getreferences(header, ["dark"], observatory="ligeriri")


def test_a_mapping_that_can_not_be_read(small):
    (small / "mappings/ligeriri/ligeriri_iris_0001.imap").write_text("header = {")
    with pytest.raises(crds.MappingError, match=r"ligeriri_iris_0001\.imap"):
        ask()


def test_what_is_added_to_the_cache_is_noticed(small):
    folder = small / "mappings/ligeriri"
    assert crds.get_context_name("ligeriri") == "ligeriri_0001.pmap"
    assert crds.get_default_context() == "ligeriri_0001.pmap"
    (folder / "ligeriri_0002.pmap").write_text(PMAP.replace("_0001.pmap", "_0002.pmap"))
    assert crds.get_context_name("ligeriri") == "ligeriri_0002.pmap"
    (folder / "ligeriri_0002.pmap").unlink()
    assert crds.get_context_name("ligeriri") == "ligeriri_0001.pmap"
    (small / "mappings/hst").mkdir()
    assert crds.get_default_context() == "ligeriri_0001.pmap"
    (small / "mappings/hst/hst_0001.pmap").touch()
    with pytest.raises(crds.CrdsConfigError, match="the cache has hst, ligeriri"):
        crds.get_default_context()


def test_a_large_cache_is_read_once(small, alone):
    for number in range(50):
        (small / f"mappings/ligeriri/ligeriri_iris_x{number}_0001.rmap").touch()
    for folder in (small / "mappings", small / "mappings/ligeriri"):
        os.utime(folder, (1e9, 1e9))
    listings = []
    scandir = os.scandir

    def counted(path):
        listings.append(path)
        return scandir(path)

    alone.setattr(os, "scandir", counted)
    names = {crds.get_context_name("ligeriri") for _ in range(20)}
    assert names == {"ligeriri_0001.pmap"}
    assert 0 < len(listings) < 6


# -- places -----------------------------------------------------------------------------------


def test_where_files_are(demo, repo_root):
    references = repo_root / "references/ligeriri"
    assert crds.locate_file(DARK, "ligeriri") == str(references / "iris" / DARK)
    assert crds.locate_file("Liger_IMG_NEW.fits", "ligeriri") == str(references / "liger/Liger_IMG_NEW.fits")
    pmap = str(repo_root / "mappings/ligeriri/ligeriri_0001.pmap")
    assert (
        crds.locate_mapping("ligeriri_0001.pmap")
        == crds.locate_file("ligeriri_0001.pmap", "ligeriri")
        == pmap
    )
    assert crds.locate_mapping("ligeriri_0009.pmap") == pmap.replace("0001", "0009")
    assert crds.locate_file("some/x.fits", "ligeriri") == "some/x.fits"
    assert crds.locate_mapping("./x.pmap") == "./x.pmap"
    with pytest.raises(crds.CrdsDownloadError, match=r"x\.fits is not in .*references.ligeriri or a folder"):
        crds.locate_file("x.fits", "ligeriri")


def test_a_flat_cache(small):
    config = small / "config/ligeriri"
    config.mkdir(parents=True)
    (config / "ref_cache_subdir_mode").write_text("flat\n")
    flat = small / "references/ligeriri/a.fits"
    flat.write_bytes(b"SIMPLE  =")
    assert crds.locate_file("a.fits", "ligeriri") == str(flat)
    assert ask("IMG2")["dark"] == str(flat)


def test_mappings_of_the_cache(demo):
    assert crds.list_mappings("ligeriri", "*_dark_*") == [
        "ligeriri_iris_dark_0001.rmap",
        "ligeriri_liger_dark_0001.rmap",
    ]
    assert "ligeriri_0001.pmap" in crds.list_mappings()


# -- assign_bestrefs --------------------------------------------------------------------------


def test_references_are_written_into_headers(demo, tmp_path):
    name = "2025A-P207-003_IRIS_IFU_SCI-M92-K-4.0_LVL1_0002-00.fits"
    frame = tmp_path / "with a space.fits"
    shutil.copy(demo / "exposures" / name, frame)
    assert crds.assign_bestrefs([frame], reftypes=["dark", "drizpars"]) == 0
    header = fits.getheader(frame)
    assert header["R_DARK"] == "crds://IRIS_IFU_DARK_20250313T000000_0.0.1.fits"
    assert header["R_DRZPAR"] == "N/A"
    assert header["CRDS_CTX"] == "ligeriri_0001.pmap"
    assert header["CRDS_VER"] == f"calmap {calmap.__version__}"
    assert "R_FLAT" not in header


def test_errors_are_counted(demo, tmp_path, caplog):
    name = "2024B-P123-009_IRIS_IMG1_SCI-J1458+1013-BrGamma-4.0_LVL1_0003-00.fits"
    frame = tmp_path / "frame.fits"
    shutil.copy(demo / "exposures" / name, frame)
    assert crds.assign_bestrefs([str(frame), "absent.fits"]) == 2
    assert fits.getheader(frame)["R_DARK"] == f"crds://{DARK}"
    messages = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert "no best reference of type flat" in messages[0]
    assert "absent.fits" in messages[1]


# -- side by side with crds -------------------------------------------------------------------

ORACLE = """
import json, sys
import crds
answer = []
for header in json.load(sys.stdin):
    answer.append(crds.getrecommendations(header, context="hst_0729.pmap", observatory="hst"))
json.dump(answer, sys.stdout)
"""
ASSIGN = """
import sys
import crds
sys.exit(crds.assign_bestrefs(sys.argv[1:], context="hst_0729.pmap", verbosity=-3))
"""


@pytest.fixture
def hst(alone, corpus):
    """Headers of HST, and a function that runs a program which uses crds."""
    if importlib.util.find_spec("crds") is None:
        pytest.skip("crds is not installed")
    root = corpus / "crds-cache"
    alone.setenv("CRDS_PATH", str(root))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "CRDS_PATH": str(root),
        "CRDS_OBSERVATORY": "hst",
        "CRDS_SERVER_URL": "https://crds-serverless-mode.stsci.edu",
        "CRDS_READONLY_CACHE": "1",
    }

    def run(program, *arguments, text=""):
        command = [sys.executable, "-c", program, *arguments]
        return subprocess.run(command, input=text, env=environment, capture_output=True, text=True)

    with gzip.open(corpus / "cases/bestref_context.jsonl.gz", "rt") as lines:
        cases = [case for case in map(json.loads, lines) if case["context"] == "hst_0729.pmap"]
    headers = [case["header"] for case in cases]
    return headers, run


def plain(answer):
    """An answer without the words of a reason, which differ."""
    if answer == "NOT FOUND n/a":
        return "n/a"
    if isinstance(answer, str) and answer.startswith("NOT FOUND"):
        return None
    return answer if isinstance(answer, str) else list(answer)


@pytest.mark.slow
def test_recommendations_are_those_of_crds(hst):
    headers, run = hst
    chosen = headers[:: max(1, len(headers) // 60)]
    theirs = json.loads(run(ORACLE, text=json.dumps(chosen)).stdout)
    assert len(theirs) == len(chosen) > 20
    for header, expected in zip(chosen, theirs, strict=True):
        ours = crds.getrecommendations(header, context="hst_0729.pmap", observatory="hst")
        assert {reftype: plain(answer) for reftype, answer in ours.items()} == {
            reftype: plain(answer) for reftype, answer in expected.items()
        }


@pytest.mark.slow
def test_headers_are_written_as_by_crds(hst, tmp_path):
    headers, run = hst
    counts = []
    for header in headers[:: max(1, len(headers) // 4)]:
        frame = fits.PrimaryHDU()
        frame.header.update({key: value for key, value in header.items() if not key.startswith("NAXIS")})
        theirs, ours = tmp_path / "theirs.fits", tmp_path / "ours.fits"
        frame.writeto(theirs, overwrite=True)
        shutil.copy(theirs, ours)
        expected = run(ASSIGN, str(theirs)).returncode
        assert crds.assign_bestrefs([ours], context="hst_0729.pmap") == expected
        counts.append(expected)
        left, right = (dict(fits.getheader(path)) for path in (ours, theirs))
        assert left.pop("CRDS_VER") == f"calmap {calmap.__version__}"
        right.pop("CRDS_VER")
        assert left == right
    assert counts
