"""One case: a damaged mapping through everything that reads mappings."""

from __future__ import annotations

import io
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from calmap.checks.fixes import apply_fixes
from calmap.checks.runner import check_mapping
from calmap.compile.reference import compile_reference
from calmap.errors import CalmapError
from calmap.model.mapping import Mapping, parse_mapping
from calmap.model.recording import update_checksum
from calmap.observatories.library import load_observatory
from calmap.report import concise
from calmap.syntax.ast import MappingKind
from mutation.mutators import mutate

_FIXED = 20_000
_VALUES = ("N/A", "*", "UNDEFINED", "", "1.0", "X", "2020-01-01", "00:00:00", "99999999999999999999", "é")


@dataclass(frozen=True, slots=True)
class Report:
    """What a case came to.

    Parameters
    ----------
    number
        Of the case.
    seconds
        Of the processor.
    peak
        Largest memory of the process so far, in bytes.
    outcome
        ``parsed``, ``compiled`` or ``refused``; for a failure, the exception.
    trace
        Of a failure.
    """

    number: int
    seconds: float
    peak: int
    outcome: str
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Trials:
    """Cases made of real files by a seed.

    Parameters
    ----------
    paths
        The real files.
    seed
        Decides everything together with a case's number.
    """

    paths: Sequence[Path]
    seed: int

    def case(self, number: int) -> tuple[str, bytes]:
        """File name and bytes of a case."""
        rng = Random(f"{self.seed}/{number}")
        path = rng.choice(self.paths)
        return path.name, mutate(path.read_bytes(), [rng.choice(self.paths).read_bytes()], rng)

    def run(self, number: int) -> Report:
        """Try a case; anything that is raised but a `CalmapError` is a failure."""
        name, data = self.case(number)
        start = time.process_time()
        trace = ""
        try:
            outcome = examine(name, data, Random(number))
        except Exception as problem:
            import traceback

            outcome, trace = f"{type(problem).__name__}: {problem}"[:200], traceback.format_exc()
        used = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return Report(number, used, peak, outcome, trace)


def examine(name: str, data: bytes, rng: Random) -> str:
    """Parse, check, fix, checksum, compile and look up."""
    mapping = parse_mapping(Path(name), data)
    assert mapping.file is not None or mapping.diagnostics, "nothing parsed and nothing found"
    assert mapping.file is None or mapping.text.encode() == data, "the text is not what was read"
    findings = check_mapping(mapping)
    concise.render(findings)
    _full(findings)
    if len(data) < _FIXED and mapping.file is not None:
        apply_fixes(mapping.path, data)
    if mapping.file is None:
        return "refused"
    update_checksum(mapping)
    return _look_up(mapping, rng) if mapping.kind is MappingKind.REFERENCE else "parsed"


def _full(findings: Sequence[object]) -> None:
    from rich.console import Console

    from calmap.report.full import render_full

    render_full(findings[:20], Console(file=io.StringIO(), width=80))  # type: ignore[arg-type]


def _look_up(mapping: Mapping, rng: Random) -> str:
    assert mapping.file is not None
    parts = mapping.name.partition("_")[0]
    try:
        reference = compile_reference(mapping.file, load_observatory(parts))
    except CalmapError:
        return "parsed"
    header = {key: rng.choice(_VALUES) for key in reference.terms.required}
    assert reference.choose(header) == reference.interpret(header), "compiled and interpreter differ"
    reference.choose(dict.fromkeys(header, "N/A"))
    return "compiled"
