"""Small rmaps: their text, calmap's answers to a header, and those of crds where it is installed."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from calmap.compile.reference import CompiledReference, compile_reference
from calmap.compile.tree import Answer
from calmap.errors import MappingError
from calmap.model.mapping import parse_mapping
from calmap.model.values import UNDEFINED, condition_value
from calmap.observatories.library import load_observatory

NOT_FOUND = "not found"
REFUSED = "refused"
NA = "N/A"
OMIT = "OMIT"
_CRDS = Path(__file__).with_name("crds_answers.py")


class Question(NamedTuple):
    """A selector, the parameters it looks at, a header, and what else the rmap's header says."""

    selector: str
    parkey: tuple[tuple[str, ...], ...]
    header: Mapping[str, object]
    extra: Mapping[str, object] = {}
    name: str = "tobs_tinstr_tfilekind_0001.rmap"

    def text(self) -> str:
        """The text of the rmap."""
        observatory, instrument, filekind = self.name.split("_")[:3]
        rmap = {
            "derived_from": "generated",
            "filekind": filekind,
            "instrument": instrument,
            "mapping": "REFERENCE",
            "name": self.name,
            "observatory": observatory,
            "parkey": self.parkey,
            **self.extra,
        }
        return f"header = {rmap!r}\n\nselector = {self.selector}\n"


def compiled(question: Question) -> CompiledReference:
    """The rmap compiled."""
    mapping = parse_mapping(Path(question.name), question.text().encode())
    if mapping.file is None:
        raise MappingError(mapping.diagnostics[0].message)
    return compile_reference(mapping.file, load_observatory(question.name.partition("_")[0]))


def answer(question: Question) -> object:
    """What calmap says: a file, a list of files, N/A, OMIT, not found, or that it refuses the rmap."""
    try:
        reference = compiled(question)
    except MappingError:
        return REFUSED
    header = {key: condition_value(question.header.get(key, UNDEFINED)) for key in reference.terms.required}
    outcome = reference.choose(header)
    assert outcome == reference.interpret(header)
    words = {Answer.NOT_APPLICABLE: NA, Answer.OMITTED: OMIT, Answer.NOT_FOUND: NOT_FOUND}
    if outcome.answer in words:
        return words[outcome.answer]
    return outcome.files[0] if len(outcome.files) == 1 else list(outcome.files)


def crds_answers(questions: Sequence[Question]) -> list[Any]:
    """What crds says, in the same words; skips where it is not installed."""
    if find_spec("crds") is None:
        pytest.skip("the package crds is not installed")
    asked = [(question.name, question.text(), dict(question.header)) for question in questions]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CRDS_")}
    environment |= {
        "CRDS_PATH": str(_CRDS.parent / "nowhere"),
        "CRDS_SERVER_URL": "https://crds-serverless-mode.stsci.edu",
        "CRDS_READONLY_CACHE": "1",
        "CRDS_OBSERVATORY": "tobs",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", _CRDS],
        input=json.dumps(asked),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[Any] = json.loads(done.stdout)
    return found
