"""What a product's header says of its making: status of steps, references used, the context."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from reduce.files.tables import RECIPE, VERSION
from reduce.files.text import escaped, printable
from reduce.keywords import keywords
from reduce.provenance import Provenance
from reduce.schemas import reference_keywords, step_keywords

if TYPE_CHECKING:
    from astropy.io.fits import Header

_CONTEXT = "CRDS_CTX"
_SELECTOR = "CRDS_VER"


def stamp(header: Header, provenance: Provenance) -> Header:
    """A header that says what was done, in the keywords that the pipelines have for it.

    ``S_*`` is the status of each step. ``R_*`` is the file of each reference type: ``crds://name`` if rules
    chose it, a path if somebody named it, ``N/A`` or ``MISSING``. ``CRDS_CTX`` is the context of the rules.

    References in the header of a raw exposure are what somebody proposed for it. They are taken away, since
    they would seem to have been used; those of an exposure that a step has already worked on stay.

    Parameters
    ----------
    header
        The header of what was reduced; it is left as it is.
    provenance
        What was done.
    """
    result = header.copy()
    if not any(header.get(keyword) == "COMPLETE" for keyword in step_keywords()):
        for keyword in {*reference_keywords().values(), _CONTEXT, _SELECTOR}:
            result.remove(keyword, ignore_missing=True, remove_all=True)
    if not provenance.steps and not provenance.inputs:
        return result
    for step in provenance.steps:
        if step.keyword:
            meaning = step_keywords().get(step.keyword, step.step.replace("_", " "))
            _set(result, step.keyword, step.status, meaning)
    for step in provenance.steps:
        for use in step.references:
            keyword = reference_keyword(use.reference.reftype, step.keyword)
            _set(result, keyword, use.reference.keyword_value, f"reference of type {use.reference.reftype}")
    contexts = dict.fromkeys(use.reference.context for use in provenance.references if use.reference.context)
    if contexts:
        _set(result, _CONTEXT, ", ".join(contexts), keywords()[_CONTEXT].description)
        if provenance.version:
            _set(result, _SELECTOR, f"calmap {provenance.version}", keywords()[_SELECTOR].description)
    for keyword, value in ((RECIPE, provenance.recipe), (VERSION, provenance.version)):
        result.remove(keyword, ignore_missing=True)
        if value:
            _set(result, keyword, escaped(value), keywords()[keyword].description)
    return result


def reference_keyword(reftype: str, step: str = "") -> str:
    """The ``R_`` keyword of a reference type, of eight characters at most.

    That of the parameters of a step is called after the step's own keyword, `step`, such as ``R_PDARK`` after
    ``S_DARK``: the first letters of types such as ``pars-refpix`` and ``pars-resample`` are the same.
    """
    name = reftype.lower()
    if name.startswith("pars-") and step:
        return f"R_P{step.removeprefix('S_')}"[:8]
    made = "R_" + "".join(letter for letter in name.upper() if letter.isascii() and letter.isalnum())[:6]
    return reference_keywords().get(name, made)


def commented(header: Header) -> Header:
    """A header whose known keywords have a comment."""
    result = header.copy()
    for card in result.cards:
        known = keywords().get(card.keyword)
        if known is not None and not card.comment and isinstance(card.value, (str, int, float)):
            _set(result, card.keyword, card.value, known.comment)
    return result


def _set(header: Header, keyword: str, value: str | float, comment: str) -> None:
    """Set a card; its comment is left out where there is no room for it."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        header[keyword] = (printable(value) if isinstance(value, str) else value, printable(comment))
        if len(header.cards[keyword].image) > 80 or said or not header.comments[keyword]:
            header.comments[keyword] = ""
