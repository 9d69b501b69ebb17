"""The answer for one reference type."""

from __future__ import annotations

from calmap.bestref.explainer import STATUS, Explainer, Status
from calmap.bestref.explanation import Explanation
from calmap.compile.outcome import NO_MATCH, Outcome


class BestRef:
    """The best reference of one type for a dataset, or why there is none.

    Attributes
    ----------
    reftype : str
        Reference type, lower case.
    status : {"found", "not_applicable", "not_found"}
        What the rules say.
    files : tuple of str
        Names of the files, more than one where rules say so; empty unless found.
    """

    __slots__ = ("_explainer", "_outcome", "reftype")

    def __init__(self, reftype: str, outcome: Outcome, explainer: Explainer) -> None:
        self.reftype = reftype
        self._outcome = outcome
        self._explainer = explainer

    @property
    def status(self) -> Status:
        """What the rules say."""
        return STATUS[self._outcome.answer]

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files."""
        return self._outcome.files

    @property
    def unmatched(self) -> bool:
        """True if nothing was found only because no rule matches a header that has all keywords."""
        return self._outcome == NO_MATCH

    @property
    def reason(self) -> str:
        """One sentence that says why."""
        return self._explainer.reason(self.reftype, self._outcome)

    def explain(self) -> Explanation:
        """The trail from context to rule, key by key; for "not_found" the nearest rules and what failed."""
        return self._explainer.explain(self.reftype, self._outcome)

    def __repr__(self) -> str:
        return f"<BestRef {self.reftype}: {self.status}{' ' if self.files else ''}{', '.join(self.files)}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BestRef):
            return NotImplemented
        mine, theirs = (self.reftype, self.status, self.files), (other.reftype, other.status, other.files)
        return mine == theirs

    def __hash__(self) -> int:
        return hash((self.reftype, self.status, self.files))
