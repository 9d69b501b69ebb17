"""The few selections of HST that its rule files leave to code.

Each function takes a header of conditioned values and returns a changed copy.
A telescope's definition names those it allows; a mapping's ``hooks`` picks among
them. They do what crds 14.0.3 does for the ACS and WFC3 bias files and the
WFPC2 flat files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from calmap.model.dates import normal_date
from calmap.model.values import NA, UNDEFINED, condition_value

Values: TypeAlias = dict[str, str]
Hook: TypeAlias = Callable[[Values], Values]

_SM4 = "2009-05-14 00:00:00"
_PRE_SM4_SUBARRAYS = "2002-03-30 00:00:00"
_HALF_CHIP_COLUMNS = 2048


def _exposure(header: Values) -> str:
    return normal_date(f"{header['DATE-OBS']} {header['TIME-OBS']}")


def _integer(text: str) -> int | None:
    try:
        return int(float(text))
    except ValueError:
        return None


def _acs_bias(header: Values, columns: str, rows: str) -> Values:
    """Before SM4 the aperture does not count and wide frames have two amplifiers; WFC has two chips."""
    header = dict(header)
    early = _exposure(header) < _SM4
    if early:
        header["APERTURE"] = NA
    width = _integer(header[columns])
    if width is not None:
        header[columns] = condition_value(str(width))
        if early and width > _HALF_CHIP_COLUMNS:
            amplifier = header["CCDAMP"]
            header["CCDAMP"] = {"A": "AD", "D": "AD", "B": "BC", "C": "BC"}.get(amplifier, amplifier)
    if header["DETECTOR"] == "WFC" and header["XCORNER"] == "0.0" and header["YCORNER"] == "0.0":
        height = _integer(header[rows])
        if height is not None:
            header[rows] = condition_value(str(height / 2))
    return header


def precondition_header_acs_biasfile_v1(header: Values) -> Values:
    """ACS BIASFILE, sizes in NUMCOLS and NUMROWS."""
    return _acs_bias(header, "NUMCOLS", "NUMROWS")


def precondition_header_acs_biasfile_v2(header: Values) -> Values:
    """ACS BIASFILE, sizes in NAXIS1 and NAXIS2."""
    return _acs_bias(header, "NAXIS1", "NAXIS2")


def precondition_header_acs_biasfile_v3(header: Values) -> Values:
    """ACS BIASFILE, where subarrays since 2002 have bias files of their own."""
    date = _exposure(header)
    old_ways = (
        header["DETECTOR"] != "WFC"
        or date < _PRE_SM4_SUBARRAYS
        or header.get("APERTURE", UNDEFINED) == UNDEFINED
        or float(header["CCDGAIN"]) in (4.0, 8.0)
        or header["CCDAMP"] in ("AD", "BC")
    )
    return _acs_bias(header, "NAXIS1", "NAXIS2") if old_ways else dict(header)


def _full_frame(header: Values, offset: str) -> Values:
    wide = header["DETECTOR"] == "WFC"
    lower = wide or header["CCDAMP"] in ("C", "D")
    return header | {
        "NAXIS1": "4144.0" if wide else "1062.0",
        "NAXIS2": "2068.0" if wide else "1044.0",
        f"{offset}1": "24.0" if wide else "19.0",
        f"{offset}2": "0.0" if lower else "20.0",
    }


def fallback_header_acs_biasfile_v2(header: Values) -> Values:
    """ACS BIASFILE: the full frame where a subarray has none, offsets in LTV1 and LTV2."""
    return _full_frame(precondition_header_acs_biasfile_v2(header), "LTV")


def fallback_header_acs_biasfile_v3(header: Values) -> Values:
    """ACS BIASFILE: the full frame where a subarray has none, offsets in RAW_LTV1 and RAW_LTV2."""
    return _full_frame(precondition_header_acs_biasfile_v3(header), "RAW_LTV")


def precondition_header_wfc3_biasfile_v1(header: Values) -> Values:
    """WFC3 BIASFILE: the aperture does not count for a subarray of the observer's own."""
    custom = header["SUBARRAY"] == "T" and "SUB" not in header["APERTURE"]
    return header | {"APERTURE": NA} if custom else dict(header)


def fallback_header_wfpc2_flatfile_v1(header: Values) -> Values:
    """WFPC2 FLATFILE: the two filters exchanged."""
    return header | {"FILTER1": header["FILTER2"], "FILTER2": header["FILTER1"]}


HOOKS: Mapping[str, Hook] = {
    hook.__name__: hook
    for hook in (
        precondition_header_acs_biasfile_v1,
        precondition_header_acs_biasfile_v2,
        precondition_header_acs_biasfile_v3,
        fallback_header_acs_biasfile_v2,
        fallback_header_acs_biasfile_v3,
        precondition_header_wfc3_biasfile_v1,
        fallback_header_wfpc2_flatfile_v1,
    )
}


def dnr_check(header: Mapping[str, str]) -> bool:
    """Do not reprocess: WFC exposures with certain gains, for which a type without a file does not apply."""
    try:
        return header["DETECTOR"] == "WFC" and float(header["CCDGAIN"]) in (0.5, 1.4)
    except (KeyError, ValueError):
        return False


AFTER_FAILURE: Mapping[str, Callable[[Mapping[str, str]], bool]] = {"dnr_check": dnr_check}
AFTER_FAILURE_KEYWORDS: Mapping[str, frozenset[str]] = {"dnr_check": frozenset({"DETECTOR", "CCDGAIN"})}
"""Keywords without which a check never holds."""

_ACS_BIAS = frozenset({"DATE-OBS", "TIME-OBS", "APERTURE", "CCDAMP", "DETECTOR", "XCORNER", "YCORNER"})
_ACS_SIZES = _ACS_BIAS | {"NAXIS1", "NAXIS2"}
HOOK_KEYWORDS: Mapping[str, frozenset[str]] = {
    "precondition_header_acs_biasfile_v1": _ACS_BIAS | {"NUMCOLS", "NUMROWS"},
    "precondition_header_acs_biasfile_v2": _ACS_SIZES,
    "precondition_header_acs_biasfile_v3": _ACS_SIZES | {"CCDGAIN"},
    "fallback_header_acs_biasfile_v2": _ACS_SIZES | {"LTV1", "LTV2"},
    "fallback_header_acs_biasfile_v3": _ACS_SIZES | {"CCDGAIN", "RAW_LTV1", "RAW_LTV2"},
    "precondition_header_wfc3_biasfile_v1": frozenset({"SUBARRAY", "APERTURE"}),
    "fallback_header_wfpc2_flatfile_v1": frozenset({"FILTER1", "FILTER2"}),
}
"""Keywords that each hook reads or sets."""
HOOK_DATE = ("DATE-OBS", "TIME-OBS")
"""Keywords of the date that hooks look at."""
HOOK_MOMENTS = (_PRE_SM4_SUBARRAYS, _SM4)
"""Dates at which hooks begin to do something else."""
