"""Reports about files, written as one picture or as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reduce.errors import ParameterError, ReduceError
from reduce.files.atomic import new_file, write_all
from reduce.frame import Frame
from reduce.pipeline import Data, Watcher
from reduce.quicklook.collector import Change, Collector
from reduce.quicklook.drawing import png, style
from reduce.quicklook.figures import overview, references, steps
from reduce.quicklook.page import page
from reduce.quicklook.subject import Subject, of_frame, of_ramp
from reduce.replay import Finder, replayed
from reduce.step import FramesStep
from reduce.steps import STEPS

PAGES, PICTURES = (".html", ".htm"), (".png",)


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What is told of a file.

    Parameters
    ----------
    subject
        What is in it.
    changes
        What its steps did, as far as known.
    note
        Where the changes come from, or why there are none.
    """

    subject: Subject
    changes: Sequence[Change] = ()
    note: str = ""

    def write(self, path: Path, *, overwrite: bool = False) -> None:
        """Write it as a page or a picture, by the ending of the file; the same bytes every time.

        Raises
        ------
        ParameterError
            If the ending is neither of a page nor of a picture, or matplotlib is not there.
        OutputError
            If the file can't be written or may not be replaced.
        """
        require_ending(path)
        with style():
            data = self._page() if path.suffix.lower() in PAGES else self._picture()
        with new_file(path, overwrite=overwrite) as stream:
            write_all(stream, data)

    def _page(self) -> bytes:
        return page(self.subject, self.changes, self.note).encode("utf-8", "backslashreplace")

    def _picture(self) -> bytes:
        parts = overview(self.subject), *steps(self.changes), references(self.subject, self.note)
        return png(*parts)


def require_ending(path: Path) -> None:
    """Refuse a name that is neither that of a page nor of a picture.

    Raises
    ------
    ParameterError
        If it is so.
    """
    if path.suffix.lower() not in (*PAGES, *PICTURES):
        raise ParameterError(f"a report can't be written as {path.name}", "name a .png or .html file")


def report_on(data: Data, name: str, changes: Sequence[Change], note: str = "") -> Report:
    """The report about data in memory."""
    subject = of_frame(data, name) if isinstance(data, Frame) else of_ramp(data, name)
    return Report(subject, changes, note)


def with_steps(subject: Subject, path: Path, finder: Finder, watcher: Watcher) -> Report:
    """The report about a product, whose steps are run again to see what they did.

    If that can't be done the report says why.

    Parameters
    ----------
    subject
        What is in the product.
    path
        Its file.
    finder
        Finds what it was made from.
    watcher
        Sees the steps.
    """
    records = subject.provenance.steps
    if not records:
        return Report(subject, note="The file does not say that any step was run on it.")
    if isinstance(STEPS.get(records[-1].step), FramesStep):
        parts = len(subject.provenance.inputs)
        return Report(
            subject, note=f"Steps are not shown: this was combined of {parts} files; look at these."
        )
    collector = Collector(watcher)
    try:
        again = replayed(_without_pixels(subject), path, finder, collector)
    except ReduceError as problem:
        hint = f" ({problem.hint})" if problem.hint else ""
        return Report(subject, note=f"Steps are not shown: {problem.message}{hint}")
    same = isinstance(again, Frame) and _same(subject, of_frame(again, path.name))
    note = "The steps were run again" + (
        ", with the same result." if same else "; the result is another one!"
    )
    return Report(subject, collector.finish(), note)


def _without_pixels(subject: Subject) -> Frame:
    """A product that is to be made again is known by its history alone."""
    pixel = np.zeros((1, 1), dtype=np.float32)
    flags = np.zeros((1, 1), dtype=np.uint32)
    return Frame(pixel, {}, flags, subject.header, subject.header, provenance=subject.provenance)


def _same(one: Subject, other: Subject) -> bool:
    """True if two frames look the same."""
    first, second = one.main, other.main
    return (
        np.array_equal(first.view.image, second.view.image, equal_nan=True)
        and np.array_equal(first.values, second.values)
        and np.array_equal(first.errors, second.errors)
        and first.counts == second.counts
    )
