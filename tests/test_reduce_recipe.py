"""Recipes, and which one is for a frame."""

import pytest

from reduce.errors import DataError, ParameterError
from reduce.recipe import Level, bundled, choose, load, parsed
from reduce.step import FitStep, FramesStep, FrameStep, RampStep
from reduce.steps import STEPS

TEXT = """
name: mine
title: A recipe
applies: {INSTRUME: IRIS, IMTYPE: [SCI, STD]}
steps:
  L1: [dq_init, ramp_fit]
  L2: [dark_sub]
parameters:
  ramp_fit: {method: ols}
"""
ORDER = {RampStep: 0, FitStep: 1, FrameStep: 2, FramesStep: 3}


@pytest.mark.parametrize("recipe", bundled(), ids=lambda recipe: recipe.name)
def test_bundled_recipes_can_be_run(recipe):
    names = recipe.between(Level.L0, Level.L3)
    kinds = [ORDER[type(STEPS[name])] for name in names]

    assert recipe.title
    assert kinds == sorted(kinds)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ({"INSTRUME": "IRIS", "INSTMODE": "IMG", "IMTYPE": "SCI"}, "imager_science"),
        ({"INSTRUME": "IRIS", "MODE": "IMG", "IMTYPE": "SKY"}, "imager_sky"),
        ({"INSTRUME": "Liger", "INSTMODE": "IMG", "IMTYPE": "DARK"}, "imager_dark"),
        ({"INSTRUME": "Liger", "INSTMODE": "IMG", "IMTYPE": "FLAT"}, "imager_flat"),
        ({"INSTRUME": "IRIS", "INSTMODE": "SLICER", "IMTYPE": "SCI"}, "spectrograph"),
    ],
)
def test_a_frame_gets_the_recipe_of_its_kind(header, name):
    assert choose(header, "x.fits").name == name


def test_a_frame_without_a_recipe_is_told_what_decides():
    with pytest.raises(
        ParameterError, match=r"x\.fits: no recipe is for INSTRUME='IRIS'; it has no INSTMODE, IMTYPE"
    ):
        choose({"INSTRUME": "IRIS"}, "x.fits")


def test_a_recipe_of_ones_own(tmp_path):
    (tmp_path / "mine.yaml").write_text(TEXT)

    recipe = load("mine.yaml", tmp_path)

    assert recipe.matches({"INSTRUME": "IRIS", "IMTYPE": "STD"})
    assert not recipe.matches({"INSTRUME": "IRIS"})
    assert recipe.between(Level.L0, Level.L2) == ("dq_init", "ramp_fit", "dark_sub")
    assert recipe.between(Level.L1, Level.L3) == ("dark_sub",)
    assert recipe.highest == Level.L2
    assert load("imager_sky", tmp_path).name == "imager_sky"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("steps:", "stages:"), ("  L1:", "  L9:"), ("dq_init", "dq_innit"), ("method: ols", "metod: ols"),
        ("method: ols", "method: best"), ("[dark_sub]", "[3]"), ("name: mine", "name: mine\ncolour: red"),
        ("{INSTRUME: IRIS, IMTYPE: [SCI, STD]}", "[IRIS]"), ("IMTYPE: [SCI, STD]", "IMTYPE: 3"),
        ("ramp_fit: {method: ols}", "rampfit: {}"), ("name: mine", "name: [mine"),
        ("  L1:", "  L0:"), ("[dark_sub]", "[dark_sub, dark_sub]"), ("[dark_sub]", "[ramp_fit]"),
        ("[dark_sub]", "[resample]"), ("[dark_sub]", "[dark_sub]\n  L3: [normalize]"),
        ("[dark_sub]", "[dark_sub]\n  L3: [merge_subarrays, resample]"),
    ],
)  # fmt: skip
def test_recipes_that_can_not_be_read(old, new):
    assert old in TEXT
    with pytest.raises((DataError, ParameterError)) as caught:
        parsed(TEXT.replace(old, new), "mine.yaml")
    assert caught.value.message


@pytest.mark.parametrize("text", ["", "3", "[]", "steps: 3", "steps: {}", "\x00"])
def test_texts_that_are_no_recipes(text):
    with pytest.raises(DataError, match=r"mine\.yaml"):
        parsed(text, "mine.yaml")


def test_recipes_that_are_not_there(tmp_path):
    with pytest.raises(ParameterError, match=r"absent\.yaml can't be read: No such file"):
        load("absent.yaml", tmp_path)
    with pytest.raises(ParameterError) as caught:
        load("imager_sience", tmp_path)
    assert caught.value.hint == "did you mean 'imager_science'?"
