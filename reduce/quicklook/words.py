"""What is said of a file: numbers, steps, references."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from reduce.headers import plain
from reduce.provenance import Provenance, ReferenceUse, StepRecord
from reduce.quicklook.subject import Panel, Subject

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
_KNOWN = ("INSTRUME", "DETECTOR", "REFTYPE", "IMTYPE", "OBJECT", "FILTER")
_KINDS = {"ramp": "raw reads", "frame": "frame", "images": "images"}


def number(value: float) -> str:
    """A number with five digits."""
    return f"{value:.5g}"


def percent(share: float) -> str:
    """A share in percent."""
    return f"{100 * share:.3g} %"


def about(subject: Subject) -> str:
    """A line about a file: what its header says, its size and unit."""
    header = plain(subject.header)
    words = [str(header[keyword]).strip() for keyword in _KNOWN if header.get(keyword) not in (None, "")]
    seconds = header.get("EXPTIME")
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool):
        words.append(f"{seconds:g} s")
    return ", ".join((*words, size(subject)))


def size(subject: Subject) -> str:
    """Kind, size and unit."""
    view = subject.main.view
    reads = ""
    if subject.curves is not None:
        groups = f"{subject.curves.groups} groups of " if subject.curves.groups > 1 else ""
        reads = f", {groups}{len(subject.curves.times)} reads"
    unit = f", {view.unit}" if view.unit else ""
    return f"{_KINDS[subject.kind]}, {view.shape[1]} × {view.shape[0]} pixels{reads}{unit}"


def chosen_by(use: ReferenceUse) -> str:
    """The rule that chose a reference, with the context of the rules, or who named it."""
    reference = use.reference
    context = f" of {reference.context}" if reference.context else ""
    return f"{reference.rule}{context}" if reference.rule else f"{reference.origin}{context}"


def file_of(use: ReferenceUse) -> str:
    """What is shown of a reference: as the header says, but of a file that somebody named its name alone."""
    reference = use.reference
    if reference.origin == "override" and reference.path is not None:
        return reference.path.name
    return reference.keyword_value


def why(use: ReferenceUse) -> str:
    """Why a reference was chosen, if there is more to say than which rule it was."""
    reference = use.reference
    return "" if reference.rule and reference.reason.endswith(reference.rule) else reference.reason


def use_lines(provenance: Provenance) -> Iterator[str]:
    """References and why, and the steps that were skipped."""
    if provenance.steps:
        yield "References, and why" if provenance.references else "No reference file was used."
    for use in provenance.references:
        reference = use.reference
        yield f"  {reference.reftype:<12} {file_of(use)}"
        yield f"  {'':<12} {chosen_by(use)}"
        if why(use):
            yield f"  {'':<12} {why(use)}"
    skipped = [record for record in provenance.steps if record.status == "SKIPPED"]
    if skipped:
        yield "Steps that were skipped"
    for record in skipped:
        yield f"  {record.step:<16} {record.reason}"


def lines(subject: Subject) -> Iterator[str]:
    """A short account of a file."""
    yield f"  {about(subject)}"
    for panel in subject.panels:
        if not panel.mask:
            yield f"  {panel.title}: {_values(panel)}"
    if subject.main.counts:
        bits = ", ".join(f"{name} {count}" for name, count in subject.main.counts.items())
        yield f"  quality bits: {bits}"
    provenance = subject.provenance
    if provenance.steps:
        done = [record.step for record in provenance.steps if record.status == "COMPLETE"]
        yield f"  steps: {', '.join(done) or 'none'}"
    for use in provenance.references:
        yield f"  {use.reference.reftype}: {file_of(use)}, {chosen_by(use)}"


def _values(panel: Panel) -> str:
    values, errors = panel.glance.values, panel.glance.errors
    if not values.size:
        return "no good pixels"
    low, middle, high = (number(float(value)) for value in np.percentile(values, (1, 50, 99)))
    error = f", median error {number(float(np.median(errors)))}" if errors.size else ""
    return f"median {middle}, from {low} to {high} (1 to 99 %){error}"


def facts(subject: Subject) -> dict[str, Any]:
    """Everything for machines."""
    provenance = subject.provenance
    return {
        "file": subject.name,
        "kind": subject.kind,
        "shape": list(subject.main.view.shape),
        "unit": subject.main.view.unit,
        "unusable": subject.main.view.unusable,
        "flags": dict(subject.main.counts),
        "images": [_image(panel) for panel in subject.panels],
        "recipe": provenance.recipe,
        "version": provenance.version,
        "inputs": [{"path": one.path, "role": one.role, "sha256": one.sha256} for one in provenance.inputs],
        "steps": [_step(record) for record in provenance.steps],
        "references": [_reference(use) for use in provenance.references],
    }


def _image(panel: Panel) -> dict[str, Any]:
    values, errors = panel.glance.values, panel.glance.errors
    known = values.size and not panel.mask
    percentiles: Mapping[str, float] = {}
    if known:
        found = np.percentile(values, PERCENTILES)
        percentiles = {str(name): float(value) for name, value in zip(PERCENTILES, found, strict=True)}
    return {
        "name": panel.title,
        "unit": panel.glance.view.unit,
        "sampled": 0 if panel.mask else int(values.size),
        "median": float(np.median(values)) if known else None,
        "median_error": float(np.median(errors)) if known and errors.size else None,
        "percentiles": percentiles,
        "zscale": None if panel.mask else [panel.glance.view.low, panel.glance.view.high],
    }


def _step(record: StepRecord) -> dict[str, Any]:
    return {
        "step": record.step,
        "status": record.status,
        "reason": record.reason,
        "parameters": dict(record.parameters),
    }


def _reference(use: ReferenceUse) -> dict[str, Any]:
    reference = use.reference
    return {
        "type": reference.reftype,
        "file": reference.keyword_value,
        "origin": reference.origin,
        "context": reference.context,
        "rule": reference.rule,
        "reason": reference.reason,
        "sha256": use.sha256,
    }
