"""Where results of steps that are used as in stpipe are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reduce.errors import OutputError, ParameterError
from reduce.files.writer import write_frame, write_ramp
from reduce.frame import Frame, Ramp
from reduce.products import Output, is_fits, stem_of
from reduce.recipe import Level


@dataclass(frozen=True, slots=True)
class Saving:
    """Names of results.

    Parameters
    ----------
    folder
        The folder, made when it is needed; the current one without.
    file
        Name of the only result, in the folder if it is relative.
    suffix
        What is put behind the name of the exposure, if there is no level.
    overwrite
        Whether files may be replaced.
    level
        The level of the results, which then is in their names; None for the suffix.
    """

    folder: str | Path | None
    file: str | Path | None
    suffix: str
    overwrite: bool = False
    level: Level | None = None

    def write(self, results: Sequence[Any], sources: Sequence[Path]) -> list[Path]:
        """Write results.

        Parameters
        ----------
        results
            Frames and ramps; anything else is left out.
        sources
            The exposures that they are named after.

        Raises
        ------
        ParameterError
            If a name is for one result and there are several.
        OutputError
            If a file can't be written or may not be replaced.
        """
        written = []
        if self.file and len(results) > 1:
            raise ParameterError(
                f"output_file names one file, and there are {len(results)} results", "give output_dir instead"
            )
        for result, source in zip(results, sources, strict=True):
            if isinstance(result, (Frame, Ramp)):
                written.append(self.written(result, self.path(source)))
        return written

    def path(self, source: Path, kind: str = "") -> Path:
        """Where the result of an exposure is written."""
        folder = Path(self.folder or ".").expanduser()
        if self.file:
            path = folder / Path(self.file).expanduser()
            return path if is_fits(path.name) else path.with_name(f"{path.name}.fits")
        if self.level is not None:
            return Output(folder).path(source, self.level, kind)
        return folder / f"{stem_of(source.name)}_{self.suffix}.fits"

    def written(self, result: Frame | Ramp, path: Path) -> Path:
        """Write one result, and say where."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise OutputError(f"{path.parent} can't be made: {problem.strerror}") from problem
        if isinstance(result, Frame):
            write_frame(result, path, overwrite=self.overwrite)
        else:
            write_ramp(result, path, overwrite=self.overwrite)
        return path
