"""The demonstration cache: reproducible, complete, and answering as its makers meant."""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

CHECKOUT = Path(__file__).parent.parent
MAPPINGS = CHECKOUT / "mappings/ligeriri"
REFERENCES = CHECKOUT / "references/ligeriri"
FRAME = "2024B-P123-008_IRIS_IMG1_SCI-J1458+1013-Y-4.0_LVL1_0001-00.fits"

MAPPING_FILES = sorted(MAPPINGS.iterdir())
FITS_FILES = sorted(REFERENCES.rglob("*.fits")) + sorted((CHECKOUT / "exposures").iterdir())

IRIS = {
    "META.INSTRUMENT.NAME": "IRIS",
    "META.INSTRUMENT.ERA": "0.1.0",
    "META.INSTRUMENT.DETECTOR": "IMG1",
    "META.INSTRUMENT.FILTER": "K",
    "META.INSTRUMENT.PUPIL": "CLEAR",
    "META.EXPOSURE.READMODE": "DEFAULT",
    "META.SUBARRAY.NAME": "FULL",
    "META.DATE": "2025-06-01T12:00:00",
}
OLD_IRIS = IRIS | {
    "META.INSTRUMENT.ERA": "0.0.0",
    "META.INSTRUMENT.FILTER": "Y",
    "META.DATE": "2024-10-05T06:00:00",
}
LIGER = OLD_IRIS | {
    "META.INSTRUMENT.NAME": "Liger",
    "META.INSTRUMENT.DETECTOR": "IMG",
    "META.INSTRUMENT.FILTER": "H",
    "META.DATE": "2025-07-04T12:00:00",
}


def make(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    script = CHECKOUT / "scripts/make_demo_cache.py"
    return subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True)


def test_checkout_is_what_the_script_writes():
    done = make("--check")

    assert done.returncode == 0, done.stdout + done.stderr


def test_check_names_every_difference(tmp_path):
    for folder in ("mappings", "references", "exposures", "config"):
        shutil.copytree(CHECKOUT / folder, tmp_path / folder)
    changed = tmp_path / "references/ligeriri/liger/Liger_IMG_DARK_20240924T000000_0.0.1.fits"
    changed.write_bytes(changed.read_bytes()[:-1] + b"\1")
    (tmp_path / "exposures" / FRAME).unlink()
    (tmp_path / "mappings/ligeriri/mine.rmap").write_text("")

    done = make("--check", "--out", tmp_path)

    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"missing: exposures/{FRAME}",
        "not made by this script: mappings/ligeriri/mine.rmap",
        f"differs: references/ligeriri/liger/{changed.name}",
    ]


def test_cache_is_small():
    files = [path for folder in (MAPPINGS, REFERENCES) for path in folder.rglob("*") if path.is_file()]

    assert sum(path.stat().st_size for path in files) < 4_000_000


@pytest.mark.parametrize("path", MAPPING_FILES, ids=lambda path: path.name)
def test_mapping_knows_its_checksum_and_name(path):
    text = path.read_text()
    lines = text.splitlines(keepends=True)
    others = "".join(line for line in lines if "sha1sum" not in line)

    assert f"'sha1sum' : '{hashlib.sha1(others.encode()).hexdigest()}'" in text
    assert f"'name' : '{path.name}'" in text


def test_names_in_mappings_are_the_files():
    text = "".join(path.read_text() for path in MAPPING_FILES)
    named = set(re.findall(r" : '([^']*\.(?:fits|rmap|imap))'", text))

    assert {name for name in named if name.endswith(".fits")} == {p.name for p in REFERENCES.rglob("*.fits")}
    assert named >= {path.name for path in MAPPING_FILES if path.suffix != ".pmap"}


@pytest.mark.parametrize("path", FITS_FILES, ids=lambda path: path.name)
def test_fits_file_is_sound(path):
    with fits.open(path) as hdus:
        hdus.verify("exception")
        header = hdus[0].header
        shapes = [hdu.shape for hdu in hdus if isinstance(hdu, fits.ImageHDU)]
        finite = [np.isfinite(hdu.data).all() for hdu in hdus if isinstance(hdu, fits.ImageHDU)]

    assert path.name.startswith(f"{header['INSTRUME']}_{header['DETECTOR']}_") or "exposures" in path.parts
    assert header["FILENAME"] == path.name
    assert all(max(shape) <= 256 for shape in shapes)
    assert all(finite)


@pytest.mark.parametrize("path", sorted(REFERENCES.rglob("*.fits")), ids=lambda path: path.name)
def test_reference_has_the_keywords_of_one(path):
    header = fits.getheader(path)
    required = {"TELESCOP", "REFTYPE", "USEAFTER", "PEDIGREE", "AUTHOR", "DESCRIP", "HISTORY"}

    assert required <= set(header)
    assert f"_{header['REFTYPE']}_{re.sub('[-:]', '', header['USEAFTER'])}_" in path.name
    assert path.parent.name == header["INSTRUME"].lower()


