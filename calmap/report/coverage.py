"""What rules have references for: for people, for programs, and for a page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from calmap.compile.coverage import Region
from calmap.compile.domain import Domain, Origin
from calmap.report.layout import hanging
from calmap.report.text import Charset, printable

if TYPE_CHECKING:
    from calmap.bestref.coverage import TypeCoverage
    from calmap.compile.coverage import Coverage

MAX_REGIONS = 10
MAX_STARTS = 5
_LONG = 40
MAX_VALUES = 12
_ANY = "all observations"


def render_coverage(surveyed: Sequence[TypeCoverage], console: Console) -> None:
    """Write for each type how much is covered, and what is not."""
    for number, found in enumerate(surveyed):
        if number and (_is_long(found) or _is_long(surveyed[number - 1])):
            console.print()
        for row in _Rows(found, console).rows():
            console.print(row, soft_wrap=True)


def coverage_json(context: str, surveyed: Sequence[TypeCoverage]) -> str:
    """All that is known, as JSON."""
    types = [_type_data(found) for found in surveyed]
    return json.dumps({"context": context, "types": types}, indent=2) + "\n"


def coverage_markdown(surveyed: Sequence[TypeCoverage]) -> str:
    """A table with a line for each type."""
    lines = ["| type | combinations | covered | largest gap |", "|---|--:|--:|---|"]
    for found in surveyed:
        name = f"{found.instrument} {found.reftype}"
        cells = [name, "", "", found.answer]
        if found.coverage is not None:
            holes = found.coverage.holes
            gap = _inline(found.coverage.domains, holes[0]) if holes else ""
            cells = [name, f"{found.coverage.needed:,}", _share(found.coverage), gap]
        lines.append("| " + " | ".join(printable(cell).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


class _Rows:
    """One type laid out for a console."""

    def __init__(self, found: TypeCoverage, console: Console) -> None:
        self.found = found
        self.console = console
        self.charset = Charset.of(console)

    def rows(self) -> Iterator[Text]:
        """Every line, in order."""
        safe, found = self.charset.safe, self.found
        title = Text.assemble((f"{safe(found.instrument)} {safe(found.reftype)}", "bold"))
        if found.coverage is None:
            style = "dim" if found.usable else "red"
            yield from hanging(title.append("  "), Text(safe(found.answer), style), self.console)
            return
        style = "red" if found.coverage.missing else "green"
        yield from hanging(title.append("  "), Text(_summary(found.coverage), style), self.console)
        if not _is_long(found):
            return
        yield Text(f"  {safe(found.mapping)}", "dim")
        yield from self._holes(found.coverage)
        yield from self._starts(found.coverage)
        for note in (*_origins(found.coverage), *found.notes):
            yield from hanging(Text("  "), Text(safe(note), "dim"), self.console)

    def _holes(self, coverage: Coverage) -> Iterator[Text]:
        if not coverage.missing:
            return
        yield Text("  no reference for")
        width = len(f"{coverage.holes[0].combinations:,}")
        for region in coverage.holes[:MAX_REGIONS]:
            yield from self._region(coverage.domains, region, f"{region.combinations:{width},}")
        more = len(coverage.holes) + coverage.holes_left_out - MAX_REGIONS
        if more > 0:
            yield Text(f"    and {more:,} more; --format json has them", "dim")

    def _starts(self, coverage: Coverage) -> Iterator[Text]:
        dated = [region for region in coverage.starts if region.start]
        if not dated or _only_start(coverage):
            return
        yield Text("  no reference before")
        width = max(len(region.start) for region in dated[:MAX_STARTS])
        for region in dated[:MAX_STARTS]:
            yield from self._region(coverage.domains, region, region.start.ljust(width))
        more = len(dated) + coverage.starts_left_out - MAX_STARTS
        if more > 0:
            last = "" if coverage.starts_left_out else f", the last {dated[-1].start}"
            yield Text(f"    and {more:,} more{last}; --format json has them", "dim")

    def _region(self, domains: tuple[Domain, ...], region: Region, lead: str) -> Iterator[Text]:
        body = Text(self.charset.safe(_inline(domains, region)))
        yield from hanging(Text(f"    {lead}  ", "cyan"), body, self.console)


def _is_long(found: TypeCoverage) -> bool:
    coverage = found.coverage
    return coverage is not None and (coverage.missing > 0 or len({r.start for r in coverage.starts}) > 1)


def _only_start(coverage: Coverage) -> str:
    """The first date with a reference, if it is the same for all that have one."""
    starts = {region.start for region in coverage.starts}
    return next(iter(starts)) if len(starts) == 1 and not coverage.starts_left_out else ""


def _summary(coverage: Coverage) -> str:
    needed, spared = coverage.needed, coverage.combinations - coverage.needed
    if not needed:
        return f"none of {spared:,} combination{'s' * (spared != 1)} needs a reference"
    start = _only_start(coverage).removesuffix(" 00:00:00")
    covered = f"{needed - coverage.missing:,} of {needed:,} combination{'s' * (needed != 1)} covered"
    parts = [f"{covered} ({_share(coverage)}){f' from {start}' if start else ''}"]
    parts += [f"{coverage.missing:,} missing"] if coverage.missing else []
    parts += [f"{spared:,} more need none" if spared != 1 else "1 more needs none"] if spared else []
    return ", ".join(parts)


def _share(coverage: Coverage) -> str:
    """Share of the combinations that need a reference and have one; 100% only if all of them do."""
    covered, total = coverage.needed - coverage.missing, coverage.needed
    if covered == total:
        return "100%"
    share = 100 * covered / total
    return f"{min(share, 99.9):.1f}%" if share > 99 or 0 < share < 1 else f"{share:.0f}%"


def _inline(domains: tuple[Domain, ...], region: Region) -> str:
    parts = [
        f"{domain.parameter}={_values(labels, domain.labels)}"
        for domain, labels in zip(domains, region.labels, strict=True)
        if labels is not None
    ]
    return ", ".join(parts) or _ANY


def _values(labels: tuple[str, ...], every: tuple[str, ...]) -> str:
    others = [label for label in every if label not in labels]
    if len(others) * 2 < len(labels) and len(others) <= MAX_VALUES:
        return f"all but {_listed(others)}"
    if len(labels) > MAX_VALUES:
        return f"{_listed(labels[:MAX_VALUES])} and {len(labels) - MAX_VALUES:,} more"
    return _listed(labels)


def _listed(labels: Sequence[str]) -> str:
    """Values as an or-glob; a long one has blanks, so that it can be folded."""
    text = "|".join(labels)
    return text if len(text) <= _LONG else " | ".join(labels)


def _origins(coverage: Coverage) -> Iterator[str]:
    """Where the values are from."""
    by_origin = {
        origin: [domain.parameter for domain in coverage.domains if domain.origin is origin]
        for origin in Origin
    }
    words = {Origin.TELESCOPE: "that the telescope allows", Origin.RULES: "that rules of the instrument name"}
    texts = [f"of {', '.join(names)} those {words[origin]}" for origin, names in by_origin.items() if names]
    if texts:
        yield f"values: {'; '.join(texts)}"
    if coverage.free:
        names = ", ".join(domain.parameter for domain in coverage.free)
        yield f"any number will do for {names}"


def _type_data(found: TypeCoverage) -> dict[str, object]:
    coverage = found.coverage
    data: dict[str, object] = {
        "instrument": found.instrument,
        "type": found.reftype,
        "mapping": found.mapping,
        "complete": found.complete,
        "answer": found.answer or None,
        "notes": list(found.notes),
    }
    if coverage is None:
        return data
    return data | {
        "parameters": [
            {"name": d.parameter, "values": list(d.labels), "from": str(d.origin), "any_number": d.free}
            for d in (*coverage.domains, *coverage.free)
        ],
        "combinations": coverage.combinations,
        "needed": coverage.needed,
        "counts": {str(status): number for status, number in coverage.counts.items()},
        "holes": [_region_data(coverage.domains, region) for region in coverage.holes],
        "holes_left_out": coverage.holes_left_out,
        "starts": [_region_data(coverage.domains, r) | {"from": r.start or None} for r in coverage.starts],
        "starts_left_out": coverage.starts_left_out,
    }


def _region_data(domains: tuple[Domain, ...], region: Region) -> dict[str, object]:
    limits = zip(domains, region.labels, strict=True)
    where = {domain.parameter: list(labels) for domain, labels in limits if labels is not None}
    return {"combinations": region.combinations, "where": where}
