"""The reference files of a run: found, hashed once, and handed to steps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from reduce.calibration import Held, ReferenceFile
from reduce.errors import MissingReferenceError, ReduceError
from reduce.files.contents import contents
from reduce.hashes import Hashes
from reduce.provenance import ReferenceUse
from reduce.references import Reference, Resolver, Value, required
from reduce.step import Need, Step
from reduce.suitability import require_suitable
from reduce.windows import Region


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a step gets.

    Parameters
    ----------
    files
        The reference files by type.
    uses
        Everything that was found, with what does not apply or is missing.
    lacking
        Why the step can't be run; empty if it can.
    """

    files: Mapping[str, ReferenceFile]
    uses: tuple[ReferenceUse, ...]
    lacking: str = ""


@dataclass(frozen=True, slots=True)
class Library:
    """Finds the reference files that steps need.

    Parameters
    ----------
    resolver
        Where they come from.
    allowed
        Types that may be missing.
    hashes
        What is known of files already; what is found is added.
    """

    resolver: Resolver
    allowed: Collection[str] = ()
    hashes: Hashes = field(default_factory=Hashes, compare=False)

    def hash_ahead(self, steps: Iterable[Step], header: Mapping[str, Value]) -> None:
        """Hash the files that steps are going to need for a header, several at once."""
        paths = set()
        for need in (need for step in steps for need in step.needs):
            with suppress(ReduceError):
                reference = self.resolver.find(header, need.reftype)
                if reference is not None and reference.held is None and reference.path is not None:
                    paths.add(reference.path)
        self.hashes.add(sorted(paths))

    def gather(self, step: Step, header: Mapping[str, Value], frame: Region) -> Gathered:
        """The references for a step and a frame.

        Raises
        ------
        MissingReferenceError
            If there is none for a type that may not be missing.
        """
        files, uses, lacking = {}, [], ""
        for need in step.needs:
            reference = self.find(need, header)
            if reference is None:
                continue
            use = self.use(reference)
            uses.append(use)
            if reference.path is not None:
                held: Held | None = reference.held
                found = held.contents if held is not None else contents(reference.path)
                files[need.reftype] = ReferenceFile(use, found, frame)
                require_suitable(files[need.reftype], header)
            elif need.required:
                lacking = lacking or _lacking(reference)
        return Gathered(files, tuple(uses), lacking)

    def find(self, need: Need, header: Mapping[str, Value]) -> Reference | None:
        """The reference of a type, None if there are no rules for one that is not required.

        Raises
        ------
        MissingReferenceError
            If there is none and it may not be missing.
        """
        try:
            if need.required:
                return required(self.resolver, header, need.reftype)
            return self.resolver.find(header, need.reftype)
        except MissingReferenceError as problem:
            if need.reftype not in self.allowed:
                raise
            return Reference(need.reftype, None, "missing", reason=problem.message)

    def use(self, reference: Reference) -> ReferenceUse:
        """What is recorded of a reference that is used."""
        held: Held | None = reference.held
        if held is not None:
            return ReferenceUse(replace(reference, held=None), held.sha256)
        return ReferenceUse(reference, "" if reference.path is None else self.hashes.of(reference.path))


def _lacking(reference: Reference) -> str:
    if reference.origin == "missing":
        return f"no reference file of type {reference.reftype}, which was allowed: {reference.reason}"
    return f"{reference.reftype} is N/A: {reference.reason}"
