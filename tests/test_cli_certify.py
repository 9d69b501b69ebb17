"""``calmap certify`` as it is called."""

import json
import shutil
from pathlib import Path

import pytest
from astropy.io import fits
from click.testing import CliRunner

from calmap.cli.main import cli
from calmap.cli.options import Invocation

CHECKOUT = Path(__file__).parent.parent
FLAT = "references/ligeriri/iris/IRIS_IMG1_FLAT_20240924T000000_0.0.1.fits"
DRIZPARS = "references/ligeriri/iris/IRIS_IMG_DRIZPARS_20240101T000000_0.0.1.fits"
NEW = "IRIS_IMG1_FLAT_20300101T000000_0.0.1.fits"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A copy of the demonstration cache; the current folder."""
    for folder in ("mappings", "references", "config"):
        shutil.copytree(CHECKOUT / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A folder that is in no cache, with a flat; the current folder."""
    shutil.copyfile(CHECKOUT / FLAT, tmp_path / NEW)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments, **variables):
    invocation = Invocation(variables, Path.cwd())
    return CliRunner().invoke(
        cli, ["certify", *map(str, arguments)], obj=invocation, prog_name="calmap", catch_exceptions=False
    )


def unfolded(result):
    return " ".join(result.output.split())


def broken(path, **keywords):
    with fits.open(path, mode="update") as file:
        file[0].header.update(keywords)


def test_the_references_of_a_cache_pass(cache):
    result = run("references")

    assert result.exit_code == 0, result.output
    assert result.output.endswith("\n47 files passed\n")


def test_the_references_of_a_new_demonstration_pass(tmp_path):
    invocation = Invocation({}, tmp_path)
    CliRunner().invoke(cli, ["init", "--demo", "demo"], obj=invocation, catch_exceptions=False)
    result = run(tmp_path / "demo/references", tmp_path / "demo/new", "--cache", tmp_path / "demo")

    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "49 files passed")


def test_mappings_are_checked_too(cache):
    result = run("mappings", "ligeriri_iris_flat_0001.rmap")
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "14 files passed")

    path = Path("mappings/ligeriri/ligeriri_iris_flat_0001.rmap")
    path.write_text(path.read_text().replace("CLEAR", "OPAQUE", 1))
    result = run(path)
    assert result.exit_code == 1
    assert "ligeriri_iris_flat_0001.rmap  iris flat  " in result.output
    assert "CM501" in result.output


def test_what_people_read(cache, snapshot):
    shutil.copyfile(FLAT, NEW)
    with fits.open(NEW, mode="update") as file:
        file[0].header.update(DETECTOR="IMG5", USEAFTER="yesterday")
        del file[0].header["AUTHOR"]
        file["ERR"].data = file["ERR"].data[:32]
    shutil.copyfile(DRIZPARS, Path(DRIZPARS).name)
    result = run(NEW, Path(DRIZPARS).name)

    assert result.exit_code == 1
    assert max(map(len, result.output.splitlines())) <= 80
    assert result.output == snapshot


def test_what_programs_read(cache, snapshot):
    shutil.copyfile(FLAT, NEW)
    broken(NEW, FILTER="Y%", DETECTOR="A\\n", PEDIGREE="GUESS")
    found = json.loads(run(NEW, "--format", "json").output)

    assert found == snapshot
    assert run(NEW, "--format", "github").output == snapshot


def test_quiet_tells_by_the_exit_code(alone):
    assert (run(NEW, "-q").exit_code, run(NEW, "-q").output) == (0, "")
    broken(NEW, PEDIGREE="GUESS")
    assert (run(NEW, "-q").exit_code, run(NEW, "-q").output) == (1, "")
    assert run("none.fits", "-q").exit_code == 3


def test_without_rules_nothing_is_inserted_on_trial_which_is_said(alone):
    message = "it was not inserted into rules on trial, since there is no cache"
    result = run(NEW)
    assert (result.exit_code, result.output.splitlines()[1]) == (0, f"  note     {message}")

    Path("mappings/tmt").mkdir(parents=True)
    result = run(NEW, "--cache", ".", "--observatory", "ligeriri")
    assert (result.exit_code, "since the cache has no context of ligeriri" in unfolded(result)) == (0, True)


def test_the_telescope_is_told_by_the_instrument(alone):
    broken(NEW, INSTRUME="Liger", TELESCOP="Keck-I", DETECTOR="IMG")
    assert run(NEW).output.startswith(f"{NEW}  liger flat  passed")


def test_telescopes_with_one_instrument_are_told_apart_by_the_names_of_files(alone):
    assert run(NEW).output.startswith(f"{NEW}  iris flat  passed")

    shutil.copyfile(NEW, "tmt_iris_flat_0001.fits")
    assert "array SCI is missing" in run("tmt_iris_flat_0001.fits").output

    shutil.copyfile(NEW, "flat.fits")
    result = run("flat.fits")
    assert result.exit_code == 3
    assert "which telescope is it of?" in result.output
    assert "name one with --observatory: ligeriri, tmt" in result.output


