"""Steps and pipelines used as those of the Liger/IRIS pipeline and of stpipe."""

import json
import logging
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData
from making_exposures import write_exposures

from calmap.compat.errors import CrdsError
from calmap.compat.stpipe import patch_stpipe
from calmap.reduction import liger_iris
from calmap.reduction.liger_iris import (
    CombineFramesStep,
    CreateDark,
    CreateFlatfield,
    DarkModel,
    DarkSubtractionStep,
    FitRampStep,
    FlatFieldStep,
    ImagerModel,
    ImagerStage2Pipeline,
    LigerIRISPipeline,
    LigerIRISStep,
    MergeSubarraysStep,
    NonlinearCorrectionStep,
    NormalizeStep,
    RampModel,
    Stage1Pipeline,
    SubtractBackgroundImagerStep,
)
from reduce.ccddata import to_ccddata
from reduce.dq import DQ
from reduce.errors import DataError, OutputError, ParameterError
from reduce.files.reader import read_frame, read_header, read_provenance, read_ramp
from reduce.files.writer import write_frame
from reduce.frame import Frame, Ramp
from reduce.night import Shot
from reduce.sim import Detector
from reduce.steps import CLASSES, STEPS

SEED = "2024B-P123-008_IRIS_IMG1_SCI-J1458+1013-Y-4.0_LVL1_0001-00.fits"
RAW = "2025A-P207-002_IRIS_IMG1_SCI-M92-K-4.0_LVL0_0001-00.fits"
OTHER = "2025A-U045-001_Liger_IMG_SCI-Arches-H-10.0_LVL1_0007-00.fits"
NO_FLAT = "2024B-P123-009_IRIS_IMG1_SCI-J1458+1013-BrGamma-4.0_LVL1_0003-00.fits"
DARK = "IRIS_IMG1_DARK_20240924T000000_0.0.1.fits"
FLAT = "IRIS_IMG1_FLAT_20240924T000000_0.0.1.fits"


@pytest.fixture
def cache(repo_root, monkeypatch, tmp_path):
    """The demonstration cache, as the environment names it; the current folder is an empty one."""
    monkeypatch.setenv("CRDS_PATH", str(repo_root))
    monkeypatch.setenv("CRDS_CONTEXT", "ligeriri_0001.pmap")
    monkeypatch.chdir(tmp_path)
    return repo_root


@pytest.fixture
def seed(cache):
    return cache / "exposures" / SEED


@pytest.fixture
def dark(cache):
    return cache / "references/ligeriri/iris" / DARK


def statuses(frame):
    return {record.step: record.status for record in frame.provenance.steps}


def used(frame):
    return {use.reference.reftype: use for use in frame.provenance.references}


def frozen(frame):
    """The same frame with arrays that can't be written to."""
    for array in (frame.sci, frame.dq, *frame.variances.values(), *frame.planes.values()):
        array.flags.writeable = False
    return frame


# -- reference files --------------------------------------------------------------------------------


def test_the_reference_file_is_a_path(seed, dark):
    step = LigerIRISStep()

    assert step.get_reference_file(seed, "dark") == str(dark)
    assert step.get_reference_file(str(seed), "dark") == str(dark)
    assert step.get_reference_file(ImagerModel(seed), "dark") == str(dark)
    assert step.get_reference_file(dict(fits.getheader(seed)), "dark") == str(dark)
    assert step.reference_files_used == [("dark", f"crds://{DARK}")]


def test_a_type_that_does_not_apply(cache):
    [spectrum] = (cache / "exposures").glob("*IFU*")

    assert LigerIRISStep().get_reference_file(spectrum, "drizpars") == "N/A"


def test_older_names_of_types(cache):
    path = LigerIRISStep().get_reference_file(cache / "exposures" / RAW, "nonlin")

    assert "NONLINCOEFF" in path


def test_no_rule_is_an_error_of_crds_with_the_explanation(cache):
    with pytest.raises(CrdsError, match=r"FILTER='BRGAMMA' is in no rule(.|\n)*nearest rules") as caught:
        FlatFieldStep().get_reference_file(cache / "exposures" / NO_FLAT, "flat")
    assert "override_flat=" in caught.value.hint
    assert isinstance(caught.value, LookupError)


def test_a_reference_that_is_not_in_the_cache(cache, tmp_path, seed, monkeypatch):
    (tmp_path / "mappings").symlink_to(cache / "mappings")
    (tmp_path / "references").mkdir()
    monkeypatch.setenv("CRDS_PATH", str(tmp_path))

    with pytest.raises(CrdsError, match=DARK):
        LigerIRISStep().get_reference_file(seed, "dark")


