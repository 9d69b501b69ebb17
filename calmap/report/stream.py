"""Selections printed as they come, one dataset after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from calmap.report.selection import Selection, render_csv, render_json, render_paths


@dataclass(slots=True)
class SelectionStream:
    """Text of selections in one of the formats for programs, piece by piece.

    Parameters
    ----------
    style
        ``json``, ``csv`` or ``paths``.
    write
        Takes the pieces.
    """

    style: str
    write: Callable[[str], object]
    _pieces: int = 0
    _paths: set[str] = field(default_factory=set)

    def rows(self, rows: Sequence[Selection]) -> None:
        """Print the answers for one dataset."""
        if not rows:
            return
        if self.style == "json":
            body = render_json(rows).strip()[1:-1].strip("\n")
            self.write(("[\n" if self._pieces == 0 else ",\n") + body)
        elif self.style == "csv":
            heading, _, body = render_csv(rows).partition("\n")
            self.write(f"{heading}\n{body}" if self._pieces == 0 else body)
        else:
            fresh = [line for line in render_paths(rows).splitlines() if line not in self._paths]
            self._paths.update(fresh)
            self.write("".join(f"{line}\n" for line in fresh))
        self._pieces += 1

    def end(self) -> None:
        """Print what comes after the last dataset."""
        if self.style == "json":
            self.write("\n]\n" if self._pieces else "[]\n")
        elif self.style == "csv" and not self._pieces:
            self.write(render_csv(()))
