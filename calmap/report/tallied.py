"""How many datasets get what: for people and for programs.

The counts come from `calmap.archive`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from calmap.report.layout import table_rows
from calmap.report.summary import counted
from calmap.report.text import Charset, printable

if TYPE_CHECKING:
    from calmap.archive.tally import Tally

_STATUSES = ("found", "not_applicable", "not_found")
_MOST = 10
_UNBOUNDED = 10_000


def render_selected(tally: Tally, context: str, console: Console) -> None:
    """Write for each type how many datasets have a reference, and how many references there are."""
    rows: list[tuple[str | int, ...]] = [
        (*names, *(_total(answers, status) for status in _STATUSES), _files(answers))
        for names, answers in tally.by_type().items()
    ]
    if rows:
        _listing(("instrument", "type", "found", "N/A", "not found", "references"), rows, console)
        console.print()
    console.print(Text(f"{datasets(tally.rows)} with {Charset.of(console).safe(context)}"), soft_wrap=True)


def selected_json(tally: Tally, context: str, output: str | None) -> str:
    """The same, with the references of each type, as JSON."""
    types = [
        {
            "instrument": instrument,
            "type": reftype,
            **{status: _total(answers, status) for status in _STATUSES},
            "references": [
                {"files": files.split(", "), "datasets": number}
                for (status, files), number in answers.items()
                if status == "found"
            ],
        }
        for (instrument, reftype), answers in tally.by_type().items()
    ]
    return _json({"context": context, **_common(tally, output), "types": types})


def selected_csv(tally: Tally) -> str:
    """A line for each answer of each type."""
    rows = [(*case[:2], *case.answers, number) for case, number in sorted(tally.counts.items())]
    return _csv(("instrument", "type", "status", "files", "datasets"), rows)


def render_affected(tally: Tally, differing: int, same: int, console: Console) -> None:
    """Write for each type how many datasets get which other files, the most frequent changes first."""
    charset = Charset.of(console)
    for (instrument, reftype), answers in tally.by_type().items():
        heading = Text(charset.safe(f"{instrument} {reftype}"), "bold")
        console.print(heading.append(f"  {datasets(sum(answers.values()))}", "not bold"), soft_wrap=True)
        changes = sorted(answers.items(), key=lambda item: (-item[1], item[0]))
        width = len(f"{changes[0][1]:,}")
        for files, number in changes[:_MOST]:
            _change(f"  {number:{width},}  ", *files, console)
        if len(changes) > _MOST:
            more = f"  and {counted(len(changes) - _MOST, 'other change')}; --format csv has them"
            console.print(Text(more, "dim"), soft_wrap=True)
    if tally.counts:
        console.print()
    console.print(Text(affected_summary(tally)), soft_wrap=True)
    console.print(Text(rules_summary(differing, same), "dim"), soft_wrap=True)


def affected_summary(tally: Tally) -> str:
    """How many datasets are affected."""
    return f"{tally.affected:,} of {datasets(tally.rows)} would get other references"


def rules_summary(differing: int, same: int) -> str:
    """How many types had to be looked up."""
    if not differing:
        return f"the rules of {'the type' if same == 1 else f'all {same:,} types'} are the same"
    others = f"; {same:,} other{' has' if same == 1 else 's have'} the same rules" if same else ""
    return f"{counted(differing, 'type')} differ{'s' * (differing == 1)}{others}"


def affected_json(
    tally: Tally, old: str, new: str, types: Sequence[Mapping[str, str | None]], same: int, output: str | None
) -> str:
    """The same as JSON, with the mappings that differ."""
    by_type = tally.by_type()
    changes = [
        {"instrument": case.instrument, "type": case.reftype, **_old_new(case.answers), "datasets": number}
        for case, number in sorted(tally.counts.items())
    ]
    counts = [
        {**names, "datasets": sum(by_type.get((names["instrument"] or "", names["type"] or ""), {}).values())}
        for names in types
    ]
    data = {"old": old, "new": new, **_common(tally, output), "affected": tally.affected}
    return _json({**data, "types": counts, "types_with_same_rules": same, "changes": changes})


def affected_csv(tally: Tally) -> str:
    """A line for each change of files of each type."""
    rows = [(*case[:2], *case.answers, number) for case, number in sorted(tally.counts.items())]
    return _csv(("instrument", "type", "old", "new", "datasets"), rows)


def bad_headers(tally: Tally) -> str:
    """How many headers could not be used, and the first of them."""
    more = ", …" if tally.bad > len(tally.examples) else ""
    names = ", ".join(printable(name) for name in tally.examples)
    verb = "names" if tally.bad == 1 else "name"
    which = "the dataset" if tally.rows == 1 else f"{datasets(tally.rows)}"
    return f"{tally.bad:,} of {which} {verb} no instrument that the rules know: {names}{more}"


def datasets(number: int) -> str:
    """A number of datasets."""
    return f"{number:,} dataset{'' if number == 1 else 's'}"


def _common(tally: Tally, output: str | None) -> dict[str, object]:
    return {
        "datasets": tally.rows,
        "instruments": dict(sorted(tally.instruments.items())),
        "bad_headers": tally.bad,
        "bad_examples": list(tally.examples),
        "output": output,
    }


def _old_new(answers: tuple[str, str]) -> dict[str, str]:
    return {"old": answers[0], "new": answers[1]}


def _total(answers: Mapping[tuple[str, str], int], status: str) -> int:
    return sum(number for (found, _), number in answers.items() if found == status)


def _files(answers: Mapping[tuple[str, str], int]) -> int:
    return len({name for (status, files) in answers if status == "found" for name in files.split(", ")})


def _change(lead: str, old: str, new: str, console: Console) -> None:
    charset = Charset.of(console)
    arrow, before, after = charset.safe("→"), charset.safe(old), charset.safe(new)
    line = f"{lead}{before} {arrow} {after}"
    if len(line) <= console.width:
        console.print(Text(line), soft_wrap=True)
        return
    console.print(Text(f"{lead}{before}"), soft_wrap=True)
    console.print(Text(f"{' ' * len(lead)}{arrow} {after}"), soft_wrap=True)


def _listing(columns: Sequence[str], rows: Iterable[Sequence[str | int]], console: Console) -> None:
    charset = Charset.of(console)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number > 1 else "left", no_wrap=True)
    for row in rows:
        cells = (f"{cell:,}" if isinstance(cell, int) else charset.safe(cell) for cell in row)
        table.add_row(*(Text(cell) for cell in cells))
    for line in table_rows(table, _UNBOUNDED, console):
        console.print(line, soft_wrap=True)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([printable(str(cell)) for cell in row] for row in rows)
    return out.getvalue()


def _json(data: Mapping[str, object]) -> str:
    return json.dumps(data, indent=2) + "\n"
