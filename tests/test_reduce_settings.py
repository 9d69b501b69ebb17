"""Layers of parameters, and who set what."""

import pytest

from reduce.errors import ParameterError
from reduce.recipe import bundled
from reduce.settings import Layer, Settings, command_line, recipe_layer
from reduce.steps import STEPS


def layer(origin, **values):
    return Layer(origin, {"ramp_fit": values})


def test_later_layers_count_more():
    settings = Settings((layer("a", method="cds", coadd="2"), layer("b", method="ols")))

    parameters = settings.parameters(STEPS["ramp_fit"])

    assert (parameters.method, parameters.coadd) == ("ols", 2)
    assert settings.below(layer("c", coadd=7)).parameters(STEPS["ramp_fit"]).coadd == 2
    assert settings.above(layer("c", coadd=7)).parameters(STEPS["ramp_fit"]).coadd == 7


def test_everybody_is_named_who_set_a_value():
    settings = Settings((layer("a", method="cds"), layer("b", method="ols", coadd=2)))

    origins = {each.option.name: each.origin for each in settings.of(["ramp_fit", "dark_sub"])}

    assert (origins["method"], origins["coadd"], origins["reads"]) == ("b", "b", "default")


def test_layers_are_checked_when_they_are_made():
    with pytest.raises(ParameterError, match=r"^mine: ramp_fit.method is 'best'"):
        Settings((layer("mine", method="best"),))
    with pytest.raises(ParameterError, match=r"^mine: there is no parameter 'ramp_fit.metod'") as caught:
        Settings((layer("mine", metod="ols"),))
    assert caught.value.hint == "did you mean 'ramp_fit.method'?"
    with pytest.raises(ParameterError, match="there is no step 'ramp'"):
        Settings((Layer("mine", {"ramp": {}}),))


def test_the_command_line():
    made = command_line(["ramp_fit.method = ols", "ramp_fit.reads=1,3-", "dark_sub.x=a=b"])

    assert made.values == {"ramp_fit": {"method": "ols", "reads": "1,3-"}, "dark_sub": {"x": "a=b"}}
    assert made.origin == "--set"
    for wrong in ("ramp_fit.method", "method=ols", ".method=ols", "ramp_fit.=ols", ""):
        with pytest.raises(ParameterError, match="sets no parameter"):
            command_line([wrong])


def test_recipes_set_parameters_that_exist():
    for recipe in bundled():
        Settings((recipe_layer(recipe),))
