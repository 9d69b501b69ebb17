"""How a change of a cache ended."""

from __future__ import annotations

from pathlib import Path

from calmap.delivery.change import Made


def verdict(made: Made, root: Path) -> str:
    """One line on the context there is now; after a dry run, all that would change as a diff."""
    change = made.change
    context = change.revision.context
    if change.is_empty:
        return f"{context} has all of it already\n"
    if made.is_dry:
        return f"nothing was written; the context would be {context}\n\n{change.diff(root)}"
    where = f", committed on the branch {made.branch}" if made.branch else ""
    return f"the context is {'now ' if made.is_new_context else ''}{context}{where}\n"
