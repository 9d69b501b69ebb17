"""Reference files against what is demanded of them."""

import gzip
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from calmap.bestref import Cache
from calmap.certify.certifier import Certifier, Trial
from calmap.certify.columns import column_faults
from calmap.certify.trial import try_insertion
from calmap.certify.values import value_faults
from calmap.diagnostics import Severity
from calmap.errors import HeaderError
from calmap.observatories import load_observatory
from calmap.observatories.constraints import Constraint, Demands, Subject
from calmap.observatories.schema import read_definition
from calmap.yamltree import parse_yaml

CHECKOUT = Path(__file__).parent.parent
FLAT = CHECKOUT / "references/ligeriri/iris/IRIS_IMG1_FLAT_20240924T000000_0.0.1.fits"
DRIZPARS = CHECKOUT / "references/ligeriri/iris/IRIS_IMG_DRIZPARS_20240101T000000_0.0.1.fits"
NAME = "IRIS_IMG1_FLAT_20300101T000000_0.0.1.fits"


@pytest.fixture
def flat(tmp_path):
    """A copy of a good flat that may be changed."""
    path = tmp_path / NAME
    shutil.copyfile(FLAT, path)
    return path


def change(path, extensions=None, **keywords):
    """Set keywords of the primary header, None to delete one, and data of extensions."""
    with fits.open(path, mode="update") as file:
        for keyword, value in keywords.items():
            if value is None:
                del file[0].header[keyword]
            else:
                file[0].header[keyword] = value
        for name, data in (extensions or {}).items():
            file[name].data = data
    return path


def certifier(**more):
    return Certifier(load_observatory("ligeriri"), **more)


def told(certificate, *severities):
    wanted = severities or (Severity.ERROR, Severity.WARNING)
    return [finding.message for finding in certificate.findings if finding.severity in wanted]


def certified(path, certify="all: {}", **more):
    """What a definition of one's own says of a file."""
    section = "".join(f"  {line}\n" for line in certify.splitlines())
    text = f"name: vista\ninstruments: {{iris: {{}}}}\ncertify:\n{section}"
    observatory = read_definition(parse_yaml(text), "vista", "vista.yaml")
    return told(Certifier(observatory, **more).certify(path), *Severity)


@pytest.mark.parametrize(
    "path", sorted(CHECKOUT.glob("references/ligeriri/*/*.fits")), ids=lambda path: path.name
)
def test_the_references_of_the_demonstration_pass(path):
    certificate = certifier().certify(path)

    assert certificate.findings == ()
    assert certificate.passed
    assert f"{certificate.instrument}_{certificate.reftype}" in path.name.lower().replace(
        f"_{path.name.split('_')[1].lower()}", "", 1
    )
    assert certificate.constraints > 8


@pytest.mark.parametrize(
    ("keywords", "messages"),
    [
        ({"DETECTOR": "IMG5"}, ["META.INSTRUMENT.DETECTOR (DETECTOR) is 'IMG5', expected one of IMG, IMG1"]),
        ({"FILTER": None}, ["META.INSTRUMENT.FILTER has no value"]),
        ({"TELESCOP": "VLT"}, ["META.TELESCOPE (TELESCOP) is 'VLT', expected TMT"]),
        ({"USEAFTER": "yesterday"}, ["USEAFTER is 'yesterday', which is no date"]),
        ({"PEDIGREE": "INFLIGHT 2024-02-01 2024-01-01"}, ["PEDIGREE is 'INFLIGHT 2024-02-01 2024-01-01'"]),
        ({"AUTHOR": None}, ["AUTHOR has no value"]),
        ({"SUBSIZE1": 5000}, ["META.SUBARRAY.XSIZE (SUBSIZE1) is 5000, expected a number from 1 to 4096"]),
        ({"SUBSIZE1": "nan"}, ["META.SUBARRAY.XSIZE (SUBSIZE1) is 'nan', expected an integer"]),
        ({"P_DETECT": "IMG1|FOO"}, ["META.INSTRUMENT.DETECTOR (P_DETECT) is 'FOO', expected one of"]),
        ({"REFTYPE": None}, ["the header names no reference type"]),
        ({"REFTYPE": "FLAX"}, ["REFTYPE = 'FLAX' is no reference type of iris"]),
        ({"INSTRUME": "NONE"}, ["ligeriri has no instrument 'NONE'"]),
        ({"DETECTOR": " "}, ["META.INSTRUMENT.DETECTOR has no value"]),
    ],
)  # fmt: skip
def test_keywords(flat, keywords, messages):
    found = told(certifier().certify(change(flat, **keywords)))

    assert len(found) == len(messages)
    assert all(one.startswith(other) for one, other in zip(found, messages, strict=True))


