"""`calmap reduce` on the demonstration exposures, and on what can go wrong."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from click.testing import CliRunner

from calmap.cli.main import cli
from calmap.cli.options import Invocation
from reduce.files import atomic, streams

SEED = "2024B-P123-008_IRIS_IMG1_SCI-J1458+1013-Y-4.0_LVL1_0001-00.fits"
SECOND = "2024B-P123-008_IRIS_IMG1_SCI-J1458+1013-Y-4.0_LVL1_0002-01.fits"
RAW = "2025A-P207-002_IRIS_IMG1_SCI-M92-K-4.0_LVL0_0001-00.fits"
NO_FLAT = "2024B-P123-009_IRIS_IMG1_SCI-J1458+1013-BrGamma-4.0_LVL1_0003-00.fits"
REDUCED = SEED.replace("LVL1", "LVL2")


@pytest.fixture
def here(repo_root, tmp_path):
    """A folder with some exposures."""
    for name in (SEED, RAW, NO_FLAT):
        shutil.copy(repo_root / "exposures" / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def run(repo_root, here):
    """Runs the command in that folder with the demonstration cache."""

    def run(*arguments, cache=True):
        invocation = Invocation({"CALMAP_CACHE": str(repo_root)} if cache else {}, here)
        result = CliRunner().invoke(
            cli, ["reduce", *map(str, arguments)], obj=invocation, env={"COLUMNS": "100"}
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def process(here, repo_root, *arguments, **keywords):
    """The same as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "calmap", "reduce", *map(str, arguments)],
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(repo_root), "CALMAP_CACHE": str(repo_root)},
        capture_output=True,
        text=True,
        check=False,
        **keywords,
    )


