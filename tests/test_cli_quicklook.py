"""`calmap quicklook` and `calmap reduce --report`."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from matplotlib.image import imread

from calmap.cli.main import cli
from calmap.cli.options import Invocation

RAW = "2025A-P207-002_IRIS_IMG1_SCI-M92-K-4.0_LVL0_0001-00.fits"
PRODUCT = RAW.replace("LVL0", "LVL2")
REFERENCES = "references/ligeriri/iris"


def run(cwd: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, obj=Invocation({}, cwd), env={"COLUMNS": "80"})


@pytest.fixture(scope="module")
def products(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a product and its page."""
    folder = tmp_path_factory.mktemp("products")
    result = run(repo_root, "reduce", f"exposures/{RAW}", "--out", str(folder), "--report")
    assert result.exit_code == 0, result.output
    return folder


def test_a_raw_ramp_has_a_picture_in_the_current_folder(repo_root: Path, tmp_path: Path) -> None:
    result = run(tmp_path, "quicklook", str(repo_root / "exposures" / RAW))

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        RAW,
        "  IRIS, IMG1, SCI, M92, K, 15 s, raw reads, 64 × 64 pixels, 10 reads, electron",
        "  last minus first read: median 110, from 68 to 439.25 (1 to 99 %)",
        "  The file does not say that any step was run on it.",
        f"wrote {RAW.removesuffix('.fits')}.png",
    ]
    assert [path.name for path in tmp_path.iterdir()] == [f"{RAW.removesuffix('.fits')}.png"]
    assert imread(tmp_path / f"{RAW.removesuffix('.fits')}.png").shape[1] == 1150


def test_a_product_is_told_for_machines_with_its_steps_and_references(
    repo_root: Path, products: Path, tmp_path: Path
) -> None:
    result = run(
        tmp_path,
        *("quicklook", str(products / PRODUCT), "--search", str(repo_root / "exposures"), "-o", "look.html"),
        *("--format", "json"),
    )

    told = json.loads(result.stdout)
    assert told["note"] == "The steps were run again, with the same result."
    assert told["shown"] == ["dq_init", "saturation", "nonlin_corr", "ramp_fit", "dark_sub", "flat_field"]
    assert (told["kind"], told["shape"], told["unit"]) == ("frame", [64, 64], "electron / s")
    assert told["flags"]["DEAD"] == 10
    dark = next(one for one in told["references"] if one["type"] == "dark")
    assert dark["file"] == "crds://IRIS_IMG1_DARK_20250312T003000_0.0.1.fits"
    assert dark["rule"].startswith("ligeriri_iris_dark_0001.rmap:")
    page = (tmp_path / "look.html").read_text("utf-8")
    assert dark["rule"] in page
    assert page.count("<img ") == 1 + len(told["shown"])


def test_a_product_without_what_it_was_made_from_says_so(
    products: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    missing = run(tmp_path, "quicklook", str(products / PRODUCT))
    unwanted = run(tmp_path, "quicklook", str(products / PRODUCT), "--no-steps", "-o", "other.png")

    assert missing.exit_code == unwanted.exit_code == 0
    assert f"Steps are not shown: the input exposures/{RAW} is not there" in missing.stdout
    assert "Steps" not in unwanted.stdout


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("IRIS_IMG1_NONLINCOEFF_20250312T000000_0.0.1.fits", "COEFFS, plane 3: median 7.1054e-13"),
        ("IRIS_IMG1_DQ_20250301T000000_0.0.1.fits", "quality bits: DO_NOT_USE 10, DEAD 10, HOT 25"),
        ("IRIS_IMG1_FLAT_20250313T000000_0.0.1.fits", "median error"),
    ],
)
def test_references_have_pictures(repo_root: Path, tmp_path: Path, name: str, words: str) -> None:
    result = run(tmp_path, "quicklook", str(repo_root / REFERENCES / name), "-o", "a.png")

    assert result.exit_code == 0
    assert words in result.stdout
    assert (tmp_path / "a.png").is_file()


def test_quiet_prints_nothing(repo_root: Path, tmp_path: Path) -> None:
    result = run(tmp_path, "quicklook", str(repo_root / "exposures" / RAW), "-q", "-o", "a.png")

    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("none.fits",), 3, "none.fits can't be read: No such file or directory"),
        (("{raw}", "-o", "a.pdf"), 2, "a report can't be written as a.pdf"),
        (("{raw}", "-o", "mine.png"), 3, "mine.png exists"),
        (("{raw}", "-o", "no/folder/a.png"), 3, "there is no folder"),
        (("{table}",), 3, "has no image that can be shown"),
        (("mine.png",), 3, "is not a FITS file"),
    ],
)
def test_what_can_not_be_done_is_told_and_leaves_nothing(
    repo_root: Path, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    (tmp_path / "mine.png").write_text("mine")
    files = {
        "raw": repo_root / "exposures" / RAW,
        "table": repo_root / REFERENCES / "IRIS_IMG_DRIZPARS_20240101T000000_0.0.1.fits",
    }

    result = run(tmp_path, "quicklook", *(text.format(**files) for text in arguments))

    assert result.exit_code == code
    assert words in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.png"]
    assert (tmp_path / "mine.png").read_text() == "mine"


def test_a_picture_may_be_overwritten(repo_root: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("old")

    result = run(tmp_path, "quicklook", str(repo_root / "exposures" / RAW), "-o", "a.png", "--overwrite")

    assert result.exit_code == 0
    assert imread(tmp_path / "a.png").ndim == 3


@pytest.mark.parametrize("command", ["quicklook", "reduce"])
def test_without_matplotlib_nothing_is_begun(
    repo_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    more = ("--report", "--no-cache", "--out", "out") if command == "reduce" else ()

    result = run(tmp_path, command, str(repo_root / "exposures" / RAW), *more)

    assert result.exit_code == 2
    assert "pictures need matplotlib, which is not installed" in result.stderr
    assert "pip install" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_reduce_writes_a_page_from_the_run_itself(repo_root: Path, products: Path) -> None:
    """It is the page that quicklook makes of the product, but for where the steps were seen."""
    result = run(
        repo_root,
        *("quicklook", str(products / PRODUCT), "--search", "exposures", "-o", str(products / "again.html")),
    )

    assert result.exit_code == 0
    ours = (products / PRODUCT.replace(".fits", ".html")).read_text("utf-8")
    again = (products / "again.html").read_text("utf-8")
    assert again.replace("<p>The steps were run again, with the same result.</p>\n", "") == ours
    assert "before and after flat_field" in ours


def test_a_report_is_no_reason_to_lose_a_file(repo_root: Path, tmp_path: Path) -> None:
    page = tmp_path / PRODUCT.replace(".fits", ".html")
    page.write_text("mine")
    arguments = ("reduce", f"exposures/{RAW}", "--out", str(tmp_path), "--report")

    refused = run(repo_root, *arguments)
    left = sorted(path.name for path in tmp_path.iterdir())
    allowed = run(repo_root, *arguments, "--overwrite", "-q")

    assert refused.exit_code == 3
    assert f"{page.name} exists" in refused.stderr
    assert left == [page.name]
    assert allowed.exit_code == 0
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")


def test_without_the_option_there_is_no_page(repo_root: Path, tmp_path: Path) -> None:
    shutil.copy(repo_root / "exposures" / RAW, tmp_path)

    run(repo_root, "reduce", str(tmp_path / RAW), "--out", str(tmp_path / "out"))

    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".fits", ".log"]
