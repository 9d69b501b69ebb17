"""The tasks of those who keep a cache, as whole processes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.processes import calmap_program, process
from benchmarks.timing import Task
from calmap.bestref import Cache
from calmap.delivery.change import Change, make
from calmap.delivery.deletion import plan_deletion

NAMES = ("insert", "certify", "diff")
CONTEXT = "hst_0729.pmap"
REFERENCE = "files/hst/s7g1700hl_dead.fits"
RMAP = "hst_cos_deadtab_0250.rmap"
LARGE = "odd/hst/hst_acs_biasfile_0001.rmap"
_GONE = ("s7g1700gl_dead.fits", "lch1502kj_bpx.fits", "m991609rj_bia.fits")


def makers(corpus: Path, scratch: Path) -> Mapping[str, Callable[[], Task]]:
    """What prepares each task, by its name."""
    return {
        "insert": lambda: _insert(corpus, _copied(corpus, scratch / "insert")),
        "certify": lambda: _certify(corpus / LARGE, corpus / "crds-cache"),
        "diff": lambda: _diff(_copied(corpus, scratch / "diff")),
    }


def _copied(corpus: Path, place: Path) -> Path:
    """A copy of the cache that can be written to."""
    shutil.copytree(corpus / "crds-cache", place, copy_function=shutil.copyfile)
    for folder in (place, *place.rglob("*/")):
        folder.chmod(0o755)
    return place


def _insert(corpus: Path, cache: Path) -> Task:
    """One reference into one rmap; calmap makes the imap and the pmap too, and copies the file."""
    reference = str(corpus / REFERENCE)
    old = cache / "mappings" / "hst" / RMAP
    ours = [calmap_program(), "insert-reference", reference, "--cache", str(cache), "--context", CONTEXT]
    theirs = [sys.executable, "-m", "crds.refactoring.refactor2", "insert_reference", "--hst"]
    theirs += ["--old-rmap", str(old), "--new-rmap", str(cache / "new.rmap"), "--references", reference]
    return Task("insert", "insert a reference, whole process", 2.5, process(ours), process(theirs, cache))


def _certify(rmap: Path, cache: Path) -> Task:
    ours = [calmap_program(), "certify", str(rmap), "--cache", str(cache)]
    theirs = [sys.executable, "-m", "crds.certify", str(rmap), "--comparison-context", CONTEXT]
    what = f"certify a {rmap.stat().st_size // 1000}-kB rmap, whole process"
    return Task("certify", what, 10.0, process(ours), process(theirs, cache))


def _diff(cache: Path) -> Task:
    """The context and another that lacks three references."""
    opened = Cache(cache)
    context = opened.context(CONTEXT)
    withdrawal = plan_deletion(context.rules, CONTEXT, _GONE)
    make(opened.layout, lambda: Change("Delete three references", withdrawal.revision))
    new = withdrawal.revision.context
    ours = [calmap_program(), "diff", CONTEXT, new, "--cache", str(cache)]
    theirs = [sys.executable, "-m", "crds.diff", f"crds://{CONTEXT}", f"crds://{new}"]
    return Task(
        "diff", f"diff of {CONTEXT} and {new}, whole process", 2.0, process(ours), process(theirs, cache)
    )
