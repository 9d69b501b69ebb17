"""Telescopes as data: what a telescope's headers are called and what its rules may say."""

from calmap.observatories.definition import Instrument, KeywordSource, Observatory
from calmap.observatories.keywords import (
    KeywordResolver,
    accepted_keywords,
    instrument_of,
    missing_keyword_hint,
)
from calmap.observatories.library import bundled_observatories, load_observatory

__all__ = [
    "Instrument",
    "KeywordResolver",
    "KeywordSource",
    "Observatory",
    "accepted_keywords",
    "bundled_observatories",
    "instrument_of",
    "load_observatory",
    "missing_keyword_hint",
]