def test_a_pointer_is_enough_for_the_path_but_not_to_reduce(cache, tmp_path, seed):
    (tmp_path / "mappings").symlink_to(cache / "mappings")
    pointer = tmp_path / "references/ligeriri/iris" / DARK
    pointer.parent.mkdir(parents=True)
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 1677\n")
    step = DarkSubtractionStep(cache=tmp_path)

    assert step.get_reference_file(seed, "dark") == str(pointer)
    with pytest.raises(CrdsError, match="only a Git-LFS pointer; fetch it with git lfs pull"):
        step.run(seed)


def test_keywords_count_more_than_the_environment(cache, seed, dark, monkeypatch):
    monkeypatch.setenv("CRDS_PATH", "/nowhere")
    monkeypatch.setenv("CRDS_CONTEXT", "hst_0001.pmap")

    found = LigerIRISStep(cache=cache, context="ligeriri_0001.pmap").get_reference_file(seed, "dark")

    assert found == str(dark)


def test_without_any_cache(repo_root, tmp_path, monkeypatch, dark):
    seed = repo_root / "exposures" / SEED
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CRDS_PATH")
    monkeypatch.delenv("CRDS_CONTEXT")

    with pytest.raises(CrdsError, match="no cache is known: pass cache=, or set CALMAP_CACHE or CRDS_PATH"):
        DarkSubtractionStep().run(seed)
    assert statuses(NormalizeStep().run(seed)) == {"normalize": "COMPLETE"}
    assert statuses(DarkSubtractionStep(override_dark=dark).run(seed)) == {"dark_sub": "COMPLETE"}


def test_the_same_as_stpipe_itself(seed, dark):
    stpipe = pytest.importorskip("stpipe")

    class Model:
        crds_observatory = "ligeriri"

        def get_crds_parameters(self):
            return {
                "meta.instrument.name": "IRIS", "meta.instrument.era": "0.0.0",
                "meta.instrument.detector": "IMG1", "meta.instrument.filter": "Y",
                "meta.instrument.pupil": "CLEAR", "meta.subarray.name": "FULL",
                "meta.exposure.readmode": "DEFAULT", "meta.date": "2024-10-05T06:00:00",
            }  # fmt: skip

        def save(self, path, dir_path=None, *args, **keywords):
            raise AssertionError

    class Theirs(stpipe.Step):
        spec = "output_ext = string(default='.fits')"
        reference_file_types = ("dark", "flat")

        @staticmethod
        def _datamodels_open(init, **_keywords):
            return init

    with patch_stpipe():
        theirs = [Theirs().get_reference_file(Model(), name) for name in ("dark", "flat")]

    assert [FlatFieldStep().get_reference_file(Model(), name) for name in ("dark", "flat")] == theirs
    assert [FlatFieldStep().get_reference_file(seed, name) for name in ("dark", "flat")] == theirs
    assert theirs[0] == str(dark)


def test_looking_for_all_references_tells_every_type_that_fails(cache, seed):
    files = ImagerStage2Pipeline().prefetch_references(seed)

    assert {key: Path(path).name for key, path in files.items()} == {"dark": DARK, "flat": FLAT}
    [undated] = (cache / "exposures").glob("2025A-P207-004_*")
    with pytest.raises(CrdsError) as caught:
        ImagerStage2Pipeline().run([seed, undated, cache / "exposures" / NO_FLAT])
    lines = str(caught.value).splitlines()
    assert [line.split(":")[1].split()[1] for line in lines[1:]] == ["dark", "flat"]


# -- overrides ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dark", "override_dark"])
def test_an_override_is_used_and_recorded(seed, tmp_path, dark, name):
    own = tmp_path / "own.fits"
    own.write_bytes(dark.read_bytes())
    step = DarkSubtractionStep(**{name: "own.fits"})

    result = step.run(seed)

    assert used(result)["dark"].reference.path == own
    assert len(used(result)["dark"].sha256) == 64
    assert step.reference_files_used == [("dark", str(own))]
    write_frame(result, tmp_path / "product.fits")
    assert fits.getheader(tmp_path / "product.fits")["R_DARK"] == str(own)
    assert step.get_reference_file(seed, "dark") == str(own)


def test_the_short_name_wins(seed, dark, tmp_path):
    step = DarkSubtractionStep(dark=dark, override_dark=tmp_path / "absent.fits")

    assert used(step.run(seed))["dark"].reference.path == dark


@pytest.mark.parametrize("name", ["dark", "override_dark"])
def test_not_applicable_skips(seed, name, tmp_path):
    step = DarkSubtractionStep(**{name: "N/A"})

    result = step.run(seed)

    assert statuses(result) == {"dark_sub": "SKIPPED"}
    assert np.array_equal(result.sci, ImagerModel(seed).sci, equal_nan=True)
    assert step.reference_files_used == [("dark", "N/A")]
    assert step.get_reference_file(seed, "dark") == "N/A"
    write_frame(result, tmp_path / "p.fits")
    header = fits.getheader(tmp_path / "p.fits")
    assert (header["S_DARK"], header["R_DARK"]) == ("SKIPPED", "N/A")


