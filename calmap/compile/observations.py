"""What is known of the observations that come to the rules of a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from calmap.compile.prepare import Substitutions
from calmap.compile.terms import ReferenceTerms
from calmap.model.values import condition_text
from calmap.observatories.definition import Observatory
from calmap.syntax.expression import Constant


@dataclass(frozen=True, slots=True)
class Observations:
    """What rules alone don't tell of the values that they are asked for.

    Parameters
    ----------
    listed
        The conditioned values that a telescope has, by parameter; a parameter that is absent may
        have any.
    ignored
        Parameters that are ``N/A`` whatever the observation.
    uncertain
        Parameters that may be ``N/A`` for some observations, because the mapping's header or an
        instrument hook makes them so.
    substitutions
        Those of the mapping's header.
    """

    listed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    uncertain: frozenset[str] = frozenset()
    substitutions: Substitutions = field(default_factory=dict)


def observations(terms: ReferenceTerms, observatory: Observatory | None) -> Observations:
    """What the header of an rmap and the telescope's definition tell."""
    parameters = frozenset(name for level in terms.selector.parkey for name in level)
    never = Constant(False)
    relevance = terms.parkey_relevance
    ignored = frozenset(name for name in parameters if relevance.get(name.upper()) == never)
    hooked = terms.precondition is not None or terms.fallback is not None
    uncertain = parameters if hooked else frozenset(name for name in parameters if name.upper() in relevance)
    listed = {
        name: frozenset(map(condition_text, values))
        for name in parameters
        if observatory is not None and (values := observatory.values(terms.instrument, name)) is not None
    }
    return Observations(listed, ignored, uncertain - ignored, terms.selector.substitutions)
