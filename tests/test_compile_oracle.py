"""The compiled form answers as the plain interpreter does."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from rule_strategies import NAME, rmaps

from calmap.compile.reference import CompiledReference, compile_reference
from calmap.compile.tree import Answer
from calmap.errors import MappingError
from calmap.model.mapping import parse_mapping
from calmap.model.values import UNDEFINED, condition_value


def compiled(text: str) -> CompiledReference:
    mapping = parse_mapping(Path(NAME), text.encode())
    assert mapping.file is not None, mapping.diagnostics
    return compile_reference(mapping.file, None)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rmaps())
def test_compiled_rules_answer_as_the_interpreter_does(example):
    text, asked = example
    try:
        reference = compiled(text)
    except MappingError:
        event("refused")
        assume(False)
    header = {key: condition_value(asked.get(key, UNDEFINED)) for key in reference.terms.required}

    answer = reference.choose(header)

    event(answer.answer)
    assert answer == reference.interpret(header)
    assert bool(answer.files) == (answer.answer is Answer.FOUND)
    assert bool(answer.reason) or answer.answer is not Answer.NOT_FOUND


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rmaps())
def test_a_look_up_changes_nothing(example):
    text, asked = example
    try:
        reference = compiled(text)
    except MappingError:
        assume(False)
    header = {key: condition_value(asked.get(key, UNDEFINED)) for key in reference.terms.required}
    before = dict(header)

    first = reference.choose(header)

    assert header == before
    assert reference.choose(header) == first


@pytest.mark.parametrize("value", ["X", "3.0", "UNDEFINED"])
def test_a_negated_n_a_is_never_looked_at(value):
    reference = compiled(
        "header = {'mapping': 'REFERENCE', 'parkey': (('A',),), 'name': 'a', 'derived_from': 'b',"
        " 'observatory': 'tobs', 'instrument': 'tinstr', 'filekind': 'tfilekind'}\n"
        "selector = Match({'NOT N/A' : 'a.fits', ('B',) : 'b.fits'})"
    )

    assert reference.choose({"A": value}) == reference.interpret({"A": value})
    assert reference.choose({"A": value}).files == ("a.fits",)
