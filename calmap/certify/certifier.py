"""Reference files checked one by one, with all that is known of their telescope and cache."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

from calmap.certify.examination import Examination
from calmap.certify.finding import Certificate, Finding, ordered
from calmap.certify.identity import Identity, identify, name_findings
from calmap.certify.keywords import FileNames
from calmap.diagnostics import Severity
from calmap.errors import HeaderError
from calmap.observatories.constraints import Demands
from calmap.observatories.definition import Observatory
from calmap.references.contents import Contents, read_contents
from calmap.references.integrity import integrity
from calmap.references.problem import Problem
from calmap.references.tables import compare_modes, duplicate_modes


class Trial(NamedTuple):
    """What inserting a file would come to.

    Parameters
    ----------
    findings
        Why it can't be inserted, or what keeps it from being chosen.
    predecessor
        Where the file is that it takes the place of, or None.
    """

    findings: tuple[Finding, ...] = ()
    predecessor: Path | None = None


DemandsOf: TypeAlias = Callable[[str, str, str], Demands]
"""Gives the demands on an instrument's type; the last argument is the name of the file."""
TrialOf: TypeAlias = Callable[[Path, str, str], Trial]
"""Inserts a file of an instrument's type into the rules, in memory."""


@dataclass(frozen=True, slots=True)
class Certifier:
    """Checks reference files of one telescope.

    Parameters
    ----------
    observatory
        The telescope.
    demands
        What is demanded; what the telescope's definition says if not given.
    reftypes
        Gives the types of an instrument, lower case; any type will do where there are none.
    trial
        Inserts a file into the rules, in memory.
    exists
        Whether there is a reference file of a name.
    """

    observatory: Observatory
    demands: DemandsOf | None = None
    reftypes: Callable[[str], Collection[str]] | None = None
    trial: TrialOf | None = None
    exists: Callable[[str], bool] | None = None

    def certify(self, path: Path, reftype: str | None = None, old: Path | None = None) -> Certificate:
        """Everything that is to be said of a file.

        Parameters
        ----------
        path
            The file.
        reftype
            Its type, if the header's word for it is not to count.
        old
            The file that it replaces; what the trial says if not given.

        Raises
        ------
        HeaderError
            If the file can't be read at all.
        """
        contents = read_contents(path)
        known = self.reftypes or self.observatory.reftypes
        identity = identify(self.observatory, contents.header, str(path), known, reftype)
        demands = self._demands(identity, path)
        found = [*name_findings(self.observatory, path.name, str(path)), *identity.findings]
        found += self._examined(contents, identity, demands)
        found += (_finding(path, problem) for problem in integrity(path))
        trial = self._tried(path, identity)
        found += trial.findings
        found += _row_findings(path, old or trial.predecessor, demands.rows)
        count = len(demands.constraints)
        return Certificate(str(path), identity.instrument, identity.reftype, ordered(found), count)

    def _demands(self, identity: Identity, path: Path) -> Demands:
        demands = self.demands or (lambda i, t, _: self.observatory.certification.demands(i, t))
        return demands(identity.instrument, identity.reftype, path.name)

    def _examined(self, contents: Contents, identity: Identity, demands: Demands) -> Iterator[Finding]:
        if not identity.instrument:
            return
        if identity.reftype and not demands.constraints:
            yield _nothing_demanded(str(contents.path), identity)
        names = FileNames(self.observatory, contents)
        examination = Examination(self.observatory, contents, names, self.exists)
        yield from examination.findings(identity.instrument, demands.constraints)

    def _tried(self, path: Path, identity: Identity) -> Trial:
        if self.trial is None or not (identity.instrument and identity.reftype):
            return Trial()
        return self.trial(path, identity.instrument, identity.reftype)


def _nothing_demanded(file: str, identity: Identity) -> Finding:
    kind = " ".join(filter(None, (identity.instrument, identity.reftype)))
    hint = "say it under 'certify' in the telescope's definition, or with --tpn"
    return Finding(file, "", f"nothing is demanded of {kind} files", Severity.INFO, hint)


def _row_findings(path: Path, old: Path | None, rows: Sequence[str]) -> Iterator[Finding]:
    """What is to be said of the rows of tables, by themselves and beside those of the file before."""
    if not rows:
        return
    try:
        twice = duplicate_modes(path, rows)
        yield from (_finding(path, problem) for problem in twice)
        if old is not None and old.exists() and old.resolve() != path.resolve():
            compared = compare_modes(old, path, rows)
            yield from (_finding(path, problem) for problem in compared if problem not in twice)
    except HeaderError as problem:
        message = f"the rows of its tables can't be compared: {problem.message}"
        yield Finding(str(path), "", message, Severity.WARNING, problem.hint)


def _finding(path: Path, problem: Problem) -> Finding:
    return Finding(str(path), problem.place, problem.message, problem.severity, problem.hint)
