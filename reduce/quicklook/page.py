"""A page about a file, in one HTML file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from html import escape

import numpy as np

from reduce.provenance import Provenance, StepRecord
from reduce.quicklook.collector import Change
from reduce.quicklook.drawing import Picture, png
from reduce.quicklook.figures import overview, steps
from reduce.quicklook.subject import Subject
from reduce.quicklook.words import PERCENTILES, about, chosen_by, file_of, number, percent, why

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; background: #fff }
h1 { font-size: 1.25rem; overflow-wrap: anywhere } h2 { font-size: 1.1rem; margin-top: 2rem }
h3 { font-size: 1rem; margin: 1.5rem 0 0 }
table { border-collapse: collapse; font-size: 0.85rem } img { max-width: 100% }
td, th { text-align: left; vertical-align: top; padding: 0.2rem 0.8rem 0.2rem 0 }
td, th { border-bottom: 1px solid #ddd }
td { overflow-wrap: anywhere } td:first-child { white-space: nowrap }
"""


def page(subject: Subject, changes: Sequence[Change], note: str = "") -> str:
    """A page with pictures, numbers, steps and references.

    Parameters
    ----------
    subject
        What it is about.
    changes
        What the steps did, if that is known.
    note
        Why it is not, or how it is.
    """
    parts = [
        f"<h1>{escape(subject.name)}</h1>",
        f"<p>{escape(about(subject))}</p>",
        _image(overview(subject), "image, flagged pixels, histogram and quality bits"),
        *_numbers(subject),
        *_flags(subject),
        *_references(subject.provenance),
        *_steps(subject.provenance),
        *_inputs(subject.provenance),
        *_changes(changes, note),
    ]
    body = "\n".join(parts)
    title = f"<title>{escape(subject.name)}</title>"
    head = f'<meta charset="utf-8">\n{title}\n<style>{_STYLE}</style>'
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'


def _numbers(subject: Subject) -> Iterator[str]:
    rows = []
    for panel in subject.panels:
        values = panel.glance.values
        if values.size and not panel.mask:
            percentiles = [number(float(value)) for value in np.percentile(values, PERCENTILES)]
            rows.append((panel.title, panel.glance.view.unit, *percentiles))
    if rows:
        yield "<h2>Values of good pixels</h2>"
        yield _table(("image", "unit", *(f"{name} %" for name in PERCENTILES)), rows)


def _flags(subject: Subject) -> Iterator[str]:
    counts, shape = subject.main.counts, subject.main.view.shape
    yield "<h2>Quality bits</h2>"
    if not counts:
        yield "<p>None is set.</p>"
        return
    rows = [(name, f"{count}", percent(count / (shape[0] * shape[1]))) for name, count in counts.items()]
    yield _table(("bit", "pixels", "share"), rows)


def _references(provenance: Provenance) -> Iterator[str]:
    yield "<h2>References, and why</h2>"
    rows = [
        (
            use.reference.reftype,
            file_of(use),
            chosen_by(use),
            why(use),
            use.sha256[:16],
        )
        for use in provenance.references
    ]
    if rows:
        yield _table(("type", "file", "chosen by", "why", "sha256 begins"), rows)
    else:
        yield "<p>No reference file was used.</p>"


def _steps(provenance: Provenance) -> Iterator[str]:
    if not provenance.steps:
        return
    recipe, version = provenance.recipe or "none", provenance.version or "unknown"
    yield "<h2>Steps</h2>"
    yield f"<p>Recipe {escape(recipe)}, version {escape(version)}.</p>"
    rows = [(record.step, record.status.lower(), _explained(record)) for record in provenance.steps]
    yield _table(("step", "status", "parameters, or why it was skipped"), rows)


def _explained(record: StepRecord) -> str:
    return record.reason or ", ".join(f"{name} = {value}" for name, value in record.parameters.items())


def _inputs(provenance: Provenance) -> Iterator[str]:
    if provenance.inputs:
        yield "<h2>Made from</h2>"
        rows = [(one.role, one.path, one.sha256[:16]) for one in provenance.inputs]
        yield _table(("role", "file", "sha256 begins"), rows)


def _changes(changes: Sequence[Change], note: str) -> Iterator[str]:
    if not changes and not note:
        return
    yield "<h2>Before and after each step</h2>"
    if note:
        yield f"<p>{escape(note)}</p>"
    for one, picture in zip(changes, steps(changes), strict=True):
        yield f"<h3>{escape(one.record.step)}</h3>"
        yield f"<p>{escape(_explained(one.record))}</p>"
        yield _image(picture, f"before and after {one.record.step}")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return f"<table>\n<tr>{head}</tr>\n{body}\n</table>"


def _image(picture: Picture, about: str) -> str:
    return (
        f'<img alt="{escape(about)}" src="data:image/png;base64,{b64encode(png(picture)).decode("ascii")}">'
    )