def test_an_empty_override_is_not_recorded(seed):
    step = DarkSubtractionStep(override_dark="")

    assert step.get_reference_file(seed, "dark") == ""
    assert statuses(step.run(seed)) == {"dark_sub": "SKIPPED"}
    assert step.reference_files_used == []


def test_an_override_that_is_not_there(seed):
    step = DarkSubtractionStep(override_dark="absent.fits")

    with pytest.raises(FileNotFoundError):
        step.get_reference_file(seed, "dark")
    with pytest.raises(FileNotFoundError):
        step.run(seed)


def test_a_reference_in_memory(seed, dark, tmp_path):
    model = frozen(DarkModel(dark))
    before = model.header.copy()
    step = DarkSubtractionStep(override_dark=model)

    result = step.run(seed)

    same = DarkSubtractionStep().run(seed)
    assert np.array_equal(result.sci, same.sci, equal_nan=True)
    assert np.array_equal(result.err, same.err, equal_nan=True)
    assert np.array_equal(result.dq, same.dq)
    assert step.get_reference_file(seed, "dark") is model
    assert step.reference_files_used == [("dark", "override://DarkModel")]
    assert model.header == before
    write_frame(result, tmp_path / "p.fits")
    assert fits.getheader(tmp_path / "p.fits")["R_DARK"] == "override://DarkModel"
    [use] = read_provenance(tmp_path / "p.fits").references
    assert (use.reference.origin, use.sha256) == ("memory", used(result)["dark"].sha256)


def test_what_is_recorded_of_data_tells_them_apart(seed, dark):
    model = DarkModel(dark)
    digests = {
        used(DarkSubtractionStep(dark=one).run(seed))["dark"].sha256
        for one in (model, replace(model, sci=model.sci + np.float32(1)), DarkModel(dark))
    }

    assert len(digests) == 2


def test_other_data_as_references(cache, seed, dark):
    ccd = to_ccddata(DarkModel(dark))
    result = DarkSubtractionStep(dark=ccd).run(seed)
    assert np.allclose(result.sci, DarkSubtractionStep().run(seed).sci, equal_nan=True)

    raw = cache / "exposures" / RAW
    coefficients = np.zeros((*RampModel(raw).shape, 3), dtype=np.float32)
    coefficients[..., 1] = 1
    linear = NonlinearCorrectionStep(override_nonlin={"COEFFS": coefficients}).run(raw)
    assert np.array_equal(linear.reads[:], RampModel(raw).reads[:].astype(linear.reads.dtype))


def test_nonsense_as_a_reference(seed):
    with pytest.raises(ParameterError, match="the override of dark is a int"):
        DarkSubtractionStep(dark=3).run(seed)


# -- running -----------------------------------------------------------------------------------------


def test_every_class_of_the_pipeline_is_there():
    for name, step in CLASSES.items():
        kind = getattr(liger_iris, name)
        assert issubclass(kind, LigerIRISStep)
        assert (kind.class_alias, kind.step) == (step, STEPS[step])
    assert {kind.class_alias for kind in vars(liger_iris).values() if getattr(kind, "step", None)} == set(
        STEPS
    )
    assert sorted(liger_iris.__all__) == liger_iris.__all__
    assert list(DarkSubtractionStep.reference_file_types) == ["dark"]


def test_inputs_of_all_kinds_give_the_same(cache, seed, tmp_path):
    (tmp_path / "asn.json").write_text(
        json.dumps({"products": [{"name": "x", "members": [{"expname": str(seed), "exptype": "science"}]}]})
    )
    expected = DarkSubtractionStep().run(seed)
    model = frozen(ImagerModel(seed))

    assert np.array_equal(DarkSubtractionStep().run(model).sci, expected.sci, equal_nan=True)
    assert np.array_equal(DarkSubtractionStep().run(str(seed)).sci, expected.sci, equal_nan=True)
    [one, two] = DarkSubtractionStep().run([seed, model])
    assert np.array_equal(one.sci, two.sci, equal_nan=True)
    [one] = DarkSubtractionStep().run("asn.json")
    assert np.array_equal(one.sci, expected.sci, equal_nan=True)
    ccd = to_ccddata(model)
    assert isinstance(ccd, CCDData)
    assert np.array_equal(DarkSubtractionStep().run(ccd).dq, expected.dq)


def test_inputs_are_left_as_they_are(cache, seed):
    model = frozen(ImagerModel(seed))
    header, provenance, bytes_before = model.header.copy(), model.provenance, seed.read_bytes()

    FlatFieldStep().run(model)
    FlatFieldStep().run(seed)
    FlatFieldStep().run(model)

    assert model.header == header
    assert model.provenance == provenance
    assert seed.read_bytes() == bytes_before
    raw = RampModel(cache / "exposures" / RAW)
    NonlinearCorrectionStep().run(raw)
    FitRampStep(method="cds").run(raw)
    assert np.asarray(raw.reads[0:2]).dtype.kind in "uif"


