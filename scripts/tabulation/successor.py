"""A context that follows another, made by inserting a few references into a copy of its cache."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

from calmap.bestref import Cache, Context
from calmap.compile.tree import Match
from calmap.delivery.change import Change, make
from calmap.delivery.insertion import plan_insertion
from calmap.model.values import alternatives, is_esoteric
from calmap.observatories.definition import Observatory

TYPES = (
    ("acs", "pfltfile"),
    ("acs", "oscntab"),
    ("cos", "fluxtab"),
    ("nicmos", "flatfile"),
    ("stis", "darkfile"),
    ("wfc3", "darkfile"),
    ("wfpc2", "flatfile"),
)
"""Types that get a new reference."""
GIVEN = "files/hst/s7g1700hl_dead.fits"


def copied(cache: Path, place: Path) -> Path:
    """A copy of a cache that can be written to."""
    shutil.copytree(cache, place, copy_function=shutil.copyfile)
    for folder in (place, *place.rglob("*/")):
        folder.chmod(0o755)
    return place


def succeed(cache: Path, context: str, given: list[Path], scratch: Path, rng: Random) -> str:
    """Insert references into a cache; returns the name of the new context.

    Parameters
    ----------
    cache, context
        The cache, which is written to, and what to start from.
    given
        References that there are.
    scratch
        Folder for some more that are made, one for each of `TYPES`.
    rng
        Chooses what they are for.
    """
    opened = Cache(cache)
    start = opened.context(context)
    paths = [*given, *_references(start, scratch, rng)]
    delivery = plan_insertion(start.rules, context, paths)
    make(opened.layout, lambda: Change("Insert references", delivery.revision, delivery.copies))
    return delivery.revision.context


def _references(context: Context, folder: Path, rng: Random) -> Iterator[Path]:
    """Small files, each for the values of a rule that there is, from some day on."""
    from astropy.io import fits

    for number, (instrument, reftype) in enumerate(TYPES):
        header = fits.Header()
        header["INSTRUME"] = instrument.upper()
        header["FILETYPE"] = _word(context.observatory, instrument, reftype)
        header["USEAFTER"] = f"{rng.choice(('Jan', 'May', 'Oct'))} 01 {rng.randint(2003, 2015)} 12:00:00"
        header["PEDIGREE"], header["DESCRIP"] = "DUMMY", "made for a comparison"
        for name, value in _rule(context, instrument, reftype, rng):
            header[name] = value
        path = folder / f"zz{number:07d}_{reftype[:3]}.fits"
        fits.PrimaryHDU(header=header).writeto(path)
        yield path


def _rule(context: Context, instrument: str, reftype: str, rng: Random) -> Iterator[tuple[str, str]]:
    reference = context.type_rules(instrument, reftype).reference
    assert reference is not None
    assert isinstance(reference.tree, Match)
    plain = [
        rule.key
        for rule in reference.tree.rules
        if not any(is_esoteric(element) or len(alternatives(element)) > 1 for element in rule.key)
    ]
    yield from zip(reference.tree.parameters, rng.choice(plain), strict=True)


def _word(observatory: Observatory, instrument: str, reftype: str) -> str:
    words = observatory.reference_headers.types[instrument]
    return next(word for word, name in words.items() if name == reftype)
