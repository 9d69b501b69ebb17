"""The mapping files of the cache, as text with correct checksums."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha1

from demo_cache.catalogue import REFERENCES, Reference

INSTRUMENTS = ("IRIS", "Liger")
SUBSTITUTIONS = """{
        'META.SUBARRAY.NAME' : {
            'GENERIC' : 'N/A',
        },
    }"""
KINDS = ("DARK", "DQ", "DRIZPARS", "FLAT", "NONLINCOEFF")


@dataclass(frozen=True, slots=True)
class Layout:
    """What is the same in the rmaps of one type.

    Parameters
    ----------
    selector
        The selector below Match.
    parkey
        The keys of Match; the nested selector always goes by META.DATE.
    extra
        Further header entries, as written.
    remark
        A `#` comment on top of the rules.
    comment
        The comment section.
    """

    selector: str
    parkey: tuple[str, ...]
    extra: tuple[tuple[str, str], ...] = ()
    remark: str = ""
    comment: str = ""


LAYOUTS = {
    "DARK": Layout(
        "ClosestTime",
        ("META.INSTRUMENT.ERA", "META.INSTRUMENT.DETECTOR", "META.EXPOSURE.READMODE", "META.SUBARRAY.NAME"),
        remark="A dark of the full detector serves subarrays too: the pipeline cuts it to size.",
    ),
    "DQ": Layout(
        "UseAfter",
        ("META.INSTRUMENT.DETECTOR", "META.SUBARRAY.NAME"),
        (("substitutions", SUBSTITUTIONS),),
        remark="GENERIC stands for every subarray: see substitutions.",
    ),
    "DRIZPARS": Layout(
        "UseAfter",
        (),
        (
            ("extra_keys", "('META.INSTRUMENT.DETECTOR',)"),
            ("rmap_relevance", """'(META.INSTRUMENT.DETECTOR != "IFU")'"""),
        ),
        remark="IFU frames become cubes and are not drizzled: see rmap_relevance.",
    ),
    "FLAT": Layout(
        "ClosestTime",
        (
            "META.INSTRUMENT.ERA",
            "META.INSTRUMENT.DETECTOR",
            "META.EXPOSURE.READMODE",
            "META.INSTRUMENT.FILTER",
            "META.INSTRUMENT.PUPIL",
        ),
        comment="""
Flats belong to an era: a new detector or new electronics start a new one.
Frames taken through a closed filter wheel are not divided by a flat.
""",
    ),
    "NONLINCOEFF": Layout(
        "ClosestTime", ("META.INSTRUMENT.ERA", "META.INSTRUMENT.DETECTOR", "META.EXPOSURE.READMODE")
    ),
}

CLOSED = ("N/A", "N/A", "N/A", "DARK|OPAQUE", "N/A")


def mapping_files() -> Iterator[tuple[str, str]]:
    """Name and text of every mapping."""
    yield "ligeriri_0001.pmap", _pmap()
    for instrument in INSTRUMENTS:
        yield _imap_name(instrument), _imap(instrument)
        for kind in KINDS:
            yield _rmap_name(instrument, kind), _rmap(instrument, kind)


def _imap_name(instrument: str) -> str:
    return f"ligeriri_{instrument.lower()}_0001.imap"


def _rmap_name(instrument: str, kind: str) -> str:
    return f"ligeriri_{instrument.lower()}_{kind.lower()}_0001.rmap"


def _pmap() -> str:
    selector = _table("    ", ((repr(name), repr(_imap_name(name))) for name in INSTRUMENTS))
    entries = {
        "description": "'demonstration cache: simulated files of Liger and IRIS'",
        "mapping": "'PIPELINE'",
        "name": "'ligeriri_0001.pmap'",
        "parkey": "('META.INSTRUMENT.NAME',)",
    }
    return _mapping(entries, f"{{\n{selector}}}")


def _imap(instrument: str) -> str:
    selector = _table("    ", ((repr(kind), repr(_rmap_name(instrument, kind))) for kind in KINDS))
    entries = {
        "instrument": repr(instrument),
        "mapping": "'INSTRUMENT'",
        "name": repr(_imap_name(instrument)),
        "parkey": "('REFTYPE',)",
    }
    return _mapping(entries, f"{{\n{selector}}}")


def _rmap(instrument: str, kind: str) -> str:
    layout = LAYOUTS[kind]
    keys = "".join(f"            {key!r},\n" for key in layout.parkey)
    match_keys = f"(\n{keys}        )" if keys else "()"
    entries = {
        "classes": f"('Match', {layout.selector!r})",
        "filekind": repr(kind),
        "instrument": repr(instrument),
        "mapping": "'REFERENCE'",
        "name": repr(_rmap_name(instrument, kind)),
        "parkey": f"(\n        {match_keys},\n        ('META.DATE',),\n    )",
        **dict(layout.extra),
    }
    remark = f"    # {layout.remark}\n" if layout.remark else ""
    rules = "".join(_rules(instrument, kind, layout.selector))
    return _mapping(entries, f"Match({{\n{remark}{rules}}})", layout.comment)


def _rules(instrument: str, kind: str, selector: str) -> Iterator[str]:
    chosen = [r for r in REFERENCES if (r.instrument, r.kind) == (instrument, kind)]
    by_match: dict[tuple[str, ...], list[Reference]] = {}
    for reference in chosen:
        by_match.setdefault(reference.match, []).append(reference)
    for match, references in sorted(by_match.items()):
        dates = sorted((f"{r.when:'%Y-%m-%d %H:%M:%S'}", repr(r.name)) for r in references)
        yield f"    {match!r} : {selector}({{\n{_table(' ' * 8, dates)}    }}),\n"
    if kind == "FLAT":
        yield f"    {CLOSED!r} : {selector}({{\n        '2015-01-01 00:00:00' : 'N/A',\n    }}),\n"


def _table(indent: str, entries: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> str:
    return "".join(f"{indent}{key} : {value},\n" for key, value in entries)


def _mapping(entries: dict[str, str], selector: str, comment: str = "") -> str:
    """Lay out a mapping; its checksum is that of all its lines but the checksum's own."""
    everything = {"derived_from": "'NONE'", "observatory": "'LIGERIRI'", "sha1sum": "''", **entries}
    header = _table("    ", sorted((repr(key), value) for key, value in everything.items()))
    section = f'comment = """{comment}"""\n\n' if comment else ""
    text = f"header = {{\n{header}}}\n\n{section}selector = {selector}\n"
    others = "".join(line for line in text.splitlines(keepends=True) if "sha1sum" not in line)
    return text.replace("'sha1sum' : ''", f"'sha1sum' : '{sha1(others.encode()).hexdigest()}'")