@pytest.mark.parametrize("wrong", [3, None, {"DARK": []}, {}, []])
def test_what_is_no_input(cache, wrong):
    with pytest.raises((DataError, ParameterError)):
        CombineFramesStep().run(wrong)


def test_skipping_records_and_gives_the_input_back(seed):
    result = DarkSubtractionStep(skip=True).run(seed)

    assert statuses(result) == {"dark_sub": "SKIPPED"}
    assert np.array_equal(result.sci, ImagerModel(seed).sci, equal_nan=True)
    with pytest.raises(ParameterError, match="combine_frames can't be skipped"):
        CombineFramesStep(skip=True).run([seed])


def test_calling_is_the_same_as_running(seed):
    assert statuses(DarkSubtractionStep.call(seed, dark="N/A")) == {"dark_sub": "SKIPPED"}
    assert statuses(DarkSubtractionStep().run(seed, dark="N/A")) == {"dark_sub": "SKIPPED"}


def test_options_are_attributes(seed):
    step = NormalizeStep()
    assert (step.method, step.skip, step.save_results) == ("median", False, False)
    step.method = "mean"

    assert step.run(seed).provenance.steps[-1].parameters == {"method": "mean"}
    assert step.get_pars() == {"method": "mean"}
    with pytest.raises(AttributeError):
        _ = step.nonsense


def test_wrong_options_are_refused():
    with pytest.raises(ParameterError) as caught:
        NormalizeStep(methud="mean")
    assert "did you mean 'method'" in caught.value.hint
    with pytest.raises(ParameterError, match=r"normalize.method is 'mdian'"):
        NormalizeStep(method="mdian")
    with pytest.raises(ParameterError):
        NormalizeStep(override_dark="N/A")


def test_a_text_that_looks_like_a_number_stays_a_text(seed):
    step = NormalizeStep(output_file="001")

    step.run(seed, save_results=True)

    assert Path("001.fits").is_file()


def test_older_names_of_parameters(seed):
    assert FitRampStep(num_coadd=2).run is not None
    step = CombineFramesStep(do_sigma_clip=False, error_calc="measure", method="wmean")
    [record] = step.run([seed, seed]).provenance.steps
    assert (record.parameters["reject"], record.parameters["error"]) == ("none", "measure")


def test_a_failing_parameter_is_told_when_it_was_set_as_an_attribute(seed):
    step = NormalizeStep()
    step.method = "mdian"

    with pytest.raises(ParameterError, match="mdian"):
        step.run(seed)


def test_what_was_done_is_logged(seed, caplog):
    caplog.set_level(logging.INFO, "calmap.reduction")

    DarkSubtractionStep().run(seed)

    assert "dark_sub COMPLETE" in caplog.text


# -- parameter files ---------------------------------------------------------------------------------

FILES = {
    "step.cfg": 'name = "Normalize"\nclass = "liger_iris_pipeline.NormalizeStep"\nmethod = "mean"\n',
    "step.asdf": """\
        #ASDF 1.0.0
        #ASDF_STANDARD 1.5.0
        %YAML 1.1
        %TAG ! tag:stsci.edu:asdf/
        --- !core/asdf-1.1.0
        class: liger_iris_pipeline.NormalizeStep
        name: normalize
        parameters: {method: mean}
        ...
        """,
    "step.yaml": "normalize: {method: mean}\n",
    "step.toml": '[normalize]\nmethod = "mean"\n',
}


@pytest.mark.parametrize("name", FILES)
def test_files_count_more_than_defaults_and_less_than_keywords(seed, tmp_path, name):
    path = tmp_path / name
    path.write_text(textwrap.dedent(FILES[name]))

    assert NormalizeStep(path).method == "mean"
    assert NormalizeStep.call(seed, config_file=path).provenance.steps[-1].parameters["method"] == "mean"
    assert NormalizeStep(path, method="mode").method == "mode"
    assert NormalizeStep(path).run(seed, method="mode").provenance.steps[-1].parameters["method"] == "mode"