def listing(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def changed(path, **cards):
    with fits.open(path, mode="update") as hdus:
        for keyword, value in cards.items():
            if value is None:
                hdus[0].header.remove(keyword, ignore_missing=True)
            else:
                hdus[0].header[keyword] = value
    return path


# -- what is written ---------------------------------------------------------------------------------


def test_an_exposure_becomes_a_product_with_a_log(run, here, snapshot):
    result = run(SEED, "--out", "p")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.replace(f"{here}/", "") == snapshot
    assert listing(here / "p") == [REDUCED, REDUCED.replace(".fits", ".log")]
    log = (here / "p" / REDUCED).with_suffix(".log").read_text()
    assert "dark: crds://IRIS_IMG1_DARK_20240924T000000_0.0.1.fits (ligeriri_iris_dark_0001.rmap:27)" in log
    assert "good pixels, median" in log


def test_raw_reads_become_a_calibrated_frame(run, here):
    assert run(RAW, "-o", "p").exit_code == 0

    with fits.open(here / "p" / RAW.replace("LVL0", "LVL2")) as hdus:
        header = hdus[0].header
        assert (header["DATALVL"], header["DATAMODL"], header["RECIPE"]) == (
            2,
            "ImagerModel",
            "imager_science",
        )
        assert header["R_LINEAR"].startswith("crds://")
        good = (hdus["DQ"].data & 1) == 0
        assert np.isfinite(hdus["ERR"].data[good]).all()
        assert (hdus["ERR"].data[good] > 0).all()


def test_only_to_the_level_asked_for(run, here):
    assert run(RAW, "--to", "L1", "-o", "p").exit_code == 0
    assert fits.getheader(here / "p" / RAW.replace("LVL0", "LVL1"))["DATALVL"] == 1

    assert run(f"p/{RAW.replace('LVL0', 'LVL1')}", "-o", "p").exit_code == 0
    assert run(RAW, "-o", "direct").exit_code == 0
    name = RAW.replace("LVL0", "LVL2")
    one, two = (fits.getdata(here / folder / name, "SCI") for folder in ("p", "direct"))
    assert np.array_equal(one, two, equal_nan=True)


def test_json_says_what_was_done(run, here):
    result = run(SEED, NO_FLAT, "-o", "p", "--format", "json")

    one, two = sorted(json.loads(result.stdout), key=lambda answer: answer["status"])
    assert (result.exit_code, one["status"], two["status"]) == (1, "failed", "written")
    assert "nearest rules" in one["explanation"]
    steps = {step["step"]: step for step in two["steps"]}
    assert steps["dark_sub"]["references"][0]["rule"] == "ligeriri_iris_dark_0001.rmap:27"
    assert len(steps["flat_field"]["references"][0]["sha256"]) == 64


def test_the_layout_of_the_liger_pipeline(run, here):
    assert run(SEED, "-o", "p", "--layout", "liger").exit_code == 0

    with fits.open(here / "p" / REDUCED) as hdus:
        assert "DATA" in hdus
        assert "SCI" not in hdus


def test_quiet(run):
    result = run(SEED, "-q")

    assert (result.stdout, result.stderr, result.exit_code) == ("", "", 0)


def test_no_warning_reaches_the_user(repo_root, here):
    """Astropy warns of long cards, among others."""
    changed(here / SEED, OBJECT="A target whose name leaves no room for any comment in its card at all")
    folder = here / ("a_folder_with_a_long_name_" * 4)
    folder.mkdir()
    flat = shutil.copy(
        repo_root / "references/ligeriri/iris/IRIS_IMG1_FLAT_20240924T000000_0.0.1.fits", folder
    )

    done = process(here, repo_root, SEED, "--override", f"flat={flat}", "-o", "p")

    assert (done.returncode, done.stderr) == (0, "")
    assert fits.getheader(here / "p" / REDUCED)["R_FLAT"] == str(flat)


# -- what is shown -----------------------------------------------------------------------------------


def test_recipes_are_listed(run, snapshot):
    result = run("--show", "recipes", cache=False)

    assert result.exit_code == 0
    assert result.stdout == snapshot
    names = [recipe["name"] for recipe in json.loads(run("--show", "recipes", "--format", "json").stdout)]
    assert names[0] == result.stdout.split()[0]


def test_parameters_and_who_set_them(run, here, snapshot):
    (here / "mine.toml").write_text("[ramp_fit]\nread_noise = 5\n")
    arguments = ("--show", "params", "--params", "mine.toml", "--set", "ramp_fit.method=ols")

    shown = run(RAW, *arguments).stdout

    assert "method = ols  (--set)" in shown
    assert "read_noise = 5.0 electron  (mine.toml)" in shown
    assert "coadd = 3  (default)" in shown
    [answer] = json.loads(run(RAW, *arguments, "--format", "json").stdout)
    assert answer["recipe"] == "imager_science"
    values = {(one["step"], one["parameter"]): (one["value"], one["origin"]) for one in answer["parameters"]}
    assert values[("ramp_fit", "method")] == ("ols", "--set")
    everything = json.loads(run("--show", "params", "--format", "json", "--no-cache").stdout)
    assert {one["step"] for one in everything} >= {"ramp_fit", "combine_frames", "normalize"}
    assert not listing(here / "p")


def test_references_and_why(run, here, snapshot):
    result = run(SEED, NO_FLAT, "--show", "references")

    assert result.exit_code == 1
    assert result.stdout.replace(f"{here}/", "") == snapshot
    assert run(SEED, "--show", "references").exit_code == 0
    assert run(NO_FLAT, "--show", "references", "--allow-missing", "flat").exit_code == 0
    [answer] = json.loads(run(SEED, "--show", "references", "--format", "json").stdout)
    assert answer["references"][0]["value"] == "crds://IRIS_IMG1_DARK_20240924T000000_0.0.1.fits"
    assert listing(here) == sorted([SEED, RAW, NO_FLAT])


# -- parameters --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("ramp_fit.metod=ols", "did you mean 'ramp_fit.method'?"),
        ("ramp_fitt.method=ols", "did you mean 'ramp_fit'?"),
        ("ramp_fit.method=best", "it has to be gls, "),
        ("ramp_fit.coadd=0", "it has to be a whole number of at least 1"),
        ("ramp_fit.coadd=1e3", "it has to be a whole number of at least 1"),
        ("ramp_fit.method", "write step.parameter=value"),
        ("=3", "write step.parameter=value"),
    ],
)
def test_wrong_settings_are_explained(run, here, setting, message):
    result = run(RAW, "--set", setting, "-o", "p")

    assert result.exit_code == 2
    assert message in result.stderr
    assert not listing(here / "p")


def test_a_step_is_left_out(run, here):
    assert run(SEED, "--skip", "flat_field", "-o", "p").exit_code == 0

    header = fits.getheader(here / "p" / REDUCED)
    assert header["S_FLAT"] == "SKIPPED"
    assert "R_FLAT" not in header
    wrong = run(SEED, "--skip", "flat", "-o", "p")
    assert (wrong.exit_code, "did you mean 'flat_field'?" in wrong.stderr) == (2, True)


