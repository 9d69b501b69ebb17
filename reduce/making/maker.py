"""Makes reference files of a kind and writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from reduce.errors import OutputError
from reduce.extras import needing
from reduce.files.layouts import SCIENCE
from reduce.files.writer import write_reference
from reduce.making.exposures import Candidate, Exposure, chosen, require_alike
from reduce.making.header import header_of, name_of
from reduce.making.kinds import KINDS, Kind
from reduce.making.order import Description, Made, Order, Watch, Written
from reduce.parameters import build, unknown
from reduce.products import Output
from reduce.provenance import Provenance, software_version
from reduce.session import Request

PARAMETERS = "make"
"""What the parameters of a kind are called after, as those of steps are after the step."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to be made.

    Parameters
    ----------
    kind
        Name of the kind, such as ``dark``.
    candidates
        Files with exposures.
    request
        References and parameters of steps.
    parameters
        Those of the kind, as text or what they are.
    description
        What the header says.
    """

    kind: str
    candidates: Sequence[Candidate]
    request: Request
    parameters: Mapping[str, object]
    description: Description


def make(wish: Wish, output: Output, watch: Watch) -> tuple[Written, ...]:
    """Make reference files; all of them are written, or none.

    Raises
    ------
    DataError
        If the exposures can't be used or don't go together.
    ParameterError
        If a parameter does not exist or has a value that is not allowed.
    MissingReferenceError
        If a step lacks a reference file.
    OutputError
        If a file can't be written or may not be replaced.
    """
    kind = KINDS.get(wish.kind)
    if kind is None:
        raise unknown("kind of reference", wish.kind, list(KINDS))
    parameters: object = build(kind.parameters, wish.parameters, PARAMETERS)
    exposures, notes = chosen(wish.candidates, kind.takes, wish.kind)
    require_alike(exposures, kind.alike, wish.kind)
    output.keep((*(exposure.path for exposure in exposures), *wish.request.named))
    _require_room(kind, exposures, wish.description, output)
    try:
        output.folder.mkdir(parents=True, exist_ok=True)
        folder = TemporaryDirectory(prefix=".making-", dir=output.folder)
        with needing(f"make {wish.kind}"), folder as scratch:
            made = kind.make(exposures, Order(wish.request, parameters, Path(scratch), watch))
            return _all_written(wish, made, exposures, notes, output)
    except OSError as problem:
        reason = problem.strerror or problem
        raise OutputError(f"{problem.filename or output.folder} can't be written: {reason}") from problem


def _require_room(
    kind: Kind, exposures: Sequence[Exposure], description: Description, output: Output
) -> None:
    """Refuse early what would be refused when it is written."""
    for reftype in kind.reftypes:
        output.require_free(output.folder / name_of(Made(reftype, {}, {}, ()), exposures, description))


def _all_written(
    wish: Wish, made: Sequence[Made], exposures: Sequence[Exposure], notes: tuple[str, ...], output: Output
) -> tuple[Written, ...]:
    """Write all files, or leave none that was not there."""
    places = [output.folder / name_of(each, exposures, wish.description) for each in made]
    new = [place for place in places if not place.exists()]
    try:
        return tuple(
            _write(wish, each, place, exposures, notes, output)
            for each, place in zip(made, places, strict=True)
        )
    except BaseException:
        for place in new:
            place.unlink(missing_ok=True)
        raise


def _write(
    wish: Wish,
    each: Made,
    path: Path,
    exposures: Sequence[Exposure],
    notes: tuple[str, ...],
    output: Output,
) -> Written:
    header = header_of(wish.kind, each, exposures, wish.description, notes)
    provenance = Provenance(
        f"make {wish.kind}",
        software_version(),
        tuple(exposure.file for exposure in exposures),
        each.records,
    )
    image = SCIENCE[output.layout]
    write_reference(
        each.reftype,
        path,
        header=header,
        arrays={image if name == "SCI" else name: array for name, array in each.arrays.items()},
        units={image if name == "SCI" else name: unit for name, unit in each.units.items()},
        provenance=provenance,
        overwrite=output.overwrite,
    )
    return Written(
        path, each.reftype, tuple(exposure.path for exposure in exposures), provenance, (*notes, *each.notes)
    )
