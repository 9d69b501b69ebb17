"""The public interface: caches, contexts, answers."""

from __future__ import annotations

import gc
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import calmap
from calmap.errors import HeaderError, MappingError, NotInCacheError, UsageError
from calmap.source import Source

HEADER = {
    "META.INSTRUMENT.NAME": "IRIS",
    "META.INSTRUMENT.ERA": "0.0.0",
    "META.INSTRUMENT.DETECTOR": "IMG1",
    "META.EXPOSURE.READMODE": "DEFAULT",
    "META.SUBARRAY.NAME": "FULL",
    "META.INSTRUMENT.FILTER": "Y",
    "META.INSTRUMENT.PUPIL": "CLEAR",
    "META.DATE": "2024-10-02 12:00:00",
}


@pytest.fixture
def context(repo_root: Path) -> calmap.Context:
    return calmap.Cache(repo_root).context("ligeriri_0001.pmap")


def test_an_answer_tells_status_files_reason_and_trail(context: calmap.Context) -> None:
    dark = context.bestrefs(HEADER)["dark"]

    assert (dark.status, dark.files) == ("found", ("IRIS_IMG1_DARK_20240924T000000_0.0.1.fits",))
    explanation = dark.explain()
    names = ["ligeriri_0001.pmap", "ligeriri_iris_0001.imap", *["ligeriri_iris_dark_0001.rmap"] * 2]
    assert [step.file for step in explanation.steps] == names
    assert dark.reason == f"chosen by {explanation.steps[-1].file}:{explanation.steps[-1].line}"


def test_every_step_names_a_line_that_says_so(context: calmap.Context, repo_root: Path) -> None:
    for reftype, ref in context.bestrefs(HEADER).items():
        last = ref.explain().steps[-1]
        lines = (repo_root / "mappings" / "ligeriri" / last.file).read_text().splitlines()
        assert ref.files[0] in lines[last.line - 1], reftype


def test_a_rule_further_away_is_not_nearer(context: calmap.Context) -> None:
    flat = context.bestrefs(HEADER | {"META.INSTRUMENT.FILTER": "NOSUCH"})["flat"]

    failing = [sum(key.outcome == "no" for key in rule.keys) for rule in flat.explain().nearest]
    assert failing == sorted(failing)
    assert failing[0] == 1


@pytest.mark.parametrize("name", ["ligeriri_iris_0001.imap", "ligeriri_iris_dark_0001.rmap"])
def test_imaps_and_rmaps_are_contexts_too(repo_root: Path, name: str, context: calmap.Context) -> None:
    alone = calmap.Cache(repo_root).context(name)

    assert alone.bestrefs(HEADER)["dark"] == context.bestrefs(HEADER)["dark"]


def test_types_may_be_chosen(context: calmap.Context) -> None:
    assert sorted(context.bestrefs(HEADER, ["DARK", "flat"])) == ["dark", "flat"]


def test_keyword_and_value_may_be_in_any_case(context: calmap.Context) -> None:
    lowered = {key.lower(): value.lower() for key, value in HEADER.items()}

    assert context.bestrefs(lowered) == context.bestrefs(HEADER)


def test_a_header_without_instrument_is_an_error(context: calmap.Context) -> None:
    with pytest.raises(HeaderError, match="INSTRUME"):
        context.bestrefs({"META.DATE": "2024-10-02"})


def test_required_keywords_cover_every_instrument(context: calmap.Context) -> None:
    assert set(HEADER) <= set(context.required_keywords())
    assert "META.INSTRUMENT.DETECTOR" in context.required_keywords("iris")


def test_the_newest_context_is_the_default(repo_root: Path) -> None:
    assert calmap.Cache(repo_root).context().name == "ligeriri_0001.pmap"


@pytest.mark.parametrize(
    ("name", "error"),
    [("ligeriri_0002.pmap", NotInCacheError), ("nonsense", UsageError), ("../../etc/passwd", UsageError)],
)
def test_a_context_that_cant_be(repo_root: Path, name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        calmap.Cache(repo_root).context(name)


def test_an_rmap_that_cant_be_read_fails_only_its_type(repo_root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mappings" / "ligeriri"
    folder.mkdir(parents=True)
    for path in (repo_root / "mappings" / "ligeriri").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "ligeriri_iris_dark_0001.rmap").write_text("header = {\n")

    refs = calmap.Cache(tmp_path).context().bestrefs(HEADER)

    assert refs["flat"].status == "found"
    assert refs["dark"].status == "not_found"
    assert "ligeriri_iris_dark_0001.rmap:1" in refs["dark"].reason


def test_a_pmap_that_cant_be_read_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "mappings" / "tobs"
    folder.mkdir(parents=True)
    (folder / "tobs_0001.pmap").write_text("header = {}\nselector = Match({})\n")

    with pytest.raises(MappingError, match="not a table of mappings"):
        calmap.Cache(tmp_path).context("tobs_0001.pmap").bestrefs({"INSTRUME": "TINSTR"})


def test_names_from_mappings_never_lead_out_of_the_cache(tmp_path: Path) -> None:
    (tmp_path / "secret.imap").write_text("header = {}\nselector = {}\n")
    folder = tmp_path / "cache" / "mappings" / "tobs"
    folder.mkdir(parents=True)
    (folder / "tobs_0001.pmap").write_text(
        "header = {'mapping': 'PIPELINE', 'parkey': ('INSTRUME',), 'name': 'x', 'derived_from': ''}\n"
        "selector = {'TINSTR': '../../../secret.imap'}\n"
    )

    with pytest.raises(calmap.CalmapError, match="secret"):
        calmap.Cache(tmp_path / "cache").context("tobs_0001.pmap").bestrefs({"INSTRUME": "TINSTR"})


def test_importing_calmap_is_cheap() -> None:
    heavy = {"astropy", "numpy", "yaml", "rich", "lark", "click"}
    code = f"import sys, calmap; print(sorted(set(sys.modules) & {heavy}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_public_names_are_what_they_say() -> None:
    assert sorted(calmap.__all__) == calmap.__all__
    assert all(getattr(calmap, name).__name__ == name for name in calmap.__all__)


def test_keywords_may_be_spelled_as_the_rules_like(tmp_path: Path) -> None:
    folder = tmp_path / "mappings" / "tobs"
    folder.mkdir(parents=True)
    (folder / "tobs_tinstr_dark_0001.rmap").write_text(
        "header = {'mapping': 'REFERENCE', 'observatory': 'TOBS', 'instrument': 'TINSTR',\n"
        "    'filekind': 'DARK', 'name': 'tobs_tinstr_dark_0001.rmap', 'derived_from': '',\n"
        "    'parkey': (('detector',),)}\n"
        "selector = Match({('X',): 'a.fits'})\n"
    )
    context = calmap.Cache(tmp_path).context("tobs_tinstr_dark_0001.rmap")

    for keyword in ("DETECTOR", "detector"):
        assert context.bestrefs({keyword: "X"})["dark"].files == ("a.fits",)


def test_places_are_right_when_many_threads_ask() -> None:
    text = "a\n" * 20_000

    for _ in range(20):
        source = Source("x", text)
        with ThreadPoolExecutor(8) as pool:
            lines = set(pool.map(lambda _, source=source: source.position(30_000).line, range(8)))
        assert lines == {15_001}


@pytest.mark.parametrize("enabled", [True, False])
def test_loading_leaves_garbage_collection_as_it_was(repo_root: Path, enabled: bool) -> None:
    before = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        calmap.Cache(repo_root).context().bestrefs(HEADER)

        assert gc.isenabled() is enabled
    finally:
        (gc.enable if before else gc.disable)()
