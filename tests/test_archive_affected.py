"""What is found in tables is what is found header by header."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deliveries import CHECKOUT
from header_tables import exposures, generated, hst_successor, write

from calmap.archive.affected import AffectedSearch
from calmap.archive.differing import Differing
from calmap.archive.selection import Answered, Question, TableSelection, answer
from calmap.archive.tables.reading import open_tables
from calmap.archive.tally import Tally
from calmap.archive.unseen import unseen_keywords
from calmap.bestref import Cache, Context
from calmap.bestref.affected import ContextPair
from calmap.errors import HeaderError

OLD, NEW = "hst_0729.pmap", "hst_0732.pmap"
Found = list[tuple[str, str, str, str]]


@pytest.fixture(scope="module")
def hst(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Cache:
    return hst_successor(tmp_path_factory.mktemp("hst"), corpus)


def rewritten(folder: Path, source: str, target: str, *swaps: tuple[str, str]) -> str:
    text = (folder / source).read_text()
    for pattern, new in swaps:
        assert re.search(pattern, text), pattern
        text = re.sub(pattern, new, text)
    (folder / target).write_text(text)
    return target


def by_hand(old: Context, new: Context, rows: Sequence[Mapping[str, str]]) -> tuple[Found, int, int]:
    """The changes header by header, how many headers have some, and how many can't be used."""
    pair, found, affected, bad = ContextPair(old, new), [], 0, 0
    for row in rows:
        header = {name: value for name, value in row.items() if name != "dataset"}
        try:
            changes = pair.affected(row["dataset"], header)
        except HeaderError:
            bad += 1
            continue
        found += [tuple(item) for item in changes]
        affected += bool(changes)
    return found, affected, bad


def searched(search: AffectedSearch | TableSelection, path: Path, rows: int = 700) -> Answered:
    parts = [answer(search, partition) for partition in open_tables([str(path)]).partitions(rows)]
    return Answered(
        pa.concat_tables(part.table for part in parts), reduce(add, (part.tally for part in parts))
    )


def require_same(old: Context, new: Context, rows: Sequence[Mapping[str, str]], path: Path) -> Answered:
    write(path, rows)
    found = searched(AffectedSearch(old, new, Question.about(open_tables([str(path)]))), path)
    expected, affected, bad = by_hand(old, new, rows)
    assert [
        tuple(map(str, row)) for row in zip(*found.table.drop("instrument").to_pydict().values(), strict=True)
    ] == (expected)
    assert (found.tally.rows, found.tally.bad) == (len(rows), bad)
    assert found.tally.affected == affected
    assert sum(found.tally.counts.values()) == len(expected)
    assert sum(found.tally.instruments.values()) == len(rows) - bad
    return found


def test_inserted_references(hst: Cache, tmp_path: Path) -> None:
    old, new = hst.context(OLD), hst.context(NEW)
    pairs, same = Differing(old, new).pairs()

    found = require_same(old, new, generated(old, 3000, 1), tmp_path / "t.parquet")

    assert {(pair.instrument, pair.reftype) for pair in pairs} == {
        *(("acs", "darkfile"), ("wfc3", "idctab"), ("stis", "biasfile"))
    }
    assert same == sum(len(old.reftypes(name)) for name in old.instruments()) - 3
    assert {case.reftype for case in found.tally.counts} <= {"darkfile", "idctab", "biasfile"}
    assert found.tally.affected > 20


