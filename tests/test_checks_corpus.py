"""Real caches: every finding is true, and every known defect is found."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from calmap.checks import Folder, check_mapping, closure
from calmap.diagnostics import Diagnostic, Severity
from calmap.model.mapping import load_mapping
from calmap.observatories import load_observatory


class Cache(Folder):
    """The mappings and references of one telescope."""

    def __init__(self, root: Path, name: str) -> None:
        super().__init__(root / "mappings" / name, load_observatory(name))
        self.references = root / "references" / name
        self.knows_references = self.references.is_dir()  # type: ignore[misc]

    def reference(self, name: str, instrument: str) -> Path | None:
        path = self.references / instrument / name
        return path if path.is_file() else None

    def findings(self) -> Iterator[Diagnostic]:
        for path in sorted(self.path.iterdir()):
            yield from check_mapping(load_mapping(path), self)


def told(finding: Diagnostic) -> str:
    line, column = finding.source.position(finding.span.start)
    name = Path(finding.source.name).name
    return f"{name}:{line}:{column}: {finding.rule.code} {finding.message}"


def test_liger_iris(corpus: Path, snapshot: SnapshotAssertion) -> None:
    cache = Cache(corpus / "liger-iris-crds-cache", "ligeriri")
    below = closure(["ligeriri_0001.pmap"], cache)
    assert [told(finding) for mapping in below for finding in check_mapping(mapping, cache)] == snapshot


def test_liger_iris_has_the_known_defects_and_no_other(corpus: Path) -> None:
    cache = Cache(corpus / "liger-iris-crds-cache", "ligeriri")
    assert Counter(finding.rule.name for finding in cache.findings()) == {
        "wrong-checksum": 8,
        "missing-mapping": 5,
        "lfs-pointer": 3,
        "missing-reference": 2,
        "wrong-name": 1,
        "inert-header-key": 1,
    }


@pytest.mark.parametrize("name", ["hst", "jwst", "roman", "tobs"])
def test_no_noise_in_caches_in_use(corpus: Path, name: str, snapshot: SnapshotAssertion) -> None:
    found = Cache(corpus / "crds-cache", name).findings()
    assert [told(finding) for finding in found if finding.severity is not Severity.INFO] == snapshot


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("hst-bad-xsum.rmap", {"CM501"}),
        ("hst-missing-xsum.rmap", {"CM502"}),
        ("hst_acs_darkfile_badexpr.rmap", {"CM110"}),
        ("hst_acs_darkfile_invalid1.rmap", {"CM301"}),
        ("hst_acs_darkfile_missing_key.rmap", {"CM101", "CM201", "CM501"}),
        ("hst_acs_darkfile_na_omit.rmap", set()),
        ("hst_cos_dup.rmap", {"CM201", "CM501"}),
        ("hst_cos_tdstab_duplicate.rmap", {"CM201", "CM501"}),
        ("synphot_tmgtab.rmap", {"CM112"}),
    ],
)
def test_files_broken_on_purpose(corpus: Path, name: str, codes: set[str]) -> None:
    found = {finding.rule.code for finding in check_mapping(load_mapping(corpus / "odd" / "hst" / name))}
    assert found - {"CM106"} == codes


def test_a_large_file_takes_no_time(corpus: Path) -> None:
    mapping = load_mapping(corpus / "crds-cache" / "mappings" / "hst" / "hst_wfc3_darkfile_0390.rmap")
    check_mapping(mapping)
    start = time.perf_counter()
    check_mapping(mapping)
    assert time.perf_counter() - start < 0.5