@pytest.mark.parametrize("name", ["absent.yaml", "wrong.yaml", "wrong.txt", "broken.toml"])
def test_parameter_files_that_can_not_be_used(run, here, name):
    (here / "wrong.yaml").write_text("ramp_fit: {metod: ols}\n")
    (here / "wrong.txt").write_text("ramp_fit.method=ols")
    (here / "broken.toml").write_text("[ramp_fit\n")

    result = run(RAW, "--params", name, "-o", "p")

    assert result.exit_code in (2, 3)
    assert name in result.stderr
    assert "hint" in result.stderr or name != "wrong.yaml"


def test_the_command_line_counts_more_than_files(run, here):
    (here / "a.yaml").write_text(
        "ramp_fit: {method: cds, coadd: 2}\nskip: false\n".replace("skip: false\n", "")
    )
    (here / "b.cfg").write_text("[steps]\n[[ramp_fit]]\nmethod = mcds\n")

    run(RAW, "--params", "a.yaml", "--params", "b.cfg", "--set", "ramp_fit.coadd=4", "--to", "L1", "-o", "p")

    log = (here / "p" / RAW.replace("LVL0", "LVL1").replace(".fits", ".log")).read_text()
    assert "method = mcds" in log
    assert "coadd = 4" in log


# -- references --------------------------------------------------------------------------------------


def test_a_missing_reference_stops_with_the_explanation(run, here, snapshot):
    result = run(NO_FLAT, "-o", "p")

    assert result.exit_code == 1
    assert result.stdout == "nothing was written\n"
    assert result.stderr.replace(f"{here}/", "") == snapshot
    assert not listing(here / "p")


def test_a_missing_reference_that_was_allowed_is_in_the_header(run, here):
    result = run(NO_FLAT, "--allow-missing", "FLAT", "-o", "p")

    assert result.exit_code == 0
    header = fits.getheader(here / "p" / NO_FLAT.replace("LVL1", "LVL2"))
    assert (header["S_FLAT"], header["R_FLAT"], header["S_DARK"]) == ("SKIPPED", "MISSING", "COMPLETE")


def test_without_a_cache(run, here, repo_root):
    result = run(SEED, "--no-cache", "-o", "p", cache=False)
    assert result.exit_code == 1
    assert "--override dark=FILE" in result.stderr

    dark = repo_root / "references/ligeriri/iris/IRIS_IMG1_DARK_20240924T000000_0.0.1.fits"
    arguments = ("--override", f"dark={dark}", "--override", "flat=N/A")
    assert run(SEED, "--no-cache", *arguments, "-o", "p", cache=False).exit_code == 0
    header = fits.getheader(here / "p" / REDUCED)
    assert (header["R_DARK"], header["R_FLAT"]) == (str(dark), "N/A")
    assert "CRDS_CTX" not in header


@pytest.mark.parametrize("override", ["flat=absent.fits", "flat", "=x.fits", "flat="])
def test_wrong_overrides(run, override):
    result = run(SEED, "--override", override)

    assert result.exit_code == 2
    assert "error: " in result.stderr


@pytest.mark.parametrize("option", ["--override=flt=N/A", "--allow-missing=flt"])
def test_types_that_no_step_uses(run, option):
    """They would be left aside, and the file that the rules choose be used."""
    result = run(SEED, option)

    assert result.exit_code == 2
    assert "there is no reference type that a step uses 'flt'" in result.stderr
    assert "did you mean 'flat'?" in result.stderr


def test_types_have_older_names_too(run, here):
    (here / "mine.cfg").write_text("[steps]\n[[nonlin_corr]]\noverride_nonlin = 'N/A'\n")

    for options in (("--override", "nonlin=N/A", "-o", "p"), ("--params", "mine.cfg", "-o", "q")):
        assert run(RAW, "--to", "L1", "-q", *options).exit_code == 0
        assert fits.getheader(here / options[-1] / RAW.replace("LVL0", "LVL1"))["R_LINEAR"] == "N/A"


def test_a_reference_that_does_not_fit(run, here, repo_root):
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.ones((4, 4), np.float32), name="SCI")]).writeto(
        here / "small.fits"
    )

    result = run(SEED, "--override", "dark=small.fits", "-o", "p")

    assert result.exit_code == 3
    assert "small.fits" in result.stderr
    assert not listing(here / "p")


# -- files, folders, lists, associations -------------------------------------------------------------


