"""A real stpipe whose reference files calmap chooses."""

import os
import sys
from types import SimpleNamespace

import pytest

import calmap
from calmap.compat import stpipe as ours

stpipe = pytest.importorskip("stpipe")

from stpipe import Pipeline, Step, crds_client  # noqa: E402

NAMES = [name for name in ours.__all__ if name != "patch_stpipe"]
DARK = "IRIS_IMG1_DARK_20240924T000000_0.0.1.fits"
FLAT = "IRIS_IMG1_FLAT_20240924T000000_0.0.1.fits"
PARAMETERS = {
    "meta.instrument.name": "IRIS",
    "meta.instrument.era": "0.0.0",
    "meta.instrument.detector": "IMG1",
    "meta.instrument.filter": "Y",
    "meta.instrument.pupil": "CLEAR",
    "meta.exposure.readmode": "DEFAULT",
    "meta.exposure.nreads": 10,
    "meta.subarray.name": "FULL",
    "meta.date": "2024-10-01T00:00:00",
}


class Model:
    """As little of a data model as stpipe asks for."""

    crds_observatory = "ligeriri"

    def __init__(self, **changes):
        self.meta = SimpleNamespace(filename="frame.fits")
        self.parameters = PARAMETERS | {key.replace("_", "."): value for key, value in changes.items()}

    def get_crds_parameters(self):
        return self.parameters

    def save(self, path, dir_path=None, *args, **kwargs):
        raise AssertionError("nothing is to be saved")


class CorrectStep(Step):
    class_alias = "correct"
    spec = "output_ext = string(default='.fits')"
    reference_file_types = ("dark", "flat", "drizpars")

    @staticmethod
    def _datamodels_open(init, **_keywords):
        if isinstance(init, Model):
            return init
        raise OSError(f"{init} is no model")

    def process(self, model):
        return {name: self.get_reference_file(model, name) for name in self.reference_file_types}

    def finalize_result(self, result, reference_files_used):
        self.recorded = list(reference_files_used)


class CorrectPipeline(Pipeline):
    class_alias = "correct_pipeline"
    spec = CorrectStep.spec
    step_defs = {"correct": CorrectStep}  # noqa: RUF012
    _datamodels_open = CorrectStep._datamodels_open

    def process(self, model):
        return self.correct.run(model)


