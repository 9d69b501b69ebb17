"""The program that compares calmap with recorded answers of crds."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
RMAP = """\
header = {
    'derived_from' : 'created by hand',
    'filekind' : 'TFILEKIND',
    'instrument' : 'TINSTR',
    'mapping' : 'REFERENCE',
    'name' : 'tobs_tinstr_tfilekind_0001.rmap',
    'observatory' : 'TOBS',
    'parkey' : (('A',),),
}

selector = Match({
    ('X',) : 'x.fits',
    ('Y',) : ('y.fits', 'z.fits'),
    ('N',) : 'N/A',
    ('O',) : 'OMIT',
})
"""
IMAP = """\
header = {
    'derived_from' : 'created by hand',
    'instrument' : 'TINSTR',
    'mapping' : 'INSTRUMENT',
    'name' : 'tobs_tinstr_0001.imap',
    'observatory' : 'TOBS',
    'parkey' : ('REFTYPE',),
}

selector = {
    'TFILEKIND' : 'tobs_tinstr_tfilekind_0001.rmap',
    'OTHER' : 'N/A',
}
"""
PMAP = """\
header = {
    'derived_from' : 'created by hand',
    'mapping' : 'PIPELINE',
    'name' : 'tobs_0001.pmap',
    'observatory' : 'TOBS',
    'parkey' : ('INSTRUME',),
}