def test_folders_and_lists(run, here):
    (here / "list.txt").write_text(f"# two of them\n{SEED}\n{RAW}   # raw\n")
    (here / "sub").mkdir()
    shutil.copy(here / SEED, here / "sub" / SEED)
    (here / "sub/notes.json").write_text("{}")

    assert run("@list.txt", "-o", "a").exit_code == 0
    assert run("sub", "-o", "b").exit_code == 0
    assert [name for name in listing(here / "a") if name.endswith(".fits")] == [
        REDUCED,
        RAW.replace("LVL0", "LVL2"),
    ]
    assert REDUCED in listing(here / "b")


def night(here):
    """Three exposures of a target and two of the sky."""
    names = []
    for number, kind in enumerate(["SCI", "SCI", "SCI", "SKY", "SKY"]):
        name = f"x_LVL1_{number}.fits"
        shutil.copy(here / SEED, here / name)
        names.append(changed(here / name, IMTYPE=kind).name)
    return names[:3], names[3:]


FORMS = {
    "jwst.json": lambda science, sky: json.dumps(
        {
            "asn_rule": "r",
            "asn_pool": "p",
            "asn_type": "image",
            "products": [
                {
                    "name": "M92",
                    "members": [
                        *({"expname": name, "exptype": "science"} for name in science),
                        *({"expname": name, "exptype": "background"} for name in sky),
                    ],
                }
            ],
        }
    ),
    "l1.yaml": lambda science, sky: json.dumps(
        {
            "name": "L1",
            "asn_rule": "r",
            "products": {
                "name": "M92",
                "members": [
                    *({"expname": name, "exptype": "SCI"} for name in science),
                    *({"expname": name, "exptype": "SKY"} for name in sky),
                ],
            },
        }
    ),
    "M92.yml": lambda science, sky: json.dumps({"SCI": science, "SKY": sky}),
}


@pytest.mark.parametrize("name", FORMS)
def test_associations_of_three_forms(run, here, name):
    (here / name).write_text(FORMS[name](*night(here)))

    result = run(name, "--to", "L3", "-o", "p", "-q")

    assert (result.exit_code, result.stderr) == (0, "")
    products = [each for each in listing(here / "p") if each.endswith(".fits")]
    assert products == [
        "M92_LVL3.fits",
        *(f"x_LVL2_{number}.fits" for number in range(5)),
        "x_LVL3_3_sky.fits",
    ]
    assert fits.getheader(here / "p/x_LVL2_0.fits")["S_SKYSUB"] == "COMPLETE"
    assert fits.getheader(here / "p/M92_LVL3.fits")["DATALVL"] == 3


def test_headers_say_what_belongs_together(run, here):
    science, sky = night(here)
    changed(here / science[2], OBJECT="another")

    result = run(*science, *sky, "--to", "L3", "-o", "p", "-q")

    assert (result.exit_code, result.stderr) == (0, "")
    products = [name for name in listing(here / "p") if "LVL3" in name and name.endswith(".fits")]
    assert products == ["x_LVL3_0.fits", "x_LVL3_2.fits", "x_LVL3_3_sky.fits"]


def test_reduced_frames_are_combined_as_they_are(run, here):
    science, _ = night(here)
    assert run(*science, "-o", "p", "-q").exit_code == 0

    result = run("p", "--to", "L3", "-o", "q", "--format", "json")

    assert [Path(one["file"]).name for one in json.loads(result.stdout)] == ["x_LVL3_0.fits"]
    assert listing(here / "q") == ["x_LVL3_0.fits", "x_LVL3_0.log"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", "{"),
        ("a.json", "[1]"),
        ("a.json", '{"products": [{"members": [{"expname": "absent.fits"}]}]}'),
        ("a.yaml", "SCI: []"),
        ("a.yaml", "DARK: [x.fits]"),
        ("a.json", '{"products": [{"members": [{"expname": "x", "exptype": "lamp"}]}]}'),
        ("a.yaml", "products: 3"),
    ],
)
def test_associations_that_can_not_be_used(run, here, name, text):
    (here / name).write_text(text)

    result = run(name, "-o", "p")

    assert result.exit_code == 3
    assert name in result.stderr
    assert not listing(here / "p")


# -- what goes wrong ---------------------------------------------------------------------------------


