"""Answers for tables of headers, and for the same headers one by one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import calmap
from calmap.errors import HeaderError

Row: TypeAlias = Mapping[str, Any]
Said: TypeAlias = "dict[str, tuple[str, str | None]]"


def one_by_one(
    context: calmap.Context, rows: Iterable[Row], reftypes: Sequence[str] | None = None
) -> list[Said]:
    """Status and files by type, for each row; a bad header has one entry with an empty name."""
    found: list[Said] = []
    for row in rows:
        header = {key: value for key, value in row.items() if value is not None}
        try:
            refs = context.bestrefs(header, reftypes)
        except HeaderError:
            found.append({"": ("bad_header", None)})
            continue
        found.append(
            {
                name: (ref.status, ", ".join(ref.files) if ref.status == "found" else None)
                for name, ref in refs.items()
            }
        )
    return found


def read(answers: Any) -> list[Said]:
    """The same from the columns of answers."""
    types = [name for name in answers.schema.names if not name.endswith("_status")]
    assert answers.schema.names == [part for name in types for part in (name, f"{name}_status")]
    assert types == sorted(types)
    columns = [(name, answers[f"{name}_status"].to_pylist(), answers[name].to_pylist()) for name in types]
    found: list[Said] = []
    for row in range(answers.num_rows):
        said = {name: (status[row], files[row]) for name, status, files in columns}
        if said and all(answer == ("bad_header", None) for answer in said.values()):
            found.append({"": ("bad_header", None)})
            continue
        assert all(files is None for status, files in said.values() if status != "found")
        found.append({name: answer for name, answer in said.items() if answer[0] is not None})
    return found


def answered(context: calmap.Context, table: Any, reftypes: Sequence[str] | None = None) -> list[Said]:
    """Answers for a table of any kind, as those of single headers."""
    return read(context.bestrefs_table(table, reftypes))