def test_what_is_missing_is_a_warning_where_it_is_no_more_than_recommended(flat):
    certificate = certifier().certify(change(flat, AUTHOR=None, PEDIGREE="GUESS"))

    assert [finding.severity for finding in certificate.findings] == [Severity.ERROR, Severity.WARNING]
    assert not certificate.passed


def test_a_keyword_under_another_name_counts(flat):
    assert told(certifier().certify(change(flat, ERA=None, INSTERA="0.0.0"))) == []


def test_arrays(flat):
    change(
        flat,
        {
            "ERR": np.zeros((32, 32), "f4"),
            "DQ": np.zeros((64, 64), "f4"),
            "DATA": np.zeros((2, 64, 64), "f4"),
        },
    )

    assert told(certifier().certify(flat)) == [
        "array DATA has 3 dimensions (2, 64, 64), expected 2",
        "array DQ has values of type float32, expected unsigned",
        "check 'the error has the shape of the data' fails 'ERR_ARRAY.SHAPE == DATA_ARRAY.SHAPE'",
        "check 'the quality has the shape of the data' fails 'DQ_ARRAY.SHAPE == DATA_ARRAY.SHAPE'",
    ]


def test_a_failed_check_shows_the_values(flat):
    certificate = certifier().certify(change(flat, {"ERR": np.zeros((32, 32), "f4")}))

    assert certificate.findings[0].hint == "DATA_ARRAY.SHAPE is (64, 64); ERR_ARRAY.SHAPE is (32, 32)"


def test_a_missing_array_leaves_out_what_depends_on_it(tmp_path):
    path = tmp_path / NAME
    with fits.open(FLAT) as file:
        fits.HDUList([file[0], file["DATA"], file["DQ"]]).writeto(path)
    certificate = certifier().certify(path)

    assert told(certificate, *Severity) == ["array ERR is missing"]
    assert certificate.findings[0].hint == "the file has DATA, DQ"


def test_columns(tmp_path):
    path = tmp_path / "IRIS_IMG_DRIZPARS_20300101T000000_0.0.1.fits"
    shutil.copyfile(DRIZPARS, path)
    with fits.open(path, mode="update") as file:
        file[1].data["PIXFRAC"][:3] = [1.5, 1.5, np.nan]
        file[1].data["KERNEL"][3] = "disc"
        file[1].data["NUMIMAGES"][1] = 1

    assert told(certifier().certify(path)) == [
        "column PIXFRAC is 1.5, expected a number from 0 to 1 (row 1)",
        "column PIXFRAC is 'nan', expected a number (row 3)",
        "column KERNEL is 'disc', expected one of square, point, turbo, gaussian, lanczos3, tophat (row 4)",
        "1 mode is there more than once: NUMIMAGES=1",
    ]


def test_tables_are_compared_with_those_of_the_file_before(tmp_path):
    old, new = (tmp_path / f"IRIS_IMG_DRIZPARS_203{n}0101T000000_0.0.1.fits" for n in (0, 1))
    shutil.copyfile(DRIZPARS, old)
    shutil.copyfile(DRIZPARS, new)
    with fits.open(new, mode="update") as file:
        file[1].data["NUMIMAGES"][3] = 16
        file[1].data["SCALE"][0] = 5.0
    by_hand = certifier().certify(new, old=old)
    by_trial = certifier(trial=lambda path, instrument, reftype: Trial((), old)).certify(new)

    assert told(by_hand, *Severity) == [
        "1 mode is missing that IRIS_IMG_DRIZPARS_20300101T000000_0.0.1.fits has: NUMIMAGES=8",
        "1 row has other values of 'SCALE': NUMIMAGES=1",
    ]
    assert by_hand == by_trial


