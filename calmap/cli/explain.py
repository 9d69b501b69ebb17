"""The command ``calmap explain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from calmap.cli.options import Invocation, cache_options, color_option, examples, format_option
from calmap.errors import UsageError
from calmap.model.names import is_safe

if TYPE_CHECKING:
    from calmap.cache.layout import Layout
    from calmap.observatories.definition import Observatory

_MAX_DIGITS = 9


@click.command(
    epilog=examples(
        "calmap explain ligeriri_iris_flat_0001.rmap:28",
        "calmap explain mappings/ligeriri/ligeriri_iris_dark_0001.rmap:26 --format json",
    )
)
@click.argument("place", metavar="RULEFILE:LINE")
@cache_options
@format_option("text", "json")
@color_option
@click.pass_context
def explain(
    ctx: click.Context,
    place: str,
    cache: str | None,
    context: str | None,
    observatory: str | None,
    style: str,
    color: str,
) -> None:
    """What a line of a mapping means, and which observations come to it.

    RULEFILE is a mapping file, or the name of a mapping in the cache. For a rule it is told what it wants of
    each keyword, what follows from when on, which other rules compete with it, and a header that comes to
    it.
    """
    from calmap.bestref.line_reader import LineReader
    from calmap.cache.targets import Target, enclosing_cache
    from calmap.model.mapping import load_mapping
    from calmap.report.meaning import meaning_json, render_meaning

    invocation: Invocation = ctx.obj
    name, line = _place(place)

    def chosen() -> Layout:
        return invocation.settings(cache=cache, context=context, observatory=observatory).layout()

    path = invocation.cwd / name
    if path.is_file() or Path(name).name != name:
        layout = chosen() if cache else enclosing_cache(Path(name), invocation.cwd)
    else:
        layout = chosen()
        path = layout.mapping_path(name, observatory or "")
        layout.require_files()
    telescope = observatory or Target(path, layout).telescope
    reader = LineReader(load_mapping(path), telescope_definition(telescope, layout), layout)
    meaning = reader.meaning(line)
    if style == "json":
        click.echo(meaning_json(meaning), nl=False)
    else:
        render_meaning(meaning, invocation.console(color))


def _place(text: str) -> tuple[str, int]:
    name, colon, number = text.rpartition(":")
    if not colon or not name or not number.isdecimal() or len(number) > _MAX_DIGITS:
        raise UsageError(f"'{text}' names no line of a mapping", "write RULEFILE:LINE, such as a.rmap:27")
    return name, int(number)


def telescope_definition(telescope: str, layout: Layout | None) -> Observatory | None:
    """The definition of a telescope, or None if there is none."""
    from calmap.observatories.library import FILE_NAME, bundled_observatories, load_observatory

    if not is_safe(telescope):
        return None
    config = layout.definitions(telescope) if layout else None
    own = config is not None and (config / telescope.lower() / FILE_NAME).exists()
    if not own and telescope.lower() not in bundled_observatories():
        return None
    return load_observatory(telescope, config)
