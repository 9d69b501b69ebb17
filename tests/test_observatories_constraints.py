"""The section ``certify`` of a telescope's definition."""

import pytest

from calmap.certify.equipment import refuse_wrong_expressions
from calmap.errors import ObservatoryError
from calmap.observatories import bundled_observatories, load_observatory
from calmap.observatories.constraints import Constraint, Presence, Subject
from calmap.observatories.schema import read_definition
from calmap.yamltree import parse_yaml

HEAD = "name: vista\ninstruments: {vircam: {}}\ncertify:\n"


def read(section):
    text = HEAD + "".join(f"  {line}\n" for line in section.splitlines())
    return read_definition(parse_yaml(text), "vista", "vista.yaml").certification


def demanded(section, instrument="vircam", reftype="flat"):
    return read(section).demands(instrument, reftype).constraints


@pytest.mark.parametrize("name", bundled_observatories())
def test_every_expression_of_the_bundled_definitions_can_be_read(name):
    refuse_wrong_expressions(load_observatory(name).certification.every_constraint())


def test_a_keyword_with_everything():
    (found,) = demanded(
        'all: {keywords: {filter: {presence: warn, if: "X == 1", type: text, values: [Y, N]}}}'
    )

    assert found == Constraint(
        Subject.KEYWORD, "FILTER", Presence.WARN, "X == 1", "text", ("Y", "N"), origin="vista.yaml:4"
    )
    assert found.origin == "vista.yaml:4"


def test_one_word_is_a_presence_or_for_a_check_an_expression():
    found = demanded("all:\n  keywords: {FILTER: excluded}\n  checks: {positive: GAIN > 0}")

    assert [item.presence for item in found] == [Presence.EXCLUDED, Presence.REQUIRED]
    assert (found[1].name, found[1].expression) == ("positive", "GAIN > 0")


def test_several_constraints_on_one_keyword_keep_their_order():
    found = demanded('all: {keywords: {A: [warn, {type: integer, range: "1:5"}, {presence: {if: B}}]}}')

    assert [item.presence for item in found] == [Presence.WARN, Presence.REQUIRED, Presence.REQUIRED]
    assert (found[1].range, found[2].condition) == (("1", "5"), "B")


def test_arrays():
    (found,) = demanded(
        'all: {arrays: {sci: {kind: image, ndim: [2, 4], shape: [64, "*"], type: float, check: kernelunity}}}'
    )

    assert (found.name, found.kind, found.ndim, found.shape) == ("SCI", "image", (2, 4), (64, None))
    assert (found.type, found.check) == ("float", "kernelunity")


def test_demands_add_up_from_the_particular_to_the_general():
    section = """\
all: {keywords: {A: required}}
types:
  flat: {keywords: {B: required}, rows: [CHIP]}
  pars: {keywords: {C: required}}
  pars-wfc: {keywords: {D: required}}
instruments:
  vircam:
    all: {keywords: {E: required}}
    types: {FLAT: {keywords: {F: required, A: required}}}
"""
    certification = read(section)

    def names(instrument, reftype):
        return "".join(item.name for item in certification.demands(instrument, reftype).constraints)

    assert names("VIRCAM", "flat") == "FAEB"
    assert names("other", "FLAT") == "BA"
    assert names("other", "pars-wfc") == "DCA"
    assert names("other", "bias") == "A"
    assert certification.demands("vircam", "flat").rows == ("CHIP",)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("all: {keywrds: {}}", "vista.yaml:4: 'certify > all': unknown key 'keywrds'"),
        ("all: {keywords: {A: {presence: reqired}}}", "unknown presence 'reqired'"),
        ("all: {keywords: {A: maybe}}", "'certify > all > keywords > A': unknown presence 'maybe'"),
        ("all: {keywords: {A: {type: float}}}", "unknown type 'float'"),
        ("all: {keywords: {A: {values: B}}}", "expected a list, '[a, b]'"),
        ("all: {keywords: {A: {values: []}}}", "expected a list of values"),
        ("all: {keywords: {A: {values: [null]}}}", "expected a list of values"),
        ('all: {keywords: {A: {range: "5:1"}}}', "'5:1' is no range"),
        ("all: {keywords: {A: {range: 5}}}", "'5' is no range"),
        ('all: {keywords: {A: {range: "1:2", values: [1]}}}', "has 'values' and a 'range'"),
        ('all: {keywords: {A: {type: text, range: "1:2"}}}', "a range of type 'text'"),
        ("all: {keywords: {A: {check: pedigre}}}", "did you mean 'pedigree'"),
        ("all: {keywords: {A: {kind: image}}}", "unknown key 'kind'"),
        ("all: {keywords: {A: warn, a: warn}}", "the key 'a' is there twice"),
        ("all: {arrays: {A: {kind: cube}}}", "unknown kind 'cube'"),
        ("all: {arrays: {A: {ndim: -1}}}", "'-1' is no whole number"),
        ("all: {arrays: {A: {ndim: ٢}}}", "is no whole number"),
        ("all: {arrays: {A: {kind: image, columns: [B]}}}", "is an image with columns"),
        ("all: {arrays: {A: {type: text}}}", "unknown type of elements 'text'"),
        ("all: {checks: {A: {presence: optional}}}", "the key 'expression' is missing"),
        ("all: [keywords]", "expected a mapping"),
        ("types: {flat: 5}", "expected a mapping"),
        ("all: {rows: {A: B}}", "expected a text"),
        ("all:\n  keywords:\n    A:\n      - {presence: optional}\n      - {if: []}", "vista.yaml:8: "),
    ],
)
def test_mistakes_are_named_with_file_and_line(section, message):
    with pytest.raises(ObservatoryError) as raised:
        read(section)

    assert message in str(raised.value)
    assert str(raised.value).startswith("vista.yaml:")


def test_a_wrong_expression_is_told_with_its_line():
    with pytest.raises(ObservatoryError) as raised:
        refuse_wrong_expressions(read('all:\n  checks: {good: A == 1, bad: "A =="}').every_constraint())

    assert (
        raised.value.message
        == "vista.yaml:5: checks > bad: the expression can't be read: its end can't stand here"
    )
    assert raised.value.hint == "column 5 of 'A =='"


def test_a_function_that_there_is_not_is_refused_before_any_file_is_read():
    section = 'all:\n  checks: {good: "np.any([1])", bad: "optional(nq.any([X]))"}'

    with pytest.raises(ObservatoryError, match=r"there is no function 'nq\.any'") as refused:
        refuse_wrong_expressions(read(section).every_constraint())
    assert refused.value.hint == "column 10 of 'optional(nq.any([X]))'"
