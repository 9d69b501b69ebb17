from pathlib import Path

import pytest

from calmap.errors import ObservatoryError
from calmap.observatories import bundled_observatories, load_observatory

NEW = """\
name: vista
title: VISTA
instruments:
  vircam:
    types: [dark, flat]
    values: {FILTER: [Y, N, 'Off']}
keywords:
  META.DATE: [{keyword: MJD-OBS, format: mjd}, DATE-OBS]
"""


def write(config: Path, text: str | bytes, name: str = "vista") -> Path:
    file = config / name / "observatory.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_bundled_definitions_load_and_name_themselves() -> None:
    names = bundled_observatories()
    assert names == ("hst", "jwst", "ligeriri", "roman", "tmt", "tobs")
    assert [load_observatory(name.upper()).name for name in names] == list(names)


def test_references_are_recorded_as_crds_does() -> None:
    jwst, hst, liger = (load_observatory(name) for name in ("jwst", "hst", "ligeriri"))
    assert jwst.reference_keyword("SUPERBIAS") == "R_SUPERB"
    assert jwst.reference_prefix("miri") == "crds://"
    assert hst.reference_keyword("darkfile") == "DARKFILE"
    assert [hst.reference_prefix(name) for name in ("acs", "WFC3")] == ["jref$", "iref$"]
    assert liger.reference_keyword("drizpars") == "R_DRZPAR"
    assert liger.reference_keyword("telluricspectrum") == "R_TELLUR"
    assert (liger.references.context_keyword, liger.references.version_keyword) == ("CRDS_CTX", "CRDS_VER")


def test_a_cache_brings_a_telescope_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, NEW)
    vista = load_observatory("VISTA", tmp_path)
    assert vista.title == "VISTA"
    assert vista.reftypes("vircam") == ("dark", "flat")
    assert vista.values("VIRCAM", "filter") == ("Y", "N", "Off")
    assert vista.values("vircam", "DETECTOR") is None
    assert str(vista.sources("meta.date")[0]) == "META.DATE"
    assert vista.instrument_keywords == ("INSTRUME",)


def test_a_cache_wins_over_the_bundled_definition(tmp_path: Path) -> None:
    write(tmp_path, "name: hst\ntitle: mine\ninstruments: {acs: {}}\n", "hst")
    assert load_observatory("hst", tmp_path).title == "mine"
    assert load_observatory("jwst", tmp_path).title.startswith("James")


@pytest.mark.parametrize("name", ["", "../hst", "hst/..", "a" * 33, "hst\0", "hst.yaml", "..", "HST\n"])
def test_names_never_lead_elsewhere(name: str, tmp_path: Path) -> None:
    with pytest.raises(ObservatoryError, match="is no name of a telescope"):
        load_observatory(name, tmp_path)


def test_an_unknown_telescope_is_an_error_with_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(ObservatoryError, match=r"'jwsst' \(did you mean 'jwst'\?"):
        load_observatory("jwsst")
    with pytest.raises(ObservatoryError, match=r"or write .*vista/observatory.yaml"):
        load_observatory("vista", tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r":1: the file is empty"),
        ("name: vista\n", r":1: the key 'instruments' is missing"),
        ("name: vixta\ninstruments: {}\n", r"'name': is 'vixta', expected 'vista'"),
        ("- a\n", r":1: expected a mapping"),
        (NEW + "instrument_keyword: [A]\n", r":9: unknown key 'instrument_keyword' \(did you mean 'instr"),
        (NEW.replace("title", "name"), r":2: the key 'name' is there twice"),
        (NEW.replace("[dark, flat]", "dark"), r":5: 'instruments > vircam > types': expected a list"),
        (NEW.replace("[dark, flat]", "[dark, {}]"), r"types > 1': expected a text"),
        (NEW.replace("mjd", "mdj"), r":8: .*unknown format 'mdj' \(did you mean 'mjd'\?\)"),
        (NEW.replace("MJD-OBS", "MJD-OBS +"), r"a keyword is missing beside '\+'"),
        (NEW + "references: {keywords: {dark: R_TOOLONGX}}\n", r"'R_TOOLONGX' is no FITS keyword"),
        (NEW + "file_names: {reference: ['{dat}.fits']}\n", r"unknown field 'dat' \(did you mean 'date'"),
        (NEW + "file_names: {reference: ['{date']}\n", r"expected '}' before end"),
        (NEW + "file_names: {references: []}\n", r"unknown kind of file 'references'"),
        (NEW + "title: [\n", r":\d+: not readable as YAML"),
        (NEW + "--- {}\n", r":9: .*a second document"),
        ("a: &a [x, x]\nb: [*a, *a]\n", r":2: .*the alias \*a; write the value out"),
        ("[" * 5000, r":1: .*nested more than 100 deep"),
        (b"name: \xff\n", r":1: not UTF-8"),
        ("name: \x01\n", r":1: .*characters that YAML"),
        ("#" * 1_000_001, r"larger than 1000000 bytes"),
    ],
)
def test_a_wrong_definition_is_an_error_that_names_the_place(
    text: str | bytes, message: str, tmp_path: Path
) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ObservatoryError, match=message) as caught:
        load_observatory("vista", tmp_path)
    assert str(file) in str(caught.value)


def test_tags_construct_nothing(tmp_path: Path) -> None:
    write(tmp_path, NEW.replace("title: VISTA", "title: !!python/object/apply:os.getcwd []"))
    with pytest.raises(ObservatoryError, match="expected a text"):
        load_observatory("vista", tmp_path)


def test_a_folder_in_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "vista" / "observatory.yaml").mkdir(parents=True)
    with pytest.raises(ObservatoryError, match="is no file"):
        load_observatory("vista", tmp_path)