def test_parameter_references_count_less_than_files(cache, seed, tmp_path):
    root = tmp_path / "cache"
    folder = root / "mappings/ligeriri"
    folder.mkdir(parents=True)
    for path in (cache / "mappings/ligeriri").iterdir():
        text = path.read_text()
        if path.name == "ligeriri_iris_0001.imap":
            text = text.replace(
                "selector = {",
                "selector = {\n    'PARS-NORMALIZE' : 'ligeriri_iris_pars-normalize_0001.rmap',",
            )
        (folder / path.name).write_text(text)
    rules = (folder / "ligeriri_iris_drizpars_0001.rmap").read_text()
    rules = rules.replace("drizpars", "pars-normalize").replace("DRIZPARS", "PARS-NORMALIZE")
    (folder / "ligeriri_iris_pars-normalize_0001.rmap").write_text(
        rules.replace("_0.0.1.fits", "_0.0.1.asdf")
    )
    names = [word for word in rules.split("'") if "_PARS-NORMALIZE_" in word]
    references = root / "references/ligeriri/iris"
    references.mkdir(parents=True)
    for name in names:
        (references / name.replace(".fits", ".asdf")).write_text(textwrap.dedent(FILES["step.asdf"]))
    (tmp_path / "mode.yaml").write_text("method: mode\n")

    def method(**options):
        return NormalizeStep(cache=root, **options).run(seed).provenance.steps[-1].parameters["method"]

    assert method() == "mean"
    assert method(config_file=tmp_path / "mode.yaml") == "mode"
    assert method(config_file=tmp_path / "mode.yaml", method="median") == "median"


def test_a_file_may_name_references_and_say_where_results_go(seed, tmp_path, dark):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/own.fits").write_bytes(dark.read_bytes())
    (tmp_path / "conf/dark.cfg").write_text(
        "override_dark = own.fits\nsave_results = True\noutput_dir = results\nskip = False\n"
    )

    result = DarkSubtractionStep("conf/dark.cfg").run(seed)

    assert used(result)["dark"].reference.path == tmp_path / "conf/own.fits"
    assert Path("results", SEED.replace(".fits", "_dark_sub.fits")).is_file()


def test_a_file_may_leave_a_step_out_and_keywords_may_not(seed, tmp_path):
    (tmp_path / "skip.cfg").write_text("skip = True\noverride_dark = None\n")

    assert statuses(DarkSubtractionStep("skip.cfg").run(seed)) == {"dark_sub": "SKIPPED"}
    assert statuses(DarkSubtractionStep("skip.cfg", skip=False).run(seed)) == {"dark_sub": "COMPLETE"}


def test_a_file_with_a_parameter_that_does_not_exist(tmp_path, seed):
    (tmp_path / "wrong.yaml").write_text("methud: mean\n")

    with pytest.raises(ParameterError, match="methud"):
        NormalizeStep(tmp_path / "wrong.yaml").run(seed)


# -- results in files --------------------------------------------------------------------------------


def test_results_are_saved_where_they_should_be(seed, tmp_path):
    step = DarkSubtractionStep(save_results=True, output_dir=tmp_path / "a/b")

    step.run(seed)
    step.run(ImagerModel(seed), output_dir=tmp_path, output_file="mine")

    name = SEED.replace(".fits", "_dark_sub.fits")
    assert (tmp_path / "a/b" / name).is_file()
    header = fits.getheader(tmp_path / "mine.fits")
    assert (header["S_DARK"], header["R_DARK"]) == ("COMPLETE", f"crds://{DARK}")
    assert header["CRDS_CTX"] == "ligeriri_0001.pmap"


def test_nothing_is_replaced_without_being_asked(seed):
    step = DarkSubtractionStep(save_results=True)
    step.run(seed)

    with pytest.raises(OutputError, match="exists"):
        step.run(seed)
    step.run(seed, overwrite=True)
    with pytest.raises(ParameterError, match="output_file names one file, and there are 2 results"):
        step.run([seed, seed], output_file="x.fits")


def test_a_folder_that_is_a_file(seed, tmp_path):
    (tmp_path / "out").touch()

    with pytest.raises(OutputError, match="can't be made"):
        DarkSubtractionStep(save_results=True, output_dir="out").run(seed)


# -- steps of several frames -------------------------------------------------------------------------


def test_frames_are_combined_with_files_and_data(seed, tmp_path):
    model = ImagerModel(seed)
    step = CombineFramesStep(method="median", save_results=True)

    result = step.run([seed, replace(model, sci=model.sci + np.float32(2)), seed])

    assert isinstance(result, Frame)
    good = (result.dq & DQ.DO_NOT_USE) == 0
    assert np.allclose(result.sci[good], model.sci[good], atol=1e-4)
    assert np.isfinite(result.err[good]).all()
    assert (result.err[good] > 0).all()
    assert [one.path for one in result.provenance.inputs] == [str(seed), "in memory, number 2", str(seed)]
    assert Path(SEED.replace(".fits", "_combine_frames.fits")).is_file()


