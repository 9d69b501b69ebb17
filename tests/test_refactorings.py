"""Refactorings of real rmaps keep every answer: `scripts/refactorings`, a short run."""

import subprocess
import sys
from functools import partial
from pathlib import Path
from random import Random
from runpy import run_path
from types import SimpleNamespace

import pytest

from calmap.edit.formatting import format_layout
from calmap.edit.refactoring import refactored
from calmap.edit.values import replace_value
from calmap.model.mapping import load_mapping

SCRIPT = Path(__file__).parent.parent / "scripts" / "refactorings"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True)


def test_answers_to_random_headers_stay_the_same(corpus):
    done = run("--every", 80, "--headers", 50, corpus)
    lines = done.stdout.splitlines()

    assert done.returncode == 0, done.stdout + done.stderr
    assert len(lines) == 7
    assert all(" 0 differences" in line and "with a new text" in line for line in lines)


def test_a_changed_answer_is_found(repo_root, monkeypatch):
    monkeypatch.syspath_prepend(str(repo_root / "scripts"))
    script = SimpleNamespace(**run_path(str(SCRIPT)))
    path = next((repo_root / "mappings").rglob("ligeriri_iris_dark_0001.rmap"))
    mapping = load_mapping(path)
    other = refactored(
        mapping, partial(replace_value, parameter="META.INSTRUMENT.DETECTOR", old="IMG1", new="X")
    )
    before = script.compiled(mapping, None)

    def counts(new):
        result, headers = script.Result(new, {}), script.Headers(before)
        return script.compare(before, result, None, headers, Random(1), 200, changed=True)[0]

    assert counts(mapping)["found"] > 20
    assert counts(mapping)["differ"] == 0
    assert counts(other)["differ"] > 5


def test_wrong_usage_and_nothing_to_do(tmp_path):
    assert run("--headers", 0).returncode == 2
    assert run(tmp_path).returncode == 3


@pytest.mark.parametrize("part", ["crds-cache", "tmt-crds-cache"])
def test_what_crds_wrote_is_in_its_layout(corpus, part):
    paths = sorted((corpus / part).rglob("*.rmap"))[::6]
    new = [
        path.name for path in paths if refactored(load_mapping(path), format_layout).text != path.read_text()
    ]

    assert set(new) <= {"tobs_tinstr_tfilekind.rmap"}
