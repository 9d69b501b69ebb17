"""Answers to tables are those to their rows: `scripts/tables`, a short run."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pyarrow as pa
import pytest

from calmap import Cache
from calmap.errors import HeaderError
from calmap.model.dates import DateError, normal_date

SCRIPTS = Path(__file__).parent.parent / "scripts"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPTS / "tables", *map(str, arguments)], capture_output=True, text=True
    )


@pytest.fixture
def parts(monkeypatch):
    """What the script is made of."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from tabulation import answers, columns, moments, population

    return SimpleNamespace(answers=answers, columns=columns, moments=moments, population=population)


@pytest.fixture
def context(corpus):
    return Cache(corpus / "crds-cache").context("jwst_0541.pmap")


def headers(parts, context, count, seed=1):
    population, rng = parts.population.Population(context), Random(seed)
    return [population.draw(rng) for _ in range(count)]


def test_tables_and_their_rows_have_the_same_answers(corpus):
    done = run("--headers", 200, "--jobs", 1, "--only", "headers", "--only", "cases", "--corpus", corpus)
    lines = done.stdout.splitlines()

    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.partition(":")[0] for line in lines[::3]] == [
        "cases with known answers",
        "hst_0729.pmap",
        "jwst_0541.pmap",
    ]
    assert lines[0].startswith("cases with known answers: 11,070 headers, ")
    assert [line.split(": ")[1].split(" (")[0] for line in lines[2::3]] == ["0 differences"] * 3


def test_contexts_and_their_successors_are_compared(corpus):
    done = run("--headers", 1200, "--jobs", 1, "--only", "affected", "--corpus", corpus)

    assert done.returncode == 0, done.stdout + done.stderr
    assert " 1,200 headers, " in done.stdout
    assert " 0 differences" in done.stdout


def test_a_wrong_answer_is_a_difference(parts, context):
    table = parts.columns.tabulate(headers(parts, context, 40), context.observatory, Random(2))
    answers = context.bestrefs_table(table)
    name = next(name for name in answers.column_names if answers[name].null_count < 30)
    wrong = answers.set_column(
        answers.column_names.index(name), name, pa.array(["wrong.fits", *answers[name].to_pylist()[1:]])
    )
    witness = parts.answers.Witness(context)

    assert parts.answers.compare(witness, table, answers).counts["differences"] == 0
    found = parts.answers.compare(witness, table, wrong)
    assert found.counts["differences"] == 1
    assert "wrong.fits" in str(found.shown[0])


def test_generated_headers_reach_many_rules(parts, context):
    statuses = Counter()
    for header in headers(parts, context, 200):
        try:
            statuses.update(ref.status for ref in context.bestrefs(header).values())
        except HeaderError:
            statuses["bad_header"] += 1

    assert statuses["found"] > statuses.total() // 10
    assert statuses["not_found"] > statuses.total() // 20
    assert statuses["bad_header"]
    assert headers(parts, context, 20) == headers(parts, context, 20)
    assert headers(parts, context, 20) != headers(parts, context, 20, seed=2)


def test_dates_are_written_in_every_form(parts):
    rng, forms, refused = Random(1), Counter(), 0
    for _ in range(3000):
        at = parts.moments.draw_moment(rng, ())
        text = " ".join(parts.moments.written(rng, at, ("DATE-OBS", "TIME-OBS")).values())
        forms["".join("9" if c.isdigit() else "a" if c.isalpha() else c for c in text)] += 1
        try:
            normal_date(text)
        except DateError:
            refused += 1

    assert len(forms) > 50
    assert 0 < refused < 1000


def test_columns_are_of_many_types_and_names(parts, context):
    table = parts.columns.tabulate(headers(parts, context, 60), context.observatory, Random(4))
    names = set(table.column_names)
    types = {
        str(parts.columns.tabulate(rows, context.observatory, Random(seed)).column(name).type)
        for seed in range(12)
        for rows in [[{"A": "1.0", "B": "T", "C": "2020-01-01", "D": "12:00:00", "E": "X"}] * 3]
        for name in ("A", "B", "C", "D", "E")
        if name in parts.columns.tabulate(rows, context.observatory, Random(seed)).column_names
    }

    assert names & {"DETECTOR", "detector", "EXP_TYPE", "exp_type", "SUBARRAY", "DATE-OBS"}
    assert {"int64", "double", "bool", "date32[day]", "time64[us]", "string"} <= types


def test_tables_are_measured_beside_crds(corpus):
    pytest.importorskip("crds")
    words = [
        "scale",
        "--only",
        "table",
        "--rows",
        "20000",
        "--repetitions",
        "1",
        "--json",
        "--corpus",
        corpus,
    ]
    done = subprocess.run([sys.executable, SCRIPTS / "bench", *words], capture_output=True, text=True)

    assert done.returncode in (0, 1), done.stderr
    result = json.loads(done.stdout)
    assert [(ratio["task"], ratio["required"]) for ratio in result["ratios"]] == [("table", 500.0)]
    assert result["ratios"][0]["ratio"] > 5
    assert result["tables"]["table"][0]["rows"] == 20_000


def test_wrong_usage_and_nothing_to_read(tmp_path):
    assert run("--headers", 0).returncode == 2
    done = run("--only", "cases", "--corpus", tmp_path)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