def test_nothing_is_replaced_without_being_asked(run, here):
    run(SEED, "-o", "p")
    before = (here / "p" / REDUCED).read_bytes()

    result = run(SEED, "-o", "p", "--skip", "flat_field")
    assert (result.exit_code, "--overwrite" in result.stderr) == (3, True)
    assert (here / "p" / REDUCED).read_bytes() == before

    assert run(SEED, "-o", "p", "--skip", "flat_field", "--overwrite").exit_code == 0
    assert (here / "p" / REDUCED).read_bytes() != before


def test_the_input_is_never_replaced(run, here):
    source = here / "x_LVL2_1.fits"
    shutil.copy(here / SEED, source)
    before = source.read_bytes()

    result = run(source.name, "--from", "L1", "--overwrite")

    assert (result.exit_code, "would replace the file that it is made from" in result.stderr) == (3, True)
    assert source.read_bytes() == before


def test_two_exposures_that_would_get_the_same_name(run, here):
    (here / "other").mkdir()
    shutil.copy(here / SEED, here / "other" / SEED)

    result = run(SEED, f"other/{SEED}", "-o", "p", "--overwrite")

    assert result.exit_code == 3
    assert "would both become" in result.stderr
    assert fits.getheader(here / "p" / REDUCED)["S_FLAT"] == "COMPLETE"


def test_what_is_reduced_already(run, here):
    run(SEED, "-o", "p")

    result = run(f"p/{REDUCED}", "-o", "q")

    assert (result.exit_code, "is at L2 already" in result.stderr) == (2, True)
    assert not listing(here / "q")


def test_a_bad_file_does_not_keep_the_others_from_being_reduced(run, here):
    (here / "cut.fits").write_bytes((here / RAW).read_bytes()[:20000])
    (here / "text.fits").write_text("hello")

    result = run("cut.fits", SEED, "text.fits", "absent.fits", "-o", "p")

    assert result.exit_code == 3
    assert REDUCED in listing(here / "p")
    for name in ("cut.fits", "text.fits", "absent.fits"):
        assert sum(name in line for line in result.stderr.splitlines() if line.startswith("error")) == 1


def test_keywords_that_can_not_be_read(run, here):
    changed(here / SEED, SUBSTRT1="abc", SUBARRAY="CUSTOM")

    result = run(SEED, RAW, "-o", "p")

    assert result.exit_code == 3
    assert SEED in result.stderr
    assert RAW.replace("LVL0", "LVL2") in listing(here / "p")


@pytest.mark.parametrize("keyword", ["INSTRUME", "IMTYPE"])
def test_missing_keywords_are_named(run, here, keyword):
    changed(here / SEED, **{keyword: None})

    result = run(SEED, "-o", "p")

    assert result.exit_code in (1, 2)
    assert keyword in result.stderr
    assert not listing(here / "p")


def test_there_is_nothing_to_reduce(run, here):
    (here / "empty").mkdir()

    for arguments in ((), ("empty",)):
        result = run(*arguments)
        assert (result.exit_code, "error: " in result.stderr) == (2, True)


def test_products_of_a_failed_sky_are_not_made(run, here):
    science, sky = night(here)
    changed(here / sky[1], FILTER="BrGamma")
    (here / "a.json").write_text(FORMS["jwst.json"](science, sky))

    result = run("a.json", "-o", "p")

    assert result.exit_code == 3
    assert "1 of 2 exposures failed" in result.stderr
    assert [name for name in listing(here / "p") if name.endswith(".fits")] == ["x_LVL2_3.fits"]


