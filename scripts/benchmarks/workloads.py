"""The tasks that calmap and crds are compared in."""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import calmap
from benchmarks import keeping
from benchmarks.processes import calmap_program, process
from benchmarks.reference import Reference
from benchmarks.timing import Task, repeated, seconds_of
from calmap.model.mapping import load_mapping

CONTEXTS = ("hst_0729.pmap", "jwst_0541.pmap")
FRAME = "files/hst/cos_N8XTZCAWQ.fits"
LARGE = "crds-cache/mappings/hst/hst_wfc3_darkfile_0390.rmap"
_FIVE = (
    "crds-cache/mappings/hst/hst_stis_biasfile_0307.rmap",
    "odd/hst/hst_acs_drkcfile.rmap",
    "odd/hst/hst_acs_biasfile_0001.rmap",
    "odd/hst/hst_acs_biasfile_0002.rmap",
    "crds-cache/mappings/hst/hst_wfc3_drkcfile_0093.rmap",
)
NAMES = ("load", "hst", "jwst", "program", "duplicates", "checksums", "verify", *keeping.NAMES)
_HEADERS = 40
_CHECKSUM = (sys.executable, "-m", "crds.refactoring.checksum")
_KEPT = frozenset({"calmap.syntax.grammar"})


def tasks(corpus: Path, crds: Reference, scratch: Path, names: Collection[str] = NAMES) -> Iterator[Task]:
    """The tasks named, each prepared when it is reached."""
    cache = corpus / "crds-cache"
    makers: Mapping[str, Callable[[], Task]] = {
        "load": lambda: _cold_load(cache, crds),
        "hst": lambda: _headers(corpus, crds, CONTEXTS[0]),
        "jwst": lambda: _headers(corpus, crds, CONTEXTS[1]),
        "program": lambda: _program(corpus, cache),
        "duplicates": lambda: _duplicates(corpus, crds),
        "checksums": lambda: _checksums(corpus, cache, scratch),
        "verify": lambda: _verify(corpus, cache),
        **keeping.makers(corpus, scratch),
    }
    return (makers[name]() for name in NAMES if name in names)


def _cold_load(cache: Path, crds: Reference) -> Task:
    def load() -> float:
        forget()
        return seconds_of(lambda: compile_all(calmap.Cache(cache), CONTEXTS[0]))

    return Task(
        "load",
        f"load and compile all of {CONTEXTS[0]}",
        1.0,
        load,
        lambda: seconds_of(lambda: crds.load_all(CONTEXTS[0])),
    )


def compile_all(cache: calmap.Cache, name: str) -> int:
    """Load and compile every mapping of a context; returns their number."""
    context = cache.context(name)
    rules, count = context.rules, 1
    for instrument in rules.links(name).links.values():
        if instrument.is_na or instrument.is_omit:
            continue
        count += 1
        for reftype in rules.links(instrument.target).links.values():
            if not (reftype.is_na or reftype.is_omit):
                rules.reference(reftype.target)
                count += 1
    return count


def forget() -> None:
    """Empty the caches of calmap's functions, except that of the grammar."""
    for name, module in list(sys.modules.items()):
        if name.startswith("calmap.") and name not in _KEPT:
            for function in vars(module).values():
                if callable(getattr(function, "cache_clear", None)):
                    function.cache_clear()


def _headers(corpus: Path, crds: Reference, name: str) -> Task:
    context = calmap.Cache(corpus / "crds-cache").context(name)
    headers = list(_some_headers(corpus / "cases/bestref_context.jsonl.gz", name, _HEADERS))
    reference = crds.load_all(name)
    theirs = [crds.look_up(reference, header) for header in headers]
    ours: list[Callable[[], object]] = [lambda h=header: context.bestrefs(h) for header in headers]  # type: ignore[misc]
    return Task(
        name.partition("_")[0],
        f"one header, all types, {name} (mean of {len(headers)} headers)",
        10.0,
        _mean(ours),
        _mean(theirs),
    )


def _mean(works: Sequence[Callable[[], object]]) -> Callable[[], float]:
    measure = repeated(lambda: [work() for work in works], 10)
    return lambda: measure() / len(works)


def _some_headers(cases: Path, context: str, count: int) -> Iterator[Mapping[str, Any]]:
    with gzip.open(cases, "rt") as lines:
        headers = [
            case["header"]
            for case in map(json.loads, lines)
            if case["context"] == context and "results" in case
        ]
    return islice(headers[:: max(1, len(headers) // count)], count)


def _program(corpus: Path, cache: Path) -> Task:
    frame = str(corpus / FRAME)
    ours = [calmap_program(), "bestref", frame, "--cache", str(cache), "--context", CONTEXTS[0]]
    theirs = [sys.executable, "-m", "crds.bestrefs", "--files", frame, "--new-context", CONTEXTS[0]]
    theirs.append("--print-new-references")
    return Task(
        "program", "bestref of one FITS file, whole process", 2.0, process(ours), process(theirs, cache)
    )


def _duplicates(corpus: Path, crds: Reference) -> Task:
    from calmap.checks.duplicates import duplicate_keys
    from calmap.checks.subject import subject
    from calmap.checks.surroundings import NoSurroundings

    path = corpus / LARGE

    def look() -> object:
        mapping = load_mapping(path)
        return list(duplicate_keys(subject(mapping, mapping.file, NoSurroundings())))

    what = f"duplicate keys of a {path.stat().st_size // 1000}-kB rmap, parsing included"
    return Task(
        "duplicates", what, 20.0, repeated(look, 3), lambda: seconds_of(lambda: crds.check_duplicates(path))
    )


def _verify(corpus: Path, cache: Path) -> Task:
    paths = [str(corpus / name) for name in _FIVE]
    theirs = [*_CHECKSUM, "--verify", *paths]
    return Task(
        "verify",
        "the same, where crds does not look for duplicate keys",
        None,
        _check(paths),
        process(theirs, cache),
    )


def _checksums(corpus: Path, cache: Path, scratch: Path) -> Task:
    paths = [str(corpus / name) for name in _FIVE]
    size = sum(Path(path).stat().st_size for path in paths) // len(paths) // 1000

    def rewrite() -> float:
        copies = [shutil.copy(path, scratch) for path in paths]
        return process([*_CHECKSUM, *copies], cache)()

    what = f"checksums of five {size}-kB rmaps, whole process"
    return Task("checksums", what, 50.0, _check(paths), rewrite)


def _check(paths: Sequence[str]) -> Callable[[], float]:
    return process([calmap_program(), "update-checksums", "--check", *paths])
