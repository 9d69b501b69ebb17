"""A page about a product, in one HTML file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

from reduce.frame import Frame
from reduce.pipeline import Data
from reduce.provenance import Provenance
from reduce.quicklook.figures import change as picture_of
from reduce.quicklook.figures import overview
from reduce.quicklook.views import Change, counted

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
h1 { font-size: 1.25rem; overflow-wrap: anywhere } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; font-size: 0.85rem } img { max-width: 100% }
td, th { text-align: left; vertical-align: top; padding: 0.2rem 0.8rem 0.2rem 0; border-bottom: 1px solid #ddd }
td { overflow-wrap: anywhere } code { font-size: 0.8rem } .skipped { color: #886 }
"""


def page(data: Data, name: str, changes: Sequence[Change], note: str = "") -> str:
    """A page with pictures, steps and references.

    Parameters
    ----------
    data
        The product.
    name
        What it is called.
    changes
        What the steps did, if that is known.
    note
        Why it is not.
    """
    parts = [
        f"<h1>{escape(name)}</h1>",
        _image(overview(data, name), "image, bad pixels, histogram and quality bits"),
        *(_summary(data) if isinstance(data, Frame) else ()),
        *_steps(data.provenance),
        *_references(data.provenance),
        *_inputs(data.provenance),
        *_changes(changes, note),
    ]
    body = "\n".join(parts)
    title = f"<title>{escape(name)}</title>"
    head = f'<meta charset="utf-8">\n{title}\n<style>{_STYLE}</style>'
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'


def _summary(frame: Frame) -> Iterable[str]:
    rows = [
        (name, f"{count}", f"{100 * count / frame.sci.size:.3g} %") for name, count in counted(frame).items()
    ]
    yield "<h2>Quality bits</h2>"
    yield _table(("bit", "pixels", "share"), rows)


def _steps(provenance: Provenance) -> Iterable[str]:
    if not provenance.steps:
        return
    yield "<h2>Steps</h2>"
    yield f"<p>Recipe {escape(provenance.recipe or 'none')}, version {escape(provenance.version or 'unknown')}.</p>"
    rows = [
        (
            record.step,
            record.status.lower(),
            record.reason or ", ".join(f"{name} = {value}" for name, value in record.parameters.items()),
        )
        for record in provenance.steps
    ]
    yield _table(("step", "status", "parameters, or why it was skipped"), rows)


def _references(provenance: Provenance) -> Iterable[str]:
    if not provenance.references:
        return
    yield "<h2>References, and why</h2>"
    rows = [
        (
            use.reference.reftype,
            use.reference.keyword_value,
            use.reference.rule or use.reference.origin,
            use.reference.reason,
            use.sha256[:16],
        )
        for use in provenance.references
    ]
    yield _table(("type", "file", "chosen by", "why", "sha256 begins"), rows)


def _inputs(provenance: Provenance) -> Iterable[str]:
    if not provenance.inputs:
        return
    yield "<h2>Made from</h2>"
    yield _table(
        ("file", "role", "sha256 begins"),
        [(one.path, one.role, one.sha256[:16]) for one in provenance.inputs],
    )


def _changes(changes: Sequence[Change], note: str) -> Iterable[str]:
    if not changes and not note:
        return
    yield "<h2>Before and after each step</h2>"
    if note:
        yield f"<p>{escape(note)}</p>"
    for one in changes:
        yield f"<h3>{escape(one.record.step)}</h3>"
        yield _image(picture_of(one), f"before and after {one.record.step}")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return f"<table>\n<tr>{head}</tr>\n{body}\n</table>"


def _image(png: bytes, about: str) -> str:
    return f'<img alt="{escape(about)}" src="data:image/png;base64,{b64encode(png).decode("ascii")}">'