def test_subarrays_are_merged(seed):
    full = ImagerModel(seed)
    numbers = np.zeros(full.shape, dtype=np.uint16)
    numbers[4:8, 10:20] = 1
    header = full.header.copy()
    header["SUBARRID"] = 0
    whole = replace(full, header=header, planes={"SUBARR_MAP": numbers})
    cut = (slice(4, 8), slice(10, 20))
    header = full.header.copy()
    header["SUBARRID"] = 1
    part = Frame(
        full.sci[cut] + np.float32(5),
        {name: plane[cut] for name, plane in full.variances.items()},
        full.dq[cut],
        header,
        full.sci_header,
    )

    result = MergeSubarraysStep().run([whole, part])

    assert np.array_equal(result.sci[cut], part.sci, equal_nan=True)
    assert np.array_equal(result.sci[20:], full.sci[20:], equal_nan=True)


# -- steps of one's own ------------------------------------------------------------------------------


class Doubled(LigerIRISStep):
    """A step as somebody else would write it."""

    class_alias = "doubled"
    reference_file_types = ("dark",)
    spec = """
        factor = float(min=0, default=2.0)   # by which the dark is multiplied
        kind = option('plain', 'fancy', default='plain')
        rounds = integer(1, 5, default=None)
        loud = boolean(default=False)
    """

    def process(self, model):
        name = self.get_reference_file(model, "dark")
        if name == "N/A":
            return model
        dark = DarkModel(name)
        return replace(model, sci=model.sci - np.float32(self.factor) * dark.sci)


def test_a_step_of_ones_own(seed, tmp_path):
    result = Doubled(factor="3", save_results=True).run(seed)

    difference = ImagerModel(seed).sci - result.sci
    assert np.allclose(difference, 3 * DarkModel(used(result)["dark"].reference.path).sci, equal_nan=True)
    [record] = result.provenance.steps
    assert (record.step, record.status) == ("doubled", "COMPLETE")
    assert record.parameters == {"factor": "3.0", "kind": "plain", "rounds": "None", "loud": "False"}
    header = fits.getheader(SEED.replace(".fits", "_doubled.fits"))
    assert header["R_DARK"] == f"crds://{DARK}"
    assert statuses(Doubled(skip=True).run(seed)) == {"doubled": "SKIPPED"}


def test_parameters_of_ones_own_are_checked(seed, tmp_path):
    (tmp_path / "own.yaml").write_text("factor: 4\nloud: true\n")

    step = Doubled(tmp_path / "own.yaml", rounds=2)

    assert (step.factor, step.loud, step.rounds, step.kind) == (4.0, True, 2, "plain")
    for wrong in ({"factor": -1}, {"kind": "odd"}, {"rounds": 6}, {"loud": "perhaps"}):
        with pytest.raises(ParameterError):
            Doubled(**wrong)


def test_a_step_without_process():
    with pytest.raises(NotImplementedError, match="LigerIRISStep has no method process"):
        LigerIRISStep().process(None)


@pytest.mark.parametrize("line", ["nonsense", "x = complex(default=1)", "x = float(default=1"])
def test_a_spec_that_can_not_be_read(line):
    class Wrong(LigerIRISStep):
        spec = line

    with pytest.raises(ParameterError, match="declares no parameter"):
        Wrong(x=1)


# -- pipelines ---------------------------------------------------------------------------------------


def test_the_first_stage(cache):
    pipeline = Stage1Pipeline(steps={"ramp_fit": {"method": "ols"}})
    pipeline.refpix.skip = True

    rate = pipeline.run(cache / "exposures" / RAW)

    assert isinstance(rate, Frame)
    assert rate.header["DATALVL"] == 1
    assert statuses(rate)["refpix"] == "SKIPPED"
    assert rate.provenance.steps[-1].parameters["method"] == "ols"
    assert rate.provenance.recipe == "Stage1Pipeline"
    assert set(dict(pipeline.reference_files_used)) == {"dq", "nonlincoeff"}


def test_both_stages_give_what_the_command_gives(cache, tmp_path):
    from click.testing import CliRunner

    from calmap.cli.main import cli
    from calmap.cli.options import Invocation

    raw = cache / "exposures" / RAW
    Stage1Pipeline(save_results=True).run(raw)
    ImagerStage2Pipeline(save_results=True).run(RAW.replace("LVL0", "LVL1"))

    invocation = Invocation({}, cache)
    arguments = ["reduce", str(raw), "--out", str(tmp_path / "cli")]
    assert CliRunner().invoke(cli, arguments, obj=invocation).exit_code == 0
    name = RAW.replace("LVL0", "LVL2")
    one, two = read_frame(tmp_path / name), read_frame(tmp_path / "cli" / name)
    assert np.array_equal(one.sci, two.sci, equal_nan=True)
    assert np.array_equal(one.dq, two.dq)
    assert np.array_equal(one.err, two.err, equal_nan=True)
    assert statuses(one) == statuses(two)


