"""The demonstration cache: rules of Liger and IRIS, and small simulated files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from zlib import crc32

from calmap.cache.layout import Layout
from calmap.cache.rulesets import Rules
from calmap.compare.rows import by_keyword, rows
from calmap.compile.terms import header_data
from calmap.delivery.scaffold import Telescope, repository_files, telescope, template
from calmap.delivery.scaffold_folder import NewFile
from calmap.errors import CacheError
from calmap.observatories.library import FILE_NAME, load_observatory

if TYPE_CHECKING:
    from astropy.io import fits

TELESCOPE = "ligeriri"
CONTEXT = "ligeriri_0001.pmap"
NEW_FLAT = "IRIS_IMG1_FLAT_20250801T000000_0.0.1.fits"
EXPOSURE = "2025B-P207-011_IRIS_IMG1_SCI-M92-K-4.0_LVL1_0001-00.fits"
_PACKAGE = Path(__file__).resolve().parents[1]
_NEW_ERA = "20250301"
_SIZE = 8
_TELESCOPES = {"IRIS": "TMT", "Liger": "Keck-I"}
_CARDS = {
    "META.EXPOSURE.READMODE": ("READMODE", "P_READMO"),
    "META.INSTRUMENT.FILTER": ("FILTER", "P_FILTER"),
    "META.INSTRUMENT.PUPIL": ("PUPIL", "P_PUPIL"),
    "META.SUBARRAY.NAME": ("SUBARRAY", "P_SUBARR"),
}
_MODELS = {
    "DARK": "DarkModel",
    "DQ": "DQModel",
    "DRIZPARS": "DrizParsModel",
    "FLAT": "FlatModel",
    "NONLINCOEFF": "NonlinearCorrectionModel",
}
_NEWEST = {
    "META.INSTRUMENT.ERA": "0.1.0",
    "META.INSTRUMENT.DETECTOR": "IMG1",
    "META.EXPOSURE.READMODE": "DEFAULT|MCDS",
    "META.INSTRUMENT.PUPIL": "CLEAR",
}
_NEW = (
    (NEW_FLAT, {**_NEWEST, "META.INSTRUMENT.FILTER": "K"}),
    ("IRIS_IMG1_FLAT_20250801T003000_0.0.1.fits", {**_NEWEST, "META.INSTRUMENT.FILTER": "H"}),
)
_EXPOSURES = (
    (EXPOSURE, "INSTERA", "0.1.0", "K", ("EXPDTST", "20250815090000"), "M92"),
    (
        "2024B-P123-008_IRIS_IMG1_SCI-J1458+1013-Y-4.0_LVL1_0001-00.fits",
        *("ERA", "0.0.0", "Y", ("DATE", "2024-10-05T06:00:00"), "J1458+1013"),
    ),
)
_Cards = dict[str, str | int | float]


@dataclass(frozen=True, slots=True)
class _Reference:
    """A reference file of the rules, or one for them."""

    name: str
    values: Mapping[str, str]

    @property
    def parts(self) -> tuple[str, str, str, str, str]:
        """Instrument, detector, type, date and version, by its name."""
        instrument, detector, kind, stamp, version = self.name.removesuffix(".fits").split("_")
        return instrument, detector, kind, stamp, version


def demo_files() -> tuple[NewFile, ...]:
    """All files of the demonstration: a cache, new references and exposures.

    Raises
    ------
    CacheError
        If the installation lacks the rules.
    """
    subject = telescope(TELESCOPE)
    return tuple(sorted((*_cache(subject), *_beside())))


def _cache(subject: Telescope) -> Iterator[NewFile]:
    more = template("demo.md", exposure=EXPOSURE, flat=NEW_FLAT)
    yield from repository_files(subject, more)
    definition = load_observatory(TELESCOPE)
    config = PurePosixPath("config", TELESCOPE)
    yield NewFile(config / FILE_NAME, Path(definition.origin).read_bytes())
    yield NewFile(config / "ref_cache_subdir_mode", b"instrument\n")
    rules = Rules(Layout(_mapping_folder().parent.parent, _mapping_folder().parent), definition)
    for name in _names(rules):
        yield NewFile(PurePosixPath("mappings", TELESCOPE, name), rules.mapping(name).text.encode())
        for reference in _references(rules, name):
            yield _reference_file(PurePosixPath("references", TELESCOPE), reference)


def _beside() -> Iterator[NewFile]:
    """New references, and exposures."""
    for name, values in _NEW:
        content = _fits(_reference_cards(_Reference(name, values)), _extensions("FLAT", name))
        yield NewFile(PurePosixPath("new", name), content)
    for name, *_ in _EXPOSURES:
        yield NewFile(PurePosixPath("exposures", name), _fits(_exposure_cards(name), _extensions("", name)))


def _mapping_folder() -> Path:
    """Rules of the demonstration, in an installed package or in a checkout."""
    for folder in (_PACKAGE / "demo" / TELESCOPE, _PACKAGE.parent / "mappings" / TELESCOPE):
        if (folder / CONTEXT).is_file():
            return folder
    raise CacheError("calmap is not fully installed: it lacks the demonstration", "install it again")


def _names(rules: Rules) -> Iterator[str]:
    """The context and all below it."""
    yield CONTEXT
    for imap in rules.links(CONTEXT).links.values():
        yield imap.target
        yield from (link.target for link in rules.links(imap.target).links.values())


def _references(rules: Rules, name: str) -> Iterator[_Reference]:
    """The references of an rmap with the values of their rules."""
    if not name.endswith(".rmap"):
        return
    file = rules.file(name)
    for row in rows(file.selector):
        if row.file.endswith(".fits"):
            yield _Reference(row.file, dict(by_keyword(row, header_data(file)["parkey"])))


def _reference_file(folder: PurePosixPath, reference: _Reference) -> NewFile:
    instrument, _, kind, *_ = reference.parts
    content = _fits(_reference_cards(reference), _extensions(kind, reference.name))
    return NewFile(folder / instrument.lower() / reference.name, content)


def _reference_cards(reference: _Reference) -> _Cards:
    """Cards that a header has when its reference belongs to a rule."""
    instrument, detector, kind, stamp, version = reference.parts
    day, time = stamp[:8], stamp[9:]
    eras = reference.values.get("META.INSTRUMENT.ERA", "").split("|")
    newest = instrument == "IRIS" and stamp >= _NEW_ERA
    era = ("0.1.0" if newest else "0.0.0") if eras == [""] else eras[-1] if newest else eras[0]
    cards: _Cards = {
        "FILENAME": reference.name,
        "TELESCOP": _TELESCOPES[instrument],
        "INSTRUME": instrument,
        "DETECTOR": detector,
        "INSTERA" if newest else "ERA": era,
        "REFTYPE": kind,
        "REFVER": version,
        "DATAMODL": _MODELS[kind],
        "USEAFTER": f"{day[:4]}-{day[4:6]}-{day[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}",
        "PEDIGREE": "SIMULATION",
        "AUTHOR": "calmap init",
        "DESCRIP": f"Simulated {kind.lower()} of {instrument} {detector}",
    }
    if len(eras) > 1:
        cards["P_ERA"] = "|".join(eras)
    for keyword, (own, pattern) in _CARDS.items():
        values = reference.values.get(keyword, "").split("|")
        if values != [""]:
            cards[own] = values[-1] if keyword == "META.SUBARRAY.NAME" else values[0]
        if len(values) > 1:
            cards[pattern] = "|".join(values)
    return {**cards, "HISTORY": "Simulated for the demonstration; not a measurement."}


def _exposure_cards(name: str) -> _Cards:
    _, era_keyword, era, band, (date_keyword, date), target = next(e for e in _EXPOSURES if e[0] == name)
    return {
        "FILENAME": name,
        "TELESCOP": "TMT",
        "INSTRUME": "IRIS",
        "DETECTOR": "IMG1",
        era_keyword: era,
        "FILTER": band,
        "PUPIL": "CLEAR",
        "READMODE": "DEFAULT",
        "SUBARRAY": "FULL",
        date_keyword: date,
        "OBJECT": target,
        "DATAMODL": "ImagerModel",
        "HISTORY": "Simulated for the demonstration; not a measurement.",
    }


def _extensions(kind: str, name: str) -> list[fits.ImageHDU | fits.BinTableHDU]:
    """Extensions of a file, the same for the same name."""
    import numpy as np
    from astropy.io import fits

    rows_, columns = np.mgrid[:_SIZE, :_SIZE]
    noise = ((7 * rows_ + 3 * columns + crc32(name.encode())) % 11) / 1024
    quality = fits.ImageHDU(
        ((rows_ * _SIZE + columns) == crc32(name.encode()) % _SIZE**2).astype("u2"), name="DQ"
    )
    if kind == "DRIZPARS":
        return [_drizpars()]
    if kind == "DQ":
        return [quality, _quality_bits()]
    if kind == "NONLINCOEFF":
        coefficients = np.zeros((_SIZE, _SIZE, 4), dtype="f4")
        coefficients[..., 1] = 1
        coefficients[..., 2] = noise / 2**16
        return [fits.ImageHDU(coefficients, name="COEFFS"), quality]
    level = {"DARK": 0.0625, "FLAT": 1.0}.get(kind, 8.0)
    data = fits.ImageHDU((level + noise).astype("f4"), name="DATA")
    error = fits.ImageHDU(np.full((_SIZE, _SIZE), 2.0**-8, dtype="f4"), name="ERR")
    if kind != "FLAT":
        for image in (data, error):
            image.header["BUNIT"] = "electron/s"
    return [data, error, quality]


def _drizpars() -> fits.BinTableHDU:
    from astropy.io import fits

    columns = [
        fits.Column("NUMIMAGES", "J", array=[1, 2, 4, 8]),
        fits.Column("PIXFRAC", "E", array=[1.0, 1.0, 0.875, 0.75]),
        fits.Column("KERNEL", "8A", array=["square"] * 4),
        fits.Column("SCALE", "E", unit="mas", array=[4.0] * 4),
    ]
    return fits.BinTableHDU.from_columns(columns, name="DRIZPARS")


def _quality_bits() -> fits.BinTableHDU:
    from astropy.io import fits

    columns = [
        fits.Column("BIT", "J", array=[0, 10]),
        fits.Column("VALUE", "J", array=[1, 1024]),
        fits.Column("NAME", "16A", array=["DO_NOT_USE", "DEAD"]),
    ]
    return fits.BinTableHDU.from_columns(columns, name="DQ_DEF")


def _fits(cards: _Cards, extensions: list[fits.ImageHDU | fits.BinTableHDU]) -> bytes:
    from astropy.io import fits

    primary = fits.PrimaryHDU()
    for keyword, value in cards.items():
        primary.header[keyword] = value
    buffer = BytesIO()
    fits.HDUList([primary, *extensions]).writeto(buffer, output_verify="exception")
    return buffer.getvalue()
