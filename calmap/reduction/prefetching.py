"""Looks for all references that steps need before any of them is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from calmap.compat.errors import CrdsLookupError
from calmap.reduction.inputs import Exposures
from calmap.reduction.selection import Selection, lookup_errors
from reduce.references import Value, required
from reduce.session import Request
from reduce.step import Need, Step


def prefetched(
    steps: Sequence[Step], request: Request, selection: Selection, found: Exposures
) -> dict[str, str]:
    """The reference file of each type, of the first exposure that has it; ``N/A`` where there is none.

    Raises
    ------
    CrdsLookupError
        If types that are needed and may not be missing have none; the message has all of them.
    """
    needs = [need for step in steps if step.name not in request.skip for need in step.needs]
    files: dict[str, str] = {}
    lost: dict[str, str] = {}
    for exposure in found.all:
        header = exposure.header
        for need in needs:
            try:
                with lookup_errors(selection):
                    _look(need, request, header, files)
            except CrdsLookupError as problem:
                if need.reftype not in request.allowed:
                    lost.setdefault(need.reftype, f"{exposure.path.name}: {problem.message.splitlines()[0]}")
    if lost:
        raise CrdsLookupError("references are missing:\n" + "\n".join(f"  {one}" for one in lost.values()))
    return files


def _look(need: Need, request: Request, header: Mapping[str, Value], files: dict[str, str]) -> None:
    found = request.resolver.find(header, need.reftype)
    if found is None and not need.required:
        return
    reference = found or required(request.resolver, header, need.reftype)
    files.setdefault(
        need.reftype, reference.keyword_value if reference.held else str(reference.path or "N/A")
    )
