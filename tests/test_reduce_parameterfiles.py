"""Parameter files of four kinds."""

import textwrap
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reduce.errors import DataError, ParameterError, ReduceError
from reduce.parameterfiles import parameter_layer, read_parameters
from reduce.settings import Settings

PIPELINE = {
    "p.cfg": """\
        name = "Stage1Pipeline"
        class = "liger_iris_pipeline.Stage1Pipeline"
        save_results = True

        [steps]
          # a comment
          [[ramp_fit]]
            method = "ols"     # quoted, with a comment
            coadd = 2          # plain, with one
          [[flat_field]]
            skip = True
            override_flat = flats/my.fits
          [[dark_sub]]
            override_dark = N/A
        """,
    "p.yaml": """\
        ramp_fit: {method: ols, coadd: 2}
        flat_field: {skip: true, override_flat: flats/my.fits}
        dark_sub: {override_dark: N/A}
        """,
    "p.toml": """\
        [ramp_fit]
        method = "ols"
        coadd = 2
        [flat_field]
        skip = true
        override_flat = "flats/my.fits"
        [dark_sub]
        override_dark = "N/A"
        """,
    "p.asdf": """\
        #ASDF 1.0.0
        #ASDF_STANDARD 1.6.0
        %YAML 1.1
        %TAG ! tag:stsci.edu:asdf/
        --- !core/asdf-1.1.0
        asdf_library: !core/software-1.0.0 {author: x, name: asdf, version: 4.0.0}
        class: jwst.pipeline.Detector1Pipeline
        name: Stage1Pipeline
        parameters: {save_results: true, logcfg: null}
        steps:
        - class: liger_iris_pipeline.FitRampStep
          name: ramp_fit
          parameters: {method: ols, coadd: 2}
        - class: liger_iris_pipeline.FlatFieldStep
          name: flat_field
          parameters: {skip: true, override_flat: flats/my.fits}
        - class: liger_iris_pipeline.DarkSubtractionStep
          name: dark_sub
          parameters: {override_dark: N/A, override_x: null}
        ...
        """,
}


def write(folder, name, text):
    path = folder / name
    path.write_text(textwrap.dedent(text))
    return path


@pytest.mark.parametrize("name", PIPELINE)
def test_the_same_in_every_kind_of_file(tmp_path, name):
    found = read_parameters(write(tmp_path, name, PIPELINE[name]))

    values = {
        step: {key: str(each) for key, each in said.items()} for step, said in found.layer.values.items()
    }
    assert values["ramp_fit"] == {"method": "ols", "coadd": "2"}
    assert found.layer.origin == name
    assert found.skip == {"flat_field"}
    assert found.overrides == {"flat": tmp_path / "flats/my.fits", "dark": None}


STEP = {
    "s.cfg": 'name = "x"\nclass = "liger_iris_pipeline.FitRampStep"\nmethod = ols\n',
    "s.asdf": "#ASDF 1.0.0\n%YAML 1.1\n---\nclass: a.b.FitRampStep\nparameters: {method: ols}\n...\n",
    "s.yaml": "class: FitRampStep\nmethod: ols\n",
    "s.toml": 'name = "ramp_fit"\nmethod = "ols"\n',
}


@pytest.mark.parametrize("name", STEP)
def test_files_of_one_step(tmp_path, name):
    path = write(tmp_path, name, STEP[name])

    assert read_parameters(path).layer.values == {"ramp_fit": {"method": "ols"}}
    assert parameter_layer(path, "ramp_fit").values == {"ramp_fit": {"method": "ols"}}


def test_a_real_asdf_file(tmp_path):
    asdf = pytest.importorskip("asdf")
    tree = {"class": "x.FitRampStep", "name": "FitRampStep", "parameters": {"method": "ols", "coadd": 2}}
    asdf.AsdfFile(tree).write_to(tmp_path / "s.asdf")

    assert read_parameters(tmp_path / "s.asdf").layer.values == {"ramp_fit": {"method": "ols", "coadd": 2}}


