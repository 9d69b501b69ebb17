"""``calmap simulate``."""

from __future__ import annotations

from pathlib import Path

import pytest
from astropy.io import fits
from click.testing import CliRunner, Result

from calmap.cli.main import cli
from calmap.cli.options import Invocation
from reduce.dq import DQ
from reduce.files.reader import read_header
from reduce.night import detector_of, plan
from reduce.night_references import TYPES


def run(*arguments: str, cwd: Path) -> Result:
    return CliRunner().invoke(cli, arguments, obj=Invocation({}, cwd), prog_name="calmap")


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulate")
    result = run("simulate", "night", "--size", "64", cwd=folder)
    assert result.exit_code == 0, result.output
    assert result.output == (
        f"made {len(plan())} raw exposures and a cache with {len(TYPES)} references in night\n"
        "next: go there and try\n  calmap reduce raw/*SCI-SF1*.fits --out products\n"
    )
    return folder / "night"


def files(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_is_a_cache_without_faults(night: Path) -> None:
    checked = run("check", cwd=night)
    references = sorted(map(str, (night / "references/ligeriri/iris").glob("*.fits")))
    certified = run("certify", *references, cwd=night)

    assert (checked.exit_code, checked.output) == (0, "No findings\n")
    assert (certified.exit_code, certified.output.splitlines()[-1]) == (0, f"{len(TYPES)} files passed")


def test_the_rules_have_a_reference_of_each_type_for_every_exposure(night: Path) -> None:
    for path in sorted((night / "raw").glob("*.fits"))[::14]:
        result = run("bestref", str(path), "--format", "json", cwd=night)

        assert result.exit_code == 0, result.output
        for reftype in TYPES:
            assert f"IRIS_IMG1_{reftype.upper()}_20250520T000000_0.0.1.fits" in result.output


def test_what_calmap_says_is_simulated_says_so(night: Path) -> None:
    for path in (night / "references").rglob("*.fits"):
        assert read_header(path)["PEDIGREE"] == "SIMULATION"
    assert "Simulated" in str(read_header(next((night / "raw").iterdir()))["HISTORY"])


def test_bad_pixels_and_the_border_are_flagged(night: Path) -> None:
    detector = detector_of(64, 1)
    path = next((night / "references").rglob("*_DQ_*.fits"))
    with fits.open(path) as hdus:
        flags = hdus["DQ"].data

    assert ((flags & DQ.REFERENCE_PIXEL != 0) == ~detector.light).all()
    assert ((flags & DQ.DEAD != 0) == detector.dead).all()
    assert ((flags & DQ.DO_NOT_USE != 0) == detector.dead).all()


def test_the_same_size_and_seed_make_the_same_bytes(night: Path, tmp_path: Path) -> None:
    run("simulate", "again", "--size", "64", "--seed", "1", cwd=tmp_path)

    assert files(tmp_path / "again") == files(night)


def test_another_seed_makes_another_night(night: Path, tmp_path: Path) -> None:
    run("simulate", "other", "--size", "64", "--seed", "2", cwd=tmp_path)
    other = files(tmp_path / "other")

    same = [path for path, content in files(night).items() if other[path] == content]

    assert [path.name.split("_")[2] for path in same if path.suffix == ".fits"] == ["DRIZPARS"]


def test_nothing_is_written_where_something_is(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")

    result = run("simulate", ".", "--size", "64", cwd=tmp_path)

    assert result.exit_code == 1
    assert "is there already" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert run("simulate", "empty", "--size", "64", "--quiet", cwd=tmp_path).output == ""
    assert sorted(path.name for path in (tmp_path / "empty").iterdir()) == [
        "config",
        "mappings",
        "raw",
        "references",
        "truth",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_what_fails_on_the_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from calmap.reduction import night

    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(night, "write_exposures", full_disk)

    result = run("simulate", "night", "--size", "64", cwd=tmp_path)

    assert result.exit_code != 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [("--size", "63"), ("--size", "5000"), ("--seed", "-1"), ()])
def test_wrong_usage(arguments: tuple[str, ...], tmp_path: Path) -> None:
    folder = ("night",) if arguments else ()

    assert run("simulate", *folder, *arguments, cwd=tmp_path).exit_code == 2
    assert list(tmp_path.iterdir()) == []