selector = {
    'TINSTR' : 'tobs_tinstr_0001.imap',
}
"""


@pytest.fixture
def cache(tmp_path):
    folder = tmp_path / "cache" / "mappings" / "tobs"
    folder.mkdir(parents=True)
    for name, text in (("tinstr_tfilekind_0001.rmap", RMAP), ("tinstr_0001.imap", IMAP), ("0001.pmap", PMAP)):
        (folder / f"tobs_{name}").write_text(text)
    return tmp_path / "cache"


def rmap_case(value: str, **result: object) -> dict[str, object]:
    return {"rmap": "tobs_tinstr_tfilekind_0001.rmap", "header": {"A": value}, "result": result}


def context_case(value: str, **results: object) -> dict[str, object]:
    return {"context": "tobs_0001.pmap", "header": {"A": value, "INSTRUME": "TINSTR"}, "results": results}


def insertion(header: dict[str, str], **result: object) -> dict[str, object]:
    case = {"rmap": "tobs_tinstr_tfilekind_0001.rmap", "header": header, "reference": "new.fits"}
    return {**case, **({"added": [], "removed": []} | result if "error" not in result else result)}


def write(path: Path, *cases: object) -> Path:
    with gzip.open(path, "wt") if path.suffix == ".gz" else path.open("w") as file:
        file.writelines(json.dumps(case) + "\n" for case in cases)
    return path


def conformance(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = CHECKOUT / "scripts" / "conformance"
    return subprocess.run([sys.executable, program, *arguments], capture_output=True, text=True, cwd="/")


def test_agreement(cache, tmp_path):
    cases = write(
        tmp_path / "cases.jsonl.gz",
        rmap_case("X", file="x.fits"),
        rmap_case("Y", files=["y.fits", "z.fits"]),
        rmap_case("Y", files={"b": "z.fits", "a": "y.fits"}),
        rmap_case("N", na=True),
        rmap_case("O", omit=True),
        rmap_case("Q", not_found="No match found."),
        rmap_case("X", oracle_bug="Selector"),
    )

    done = conformance(cases, "--cache", cache)

    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "cases.jsonl.gz: 7 cases, 6 agree, 0 deviate (listed in docs/compatibility.md),"
        " 0 disagree, 1 oracle bugs\n"
    )


def test_contexts(cache, tmp_path):
    cases = write(
        tmp_path / "cases.jsonl",
        context_case("X", tfilekind={"file": "x.fits"}, other={"na": True}),
        context_case("O", tfilekind={"omit": True}),
        {"context": "tobs_0001.pmap", "header": {"INSTRUME": "NONE"}, "error": "Unknown instrument"},
    )

    done = conformance(cases, "--cache", cache)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("cases.jsonl: 3 cases with 4 types, 4 agree, ")


def test_the_order_of_files_matters(cache, tmp_path):
    cases = write(tmp_path / "cases.jsonl", rmap_case("Y", files=["z.fits", "y.fits"]))

    assert conformance(cases, "--cache", cache).returncode == 1


def test_disagreements_are_shown(cache, tmp_path):
    wrong = [
        rmap_case("X", file="y.fits"),
        rmap_case("Q", na=True),
        context_case("X", tfilekind={"omit": True}),
    ]
    cases = write(tmp_path / "cases.jsonl", *wrong)

    done = conformance(cases, "--cache", cache, "--show", "2")
    lines = done.stdout.splitlines()

    assert done.returncode == 1
    assert len(lines) == 3
    assert "tobs_tinstr_tfilekind_0001.rmap: crds `y.fits`, calmap `x.fits`" in lines[0]
    assert "crds N/A, calmap not found (" in lines[1]
    assert " 3 disagree" in lines[2]


def test_only_what_is_listed_deviates(cache, tmp_path):
    cases = write(tmp_path / "cases.jsonl", rmap_case("X", file="y.fits"))
    listing = conformance(cases, "--cache", cache, "--list-deviations")
    row = next(line for line in listing.stdout.splitlines() if line.startswith("|"))
    listed, changed = tmp_path / "listed.md", tmp_path / "changed.md"
    listed.write_text(f"### CD99 Tests\n\n{row}\n")
    changed.write_text(f"### CD99 Tests\n\n{row.replace('x.fits', 'q.fits')}\n")

    assert listing.returncode == 1
    assert " 1 deviate" in conformance(cases, "--cache", cache, "--deviations", listed).stdout
    assert conformance(cases, "--cache", cache, "--deviations", listed).returncode == 0
    assert conformance(cases, "--cache", cache, "--deviations", changed).returncode == 1


def test_a_deviation_that_agrees_is_stale(cache, tmp_path):
    from_now_on = rmap_case("X", file="x.fits")
    cases = write(tmp_path / "cases.jsonl", from_now_on)
    import hashlib

    text = json.dumps(from_now_on, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha1(text.encode()).hexdigest()[:10]
    listed = tmp_path / "listed.md"
    listed.write_text(
        f"### CD99 Tests\n\n| `{digest}` | tobs_tinstr_tfilekind_0001.rmap | N/A | `x.fits` |\n"
    )

    done = conformance(cases, "--cache", cache, "--deviations", listed)

    assert done.returncode == 1
    assert f"{digest} is listed as CD99 in listed.md but agrees now" in done.stdout


@pytest.mark.parametrize(
    ("cases", "code", "words"),
    [
        ([{"header": {}, "reference": "f", "added": [], "removed": []}], 2, "an insertion that lacks"),
        ([{"rmap": "tobs_x.rmap", "header": [1], "reference": "f"}], 2, "an insertion that lacks"),
        ([{"rmap": "tobs_x.rmap", "header": {}, "reference": "f", "added": [], "removed": []}], 3, "tobs_x"),
        ([insertion({"A": "Q"}, added=[7])], 2, "an insertion whose 'added' are no rows"),
        ([{"header": {}}], 2, "cases.jsonl:1: neither"),
        ([rmap_case("X", maybe=1)], 2, "unknown class 'maybe'"),
        ([{"rmap": "tobs_none_0001.rmap", "header": {}, "result": {"na": True}}], 3, "tobs_none_0001.rmap"),
        ([{"rmap": "nasa_none_0001.rmap", "header": {}, "result": {"na": True}}], 3, "nasa"),
        ([["a list"]], 3, "cases.jsonl:1: not a JSON object"),
    ],
)
def test_cases_that_cannot_be_run(cache, tmp_path, cases, code, words):
    done = conformance(write(tmp_path / "cases.jsonl", *cases), "--cache", cache)

    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("error: ")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_files_that_cannot_be_read(cache, tmp_path):
    broken = tmp_path / "broken.jsonl.gz"
    broken.write_bytes(gzip.compress(b"{}\n" * 1000)[:-20])

    for path in (tmp_path / "missing.jsonl.gz", broken, tmp_path):
        done = conformance(path, "--cache", cache)
        assert done.returncode == 3
        assert str(path) in done.stderr
        assert "Traceback" not in done.stderr


def test_wrong_usage(tmp_path):
    assert conformance("--cache", tmp_path).returncode == 2
    assert conformance(tmp_path / "x.jsonl", "--cache", tmp_path / "missing").returncode == 2


def test_insertions(cache, tmp_path):
    cases = write(
        tmp_path / "cases.jsonl",
        insertion({"A": "Q"}, added=[[["Q"], "new.fits"]]),
        insertion({"A": "X"}, added=[[["X"], "new.fits"]], removed=[[["X"], "x.fits"]]),
        insertion({"B": "X"}, error="no A"),
    )

    done = conformance(cases, "--cache", cache)

    assert done.returncode == 0, done.stdout + done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("cases.jsonl: 3 cases, 3 agree, ")
    assert second == (
        "cases.jsonl: 2 of 2 texts changed in the lines of the rule and in name, derived_from and sha1sum "
        "only; 1 of 1 new rows taken back byte for byte"
    )


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (insertion({"A": "Q"}, added=[[["P"], "new.fits"]]), "crds +`(P) new.fits`, calmap +`(Q) new.fits`"),
        (insertion({"A": "X"}, added=[[["X"], "new.fits"]]), "-`(X) x.fits`"),
        (insertion({"A": "Q"}, error="why ever"), "crds refused, calmap +`(Q) new.fits`"),
        (
            insertion({"B": "Q"}, added=[[["Q"], "new.fits"]]),
            "calmap refused (",
        ),
    ],
)
def test_insertions_that_disagree_are_shown(cache, tmp_path, case, words):
    done = conformance(write(tmp_path / "cases.jsonl", case), "--cache", cache, "--show", "1")

    assert done.returncode == 1
    assert words in done.stdout


def test_an_insertion_that_changes_too_much_disagrees(monkeypatch):
    monkeypatch.syspath_prepend(CHECKOUT / "scripts")
    from known_answers.insertions import _is_minimal

    from calmap.edit.application import edited
    from calmap.edit.insertion import insert
    from calmap.model.mapping import parse_mapping

    old = parse_mapping(Path("tobs_tinstr_tfilekind_0001.rmap"), RMAP.encode())
    change = insert(old.file, {"A": "Q"}, "new.fits")
    new = edited(old, change.edits).text

    assert _is_minimal(old.text, new, change)
    for spoilt in (new.replace("('X',)", "('X', )"), new.replace("parkey' :", "parkey':"), new + "\n"):
        assert not _is_minimal(old.text, spoilt, change)


def test_recorded_insertions(corpus, tmp_path):
    """Every eighth of them; scripts/conformance takes some ten seconds for all."""
    with gzip.open(corpus / "cases/insert.jsonl.gz", "rt") as file:
        (tmp_path / "cases.jsonl").write_text("".join(list(file)[::8]))

    done = conformance(tmp_path / "cases.jsonl", "--cache", corpus / "crds-cache", "--show", "5")

    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 disagree" in done.stdout


def test_recorded_answers(corpus):
    files = [corpus / "cases" / f"bestref_{kind}.jsonl.gz" for kind in ("rmap", "context")]

    done = conformance(*files, "--cache", corpus / "crds-cache", "--show", "5")

    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split(":")[1].split()[0] for line in done.stdout.splitlines()] == ["9990", "1080"]