SECTIONS = [
    ("keywords: {AUTHOR: excluded}", ["AUTHOR is 'scripts/make_demo_cache.py', but must not be there"]),
    ("keywords: {NOTHING: {presence: {if: \"FILTER == 'Y'\"}}}", ["NOTHING has no value"]),
    ("keywords: {NOTHING: {presence: {if: \"FILTER == 'J'\"}}}", []),
    ("keywords: {NOTHING: {presence: {if: A + 1}}}", ["NOTHING was left out, since 'A + 1' can't be told"]),
    (
        "keywords: {NOTHING: {presence: {if: DATA_ARRAY.DATA > 0}}}",
        ["NOTHING was left out, since 'DATA_ARRAY.DATA > 0' can't be told: many values at once"],
    ),
    (
        "checks: {c: DATA_ARRAY.DATA > 0}",
        ["check 'c' can't be told, 'DATA_ARRAY.DATA > 0' has no value: many"],
    ),
    ("keywords: {FILTER: {check: fileexists}}", ["FILTER was not looked for: there is no cache"]),
    ("keywords: {FILTER: {check: kernelunity}}", ["FILTER was not put to the check 'kernelunity'"]),
    ("groups: {FILTER: {type: text}}", ["group FILTER was left out: calmap doesn't look into GEIS files"]),
    ("arrays: {DATA: excluded}", ["array DATA must not be there"]),
    ("arrays: {NONE: warn}", ["array NONE is missing"]),
    ("arrays: {NONE: optional}", []),
    ("arrays: {DATA: {kind: table}}", ["array DATA is an image, expected a table"]),
    ("arrays: {DATA: {columns: [A, B]}}", ["array DATA lacks the columns A, B"]),
    ("arrays: {DATA: {shape: [64, '*']}}", []),
    ("arrays: {DATA: {shape: [64, 65]}}", ["array DATA has the shape (64, 64), expected (64, 65)"]),
    ("arrays: {DATA: {ndim: [1, 3]}}", ["array DATA has 2 dimensions (64, 64), expected 1 or 3"]),
    ("arrays: {DATA: {check: isomorphicfitsver1}}", []),
    ("arrays: {DATA: {check: isomorphicfitsver4}}", ["array DATA has versions up to 1, expected 4"]),
    ("arrays: {DATA: {check: kernelunity}}", ["array DATA has a sum of "]),
    ("arrays: {DATA: {check: synphot_graph}}", ["array DATA was not put to the check 'synphot_graph'"]),
    ("arrays: {1: {expression: 'ndim(ARRAY_1, 2)'}}", []),
    (
        "arrays: {DATA: {expression: 'np.all(DATA_ARRAY.DATA < 0)'}}",
        ["array DATA fails 'np.all(DATA_ARRAY.DATA < 0)'"],
    ),
    ("columns: {A: required}", ["column A is missing"]),
    ("checks: {c: 'warn_only(1 == 2)'}", ["check 'c' fails 'warn_only(1 == 2)'"]),
    (
        "checks: {c: 'FILTER < 1'}",
        ["check 'c' can't be told, 'FILTER < 1' has no value: 'Y' < 1.0 can't be compared"],
    ),
    ("checks: {c: 'NAXIS1 == 64 and DATAMODL.startswith(\"Flat\")'}", []),
]


@pytest.mark.parametrize(("section", "messages"), SECTIONS)
def test_every_kind_of_demand(section, messages):
    found = certified(FLAT, f"all:\n  {section}")

    assert len(found) == len(messages)
    assert all(one.startswith(other) for one, other in zip(found, messages, strict=True)), found


def test_values_of_columns_may_be_expressions_and_files():
    section = "all: {columns: {KERNEL: [{expression: \"VALUE == 'point'\"}, {check: fileexists}]}}"

    assert certified(DRIZPARS, section, exists=lambda name: name != "square") == [
        "column KERNEL fails 'VALUE == 'point'' (row 1)",
        "column KERNEL names the file 'square', which is not in the cache (row 1)",
    ]