@pytest.fixture
def references(monkeypatch, tmp_path, repo_root):
    """stpipe patched to ask calmap about the demonstration cache; the folder of its IRIS references."""
    for name in tuple(os.environ):
        if name.startswith(("CALMAP_", "CRDS_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CRDS_PATH", str(repo_root))
    monkeypatch.chdir(tmp_path)
    with ours.patch_stpipe():
        yield repo_root / "references/ligeriri/iris"


# -- a step -----------------------------------------------------------------------------------


def test_a_step_gets_its_references_from_calmap(references):
    step = CorrectStep()
    assert step.run(Model()) == {
        "dark": str(references / DARK),
        "flat": str(references / FLAT),
        "drizpars": str(references / "IRIS_IMG_DRIZPARS_20240101T000000_0.0.1.fits"),
    }
    assert step.recorded == [
        ("dark", f"crds://{DARK}"),
        ("flat", f"crds://{FLAT}"),
        ("drizpars", "crds://IRIS_IMG_DRIZPARS_20240101T000000_0.0.1.fits"),
    ]


def test_a_type_that_does_not_apply(references):
    step = CorrectStep()
    model = Model(meta_instrument_detector="IFU")
    assert step.get_reference_file(model, "drizpars") == "N/A"
    assert step._reference_files_used == [("drizpars", "N/A")]


def test_overrides(references, tmp_path):
    own = tmp_path / "own.fits"
    own.write_bytes(b"SIMPLE  =")
    step = CorrectStep(override_dark=str(own), override_flat="N/A", override_drizpars="")
    assert step.run(Model()) == {"dark": str(own), "flat": "N/A", "drizpars": ""}
    assert step.recorded == [("dark", str(own)), ("flat", "N/A")]


def test_an_override_that_is_not_there(references, tmp_path):
    step = CorrectStep(override_dark=str(tmp_path / "absent.fits"))
    with pytest.raises(FileNotFoundError):
        step.run(Model())


def test_the_reason_reaches_the_user(references):
    step = CorrectStep()
    with pytest.raises(
        crds_client.CrdsError, match=r"dark: the date META\.DATE is missing: set META\.DATE, "
    ):
        step.run(Model(meta_date=None))


def test_call_asks_for_parameters_and_goes_on_without(references):
    assert CorrectStep.call(Model(), override_dark="N/A")["dark"] == "N/A"


# -- a pipeline -------------------------------------------------------------------------------


def test_a_pipeline_prefetches_and_runs(references, caplog):
    caplog.set_level("INFO", "stpipe")
    found = CorrectPipeline(steps={"correct": {"override_flat": "N/A"}}).run(Model())
    assert (found["dark"], found["flat"]) == (str(references / DARK), "N/A")
    assert f"Prefetch for DARK reference file is '{references / DARK}'." in caplog.text


def test_prefetching_tells_every_type_that_fails(references):
    model = Model(meta_instrument_filter="Q", meta_subarray_name="Q")
    with pytest.raises(crds_client.CrdsError) as caught:
        CorrectPipeline()._precache_references(model)
    assert [line.split(":")[0].strip() for line in str(caught.value).splitlines()[1:]] == ["dark", "flat"]


def test_a_model_as_an_override_is_not_opened(references):
    step = CorrectStep()
    step.override_dark = Model()
    step.override_dark.override_handle = "a model"
    assert step.get_reference_file(Model(), "dark") is step.override_dark
    assert ours.check_reference_open(step.override_dark) is step.override_dark


# -- the patch --------------------------------------------------------------------------------


def test_the_patch_can_be_undone():
    theirs = {name: getattr(crds_client, name) for name in NAMES}
    patch = ours.patch_stpipe()
    assert all(getattr(crds_client, name) is getattr(ours, name) for name in NAMES)
    patch.close()
    assert {name: getattr(crds_client, name) for name in NAMES} == theirs
    with ours.patch_stpipe(), ours.patch_stpipe():
        pass
    assert {name: getattr(crds_client, name) for name in NAMES} == theirs


def test_everything_that_stpipe_offers_is_answered():
    assert set(crds_client.__all__) == set(NAMES)


def test_the_name_crds_stays_free():
    assert not sys.modules["crds"].__file__.startswith(os.path.dirname(calmap.__file__))  # noqa: PTH120


# -- single functions -------------------------------------------------------------------------


def test_a_cache_below_a_folder_called_n_a(references, monkeypatch, tmp_path, repo_root):
    root = tmp_path / "n" / "a"
    root.mkdir(parents=True)
    for name in ("mappings", "references"):
        (root / name).symlink_to(repo_root / name)
    monkeypatch.setenv("CRDS_PATH", str(root))
    found = ours.get_reference_file(PARAMETERS, "dark", "ligeriri")
    assert found == str(root / "references/ligeriri/iris" / DARK)


def test_types_keep_the_case_they_were_asked_in(references):
    found = ours.get_multiple_reference_paths(PARAMETERS, ["DARK"], "ligeriri")
    assert found == {"DARK": str(references / DARK)}
    assert ours.get_multiple_reference_paths(PARAMETERS, [], "ligeriri") == {}


def test_omitted_types_and_several_files(references, monkeypatch, tmp_path, repo_root):
    mappings, files = tmp_path / "mappings/ligeriri", tmp_path / "references/ligeriri/iris"
    mappings.mkdir(parents=True)
    files.mkdir(parents=True)
    changes = {"ligeriri_iris_drizpars_0001.rmap'": "OMIT'", f"'{DARK}'": "('a.fits', 'b.fits')"}
    for path in (repo_root / "mappings/ligeriri").iterdir():
        text = path.read_text()
        for old, new in changes.items():
            text = text.replace(old, new)
        (mappings / path.name).write_text(text)
    both = tuple(str(files / name) for name in ("a.fits", "b.fits"))
    for name in both:
        (files / name).write_bytes(b"SIMPLE  =")
    monkeypatch.setenv("CRDS_PATH", str(tmp_path))
    assert ours.get_reference_file(PARAMETERS, "drizpars", "ligeriri") == "N/A"
    assert ours.get_multiple_reference_paths(PARAMETERS, ["dark"], "ligeriri") == {"dark": both}
    assert ours.check_reference_open(both) == both
    with pytest.raises(ours.CrdsError, match="the best reference of type dark is 2 files: "):
        ours.get_reference_file(PARAMETERS, "dark", "ligeriri")


def test_readability(tmp_path):
    assert ours.check_reference_open("N/A") == "N/A"
    assert ours.check_reference_open("") == ""
    with pytest.raises(FileNotFoundError):
        ours.check_reference_open(str(tmp_path / "absent.fits"))


def test_override_names():
    assert ours.get_override_name("dark") == "override_dark"
    for wrong in ("pars-step", "", "1dark", "d\xe4rk"):
        with pytest.raises(ValueError, match=f"'{wrong}' is no name"):
            ours.get_override_name(wrong)


def test_uris(references):
    assert ours.reference_uri_to_cache_path(f"crds://{DARK}", "ligeriri") == str(references / DARK)
    for wrong in (DARK, "crds://", "crds://../x.fits", f"file://{DARK}"):
        with pytest.raises(ours.CrdsError):
            ours.reference_uri_to_cache_path(wrong, "ligeriri")


def test_provenance(references, monkeypatch):
    assert ours.get_svn_version() == f"calmap {calmap.__version__}"
    assert ours.get_context_used("ligeriri") == "ligeriri_0001.pmap"
    monkeypatch.setenv("CRDS_CONTEXT", "ligeriri_0002.pmap")
    assert ours.get_context_used("ligeriri") == "ligeriri_0002.pmap"
