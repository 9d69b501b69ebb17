"""The base of pipelines that make reference files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Final

from calmap.reduction.inputs import exposures
from calmap.reduction.pipelines import LigerIRISPipeline
from calmap.reduction.selection import lookup_errors
from calmap.reduction.serving import served
from reduce.errors import ParameterError
from reduce.files.reader import read_frame
from reduce.frame import Frame
from reduce.making.exposures import Candidate
from reduce.making.maker import Wish, make
from reduce.making.order import VERSION, Description, Written, moment
from reduce.pipeline import Unwatched
from reduce.products import Output

_ALWAYS: Final = ("combine_frames", "normalize")


class ReferencePipeline(LigerIRISPipeline):
    """Makes one reference file of several exposures, as ``calmap make`` does.

    Of `step_defs` those are run that the exposures still need.
    """

    kind: ClassVar[str] = ""
    """What is made, in the words of ``calmap make``."""
    spec = f"""
        version = string(default="{VERSION}")  # of the file
        useafter = string(default=None)  # start of validity, UTC; by default that of the first exposure
        author = string(default=None)  # who made it
        descrip = string(default=None)  # what it is, in a few words
    """

    def run(self, given: Any, **options: Any) -> Frame:
        """The reference that is made of some exposures.

        Parameters
        ----------
        given
            Files with exposures of one kind, raw or reduced: a list of paths, one path, or an association.
        options
            As of the class; they stay in force. With ``save_results`` the file is written into
            ``output_dir``, under the name that references of its kind have.

        Raises
        ------
        CrdsError
            If there is no reference for a type that is needed.
        ReduceError
            If data, parameters or products are not as they should be.
        """
        self.update_pars(options)
        self._found.clear()
        if self.output_file:
            raise ParameterError("the name of a reference says what it is for", "give output_dir instead")
        for part in self._parts():
            if part.skip and part.alias in _ALWAYS:
                raise ParameterError(f"{part.alias} can't be skipped: the {self.kind} is made by it")
        candidates = [Candidate(_file(exposure.source), named=True) for exposure in exposures(given).all]
        if self.save_results:
            return self._made(candidates, Path(self.output_dir or ".").expanduser())
        with TemporaryDirectory(prefix="calmap-") as scratch:
            return self._made(candidates, Path(scratch))

    def _made(self, candidates: list[Candidate], folder: Path) -> Frame:
        request = replace(self._request(), recipe=None, first=None)
        wish = Wish(self.kind, candidates, request, self._kind_parameters(), self._description())
        output = Output(folder, overwrite=bool(self.overwrite), logged=False)
        with lookup_errors(self._selection()):
            [written] = make(wish, output, lambda _: Unwatched())
        self._remember(written)
        return read_frame(written.path)

    def _kind_parameters(self) -> Mapping[str, object]:
        """Parameters of the kind."""
        return {}

    def _description(self) -> Description:
        context = self._selection().context()
        return Description(
            moment(self.useafter) if self.useafter else None,
            self.version,
            self.author or "",
            self.descrip or "",
            partial(served, context) if context is not None else None,
        )

    def _remember(self, written: Written) -> None:
        for record in written.provenance.steps:
            self._found += [use.reference for use in record.references]


def _file(source: object) -> Path:
    if isinstance(source, Path):
        return source
    raise ParameterError(
        f"a reference is made of files, and a {type(source).__name__} was given", "save it first"
    )