def test_what_is_left_to_programs(tmp_path):
    path = write(
        tmp_path, "s.cfg", "save_results = True\noutput_dir = out\noverride_dark = None\nskip = False\n"
    )

    found = read_parameters(path, "dark_sub")

    assert found.others == {"dark_sub": {"save_results": "True", "output_dir": "out"}}
    assert (found.overrides, found.skip, found.layer.values) == ({}, frozenset(), {})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "method: ols"), ("a.yaml", "ramp_fit: ["), ("a.yaml", "[1, 2]"), ("a.yaml", "method: ols"),
        ("a.toml", "x ="), ("a.cfg", "[steps]\n[[rampfit]]\nmethod = ols"), ("a.cfg", "what is this"),
        ("a.cfg", "[[[deep]]]\nx = 1"), ("a.asdf", "--- [1]\n..."), ("a.yaml", "steps: {ramp: {x: y}}"),
        ("a.yaml", "!!python/object:os.system {}"), ("a.yaml", ""), ("a.asdf", "\xff"),
    ],
)  # fmt: skip
def test_files_that_can_not_be_read(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text.encode("latin-1"))

    with pytest.raises((DataError, ParameterError)) as caught:
        read_parameters(path)
    assert name in caught.value.message


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_parameters(tmp_path / "absent.yaml")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([".cfg", ".yaml", ".toml", ".asdf"]), st.text(max_size=60) | st.binary(max_size=60))
def test_anything_at_all_is_read_or_refused(tmp_path, suffix, content):
    path = tmp_path / f"any{suffix}"
    path.write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)

    with suppress(ReduceError):
        read_parameters(path)


@pytest.mark.parametrize("name", ["a.yaml", "a.toml", "a.cfg", "a.asdf"])
@pytest.mark.parametrize(("said", "skip"), [("true", True), ("false", False), ("maybe", None)])
def test_a_step_is_skipped_or_not(tmp_path, name, said, skip):
    quoted = f'"{said}"'
    text = {
        "a.yaml": f"flat_field: {{skip: {said}}}\n",
        "a.toml": f"[flat_field]\nskip = {quoted if skip is None else said}\n",
        "a.cfg": f"[steps]\n[[flat_field]]\nskip = {said}\n",
        "a.asdf": f"#ASDF 1.0.0\n%YAML 1.1\n---\nflat_field: {{skip: {said}}}\n...\n",
    }[name]
    path = write(tmp_path, name, text)

    if skip is None:
        with pytest.raises(ParameterError, match=r"flat_field\.skip is 'maybe'"):
            read_parameters(path)
    else:
        assert read_parameters(path).skip == ({"flat_field"} if skip else frozenset())


@pytest.mark.parametrize(
    ("name", "text", "twice", "line"),
    [
        ("a.yaml", "ramp_fit: {coadd: 2}\nflat_field: {}\nramp_fit: {coadd: 3}\n", "ramp_fit", 3),
        ("a.yaml", "ramp_fit:\n  coadd: 2\n  coadd: 3\n", "coadd", 3),
        ("a.asdf", "#ASDF 1.0.0\n%YAML 1.1\n---\nramp_fit: {coadd: 2, coadd: 3}\n...\n", "coadd", ""),
        ("a.cfg", "[ramp_fit]\ncoadd = 2\ncoadd = 3\n", "coadd", 3),
        ("a.cfg", "[ramp_fit]\ncoadd = 2\n[ramp_fit]\n", "ramp_fit", 3),
    ],
)
def test_what_is_said_twice_is_refused(tmp_path, name, text, twice, line):
    with pytest.raises(DataError, match=f"'{twice}' is there twice, the second time in line {line}"):
        read_parameters(write(tmp_path, name, text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is nothing instead"),
        ("[1]", "there is a list instead"),
        ("ramp_fit: {method: 2020-01-01}", "ramp_fit.method is 2020-01-01"),
        ("ramp_fit: {method: {method: ols}}", "ramp_fit.method is a table"),
        ("ramp_fit: {\n  a b", "line 2, column"),
    ],
)
def test_messages_are_for_people(tmp_path, text, said):
    path = write(tmp_path, "a.yaml", text)

    with pytest.raises(ReduceError) as caught:
        Settings((read_parameters(path).layer,))
    assert said in caught.value.message
    assert not any(word in caught.value.message for word in ("NoneType", "datetime", "{", "unicode", "\n"))


def test_a_section_of_no_step(tmp_path):
    with pytest.raises(ParameterError, match="there is no step 'ramp_fitt'") as caught:
        read_parameters(write(tmp_path, "a.yaml", "ramp_fitt: {method: ols}\n"))
    assert caught.value.hint == "did you mean 'ramp_fit'?"


def test_a_section_may_be_empty(tmp_path):
    assert read_parameters(write(tmp_path, "a.yaml", "ramp_fit:\n")).layer.values == {}
