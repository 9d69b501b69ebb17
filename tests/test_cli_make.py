"""`calmap make`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from astropy.io import fits
from click.testing import Result
from deliveries import calmap, demo_cache
from making_exposures import write_exposures

from reduce.files.reader import read_provenance
from reduce.making import kinds
from reduce.night import Shot
from reduce.parameters import options
from reduce.sim import Detector

DARK = "IRIS_IMG1_DARK_20250620T010000_0.0.1.fits"
KINDS = ("badpix", "bias", "dark", "flat", "gain", "linearity", "sky")
SHOTS = (
    *[Shot("DARK", "DARK", 2, 6, 20.0)] * 3,
    *[Shot("FLAT", "FLAT", 3, 6, 1.0, 3000.0)] * 3,
    *[Shot("BIAS", "BIAS", 1, 1, 1.44)] * 3,
)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("night")
    write_exposures(folder, Detector.simulated((64, 64), 2, border=0), SHOTS)
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return demo_cache(tmp_path)


def make(cache: Path, kind: str, *arguments: object) -> Result:
    return calmap(cache, "make", kind, *arguments, "--set", "gain_scale.gain=2", "--out", "new")


def accepted(cache: Path, *reftypes: str) -> None:
    """The rules take the files that were made."""
    files = [name for reftype in reftypes for name in (cache / "new").glob(f"*_{reftype}_*.fits")]
    assert len(files) == len(reftypes)
    certified = calmap(cache, "certify", *files)
    assert certified.exit_code == 0, certified.output
    inserted = calmap(cache, "insert-reference", *files)
    assert inserted.exit_code == 0, inserted.output


def test_darks_flats_and_maps_are_certified_and_inserted(cache: Path, night: Path) -> None:
    dark = make(cache, "dark", night)
    flat = make(cache, "flat", night, "--override", f"dark=new/{DARK}")
    badpix = make(cache, "badpix", night)

    assert [result.exit_code for result in (dark, flat, badpix)] == [0, 0, 0], badpix.output
    accepted(cache, "DARK", "FLAT", "DQ")


def test_file_takes_its_place_in_a_rule_for_several_values(cache: Path, night: Path) -> None:
    make(cache, "dark", night)
    make(cache, "flat", night, "--override", f"dark=new/{DARK}")

    dark, flat = (fits.getheader(path) for path in sorted((cache / "new").iterdir()))
    assert (dark["SUBARRAY"], dark["P_SUBARR"]) == ("FULL", "CUSTOM|FULL")
    assert (flat["READMODE"], flat["P_READMO"]) == ("DEFAULT", "DEFAULT|MCDS")


@pytest.mark.parametrize("layout", ["standard", "liger"])
def test_both_layouts_are_certified(cache: Path, night: Path, layout: str) -> None:
    made = make(cache, "dark", night, "--layout", layout)

    assert made.exit_code == 0, made.output
    assert ("DATA" if layout == "liger" else "SCI") in [
        hdu[1] for hdu in fits.info(cache / "new" / DARK, False)
    ]
    accepted(cache, "DARK")


def test_types_without_rules_get_some(cache: Path, night: Path) -> None:
    made = make(cache, "bias", night)
    rules = calmap(
        cache, "new-mapping", "iris", "bias", "--match", "META.INSTRUMENT.DETECTOR", "--date", "META.DATE"
    )

    assert (made.exit_code, rules.exit_code) == (0, 0), made.output + rules.output
    accepted(cache, "BIAS")


def test_what_is_printed(cache: Path, night: Path) -> None:
    result = make(cache, "dark", night)

    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].endswith(f"new/{DARK}")
    assert "  dark from 3 exposures" in lines
    assert "  note: 6 files of other kinds left out" in lines
    assert any(line.split()[:2] == ["nonlin_corr", "done"] for line in lines)
    assert not list((cache / "new").glob(".*"))


def test_json_and_quiet(cache: Path, night: Path) -> None:
    result = make(cache, "dark", night, "--format", "json")
    (made,) = json.loads(result.stdout)
    again = make(cache, "dark", night, "--quiet", "--overwrite")

    assert made["type"] == "dark"
    assert made["file"].endswith(DARK)
    assert len(made["sources"]) == 3
    steps = {step["step"]: step for step in made["steps"]}
    assert [one["type"] for one in steps["dq_init"]["references"]] == ["dq"]
    assert steps["make_dark"]["parameters"]["warm"] == "6.0"
    assert (again.exit_code, again.stdout) == (0, "")


def test_parameters_of_steps_and_of_the_kind(cache: Path, night: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("combine_frames: {method: median}\n")

    result = make(
        cache,
        "dark",
        night,
        "--params",
        tmp_path / "mine.yaml",
        "--set",
        "make.hot=20",
        "--skip",
        "nonlin_corr",
    )

    assert result.exit_code == 0, result.output
    steps = {step.step: step for step in read_provenance(cache / "new" / DARK).steps}
    assert steps["combine_frames"].parameters["method"] == "median"
    assert steps["make_dark"].parameters["hot"] == "20.0"
    assert steps["nonlin_corr"].status == "SKIPPED"


def test_description(cache: Path, night: Path) -> None:
    words = (
        "--useafter",
        "2025-06-01T12:00:00",
        "--version",
        "1.0.0",
        "--author",
        "Ada",
        "--descrip",
        "Mine",
    )

    result = make(cache, "dark", night, *words)

    assert result.exit_code == 0, result.output
    header = fits.getheader(cache / "new" / "IRIS_IMG1_DARK_20250601T120000_1.0.0.fits")
    assert [header[key] for key in ("USEAFTER", "AUTHOR", "DESCRIP")] == [
        "2025-06-01T12:00:00",
        "Ada",
        "Mine",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--no-cache",), 1, "there are no rules for reference files of type dq"),
        (("--set", "make.hott=3"), 2, "there is no parameter 'make.hott'"),
        (("--set", "dark_sub.x=3"), 2, "dark_sub.x"),
        (("--version", "one"), 2, "versions are like 0.0.1"),
        (("--useafter", "soon"), 2, "'soon' is no date"),
        (("nothing.fits",), 3, "nothing.fits"),
    ],
)
def test_what_is_refused(cache: Path, night: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    result = make(cache, "dark", night, *arguments)

    assert result.exit_code == code, result.output
    assert words in " ".join(result.stderr.split())
    assert not list((cache / "new").glob("**/*")) if (cache / "new").exists() else True


def test_nothing_is_overwritten_unasked(cache: Path, night: Path) -> None:
    make(cache, "dark", night)

    again = make(cache, "dark", night)

    assert again.exit_code == 3
    assert "exists" in again.stderr


def test_a_folder_without_such_exposures(cache: Path, night: Path) -> None:
    result = make(cache, "sky", night)

    assert result.exit_code == 3
    assert "there is no exposure with IMTYPE SKY" in " ".join(result.stderr.split())


@pytest.mark.parametrize("kind", KINDS)
def test_help_of_each_kind(tmp_path: Path, kind: str) -> None:
    result = calmap(tmp_path, "make", kind, "--help")

    assert result.exit_code == 0
    assert f"calmap make {kind}" in result.stdout.partition("Examples:")[2]


@pytest.mark.parametrize("kind", KINDS)
def test_help_names_every_parameter(tmp_path: Path, kind: str) -> None:
    text = calmap(tmp_path, "make", kind, "--help").stdout

    assert [one.name for one in options(kinds.KINDS[kind].parameters) if f"make.{one.name}" not in text] == []