def test_types_and_instruments_that_come_and_go(hst: Cache, tmp_path: Path) -> None:
    folder = hst.root / "mappings" / "hst"
    pmap = (folder / NEW).read_text()
    acs, stis = (re.search(rf"hst_{name}_\d+\.imap", pmap)[0] for name in ("acs", "stis"))  # type: ignore[index]
    rewritten(
        folder,
        acs,
        "hst_acs_9001.imap",
        (r"('ccdtab') : '[^']*'", r"\1 : 'OMIT'"),
        (r"'crrejtab' : '[^']*',\n", ""),
        (r"('pfltfile') : '[^']*'", r"\1 : 'N/A'"),
        (r"'dgeofile' :", r"'newtype' : 'hst_acs_darkfile_0363.rmap',\n    'dgeofile' :"),
        (r"('mdriztab') : '[^']*'", r"\1 : 'hst_acs_nowhere_0001.rmap'"),
    )
    rewritten(
        folder,
        NEW,
        "hst_9001.pmap",
        (acs, "hst_acs_9001.imap"),
        (r"'COS' : '[^']*',\n", ""),
        (r"('NICMOS') : '[^']*'", r"\1 : 'N/A'"),
        (r"('WFPC2') : '[^']*'", r"\1 : 'OMIT'"),
        (r"'STIS' :", rf"'NIX' : '{stis}',\n 'STIS' :"),
    )
    old, new = hst.context(OLD), hst.context("hst_9001.pmap")
    rows = generated(old, 1500, 2)

    found = require_same(old, new, rows, tmp_path / "t.parquet")

    words = {text for case in found.tally.counts for text in case.answers}
    assert {"N/A", "not found", "no such type"} <= words
    assert {"nix", "cos", "wfpc2"} <= {case.instrument for case in found.tally.counts}
    for one, other in ((new, old), (hst.context(acs), new), (new, hst.context("hst_acs_9001.imap"))):
        require_same(one, other, rows[:400], tmp_path / "t.parquet")
    for one, other in ((acs, "hst_acs_9001.imap"), (acs, stis), ("hst_acs_darkfile_0363.rmap", acs)):
        require_same(hst.context(one), hst.context(other), rows[:300], tmp_path / "t.parquet")


RMAP = """\
header = {{
    'derived_from' : 'made up',
    'filekind' : '{kind}',
    'instrument' : 'ACS',
    'mapping' : 'REFERENCE',
    'name' : 'hst_acs_{kind}_0001.rmap',
    'observatory' : 'HST',
    'parkey' : (({keys}),),
    {more}
}}

selector = Match({{
    ({values}) : 'x.fits',
}})
"""


@pytest.fixture
def few(tmp_path: Path) -> Cache:
    """Two types, of which one looks at CCDGAIN, and two contexts, of which one leaves that type out."""
    folder = tmp_path / "cache" / "mappings" / "hst"
    folder.mkdir(parents=True)
    one = RMAP.format(kind="idctab", keys="'DETECTOR',", values="'SBC',", more="")
    (folder / "hst_acs_idctab_0001.rmap").write_text(one)
    two = RMAP.format(kind="ccdtab", keys="'DETECTOR', 'CCDGAIN'", values="'SBC', '1.0'", more="")
    (folder / "hst_acs_ccdtab_0001.rmap").write_text(two)
    relevant = "'rmap_relevance' : '(CCDGAIN != \"3.0\")',"
    three = RMAP.format(kind="oscntab", keys="'DETECTOR',", values="'SBC',", more=relevant)
    (folder / "hst_acs_oscntab_0001.rmap").write_text(three)
    for number, ccdtab in ((1, "hst_acs_ccdtab_0001.rmap"), (2, "N/A")):
        (folder / f"hst_acs_000{number}.imap").write_text(
            "header = {'derived_from' : 'x', 'instrument' : 'ACS', 'mapping' : 'INSTRUMENT',"
            f" 'name' : 'hst_acs_000{number}.imap', 'observatory' : 'HST', 'parkey' : ('REFTYPE',)}}\n"
            f"selector = {{'ccdtab' : '{ccdtab}', 'idctab' : 'hst_acs_idctab_0001.rmap',"
            " 'oscntab' : 'hst_acs_oscntab_0001.rmap'}\n"
        )
        (folder / f"hst_000{number}.pmap").write_text(
            "header = {'derived_from' : 'x', 'mapping' : 'PIPELINE', 'observatory' : 'HST',"
            f" 'name' : 'hst_000{number}.pmap', 'parkey' : ('INSTRUME',)}}\n"
            f"selector = {{'ACS' : 'hst_acs_000{number}.imap'}}\n"
        )
    return Cache(tmp_path / "cache")


