"""Demands taken from TPN files in place of a telescope's definition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from calmap.certify.tpn_constraints import tpn_constraints
from calmap.errors import UsageError
from calmap.model.names import is_safe
from calmap.observatories.constraints import Constraint, Demands
from calmap.observatories.definition import Observatory


@dataclass(frozen=True, slots=True)
class TpnFiles:
    """TPN files, and folders of them.

    Of a file every constraint counts, for every reference. Of a folder those count that are
    named after the instrument and the type, or ``all`` in place of either.

    Parameters
    ----------
    paths
        Files and folders.
    observatory
        Says which columns tell the rows of tables apart.
    """

    paths: tuple[Path, ...]
    observatory: Observatory
    _read: dict[Path, tuple[Constraint, ...]] = field(default_factory=dict, repr=False, compare=False)

    def demands(self, instrument: str, reftype: str, name: str) -> Demands:
        """Demands on a type of an instrument.

        Raises
        ------
        ObservatoryError
            If a file can't be read.
        UsageError
            If there is no such file, or no constraints for the type.
        """
        found = [
            constraint for path in self.paths for constraint in self._of(path, instrument, reftype, name)
        ]
        rows = self.observatory.certification.demands(instrument, reftype).rows
        return Demands(tuple(dict.fromkeys(found)), rows)

    def _of(self, path: Path, instrument: str, reftype: str, name: str) -> Iterator[Constraint]:
        files = [path]
        if path.is_dir():
            files = [path / file for file in _names(instrument, reftype, name) if (path / file).is_file()]
        elif not path.exists():
            raise UsageError(f"there is no file or folder {path}")
        for file in files:
            if file not in self._read:
                self._read[file] = tpn_constraints(file)
            yield from self._read[file]


def _names(instrument: str, reftype: str, name: str) -> tuple[str, ...]:
    """Names of the files that may be about a reference.

    Those for HST are not named after the types, but after a word in the names of references.
    """
    words = name.partition(".")[0].lower().split("_")[1:]
    kinds = [reftype, reftype.removesuffix("tab").removesuffix("file"), *words]
    parts = reftype.split("-")
    shorter = ["-".join(parts[:count]) for count in range(len(parts), 0, -1)]
    names = [f"{instrument}_{kind}.tpn" for kind in (*kinds, "all") if kind]
    names += [f"all_{kind}.tpn" for kind in (*shorter, "all") if kind]
    return tuple(name for name in dict.fromkeys(names) if is_safe(name))
