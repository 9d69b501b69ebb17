"""The tutorial of docs/new-telescope.md, step by step."""

import re
from pathlib import Path

import pytest

import calmap
from calmap.headers import read_header
from calmap.observatories import KeywordResolver, instrument_of, load_observatory, missing_keyword_hint
from calmap.observatories.converters import CONVERTERS
from calmap.observatories.fields import Field
from calmap.observatories.schema import DEFINITION, FILE_FIELDS, INSTRUMENT, REFERENCES

PARKEYS = ("META.DETECTOR", "META.READMODE", "META.DATE")


@pytest.fixture(scope="module")
def tutorial(repo_root: Path) -> str:
    return (repo_root / "docs" / "new-telescope.md").read_text()


@pytest.fixture
def ridge(tutorial: str, tmp_path: Path) -> Path:
    """The folder with the files of the tutorial."""
    for name, text in re.findall(r"`([\w./]+)`[^`\n]*:\n\n```(?:yaml|python|json)\n(.*?)```", tutorial, re.S):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def test_the_files_of_the_tutorial_are_all_there(ridge: Path) -> None:
    assert sorted(str(path.relative_to(ridge)) for path in ridge.rglob("*.*")) == [
        "cache/config/ridge/observatory.yaml",
        "cache/mappings/ridge/ridge_0001.pmap",
        "cache/mappings/ridge/ridge_owl_0001.imap",
        "cache/mappings/ridge/ridge_owl_dark_0001.rmap",
        "night.json",
    ]


def test_the_exposure_is_understood(ridge: Path) -> None:
    observatory = load_observatory("ridge", ridge / "cache" / "config")
    header = read_header(ridge / "night.json")
    assert instrument_of(observatory, header) == "owl"
    assert KeywordResolver(observatory, PARKEYS).resolve(header) == {
        "META.DETECTOR": "NORTH",
        "META.READMODE": "SLOW",
        "META.DATE": "2024-09-24 06:00:00",
    }
    assert observatory.values("owl", "META.DETECTOR") == ("NORTH", "SOUTH")
    assert missing_keyword_hint(observatory, "META.DATE") == (
        "set META.DATE, MJD-OBS, or DATE-OBS and TIME-OBS"
    )


@pytest.mark.parametrize("fields", [DEFINITION, INSTRUMENT, REFERENCES])
def test_every_key_is_in_the_reference(fields: tuple[Field, ...], tutorial: str) -> None:
    missing = [field for field in fields if f"\n| `{field.name}` |" not in tutorial]
    assert missing == []


def test_every_format_and_field_is_in_the_reference(tutorial: str) -> None:
    assert [name for name in CONVERTERS if f"\n| `{name}` |" not in tutorial] == []
    assert [name for name in FILE_FIELDS if f"`{name}`" not in tutorial] == []


def test_the_answer_is_the_one_promised(ridge: Path) -> None:
    context = calmap.Cache(ridge / "cache").context("ridge_0001.pmap")
    header = read_header(ridge / "night.json")
    references = context.bestrefs(header)
    assert references["dark"].files == ("owl_dark_north_2.fits",)
    assert references["flat"].status == "not_applicable"
    del header["MJD-OBS"]
    undated = context.bestrefs(header)["dark"]
    assert undated.status == "not_found"
    assert "set META.DATE, MJD-OBS, or DATE-OBS and TIME-OBS" in undated.reason