def headers(**values: Sequence[str]) -> list[dict[str, str]]:
    rows = [{"INSTRUME": "ACS"}]
    for name, choices in values.items():
        rows = [{**row, name: choice} for row in rows for choice in choices]
    return [{"dataset": f"d{number}", **row} for number, row in enumerate(rows)]


def test_a_type_may_depend_on_what_others_look_at(few: Cache, tmp_path: Path) -> None:
    old, new = few.context("hst_0001.pmap"), few.context("hst_0002.pmap")
    rows = headers(DETECTOR=("WFC", "SBC"), CCDGAIN=("0.5", "1.4", "1", "3"))

    found = require_same(old, new, rows, tmp_path / "t.csv")

    assert Differing(old, new).types("acs", "acs") == ("ccdtab", "idctab", "oscntab")
    changes = {(case.reftype, *case.answers) for case in found.tally.counts}
    assert ("idctab", "N/A", "not found") in changes
    assert any(reftype == "oscntab" for reftype, *_ in changes)
    only = AffectedSearch(old, new, Question.about(open_tables([str(tmp_path / "t.csv")]), None, ["idctab"]))
    assert searched(only, tmp_path / "t.csv").tally.counts == {
        case: number for case, number in found.tally.counts.items() if case.reftype == "idctab"
    }


def test_answers_do_not_depend_on_the_types_asked_for(few: Cache) -> None:
    context = few.context("hst_0001.pmap")
    for row in headers(DETECTOR=("WFC", "SBC"), CCDGAIN=("0.5", "1.4", "1", "3")):
        every = context.bestrefs(row)
        for reftype in every:
            assert context.bestrefs(row, [reftype])[reftype].status == every[reftype].status


def test_contexts_in_portable_files(hst: Cache, tmp_path: Path) -> None:
    old, new = (Cache.of_bytes(hst.context(name).bundle()).context() for name in (OLD, NEW))

    assert len(Differing(old, new).pairs()[0]) == 3
    require_same(old, new, generated(old, 300, 6), tmp_path / "t.parquet")


@pytest.fixture
def demo(tmp_path: Path) -> Cache:
    for name in ("mappings", "config"):
        shutil.copytree(CHECKOUT / name, tmp_path / "demo" / name)
    return Cache(tmp_path / "demo")


def test_a_telescope_that_is_described_otherwise(demo: Cache, tmp_path: Path) -> None:
    shutil.copytree(demo.root, tmp_path / "other")
    old = demo.context("ligeriri_0001.pmap")
    definition = tmp_path / "other" / "config" / "ligeriri" / "observatory.yaml"
    definition.parent.mkdir(exist_ok=True)
    text = Path(old.observatory.origin).read_text()
    copied = f"# the same\n{text}"
    definition.write_text(copied)
    same = Differing(old, Cache(tmp_path / "other").context("ligeriri_0001.pmap"))
    assert same.same_telescope
    assert same.types("iris", "iris") == ()

    assert "READMODE" in text
    definition.write_text(text.replace("READMODE", "READMOOD"))
    new = Cache(tmp_path / "other").context("ligeriri_0001.pmap")
    assert Differing(old, new).types("iris", "iris") == old.reftypes("iris")
    found = require_same(old, new, exposures(), tmp_path / "t.parquet")

    assert found.tally.affected


def test_an_instrument_that_is_named_otherwise(demo: Cache, tmp_path: Path) -> None:
    shutil.copytree(demo.root, tmp_path / "other")
    old = demo.context("ligeriri_0001.pmap")
    definition = tmp_path / "other" / "config" / "ligeriri" / "observatory.yaml"
    definition.parent.mkdir(exist_ok=True)
    definition.write_text(re.sub(r"\bINSTRUME\b", "CAMERA", Path(old.observatory.origin).read_text()))
    new = Cache(tmp_path / "other").context("ligeriri_0001.pmap")
    rows = [
        {**row, "CAMERA": camera} if camera else row
        for row in exposures()
        for camera in ("LIGER", "iris", "", "?")
    ]

    found = require_same(old, new, rows, tmp_path / "t.parquet")

    assert found.tally.affected