def test_an_output_that_is_a_file(run, here):
    (here / "out").touch()

    result = run(SEED, "-o", "out")

    assert (result.exit_code, "out is not a folder" in result.stderr) == (2, True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_that_can_not_be_written(run, here):
    (here / "out").mkdir(mode=0o500)

    result = run(SEED, "-o", "out")

    assert (result.exit_code, "Permission denied" in result.stderr) == (3, True)


def test_an_output_below_a_file(repo_root, here):
    (here / "out").touch()

    done = process(here, repo_root, SEED, "-o", "out/p")

    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "out/p" in done.stderr


def test_a_full_disk_leaves_nothing(repo_root, here):
    """A limit to the size of files does what a full disk does, in the middle of a product."""
    resource = pytest.importorskip("resource")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    done = process(here, repo_root, SEED, "-o", "p", preexec_fn=limit)

    assert done.returncode == 3
    assert "can't be written" in done.stderr
    assert listing(here / "p") == []


def test_an_interruption_leaves_nothing(run, here, monkeypatch):
    """Ctrl-C while a product is written."""
    calls = []

    def interrupted(stream, data):
        calls.append(data)
        if len(calls) > 5:
            raise KeyboardInterrupt
        atomic.write_all(stream, data)

    monkeypatch.setattr(streams, "write_all", interrupted)
    result = run(SEED, "-o", "p")

    assert (result.exit_code, len(calls) > 5) == (130, True)
    assert listing(here / "p") == []


def test_an_interruption_ends_with_its_own_exit_code(repo_root, here):
    script = (
        "import sys; import reduce.files.streams as s\n"
        "def stop(*_): raise KeyboardInterrupt\n"
        "s.write_all = stop\n"
        "sys.argv[0] = 'calmap'\n"
        "from calmap.cli.main import main; main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "reduce", SEED, "-o", "p", "--cache", str(repo_root)],
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(repo_root)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr.strip()) == (130, "interrupted")
    assert listing(here / "p") == []


# -- what is never replaced --------------------------------------------------------------------------


def test_a_reference_that_was_named_is_never_replaced(run, here, repo_root):
    (here / "p").mkdir()
    flat = repo_root / "references/ligeriri/iris/IRIS_IMG1_FLAT_20240924T000000_0.0.1.fits"
    shutil.copy(flat, here / "p" / REDUCED)

    result = run(SEED, "--override", f"flat=p/{REDUCED}", "-o", "p", "--overwrite")

    assert (result.exit_code, "is an input or a reference of this reduction" in result.stderr) == (3, True)
    assert (here / "p" / REDUCED).read_bytes() == flat.read_bytes()


def test_another_input_is_never_replaced(run, here):
    changed(shutil.copy(here / SEED, here / REDUCED), OBJECT="another")
    before = (here / REDUCED).read_bytes()

    result = run(SEED, REDUCED, "--overwrite")

    assert (result.exit_code, "is an input or a reference of this reduction" in result.stderr) == (3, True)
    assert (here / REDUCED).read_bytes() == before


def test_a_log_of_somebody_else_stays(run, here):
    (here / "p").mkdir()
    log = (here / "p" / REDUCED).with_suffix(".log")
    log.write_text("mine")

    result = run(SEED, "-o", "p")

    assert (result.exit_code, f"p/{log.name} exists" in result.stderr) == (3, True)
    assert listing(here / "p") == [log.name]
    assert log.read_text() == "mine"


# -- folders -----------------------------------------------------------------------------------------


def test_products_of_an_earlier_call_in_a_folder_are_passed_over(run, here):
    science, _ = night(here)
    assert run(*science, "--to", "L3", "-o", "p", "-q").exit_code == 0

    result = run("p", "--to", "L3", "-o", "q")

    assert (result.exit_code, result.stderr) == (
        0, "note: passed over 1 file at L3 already: x_LVL3_0.fits\n",
    )  # fmt: skip
    assert listing(here / "q") == ["x_LVL3_0.fits", "x_LVL3_0.log"]
    assert run("p", "--to", "L3", "-o", "r", "-q").stderr == ""
    named = run("p/x_LVL3_0.fits", "--to", "L3", "-o", "r")
    assert (named.exit_code, "is at L3 already" in named.stderr) == (3, True)


def test_files_of_a_folder_that_no_recipe_is_for_are_passed_over(run, here):
    (here / "raw").mkdir()
    shutil.copy(here / SEED, here / "raw" / SEED)
    for number in range(5):
        changed(shutil.copy(here / SEED, here / "raw" / f"b{number}.fits"), IMTYPE="BIAS")

    result = run("raw", "-o", "p")

    assert result.exit_code == 0
    assert result.stderr == (
        "note: passed over 5 files that no recipe is for: b0.fits, b1.fits, b2.fits and 2 more\n"
    )
    assert REDUCED in listing(here / "p")
    assert run("raw/b0.fits", "-o", "p").exit_code == 2
    (here / "raw" / SEED).unlink()
    nothing = run("raw", "-o", "p")
    assert (nothing.exit_code, "there is nothing to reduce below raw" in nothing.stderr) == (2, True)


# -- messages ----------------------------------------------------------------------------------------


def test_paths_below_the_current_folder_are_told_from_there(run, here, tmp_path_factory):
    away = tmp_path_factory.mktemp("away")
    flat = shutil.copy(here / SEED, here / "not a flat.fits")

    assert run(SEED, "-o", "p").stdout.startswith(f"p/{REDUCED}\n")
    assert run(SEED, "-o", away).stdout.startswith(f"{away}/{REDUCED}\n")
    exists = run(SEED, "-o", "p").stderr
    assert exists.startswith(f"error: {SEED}: p/{REDUCED} exists")
    assert str(here) not in run(SEED, "--override", f"flat={flat}", "-o", "q").stderr


def test_a_line_stays_one_whatever_is_in_names(run, here):
    shutil.copy(here / SEED, here / "a\nb_LVL1_.fits")

    result = run("a\nb_LVL1_.fits", "-o", "p")

    assert result.stdout.splitlines()[:2] == [
        r"p/a\nb_LVL2_.fits", r"  exposure from a\nb_LVL1_.fits by imager_science",
    ]  # fmt: skip
    log = (here / "p" / "a\nb_LVL2_.log").read_text()
    assert log.splitlines()[1].endswith(r"a\nb_LVL1_.fits")


def test_a_missing_keyword_is_said_to_be_missing(run, here):
    changed(here / RAW, INSTRUME=None, IMTYPE=None, OBSNAME=None, INSTMODE=None)

    result = run(RAW, "-o", "p")

    assert result.exit_code == 2
    assert f"error: {RAW}: no recipe is for it; it has no INSTRUME, INSTMODE, IMTYPE\n" in result.stderr


def test_a_combination_that_fails_names_the_target(run, here):
    changed(here / NO_FLAT, OBJECT="M 92")

    result = run(NO_FLAT, "--to", "L3", "-o", "p")

    assert f"error: {NO_FLAT}: 1 of 1 exposures of M 92 failed" in result.stderr


def test_nothing_named_is_told_before_a_cache_is_asked_for(run):
    result = run(cache=False)

    assert (result.exit_code, "there is nothing to reduce" in result.stderr) == (2, True)


@pytest.mark.parametrize("options", [("--params", "absent.yaml"), ("--recipe", "absent.yaml")])
def test_files_that_options_name_and_are_not_there(run, options):
    result = run(SEED, *options)

    assert (result.exit_code, "absent.yaml" in result.stderr) == (2, True)


def test_an_unknown_step_in_a_file_is_like_one_of_an_option(run, here):
    (here / "mine.yaml").write_text("ramp_fitt: {method: ols}\n")

    result = run(SEED, "--params", "mine.yaml")

    assert (result.exit_code, "did you mean 'ramp_fit'?" in result.stderr) == (2, True)


# -- outputs that nobody reads -----------------------------------------------------------------------


def test_a_reader_that_goes_away(repo_root, here):
    script = f'"{sys.executable}" -m calmap reduce "{SEED}" -o p; echo $? >&2'
    done = subprocess.run(
        ["bash", "-c", f"{{ {script} ; }} | true"],
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(repo_root), "CALMAP_CACHE": str(repo_root)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == "141\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize(
    ("arguments", "code"), [(["absent.fits"], 3), ([NO_FLAT], 1), (["x", "--to", "L9"], 2)]
)
def test_errors_that_can_not_be_printed_leave_the_exit_code(repo_root, here, arguments, code):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "calmap", "reduce", *arguments, "-o", "p"],
            cwd=here,
            env={**os.environ, "PYTHONPATH": str(repo_root), "CALMAP_CACHE": str(repo_root)},
            stdout=subprocess.DEVNULL,
            stderr=full,
            check=False,
        )

    assert done.returncode == code


def test_data_that_have_changed_are_not_reduced(run, here):
    path = here / RAW
    with fits.open(path) as hdus:
        hdus.writeto(path, overwrite=True, checksum=True)
    with fits.open(path) as hdus:
        place = hdus["TIMES"].fileinfo()["datLoc"]
    data = bytearray(path.read_bytes())
    data[place + 7] ^= 1
    path.write_bytes(data)

    result = run(RAW)

    assert result.exit_code == 3
    assert "the data of TIMES have changed since the checksum was written" in " ".join(result.stderr.split())
    assert "get the file again" in result.stderr


@pytest.mark.parametrize("name", ["pipe.fits", "pipe.json"])
def test_a_pipe_is_refused_and_not_waited_for(run, here, name):
    os.mkfifo(here / name)

    result = run(name)

    assert result.exit_code == 3
    assert "not an ordinary file" in result.stderr
