"""What is found in rules holds against look-ups: `scripts/overlaps`, a short run."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import pytest

from calmap.cache.layout import Layout
from calmap.compile.reach import Hidden

SCRIPT = Path(__file__).parent.parent / "scripts" / "overlaps"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture
def script(repo_root: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    monkeypatch.syspath_prepend(SCRIPT.parent)
    return SimpleNamespace(**run_path(str(SCRIPT)))


def test_the_demonstration_cache(repo_root: Path) -> None:
    done = run("ligeriri_0001.pmap", "--cache", repo_root)

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.match(r"ligeriri_0001.pmap: 10 rmaps, \d+ rules; 0 overlaps .*; all verified; ", done.stdout)


def test_real_contexts(corpus: Path) -> None:
    done = run("hst_0729.pmap", "jwst_0541.pmap", "--cache", corpus / "crds-cache", "--lookups", 20)

    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.partition("; all verified; ")[0] for line in done.stdout.splitlines()] == [
        "hst_0729.pmap: 129 rmaps, 4,999 rules; 1,043 overlaps of equal weight, 38 of them below a heavier "
        "rule; 0 rules and 43 rows never chosen, asked for 860 times",
        "jwst_0541.pmap: 117 rmaps, 1,520 rules; 2 overlaps of equal weight, 2 of them below a heavier "
        "rule; 7 rules and 0 rows never chosen, asked for 140 times",
    ]


def test_what_is_not_so_is_found(corpus: Path, script: SimpleNamespace) -> None:
    layout = Layout(corpus / "crds-cache")
    for found in script.analysed("hst_wfc3_pfltfile_0252.rmap", layout, Counter()):
        assert list(script.verified(found, Counter(), 20)) == []
        overlap = found.overlaps[0]
        rule = next(rule for rule in found.item.match.rules if rule not in [h.rule for h in found.hidden])
        false = (
            found._replace(hidden=(), overlaps=(overlap._replace(weight=overlap.weight + 1),)),
            found._replace(hidden=(), overlaps=(overlap._replace(hidden=not overlap.hidden),)),
            found._replace(hidden=(), overlaps=(overlap._replace(example={}),)),
            found._replace(overlaps=(), hidden=(Hidden(rule),)),
            found._replace(overlaps=(), hidden=(Hidden(rule, rule.choice.rows[-1:]),)),
        )
        assert [len(list(script.verified(item, Counter(), 500))) for item in false] == [1, 1, 1, 1, 1]


def test_a_limit_that_is_not_kept(repo_root: Path) -> None:
    done = run("ligeriri_iris_flat_0001.rmap", "--cache", repo_root, "--limit", "0")

    assert done.returncode == 1
    assert done.stdout.endswith("that took more than 0 s\n")


def test_wrong_usage(repo_root: Path) -> None:
    assert run("a.pmap", "--cache", repo_root / "nowhere").returncode == 2
    assert run("ligeriri_0099.pmap", "--cache", repo_root).returncode == 3