@pytest.mark.parametrize(("flag", "found"), [(1, []), (0, ["array DATA has 2 values not finite"])])
def test_bad_pixels_have_a_flag(flat, flag, found):
    with fits.open(flat, mode="update") as file:
        file["DATA"].data[3, 4:6] = np.nan, np.inf
        file["DQ"].data[3, 4:6] = flag
    messages = told(certifier().certify(flat))

    assert [message[: len(found[0])] for message in messages] == found
    assert all(message.endswith("without a flag in DQ, the first in pixel (5, 4)") for message in messages)


def test_a_bad_coefficient_has_a_flag(tmp_path):
    path = tmp_path / "IRIS_IMG1_NONLINCOEFF_20300101T000000_0.0.1.fits"
    shutil.copyfile(FLAT.with_name("IRIS_IMG1_NONLINCOEFF_20240924T000000_0.0.1.fits"), path)
    with fits.open(path, mode="update") as file:
        file["COEFFS"].data[2, 1, 3] = np.nan
        file["DQ"].data[2, 1] = 1
    assert told(certifier().certify(path)) == []

    with fits.open(path, mode="update") as file:
        del file["DQ"]
    assert told(certifier().certify(path), *Severity) == [
        "array COEFFS has 1 value not finite without a flag in DQ, the first in pixel (4, 2, 3)"
    ]


def test_errors_are_not_negative(flat):
    change(flat, {"ERR": np.full((64, 64), -1, "f4")})

    assert told(certifier().certify(flat)) == [
        "check 'no error is negative' fails 'not np.any(ERR_ARRAY.DATA < 0)'"
    ]


def test_a_kernel(tmp_path):
    kernel = np.array([[0, -0.25, 0], [-0.25, 2, -0.25], [0, -0.25, 0]], "f8")
    path = tmp_path / "k.fits"
    for factor, expected in (
        (1, []),
        (0.4, ["array SCI has a sum of 0.4 in kernel 0, expected 1", "array SCI has 0.8 in the middle of"]),
    ):
        hdus = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(kernel * factor, name="SCI")])
        hdus[0].header["INSTRUME"] = "IRIS"
        hdus[0].header["REFTYPE"] = "IPC"
        hdus.writeto(path, overwrite=True)
        found = certified(path, "all: {arrays: {SCI: {check: kernelunity}}}")
        assert len(found) == len(expected)
        assert all(one.startswith(other) for one, other in zip(found, expected, strict=True))


def test_nothing_demanded_is_said():
    assert certified(FLAT) == ["nothing is demanded of iris flat files"]


def test_the_type_may_be_given():
    certificate = certifier().certify(FLAT, "DARK")

    assert certificate.reftype == "dark"
    assert told(certificate) == ["META.SUBARRAY.NAME has no value", "BUNIT has no value"]
    assert certificate.findings[0].hint == "set SUBARRAY or SARRMODE"


def test_demands_may_come_from_elsewhere():
    seen = []

    def demands(*of):
        seen.append(of)
        return Demands()

    certifier(demands=demands).certify(FLAT)
    assert seen == [("iris", "flat", FLAT.name)]


def test_an_unusual_name_is_worth_a_note(flat):
    other = flat.rename(flat.with_name("flat.fits"))
    (finding,) = certifier().certify(other).findings

    assert (finding.severity, finding.message[:29]) == (Severity.INFO, "the name is not of the form {")


def test_a_name_that_no_reference_may_have(flat):
    other = flat.rename(flat.with_name("my flat;rm.fits"))

    assert told(certifier().certify(other))[0].startswith(
        "'my flat;rm.fits' can't be the name of a reference"
    )


def test_a_wrong_checksum_and_a_cut_off_file(flat):
    with fits.open(flat) as file:
        file.writeto(flat, overwrite=True, checksum=True)
    data = bytearray(flat.read_bytes())
    data[-6000] ^= 1
    flat.write_bytes(data)
    assert any("DATASUM" in message for message in told(certifier().certify(flat)))
    flat.write_bytes(data[:-8000])
    assert any("missing" in message for message in told(certifier().certify(flat)))


@pytest.mark.parametrize("length", [0, 1, 2879, 2880, 5000, 8640, 20_000])
def test_any_beginning_of_a_file_is_refused_without_a_traceback(flat, length):
    flat.write_bytes(flat.read_bytes()[:length])
    try:
        certificate = certifier().certify(flat)
    except HeaderError:
        return
    assert not certificate.passed


