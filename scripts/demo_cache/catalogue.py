"""Every reference file of the cache, and the rule under which it is listed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

IRIS_CHANGE = datetime(2025, 3, 1)
"""New detector electronics: IRIS goes from era 0.0.0 to 0.1.0, and files name it INSTERA, not ERA."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference file.

    Parameters
    ----------
    kind
        The reference type, in capitals.
    stamp
        The start of validity, as in the file's name.
    match
        The key of its rule.
    band, readmode
        The configuration it was taken in.
    """

    instrument: str
    detector: str
    kind: str
    stamp: str
    match: tuple[str, ...]
    band: str = ""
    readmode: str = "DEFAULT"
    version: str = "0.0.1"

    @property
    def name(self) -> str:
        """Name of the file."""
        return f"{self.instrument}_{self.detector}_{self.kind}_{self.stamp}_{self.version}.fits"

    @property
    def when(self) -> datetime:
        """Start of validity."""
        return datetime.strptime(self.stamp, "%Y%m%dT%H%M%S")

    @property
    def era(self) -> str:
        """Era of the instrument at that time."""
        return "0.1.0" if self.instrument == "IRIS" and self.when >= IRIS_CHANGE else "0.0.0"


def _dark(instrument: str, detector: str, stamp: str, *match: str, readmode: str = "DEFAULT") -> Reference:
    return Reference(instrument, detector, "DARK", stamp, match, readmode=readmode)


def _flat(instrument: str, detector: str, stamp: str, *match: str) -> Reference:
    return Reference(instrument, detector, "FLAT", stamp, match, band=match[3])


def _dq(instrument: str, detector: str, stamp: str) -> Reference:
    return Reference(instrument, detector, "DQ", stamp, (detector, "GENERIC"))


def _nonlincoeff(instrument: str, detector: str, stamp: str, era: str, readmode: str) -> Reference:
    return Reference(instrument, detector, "NONLINCOEFF", stamp, (era, detector, readmode))


DARKS = (
    _dark("IRIS", "IMG1", "20240924T000000", "0.0.0", "IMG1", "DEFAULT", "CUSTOM|FULL"),
    _dark("IRIS", "IMG1", "20241105T000000", "0.0.0", "IMG1", "DEFAULT", "CUSTOM|FULL"),
    _dark("IRIS", "IMG1", "20250312T000000", "0.1.0", "IMG1", "DEFAULT", "CUSTOM|FULL"),
    _dark("IRIS", "IMG1", "20250618T000000", "0.1.0", "IMG1", "DEFAULT", "CUSTOM|FULL"),
    _dark("IRIS", "IMG1", "20250312T003000", "0.1.0", "IMG1", "MCDS", "FULL", readmode="MCDS"),
    _dark("IRIS", "IMG2", "20240924T000000", "0.0.0|0.1.0", "IMG2", "DEFAULT", "CUSTOM|FULL"),
    _dark("IRIS", "IMG3", "20240924T000000", "0.0.0|0.1.0", "IMG3", "DEFAULT", "CUSTOM|FULL"),
    _dark("IRIS", "IMG4", "20240924T000000", "0.0.0|0.1.0", "IMG4", "DEFAULT", "CUSTOM|FULL"),
    _dark("IRIS", "IFU", "20240926T000000", "0.0.0", "IFU", "DEFAULT", "N/A"),
    _dark("IRIS", "IFU", "20250313T000000", "0.1.0", "IFU", "DEFAULT|MCDS", "N/A"),
    _dark("Liger", "IMG", "20240924T000000", "0.0.0", "IMG", "DEFAULT", "CUSTOM|FULL"),
    _dark("Liger", "IMG", "20250702T000000", "0.0.0", "IMG", "DEFAULT", "CUSTOM|FULL"),
    _dark("Liger", "IFU", "20250703T000000", "0.0.0", "IFU", "N/A", "N/A"),
)

FLATS = (
    _flat("IRIS", "IMG1", "20240924T000000", "0.0.0", "IMG1", "DEFAULT", "Y", "CLEAR"),
    _flat("IRIS", "IMG1", "20241106T000000", "0.0.0", "IMG1", "DEFAULT", "Y", "CLEAR"),
    _flat("IRIS", "IMG1", "20240924T003000", "0.0.0", "IMG1", "DEFAULT", "J", "CLEAR"),
    _flat("IRIS", "IMG1", "20240924T010000", "0.0.0", "IMG1", "DEFAULT", "H", "CLEAR"),
    _flat("IRIS", "IMG1", "20240924T013000", "0.0.0", "IMG1", "DEFAULT", "K", "CLEAR"),
    _flat("IRIS", "IMG1", "20250313T000000", "0.1.0", "IMG1", "DEFAULT|MCDS", "Y", "CLEAR"),
    _flat("IRIS", "IMG1", "20250313T003000", "0.1.0", "IMG1", "DEFAULT|MCDS", "K", "CLEAR"),
    _flat("IRIS", "IMG2", "20240925T000000", "0.0.0|0.1.0", "IMG2", "N/A", "K", "CLEAR"),
    _flat("IRIS", "IMG3", "20240925T000000", "0.0.0|0.1.0", "IMG3", "N/A", "K", "CLEAR"),
    _flat("IRIS", "IMG4", "20240925T000000", "0.0.0|0.1.0", "IMG4", "N/A", "K", "CLEAR"),
    _flat("IRIS", "IFU", "20240926T003000", "0.0.0|0.1.0", "IFU", "N/A", "H", "N/A"),
    _flat("IRIS", "IFU", "20240926T010000", "0.0.0|0.1.0", "IFU", "N/A", "K", "N/A"),
    _flat("Liger", "IMG", "20240924T000000", "0.0.0", "IMG", "DEFAULT", "Y", "CLEAR"),
    _flat("Liger", "IMG", "20250702T003000", "0.0.0", "IMG", "DEFAULT", "H", "CLEAR"),
    _flat("Liger", "IMG", "20250702T010000", "0.0.0", "IMG", "DEFAULT", "K", "CLEAR"),
    _flat("Liger", "IFU", "20250703T003000", "0.0.0", "IFU", "N/A", "K", "N/A"),
)

DQS = (
    _dq("IRIS", "IMG1", "20240901T000000"),
    _dq("IRIS", "IMG1", "20250301T000000"),
    _dq("IRIS", "IMG2", "20240901T000000"),
    _dq("IRIS", "IMG3", "20240901T000000"),
    _dq("IRIS", "IMG4", "20240901T000000"),
    _dq("IRIS", "IFU", "20240901T000000"),
    _dq("Liger", "IMG", "20240901T000000"),
    _dq("Liger", "IFU", "20240901T000000"),
)

NONLINCOEFFS = (
    _nonlincoeff("IRIS", "IMG1", "20240924T000000", "0.0.0", "DEFAULT"),
    _nonlincoeff("IRIS", "IMG1", "20250312T000000", "0.1.0", "DEFAULT|MCDS"),
    _nonlincoeff("IRIS", "IMG2", "20240924T000000", "0.0.0|0.1.0", "DEFAULT|MCDS"),
    _nonlincoeff("IRIS", "IMG3", "20240924T000000", "0.0.0|0.1.0", "DEFAULT|MCDS"),
    _nonlincoeff("IRIS", "IMG4", "20240924T000000", "0.0.0|0.1.0", "DEFAULT|MCDS"),
    _nonlincoeff("IRIS", "IFU", "20240924T000000", "0.0.0|0.1.0", "DEFAULT|MCDS"),
    _nonlincoeff("Liger", "IMG", "20240924T000000", "0.0.0", "DEFAULT|MCDS"),
    _nonlincoeff("Liger", "IFU", "20240924T000000", "0.0.0", "DEFAULT|MCDS"),
)

DRIZPARS = (
    Reference("IRIS", "IMG", "DRIZPARS", "20240101T000000", ()),
    Reference("Liger", "IMG", "DRIZPARS", "20240101T000000", ()),
)

REFERENCES = DARKS + FLATS + DQS + NONLINCOEFFS + DRIZPARS
