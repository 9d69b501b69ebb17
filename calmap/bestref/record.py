"""What a header records of the references chosen for it."""

from __future__ import annotations

from collections.abc import Mapping

from calmap.bestref.answer import BestRef
from calmap.bestref.context import Context


def header_updates(
    context: Context, instrument: str, refs: Mapping[str, BestRef], version: str
) -> dict[str, str]:
    """Keywords and values that record a selection, as CRDS writes them.

    The context, the version of the software, and for each type the file with
    its prefix. ``N/A`` stands for a type that does not apply or that no rule
    matches; a type whose look-up failed is left as it is.

    Parameters
    ----------
    context, instrument, refs
        What was asked, and the answers.
    version
        Version of the software that selected.
    """
    observatory = context.observatory
    names = observatory.references
    updates = {names.context_keyword: context.name, names.version_keyword: version}
    prefix = observatory.reference_prefix(instrument)
    for reftype, ref in sorted(refs.items()):
        if ref.status == "not_applicable" or ref.unmatched:
            updates[observatory.reference_keyword(reftype)] = "N/A"
        elif ref.status == "found" and len(ref.files) == 1:
            updates[observatory.reference_keyword(reftype)] = f"{prefix}{ref.files[0]}"
    return updates