def test_dark_and_flat_give_the_sky_back():
    with (
        fits.open(CHECKOUT / "exposures" / FRAME) as frame,
        fits.open(REFERENCES / "iris/IRIS_IMG1_DARK_20240924T000000_0.0.1.fits") as dark,
        fits.open(REFERENCES / "iris/IRIS_IMG1_FLAT_20240924T000000_0.0.1.fits") as flat,
    ):
        sky = (frame["DATA"].data - dark["DATA"].data) / flat["DATA"].data
        starless = np.s_[:10, :]
        good = (flat["DQ"].data[starless] == 0) & (dark["DQ"].data[starless] == 0)

    assert np.median(sky[starless][good]) == pytest.approx(0.5, abs=0.05)


def test_linearised_ramp_is_straight():
    frame = CHECKOUT / "exposures/2025A-P207-002_IRIS_IMG1_SCI-M92-K-4.0_LVL0_0001-00.fits"
    with (
        fits.open(frame) as ramp,
        fits.open(REFERENCES / "iris/IRIS_IMG1_NONLINCOEFF_20250312T000000_0.0.1.fits") as correction,
    ):
        raw = ramp["DATA"].data[:, :, 0, :].astype(float)
        coefficients = correction["COEFFS"].data.astype(float)[:, :, np.newaxis, :]
        times = ramp["TIMES"].data[0]
    linear = sum(coefficients[..., k] * raw**k for k in range(4))
    bright = linear[..., -1] > 4500
    early, late = (linear[bright][:, part].mean(axis=0) for part in (slice(0, 5), slice(5, 10)))
    slopes = [np.polyfit(times[:5], part, 1)[0] for part in (early, late)]

    assert bright.any()
    assert slopes[0] == pytest.approx(slopes[1], rel=0.03)


@pytest.mark.parametrize(
    ("header", "changes", "expected"),
    [
        (OLD_IRIS, {}, {"dark": "IRIS_IMG1_DARK_20240924T000000_0.0.1.fits"}),
        (
            OLD_IRIS,
            {"META.DATE": "2024-10-30T06:00:00", "META.SUBARRAY.NAME": "CUSTOM"},
            {
                "dark": "IRIS_IMG1_DARK_20241105T000000_0.0.1.fits",
                "flat": "IRIS_IMG1_FLAT_20241106T000000_0.0.1.fits",
                "dq": "IRIS_IMG1_DQ_20240901T000000_0.0.1.fits",
                "nonlincoeff": "IRIS_IMG1_NONLINCOEFF_20240924T000000_0.0.1.fits",
                "drizpars": "IRIS_IMG_DRIZPARS_20240101T000000_0.0.1.fits",
            },
        ),
        (OLD_IRIS, {"META.INSTRUMENT.FILTER": "BrGamma"}, {"flat": "not_found"}),
        (OLD_IRIS, {"META.INSTRUMENT.FILTER": "OPAQUE"}, {"flat": "not_applicable"}),
        (OLD_IRIS, {"META.DATE": "2024-08-31T23:59:59"}, {"dq": "not_found"}),
        (
            IRIS,
            {"META.EXPOSURE.READMODE": "MCDS"},
            {
                "dark": "IRIS_IMG1_DARK_20250312T003000_0.0.1.fits",
                "flat": "IRIS_IMG1_FLAT_20250313T003000_0.0.1.fits",
                "dq": "IRIS_IMG1_DQ_20250301T000000_0.0.1.fits",
                "nonlincoeff": "IRIS_IMG1_NONLINCOEFF_20250312T000000_0.0.1.fits",
            },
        ),
        (
            IRIS,
            {"META.INSTRUMENT.DETECTOR": "IFU"},
            {
                "dark": "IRIS_IFU_DARK_20250313T000000_0.0.1.fits",
                "flat": "IRIS_IFU_FLAT_20240926T010000_0.0.1.fits",
                "drizpars": "not_applicable",
            },
        ),
        (
            LIGER,
            {},
            {
                "dark": "Liger_IMG_DARK_20250702T000000_0.0.1.fits",
                "flat": "Liger_IMG_FLAT_20250702T003000_0.0.1.fits",
                "dq": "Liger_IMG_DQ_20240901T000000_0.0.1.fits",
                "nonlincoeff": "Liger_IMG_NONLINCOEFF_20240924T000000_0.0.1.fits",
                "drizpars": "Liger_IMG_DRIZPARS_20240101T000000_0.0.1.fits",
            },
        ),
    ],
)
def test_selection(header, changes, expected):
    import calmap

    refs = calmap.Cache(CHECKOUT).context("ligeriri_0001.pmap").bestrefs(header | changes)
    answers = {name: ref.files[0] if ref.status == "found" else ref.status for name, ref in refs.items()}

    assert {name: answers[name] for name in expected} == expected
