"""The header of a reference in the vocabulary of datasets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from calmap.bestref import Cache
from calmap.delivery.reference_header import rule_values, useafter
from calmap.errors import HeaderError, MappingError
from calmap.headers.reading import read_header
from calmap.model.mapping import parse_mapping
from calmap.observatories.library import load_observatory

DEFINITION = """\
name: tobs
title: Test Observatory
instrument_keywords: [INSTRUME]
instruments:
  cam:
    types: [flat]
    values:
      DETECTOR: [A, B, C]
      GAIN: ["1", "2.0"]
keywords:
  META.FILTER: [FILTER, FILT_OLD]
useafter_keywords: [META.USEAFTER, USEAFTER]
reference_headers:
  patterns:
    DETECTOR: [META.P_DETECTOR, P_DETECT]
  expansions:
    cam:
      - {keyword: GAIN, word: "-1", values: "1.0|2.0", when: 'DETECTOR == "A"'}
      - {keyword: META.FILTER, word: "WIDE", values: "H|J|K"}
"""
DATED = (("DETECTOR",), ("DATE-OBS", "TIME-OBS"))
HEADER = {"DETECTOR": "A", "USEAFTER": "2024-09-24T01:02:03"}


@pytest.fixture
def values(tmp_path: Path):
    """What the definition makes of a header, for rules with a parkey and more in the header."""
    folder = tmp_path / "tobs"
    folder.mkdir()
    (folder / "observatory.yaml").write_text(DEFINITION)
    observatory = load_observatory("tobs", tmp_path)

    def run(header: dict[str, str], parkey=DATED, checked: bool = True, **more: object):
        data = {
            "derived_from": "NONE",
            "filekind": "FLAT",
            "instrument": "CAM",
            "mapping": "REFERENCE",
            "name": "tobs_cam_flat_0001.rmap",
            "observatory": "TOBS",
            "parkey": parkey,
            **more,
        }
        selector = "Match({('A',) : UseAfter({'2000-01-01 00:00:00' : 'a.fits'})})"
        text = f"header = {data!r}\n\nselector = {selector}\n"
        file = parse_mapping(Path("tobs_cam_flat_0001.rmap"), text.encode()).file
        assert file is not None
        return rule_values(file, observatory, header, checked=checked)

    return run


def test_the_date_is_spread_over_its_keywords(values) -> None:
    found = values(HEADER)

    assert found.values == {"DETECTOR": "A", "DATE-OBS": "2024-09-24", "TIME-OBS": "01:02:03"}
    assert found.notes == ()


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2024-09-24T01:02:03", "2024-09-24 01:02:03"),
        ("2024-09-24 01:02:03", "2024-09-24 01:02:03"),
        ("2024-09-24", "2024-09-24 00:00:00"),
        ("Sep 24 2024", "2024-09-24 00:00:00"),
        ("Sep 24 2024 01:02:03", "2024-09-24 01:02:03"),
        ("24/09/24", "2024-09-24 00:00:00"),
        ("2024/09/24", "2024-09-24 00:00:00"),
    ],
)
def test_dates_in_many_forms(values, text: str, date: str) -> None:
    found = values({**HEADER, "USEAFTER": text}, (("DETECTOR",), ("META.DATE",)))

    assert found.values["META.DATE"] == date


def test_the_first_date_that_has_a_value_counts(values) -> None:
    header = {**HEADER, "META.USEAFTER": " "}

    assert values(header).values["DATE-OBS"] == "2024-09-24"
    assert values({**header, "META.USEAFTER": "2025-01-01"}).values["DATE-OBS"] == "2025-01-01"


@pytest.mark.parametrize(
    ("header", "words"),
    [({"DETECTOR": "A"}, "no useafter date"), ({**HEADER, "USEAFTER": "soon"}, "USEAFTER: ")],
)
def test_dates_that_do_not_do(values, header: dict[str, str], words: str) -> None:
    with pytest.raises(HeaderError, match=words):
        values(header)


def test_no_date_is_spread_over_three_keywords(values) -> None:
    with pytest.raises(MappingError, match="spread over 3 keywords"):
        values(HEADER, (("DETECTOR",), ("A", "B", "C")))


def test_telescopes_with_dates_of_their_own() -> None:
    observatory = load_observatory("ligeriri")

    assert str(useafter(observatory, {"EXPDTST": "20240924010203"})) == "2024-09-24 01:02:03"
    assert str(useafter(observatory, {"USEAFTER": "2024-09-25", "EXPDTST": "1"})) == "2024-09-25 00:00:00"


@pytest.mark.parametrize(
    ("header", "value", "note"),
    [
        ({"P_DETECT": " B | A |"}, "A|B", "DETECTOR is A|B, from P_DETECT"),
        ({"P_DETECT": "B|B"}, "B", "DETECTOR is B, from P_DETECT"),
        ({"P_DETECT": "B", "META.P_DETECTOR": "C"}, "C", "DETECTOR is C, from META.P_DETECTOR"),
        ({"P_DETECT": "A"}, "A", None),
        ({"P_DETECT": "  "}, "A", None),
        ({"P_DETECT": "UNDEFINED"}, "A", None),
    ],
)
def test_pattern_keywords_come_before_the_keyword(values, header: dict, value: str, note: str | None) -> None:
    found = values({**HEADER, **header})

    assert found.values["DETECTOR"] == value
    assert found.notes == ((note,) if note else ())


def test_reference_to_dataset_comes_before_pattern_keywords(values) -> None:
    found = values({**HEADER, "P_DETECT": "B", "CHIP": "C"}, reference_to_dataset={"CHIP": "DETECTOR"})

    assert found.values["DETECTOR"] == "C"
    assert found.notes == ("DETECTOR is C, from CHIP",)


def test_unknown_pattern_keywords_are_told(values) -> None:
    found = values({**HEADER, "P_DETECR": "B"})

    assert found.values["DETECTOR"] == "A"
    assert found.notes == ("P_DETECR looks like a pattern keyword, but tobs has none of that name",)


def test_other_names_of_keywords(values) -> None:
    parkey = (("META.FILTER",), ("DATE-OBS", "TIME-OBS"))

    assert values({**HEADER, "FILT_OLD": "H"}, parkey).values["META.FILTER"] == "H"
    assert values({**HEADER, "FILT_OLD": "H", "FILTER": "J"}, parkey).values["META.FILTER"] == "J"


def test_words_that_stand_for_several_values(values) -> None:
    parkey = (("DETECTOR", "GAIN", "META.FILTER"), ("DATE-OBS", "TIME-OBS"))

    found = values({**HEADER, "GAIN": "-1.0", "FILTER": "WIDE"}, parkey)

    assert (found.values["GAIN"], found.values["META.FILTER"]) == ("1.0|2.0", "H|J|K")
    assert found.notes == ("GAIN = -1.0 stands for 1.0|2.0", "META.FILTER = WIDE stands for H|J|K")


def test_words_whose_condition_does_not_hold_stay(values) -> None:
    header = {**HEADER, "DETECTOR": "B", "GAIN": "-1"}

    found = values(header, (("DETECTOR", "GAIN"), ("DATE-OBS", "TIME-OBS")), checked=False)

    assert found.values["GAIN"] == "-1"
    with pytest.raises(HeaderError, match="GAIN = '-1' is no value of cam"):
        values(header, (("DETECTOR", "GAIN"), ("DATE-OBS", "TIME-OBS")))


def test_keywords_that_do_not_count_are_not_applicable(values) -> None:
    parkey = (("DETECTOR", "GAIN"), ("DATE-OBS", "TIME-OBS"))
    relevance = {"parkey_relevance": {"gain": '(DETECTOR == "B")'}}

    assert values({**HEADER, "GAIN": "1"}, parkey, **relevance) == (
        {"DETECTOR": "A", "GAIN": "N/A", "DATE-OBS": "2024-09-24", "TIME-OBS": "01:02:03"},
        ("GAIN does not count here: N/A",),
    )
    assert values({**HEADER, "DETECTOR": "B", "GAIN": "1"}, parkey, **relevance).values["GAIN"] == "1"
    assert values(HEADER, parkey, **relevance).values["GAIN"] == "N/A"


@pytest.mark.parametrize("more", [{"extra_keys": ("GAIN",)}, {"reffile_switch": "GAIN"}])
def test_keywords_of_exposures_alone_are_not_applicable(values, more: dict[str, object]) -> None:
    found = values({**HEADER, "GAIN": "1"}, (("DETECTOR", "GAIN"), ("DATE-OBS", "TIME-OBS")), **more)

    assert found.values["GAIN"] == "N/A"


def test_comments_are_kept_whatever_they_say(values) -> None:
    parkey = (("DETECTOR", "GAIN"), ("DATE-OBS", "TIME-OBS"))
    more = {"comment_parkeys": ("GAIN",), "parkey_relevance": {"gain": "(DETECTOR == 'B')"}}

    assert values({**HEADER, "GAIN": "about 7"}, parkey, **more).values["GAIN"] == "about 7"
    assert values(HEADER, parkey, **more).values["GAIN"] == "UNDEFINED"


def test_a_value_that_is_missing(values) -> None:
    with pytest.raises(HeaderError, match=r"no value for DETECTOR, META\.FILTER") as problem:
        values({"USEAFTER": "2024-01-01"}, (("DETECTOR", "META.FILTER"), ("DATE-OBS", "TIME-OBS")))

    assert problem.value.hint == "set DETECTOR; set FILTER or FILT_OLD"


@pytest.mark.parametrize(
    ("value", "hint"),
    [("AA", "did you mean A?"), ("A|XYZ", "allowed are A, B, C"), ("X|B", "allowed are A, B, C")],
)
def test_a_value_that_the_telescope_does_not_allow(values, value: str, hint: str) -> None:
    with pytest.raises(HeaderError, match="is no value of cam") as problem:
        values({**HEADER, "DETECTOR": value})

    assert problem.value.hint == hint
    assert values({**HEADER, "DETECTOR": value}, checked=False).values["DETECTOR"] == value


@pytest.mark.parametrize("value", ["a", "N/A", "ANY", "*", "A|B", "BETWEEN 1 4", "NOT A"])
def test_values_that_are_allowed(values, value: str) -> None:
    assert values({**HEADER, "DETECTOR": value}).values["DETECTOR"] == value


def test_numbers_are_compared_as_numbers(values) -> None:
    found = values({**HEADER, "GAIN": "2"}, (("DETECTOR", "GAIN"), ("DATE-OBS", "TIME-OBS")))

    assert found.values["GAIN"] == "2"


# Against crds

REAL = [
    ("hst_cos_deadtab_0250.rmap", "hst/s7g1700hl_dead.fits"),
    ("hst_cos_deadtab_0250.rmap", "hst/s7g1700gl_dead_good_xsum.fits"),
    ("hst_acs_bpixtab_0252.rmap", "hst/j4d1435jj_bpx.fits"),
    ("hst_acs_idctab_0255.rmap", "hst/acs_new_idc.fits"),
    ("hst_acs_idctab_0255.rmap", "hst/v8q14451j_idc.fits"),
    ("hst_cos_hvtab_0259.rmap", "hst/y951738kl_hv.fits"),
    ("hst_synphot_thruput_0004.rmap", "hst/acs_f555w_hrc_007_syn.fits"),
    ("roman_wfi_flat_0004.rmap", "roman/roman_wfi16_f158_flat_small.asdf"),
]
ACS = {
    "INSTRUME": "ACS",
    "DETECTOR": "WFC",
    "CCDAMP": "ABCD",
    "CCDGAIN": 2.0,
    "FILTER1": "F475W",
    "FILTER2": "CLEAR2L",
    "APERTURE": "ANY_FULL",
    "NUMCOLS": 4144,
    "NUMROWS": 4136,
    "LTV1": 24.0,
    "LTV2": 20.0,
    "OBSTYPE": "IMAGING",
    "LRFWAVE": 3774.0,
    "FW1OFFST": 0.0,
    "FW2OFFST": 0.0,
    "FWSOFFST": 0.0,
    "SHUTRPOS": "A",
    "FLASHCUR": "ANY",
    "USEAFTER": "Oct 01 2002 01:01:01",
    "XCORNER": 1,
    "YCORNER": 1,
    "BINAXIS1": 1,
    "BINAXIS2": 1,
}
MADE = [
    ("biasfile", {}),
    ("biasfile", {"CCDAMP": "ANY", "CCDGAIN": -1}),
    ("biasfile", {"CCDGAIN": -999.0, "DETECTOR": "HRC", "CCDAMP": "ANY"}),
    ("biasfile", {"USEAFTER": "2017-01-01", "CCDGAIN": -1}),
    ("pfltfile", {"FILTER1": "ANY", "FILTER2": "ANY", "CCDAMP": "ANY"}),
    ("flshfile", {"CCDAMP": "ABCDALL"}),
]


def asked(corpus: Path, telescope: str, questions: list[tuple[str, Path]]) -> list[dict[str, str]]:
    """What crds makes of references; skips where it is not installed."""
    if find_spec("crds") is None:
        pytest.skip("the package crds is not installed")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CRDS_")}
    environment |= {
        "CRDS_PATH": str(corpus / "crds-cache"),
        "CRDS_SERVER_URL": "https://crds-serverless-mode.stsci.edu",
        "CRDS_READONLY_CACHE": "1",
        "CRDS_OBSERVATORY": telescope,
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", Path(__file__).with_name("crds_rule_values.py")],
        input=json.dumps([(name, str(path)) for name, path in questions]),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found


def ours(corpus: Path, name: str, path: Path) -> dict[str, str]:
    rules = Cache(corpus / "crds-cache").rules(name.partition("_")[0])
    return rule_values(rules.file(name), rules.observatory, read_header(path), checked=False).values


def chosen(answer: dict[str, str], values: dict[str, str]) -> dict[str, str]:
    """What crds says of the keywords of the rules, sorted; it has more, such as the switch of the type."""
    return {keyword: "|".join(sorted(answer[keyword].split("|"))) for keyword in values}


def in_order(values: dict[str, str]) -> dict[str, str]:
    return {keyword: "|".join(sorted(value.split("|"))) for keyword, value in values.items()}


@pytest.mark.parametrize("telescope", ["hst", "roman"])
def test_real_references_as_crds_has_them(corpus: Path, telescope: str) -> None:
    questions = [(name, corpus / "files" / path) for name, path in REAL if name.startswith(telescope)]

    answers = asked(corpus, telescope, questions)

    for (name, path), answer in zip(questions, answers, strict=True):
        values = ours(corpus, name, path)
        assert in_order(values) == chosen(answer, values), path


def test_words_of_hst_as_crds_has_them(corpus: Path, tmp_path: Path) -> None:
    folder = corpus / "crds-cache/mappings/hst"
    questions = []
    for number, (reftype, header) in enumerate(MADE):
        path = tmp_path / f"made_{number}.fits"
        fits.PrimaryHDU(np.zeros((2, 3), "u1"), fits.Header({**ACS, **header})).writeto(path)
        questions.append((sorted(folder.glob(f"hst_acs_{reftype}_*.rmap"))[-1].name, path))

    answers = asked(corpus, "hst", questions)

    for (name, path), answer in zip(questions, answers, strict=True):
        values = ours(corpus, name, path)
        assert in_order(values) == chosen(answer, values), (name, path.name)


@pytest.mark.parametrize(
    ("rmap", "path", "found"),
    [
        (
            "jwst_miri_ipc_0005.rmap",
            "jwst_miri_ipc_0004.fits",
            {"META.INSTRUMENT.DETECTOR": "MIRIFULONG|MIRIFUSHORT", "META.OBSERVATION.DATE": "2014-01-01"},
        ),
        (
            "jwst_nirspec_ifupost_0009.rmap",
            "jwst_nirspec_ifupost_0004.asdf",
            {"META.EXPOSURE.TYPE": "NRS_IFU", "META.OBSERVATION.TIME": "07:05:42"},
        ),
        (
            "jwst_nircam_specwcs_0008.rmap",
            "jwst_nircam_specwcs_1_4_0.asdf",
            {"META.INSTRUMENT.PUPIL": "GRISMC", "META.INSTRUMENT.MODULE": "A"},
        ),
    ],
)
def test_real_references_of_jwst(corpus: Path, rmap: str, path: str, found: dict[str, Any]) -> None:
    values = ours(corpus, rmap, corpus / "files/jwst" / path)

    assert found.items() <= values.items()