def test_the_second_stage_subtracts_the_sky(seed):
    model = ImagerModel(seed)
    sky = replace(model, sci=np.full_like(model.sci, np.nanmedian(model.sci)))
    exposures = {"SCI": [seed, model], "SKY": [sky, sky]}

    results = ImagerStage2Pipeline().run(exposures)

    assert len(results) == 2
    assert statuses(results[0])["subtract_bkg"] == "COMPLETE"
    assert used(results[0])["sky"].reference.origin == "memory"
    assert abs(np.nanmedian(results[0].sci)) < abs(np.nanmedian(model.sci))
    pipeline = ImagerStage2Pipeline(steps={"calc_background": {"skip": True}})
    assert statuses(pipeline.run(exposures)[0])["subtract_bkg"] == "SKIPPED"


def test_a_sky_is_saved_with_the_results(seed, tmp_path):
    (tmp_path / "sky_LVL1_1.fits").write_bytes(seed.read_bytes())
    asn = {"SCI": [str(seed)], "SKY": ["sky_LVL1_1.fits"]}
    (tmp_path / "asn.yaml").write_text(json.dumps(asn))

    [result] = ImagerStage2Pipeline(save_results=True, output_dir="out").run("asn.yaml")

    sky = tmp_path / "out" / "sky_LVL3_1_sky.fits"
    assert sky.is_file()
    assert used(result)["sky"].reference.path == sky
    assert (tmp_path / "out" / SEED.replace("LVL1", "LVL2")).is_file()
    assert [one.path for one in read_provenance(sky).inputs] == ["out/sky_LVL2_1.fits"]


def test_a_pipeline_hands_its_options_to_its_steps(seed, dark, cache, monkeypatch):
    monkeypatch.delenv("CRDS_PATH")
    pipeline = ImagerStage2Pipeline(cache=cache, override_dark=dark, allow_missing=["flat"])

    assert pipeline.dark_sub.get_reference_file(seed, "flat").endswith(FLAT)
    result = pipeline.run(seed)

    assert used(result)["dark"].reference.origin == "override"
    missing = pipeline.run(cache / "exposures" / NO_FLAT)
    assert statuses(missing)["flat_field"] == "SKIPPED"
    assert used(missing)["flat"].reference.keyword_value == "MISSING"


def test_a_pipeline_reads_parameters_of_its_steps(cache, tmp_path):
    (tmp_path / "stage1.cfg").write_text(
        'name = "Stage1Pipeline"\nclass = "liger_iris_pipeline.Stage1Pipeline"\nsave_results = False\n'
        "[steps]\n  [[ramp_fit]]\n    method = cds\n  [[saturation]]\n    skip = True\n"
    )
    pipeline = Stage1Pipeline(tmp_path / "stage1.cfg", steps={"refpix": {"skip": True}})

    assert pipeline.ramp_fit.method == "cds"
    result = pipeline.run(cache / "exposures" / RAW)

    assert statuses(result)["saturation"] == statuses(result)["refpix"] == "SKIPPED"
    assert result.provenance.steps[-1].parameters["method"] == "cds"
    assert (
        Stage1Pipeline(tmp_path / "stage1.cfg", steps={"ramp_fit": {"method": "ols"}}).ramp_fit.method
        == "ols"
    )


def test_a_step_that_a_pipeline_does_not_have():
    with pytest.raises(ParameterError, match="there is no step of Stage1Pipeline 'ramp_fitt'"):
        Stage1Pipeline(steps={"ramp_fitt": {}})


def test_a_pipeline_of_ones_own(seed):
    class Mine(LigerIRISPipeline):
        class_alias = "mine"
        step_defs = {"dark_sub": DarkSubtractionStep, "doubled": Doubled}  # noqa: RUF012

        def process(self, model):
            return self.doubled.run(self.dark_sub.run(model))

    result = Mine(steps={"doubled": {"factor": 1}}).run(seed)

    assert statuses(result) == {"dark_sub": "COMPLETE", "doubled": "COMPLETE"}
    assert result.provenance.steps[-1].parameters["factor"] == "1.0"


def test_the_background_may_be_given_as_in_the_older_pipeline(seed):
    sky = ImagerModel(seed)

    result = SubtractBackgroundImagerStep(background=sky).run(seed)

    assert statuses(result) == {"subtract_bkg": "COMPLETE"}
    assert statuses(SubtractBackgroundImagerStep().run(seed)) == {"subtract_bkg": "SKIPPED"}


def test_the_second_stage_takes_raw_reads(cache):
    raw = cache / "exposures" / RAW
    stepwise = ImagerStage2Pipeline().run(Stage1Pipeline().run(raw))
    pipeline = ImagerStage2Pipeline()

    for result in (pipeline.run(raw), pipeline.run(RampModel(raw)), *pipeline.run({"SCI": [raw]})):
        assert np.array_equal(result.sci, stepwise.sci, equal_nan=True)
        assert np.array_equal(result.dq, stepwise.dq)
        assert statuses(result) == statuses(stepwise)
        assert result.header["DATALVL"] == 2
    assert {"dq", "nonlincoeff", "dark", "flat"} <= dict(pipeline.reference_files_used).keys()


