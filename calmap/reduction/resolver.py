"""Reference files for the reduction, chosen by the rules of a cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from calmap.bestref import BestRef, Context
from calmap.errors import CacheError, HeaderError
from calmap.model.pointers import is_lfs_pointer
from calmap.report.explanation import explanation_text
from reduce.errors import MissingReferenceError
from reduce.references import Reference, Value


@dataclass(frozen=True, slots=True)
class CacheResolver:
    """Chooses by the rules of a context; see `reduce.references.Resolver`.

    Parameters
    ----------
    context
        The rules.
    pointers
        Whether a Git-LFS pointer in place of a file is enough, for who only wants to know its path.
    """

    context: Context
    pointers: bool = False

    def find(self, header: Mapping[str, Value], reftype: str) -> Reference | None:
        """The reference file of a type for the header of an exposure.

        Returns
        -------
        Reference or None
            None if the context has no rules for the type.

        Raises
        ------
        MissingReferenceError
            If no rule is for such a header, or the file that is chosen is not in the cache.
        """
        try:
            instrument = self.context.instrument(header)
            if reftype not in self.context.reftypes(instrument):
                return None
            answer = self.context.bestrefs(header, (reftype,)).get(reftype)
        except HeaderError as problem:
            raise MissingReferenceError(reftype, problem.message, problem.hint) from None
        if answer is None:
            return self._reference(reftype, None, "the rules leave this type out for such a header")
        if answer.status == "not_found":
            raise MissingReferenceError(
                reftype,
                f"no {reftype} in {self.context.name}: {answer.reason}",
                f"name one with --override {reftype}=FILE, or go on with --allow-missing {reftype}",
                explanation_text(answer.explain()),
            )
        if not answer.files:
            return self._reference(reftype, answer, answer.reason)
        return self._found(reftype, answer, instrument)

    def _found(self, reftype: str, answer: BestRef, instrument: str) -> Reference:
        if len(answer.files) > 1:
            names = ", ".join(answer.files)
            raise MissingReferenceError(
                reftype, f"the rules choose several files for {reftype}: {names}", "name one with --override"
            )
        try:
            path = self.context.reference_path(answer.files[0], instrument)
        except CacheError as problem:
            raise MissingReferenceError(reftype, problem.message, problem.hint) from None
        if not self.pointers and is_lfs_pointer(path):
            raise MissingReferenceError(
                reftype, f"{path} is only a Git-LFS pointer", "fetch it with git lfs pull"
            )
        found = self._reference(reftype, answer, answer.reason)
        return Reference(reftype, path, "cache", found.context, found.rule, found.reason)

    def _reference(self, reftype: str, answer: BestRef | None, reason: str) -> Reference:
        return Reference(reftype, None, "cache", self.context.name, _rule(answer), reason)


def _rule(answer: BestRef | None) -> str:
    steps = answer.explain().steps if answer else ()
    return f"{steps[-1].file}:{steps[-1].line}" if steps else ""