def test_rules_changed_in_place(demo: Cache, tmp_path: Path) -> None:
    shutil.copytree(demo.root, tmp_path / "other")
    folder = tmp_path / "other" / "mappings" / "ligeriri"
    name = "ligeriri_iris_dark_0001.rmap"
    rewritten(folder, name, name, ("IRIS_IMG1_DARK_20240924T000000_0.0.1", "other"))
    old, new = (cache.context("ligeriri_0001.pmap") for cache in (demo, Cache(tmp_path / "other")))

    found = require_same(old, new, exposures(), tmp_path / "t.parquet")

    assert Differing(old, new).types("iris", "iris") == ("dark",)
    assert found.tally.affected


def test_answers_of_tables_are_those_of_headers(hst: Cache, tmp_path: Path) -> None:
    context = hst.context(OLD)
    rows = generated(context, 400, 4)
    path = write(tmp_path / "t.parquet", rows)
    selection = TableSelection(context, Question.about(open_tables([str(path)])))

    found = searched(selection, path, rows=90)

    total: dict[tuple[str, str], int] = {}
    for row, table_row in zip(rows, found.table.to_pylist(), strict=True):
        assert table_row["dataset"] == row["dataset"]
        header = {name: value for name, value in row.items() if name != "dataset"}
        answers: dict[str, Any] = {}
        try:
            answers = dict(context.bestrefs(header))
            assert table_row["instrument"] == context.instrument(header)
        except HeaderError:
            assert table_row["instrument"] is None
            continue
        for reftype in selection.selector.reftypes:
            ref = answers.get(reftype)
            assert table_row[f"{reftype}_status"] == (ref.status if ref else None)
            assert table_row[reftype] == (", ".join(ref.files) if ref and ref.files else None)
            if ref:
                total[reftype, ref.status] = total.get((reftype, ref.status), 0) + 1
    counted: dict[tuple[str, str], int] = {}
    for case, number in found.tally.counts.items():
        key = case.reftype, case.answers[0]
        counted[key] = counted.get(key, 0) + number
    assert counted == total
    assert found.tally.bad == found.table["instrument"].null_count


def test_batches_larger_than_what_is_looked_up_at_a_time(
    hst: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = hst.context("hst_0729.pmap")
    tables = open_tables([str(write(tmp_path / "t.arrow", generated(context, 60, 5)))])
    selection = TableSelection(context, Question.about(tables))
    [partition] = tables.partitions()
    whole = answer(selection, partition)

    monkeypatch.setattr("calmap.bestref.tables.inputs.ROWS", 7)
    cut = answer(TableSelection(context, Question.about(tables)), partition)

    assert cut.table.to_pylist() == whole.table.to_pylist()
    assert cut.table["dataset"].to_pylist() == [f"d{number}" for number in range(60)]
    assert cut.tally == whole.tally


def test_tallies_add_up_in_order() -> None:
    parts = [Tally(2, 1, (f"d{number}",), 1, {"a": 1}, {}) for number in range(7)]

    left = reduce(add, parts)
    right = parts[0] + reduce(add, parts[1:])

    assert left == right == Tally(14, 7, ("d0", "d1", "d2", "d3", "d4"), 7, {"a": 7}, {})


def test_keywords_that_no_column_has(hst: Cache) -> None:
    context = hst.context(OLD)

    assert unseen_keywords(
        context, "acs", ["detector", "DATE-OBS", "TIME-OBS", "DARKCORR"], ["darkfile"]
    ) == ("CCDAMP", "CCDGAIN")
    assert unseen_keywords(context, "acs", context.required_keywords("acs"), None) == ()


def test_a_table_must_name_instruments(hst: Cache, tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", [{"DETECTOR": "WFC"}])
    question = Question.about(open_tables([str(path)]))
    with pytest.raises(
        HeaderError, match=r"no column names the instrument: .*INSTRUME.* was expected, there are DETECTOR"
    ):
        TableSelection(hst.context(OLD), question)
    with pytest.raises(HeaderError, match="no column names the instrument"):
        AffectedSearch(hst.context(OLD), hst.context(NEW), question)
    rmap = hst.context("hst_acs_darkfile_0363.rmap")

    assert searched(TableSelection(rmap, question), path).tally.instruments == {"acs": 1}