def test_arguments_without_keywords_as_stpipe_has_them(seed, tmp_path):
    (tmp_path / "normalize.cfg").write_text("method = mean\n")

    step = NormalizeStep("mine", None, tmp_path / "normalize.cfg")
    assert (step.name, step.parent, step.method) == ("mine", None, "mean")
    assert NormalizeStep("mine", None, method="mode").method == "mode"
    pipeline = ImagerStage2Pipeline("mine", None)
    assert (pipeline.name, pipeline.dark_sub.parent) == ("mine", pipeline)
    assert ImagerStage2Pipeline(None, {"calc_background": {"skip": True}}).calc_background.skip
    with pytest.raises(TypeError, match="4 arguments"):
        NormalizeStep("mine", None, None, None)
    with pytest.raises(TypeError, match="name twice"):
        NormalizeStep("mine", None, name="other")


# -- references that are made ------------------------------------------------------------------------


STEPS_OF_ALL = {"gain_scale": {"gain": 2.0}, "refpix": {"skip": True}}


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    shots = [Shot("DARK", "DARK", 2, 6, 20.0)] * 3 + [Shot("FLAT", "FLAT", 3, 6, 1.0, 3000.0)] * 3
    paths = write_exposures(
        tmp_path_factory.mktemp("night"), Detector.simulated((64, 64), 2, border=0), shots
    )
    return {kind: [path for path in paths if f"_{kind}" in path.name] for kind in ("DARK", "FLAT")}


def test_a_dark_and_a_flat_are_made_as_calmap_make_does(cache, night, tmp_path):
    from deliveries import calmap

    dark = CreateDark(steps=STEPS_OF_ALL, save_results=True, output_dir="one").run(night["DARK"])
    [path] = (tmp_path / "one").glob("*_DARK_*")
    flat = CreateFlatfield(
        steps=STEPS_OF_ALL, save_results=True, output_dir="one", override_dark=path, author="me"
    ).run(night["FLAT"])

    common = ("--set", "gain_scale.gain=2", "--skip", "refpix", "--out", tmp_path / "two")
    assert calmap(cache, "make", "dark", *night["DARK"], *common).exit_code == 0
    assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
    assert np.array_equal(dark.sci, read_frame(path).sci)
    assert dark.header["P_SUBARR"] == "CUSTOM|FULL"
    assert np.median(flat.sci) == pytest.approx(1, abs=0.01)
    assert (flat.header["REFTYPE"], flat.header["AUTHOR"]) == ("FLAT", "me")
    assert used(flat)["dark"].reference.path == path


def test_a_reference_may_be_made_without_a_file(cache, night, tmp_path):
    pipeline = CreateDark(steps=STEPS_OF_ALL | {"combine_frames": {"method": "mean"}}, version="0.0.7")

    dark = pipeline.run(night["DARK"])

    assert dark.header["REFVER"] == "0.0.7"
    assert not list(tmp_path.iterdir())
    assert {"dq", "nonlincoeff"} <= dict(pipeline.reference_files_used).keys()


def test_what_no_reference_is_made_of(cache, night, seed):
    with pytest.raises(DataError, match="IMTYPE"):
        CreateDark(steps=STEPS_OF_ALL).run(night["FLAT"])
    with pytest.raises(ParameterError, match="made of files"):
        CreateDark().run([ImagerModel(seed)])
    with pytest.raises(ParameterError, match="can't be skipped"):
        CreateDark(steps={"combine_frames": {"skip": True}}).run(night["DARK"])
    with pytest.raises(ParameterError, match="says what it is for"):
        CreateDark(output_file="dark.fits").run(night["DARK"])


# -- models ------------------------------------------------------------------------------------------


def test_models_open_files(cache, seed):
    raw = cache / "exposures" / RAW

    assert isinstance(ImagerModel(str(seed)), Frame)
    assert isinstance(RampModel(raw), Ramp)
    assert ImagerModel(seed).provenance.inputs[0].path == str(seed)
    with pytest.raises(DataError, match="has raw reads and is no frame"):
        ImagerModel(raw)
    with pytest.raises(DataError, match="has no raw reads"):
        RampModel(seed)
    assert read_header(seed)["DETECTOR"] == "IMG1"


def test_a_ramp_comes_out_as_floats(cache, tmp_path):
    raw = cache / "exposures" / RAW

    NonlinearCorrectionStep(save_results=True).run(raw)

    saved = read_ramp(tmp_path / RAW.replace(".fits", "_nonlin_corr.fits"))
    assert saved.reads.dtype.kind == "f"
    assert saved.header["S_NLCORR"] == "COMPLETE"