@pytest.mark.parametrize("seed", range(16))
def test_damaged_files_are_reported_without_a_traceback(flat, seed):
    random = np.random.default_rng(seed)
    data = bytearray(flat.read_bytes())
    for place in random.integers(0, 12_000, 20):
        data[place] = random.integers(32, 127)
    flat.write_bytes(data)
    try:
        certifier().certify(flat)
    except HeaderError as problem:
        assert problem.message  # noqa: PT017


def test_a_large_table(tmp_path):
    path = tmp_path / "IRIS_IMG_DRIZPARS_20300101T000000_0.0.1.fits"
    shutil.copyfile(DRIZPARS, path)
    with fits.open(path, mode="update") as file:
        file[1].data = np.repeat(np.asarray(file[1].data), 30_000)
        file[1].data["NUMIMAGES"] = np.arange(120_000)

    found = [message for message in told(certifier().certify(path)) if "NUMIMAGES" in message]
    assert found[0] == "column NUMIMAGES is 0, expected a number from 1 to 100000 (row 1)"
    assert found[5] == "column NUMIMAGES has 19995 more values that are wrong"


def test_texts_are_looked_at_one_by_one():
    constraint = Constraint(Subject.COLUMN, "A", values=("B",))
    values = np.array([f"V{number}" for number in range(20)])
    found = [
        fault.message for fault in column_faults(constraint, values, lambda v: value_faults(constraint, v))
    ]

    assert found[0] == "is 'V0', expected B (row 1)"
    assert found[5:] == ["has 15 more values that are wrong"]


@given(hnp.arrays(st.sampled_from(["f4", "i4", "u1"]), st.integers(0, 30)), st.booleans())
def test_the_fast_way_finds_what_the_slow_one_finds(values, integer):
    kind = "integer" if integer else "real"
    constraint = Constraint(Subject.COLUMN, "A", type=kind, range=("-100", "1000"))
    fast = list(column_faults(constraint, values, lambda v: value_faults(constraint, str(v))))
    wrong = [v for v in values.tolist() if list(value_faults(constraint, str(v)))]

    assert bool(fast) == bool(wrong)


def test_a_compressed_file(flat):
    packed = flat.with_name(f"{flat.name}.gz")
    packed.write_bytes(gzip.compress(flat.read_bytes()))

    assert told(certifier().certify(packed), *Severity) == []


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.fits")
    for name in ("none.fits", "pipe.fits", "."):
        with pytest.raises(HeaderError):
            certifier().certify(tmp_path / name)


@pytest.fixture(scope="module")
def rules():
    return Cache(CHECKOUT).rules("ligeriri")


def tried(rules, path, reftype="flat"):
    return try_insertion(rules, "ligeriri_0001.pmap", path, reftype)


def test_a_file_that_the_rules_have_is_not_inserted_again(rules):
    assert tried(rules, FLAT) == Trial((), None)
    later = FLAT.with_name("IRIS_IMG1_FLAT_20241106T000000_0.0.1.fits")
    assert tried(rules, later).predecessor == FLAT


def test_a_new_file_is_inserted_in_memory(rules, flat):
    before = {path: path.read_bytes() for path in CHECKOUT.glob("mappings/ligeriri/*")}
    trial = tried(rules, change(flat, USEAFTER="2030-01-01T00:00:00"))

    assert trial.findings == ()
    assert trial.predecessor == FLAT.with_name("IRIS_IMG1_FLAT_20241106T000000_0.0.1.fits")
    assert {path: path.read_bytes() for path in CHECKOUT.glob("mappings/ligeriri/*")} == before


def test_why_a_file_can_not_be_inserted(rules, flat):
    (finding,) = tried(rules, change(flat, USEAFTER="yesterday")).findings
    assert finding.message.startswith("can't be inserted: USEAFTER: 'yesterday' is not")

    other = flat.rename(flat.with_name(FLAT.name))
    (finding,) = tried(rules, change(other, AUTHOR="me")).findings
    assert "is there already, with other content" in finding.message
