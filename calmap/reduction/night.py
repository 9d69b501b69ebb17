"""The demonstration night with a cache of its own: raw exposures, references, and rules that choose them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from calmap.cache.references import MODE_FILE, Arrangement
from calmap.cache.store import hidden_name, writing
from calmap.delivery.reference_header import rule_values
from calmap.delivery.templates import (
    RuleTerms,
    empty_context,
    empty_instrument,
    empty_rules,
    instrument_keyword,
)
from calmap.edit.application import checksummed, edited, parsed
from calmap.edit.insertion import insert
from calmap.errors import RefusedError
from calmap.headers.reading import read_header
from calmap.model.mapping import Mapping as MappingText
from calmap.observatories.library import load_observatory
from reduce.night import detector_of, fields_of, plan, write_catalogues, write_exposures
from reduce.night_references import TYPES, write_references

OBSERVATORY: Final = "ligeriri"
RAW, TRUTH = "raw", "truth"
"""Folders of the exposures and of the catalogues."""
_INSTRUMENT = "IRIS"
_ERA, _DETECTOR = "META.INSTRUMENT.ERA", "META.INSTRUMENT.DETECTOR"
_READMODE, _SUBARRAY = "META.EXPOSURE.READMODE", "META.SUBARRAY.NAME"
_FILTER, _PUPIL = "META.INSTRUMENT.FILTER", "META.INSTRUMENT.PUPIL"
_NEAREST, _LATEST = ("Match", "ClosestTime"), ("Match", "UseAfter")
_DATE = ("META.DATE",)
_RULES: Final = {
    "bias": RuleTerms(_NEAREST, ((_ERA, _DETECTOR, _READMODE), _DATE)),
    "dark": RuleTerms(_NEAREST, ((_ERA, _DETECTOR, _READMODE, _SUBARRAY), _DATE)),
    "dq": RuleTerms(_LATEST, ((_DETECTOR,), _DATE)),
    "drizpars": RuleTerms(_LATEST, ((_DETECTOR,), _DATE)),
    "flat": RuleTerms(_NEAREST, ((_ERA, _DETECTOR, _READMODE, _FILTER, _PUPIL), _DATE)),
    "gain": RuleTerms(_LATEST, ((_ERA, _DETECTOR), _DATE)),
    "nonlincoeff": RuleTerms(_LATEST, ((_ERA, _DETECTOR, _READMODE), _DATE)),
    "photom": RuleTerms(_LATEST, ((_ERA, _DETECTOR, _FILTER, _PUPIL), _DATE)),
    "readnoise": RuleTerms(_LATEST, ((_ERA, _DETECTOR, _READMODE), _DATE)),
    "saturation": RuleTerms(_LATEST, ((_ERA, _DETECTOR), _DATE)),
}


@dataclass(frozen=True, slots=True)
class Simulation:
    """The night and its cache in a folder: iterating writes it, and gives each file that was written.

    Parameters
    ----------
    folder
        The folder, which is made if need be. There may be nothing in it. It is filled when all is written.
    size
        Rows and columns of the detector.
    seed
        Same size and seed, same bytes.
    """

    folder: Path
    size: int = 256
    seed: int = 1

    def __len__(self) -> int:
        return len(plan()) + len(fields_of(self.size, self.seed)) + len(TYPES) + len(_RULES) + 2

    def __iter__(self) -> Iterator[Path]:
        """Write all files.

        Raises
        ------
        RefusedError
            If there is something in the folder.
        CacheError, reduce.errors.OutputError
            If a file can't be written; then none is.
        """
        _refuse_full(self.folder)
        stage = self.folder.parent / hidden_name(self.folder.name or "night")
        try:
            with writing(self.folder):
                stage.mkdir(parents=True)
                for path in self._written(stage):
                    yield self.folder / path.relative_to(stage)
                self.folder.mkdir(exist_ok=True)
                for item in sorted(stage.iterdir()):
                    item.rename(self.folder / item.name)
        finally:
            shutil.rmtree(stage, ignore_errors=True)

    def _written(self, root: Path) -> Iterator[Path]:
        detector, fields = detector_of(self.size, self.seed), fields_of(self.size, self.seed)
        references = []
        for path in write_references(
            _made(root / "references" / OBSERVATORY / _INSTRUMENT.lower()), detector, seed=self.seed
        ):
            references.append(path)
            yield path
        folder = _made(root / "mappings" / OBSERVATORY)
        for mapping in night_mappings(references):
            (folder / mapping.name).write_bytes(mapping.text.encode())
            yield folder / mapping.name
        mode = _made(root / "config" / OBSERVATORY) / MODE_FILE
        mode.write_text(f"{Arrangement.INSTRUMENT}\n", encoding="utf-8")
        yield from write_catalogues(_made(root / TRUTH), fields)
        yield from write_exposures(_made(root / RAW), detector, fields, plan(), seed=self.seed)


def night_mappings(references: Sequence[Path]) -> tuple[MappingText, ...]:
    """A context, and the rules that choose some references by what their headers say."""
    observatory = load_observatory(OBSERVATORY)
    by_type = {path: read_header(path) for path in references}
    rmaps: dict[str, MappingText] = {}
    for reftype, terms in _RULES.items():
        name = f"{OBSERVATORY}_{_INSTRUMENT.lower()}_{reftype}_0001.rmap"
        mapping = empty_rules(Path(name), OBSERVATORY, _INSTRUMENT, reftype, terms)
        for path, header in by_type.items():
            if header["REFTYPE"].lower() == reftype:
                values = rule_values(parsed(mapping), observatory, header).values
                mapping = edited(mapping, insert(parsed(mapping), values, path.name).edits)
        rmaps[reftype] = checksummed(mapping)
    links = {reftype.upper(): mapping.name for reftype, mapping in rmaps.items()}
    imap = empty_instrument(
        Path(f"{OBSERVATORY}_{_INSTRUMENT.lower()}_0001.imap"), OBSERVATORY, _INSTRUMENT, links
    )
    context = empty_context(
        Path(f"{OBSERVATORY}_0001.pmap"),
        OBSERVATORY,
        instrument_keyword(observatory),
        {_INSTRUMENT: imap.name},
        description="demonstration night: simulated files of IRIS",
    )
    return (context, imap, *rmaps.values())


def _refuse_full(folder: Path) -> None:
    with writing(folder, "read"):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise RefusedError(f"{folder} is there already", "nothing was written; choose another folder")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