def test_what_can_not_be_read_does_not_stop_the_others(alone):
    Path("damaged.fits").write_bytes(b"SIMPLE  =")
    result = run("none.fits", "damaged.fits", NEW, "--observatory", "ligeriri")

    assert result.exit_code == 3
    assert "none.fits does not exist" in result.output
    assert f"{NEW}  iris flat  passed" in result.output


def test_the_definition_of_a_cache_counts(cache):
    folder = cache / "config/ligeriri"
    text = (CHECKOUT / "calmap/observatories/ligeriri.yaml").read_text()
    (folder / "observatory.yaml").write_text(text.replace("AUTHOR: warn", "AUTHOR: {values: [me]}"))
    assert "AUTHOR is 'scripts/make_demo_cache.py', expected me" in run(FLAT).output

    (folder / "observatory.yaml").write_text(
        text.replace("keywords: {META.TELESCOPE: {values: [TMT]}}", "checks: {wrong: 'A =='}")
    )
    result = run(FLAT)
    assert result.exit_code == 3
    assert "checks > wrong: the expression can't be read" in unfolded(result)


def test_a_file_is_compared_with_another(alone):
    for name, scale in (("old.fits", 4.0), ("new.fits", 5.0)):
        shutil.copyfile(CHECKOUT / DRIZPARS, name)
        with fits.open(name, mode="update") as file:
            file[1].data["SCALE"] = scale
    result = run("new.fits", "--compare", "old.fits", "--observatory", "ligeriri")

    assert result.exit_code == 0
    assert "4 rows have other values of 'SCALE'" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.fits", "b.fits", "--compare", NEW], "--compare goes with a single file"),
        ([NEW, "--compare", "none.fits"], "there is no file none.fits to compare with"),
        ([NEW, "--tpn", "none", "--observatory", "ligeriri"], "there is no file or folder"),
        (["empty"], "there is no reference file and no mapping below empty"),
        (["@none"], "the list"),
        ([], "Missing argument"),
        ([NEW, "--format", "xml"], "is not one of"),
    ],
)
def test_wrong_usage(alone, arguments, message):
    Path("empty").mkdir()
    result = run(*arguments)

    assert result.exit_code != 0
    assert message in result.output or message in str(result.exception)


def test_tpn_files_take_the_place_of_the_definition(alone):
    Path("tpns").mkdir()
    Path("tpns/iris_flat.tpn").write_text("AUTHOR H C R NOBODY\nDATA A X R (ndim(DATA_ARRAY,3))\n")
    result = run(NEW, "--tpn", "tpns", "--observatory", "ligeriri")

    assert result.exit_code == 1
    assert "AUTHOR is 'scripts/make_demo_cache.py', expected NOBODY" in unfolded(result)
    assert "array DATA fails '(ndim(DATA_ARRAY,3))'" in unfolded(result)


def test_conversion(alone):
    Path("iris_flat.tpn").write_text("AUTHOR H C R NOBODY\n")
    assert run("--convert", "iris_flat.tpn").output == (
        "# from iris_flat.tpn\ncertify:\n  instruments:\n    iris:\n      types:\n        flat:\n"
        "          keywords:\n            AUTHOR: {presence: required, type: text, values: [NOBODY]}\n"
    )


def test_conversion_of_a_folder(alone):
    Path("tpns").mkdir()
    Path("tpns/iris_flat.tpn").write_text("AUTHOR H C R\n")
    Path("tpns/all_all.tpn").write_text("PEDIGREE H C R &PEDIGREE\n")
    Path("tpns/README").write_text("of no interest")
    assert run("--convert", "tpns").output.startswith("# from all_all.tpn\n# from iris_flat.tpn\n")


@pytest.mark.parametrize("option", [(), ("-q",)])
def test_nonsense_is_not_converted(alone, option):
    Path("x.tpn").write_text("AUTHOR H\n")
    Path("empty").mkdir()
    assert run("--convert", "x.tpn", *option).exit_code == 3
    assert run("--convert", "empty", *option).exit_code == 2


def test_conversion_of_nonsense(alone):
    Path("x.tpn").write_text("AUTHOR H\n")
    invocation = Invocation({}, Path.cwd())
    result = CliRunner().invoke(cli, ["certify", "--convert", "x.tpn"], obj=invocation, prog_name="calmap")

    assert result.exit_code == 3
    assert "x.tpn:1:1: 2 words, expected 4 or 5" in result.output


def test_the_header_may_be_overruled(alone):
    result = run(NEW, "--type", "dq", "--observatory", "ligeriri")

    assert "iris dq" in result.output
    assert "array DQ_DEF is missing" in result.output


def test_a_type_that_has_no_rules_yet_is_known(cache):
    sky = Path("IRIS_IMG1_SKY_20300101T000000_0.0.1.fits")
    shutil.copyfile(FLAT, sky)
    broken(sky, REFTYPE="SKY")

    result = run(sky)

    assert result.exit_code == 0, result.output
    assert "ligeriri_0001.pmap has no rules for iris sky" in unfolded(result)
    assert "calmap new-mapping iris sky" in unfolded(result)
    broken(sky, REFTYPE="SKYY")
    assert "'SKYY' is no reference type of iris" in unfolded(run(sky))
