"""The command ``calmap make``, with a subcommand for each kind of reference file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from calmap.cli.options import Invocation, cache_options, color_option, examples, format_option, quiet_option
from calmap.cli.reducing import (
    StepBar,
    nearer,
    output_of,
    output_options,
    parameter_options,
    reference_options,
    requested,
    told,
)
from calmap.errors import UsageError

if TYPE_CHECKING:
    from reduce.making.exposures import Candidate
    from reduce.making.maker import Wish
    from reduce.making.order import Description, Written
    from reduce.products import Output
    from reduce.session import Request

_OWN = "make."


@click.group(
    epilog=examples(
        "calmap make dark night/ --out new",
        "calmap make flat @flats.txt --override dark=new/IRIS_IMG1_DARK_20250620T011500_0.0.1.fits",
        "calmap make badpix night/ --set make.border=4 --out new",
    )
)
def make() -> None:
    """Make reference files from exposures.

    FILES are raw exposures or products of calmap reduce (FITS), folders with such files below them, or @LIST
    for a text file with a name on each line. Of a folder those are taken that the kind is made of, by IMTYPE;
    files that are named have to fit. Raw exposures are reduced first, as far as the kind takes. All have to
    be of one detector and one configuration.

    The file is named after the instrument, the detector, the type, the start of validity and the version. Its
    header says what calmap certify and calmap insert-reference need, its tables which exposures, steps,
    parameters and references it was made from. The same exposures give the same bytes.

    A new detector needs its references in this order: bias, badpix, gain, linearity, dark, flat.

    Where the rules of the cache have one rule for several values of a keyword, such as READMODE DEFAULT|MCDS,
    the header says in P_READMO that the file is for all of them too; so it takes its place in that rule.

    The exit code is 1 if there is no reference for a type that is needed, and 3 if a file can't be used or
    written.
    """


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What all kinds have."""
    decorators = (
        click.argument("files", nargs=-1, required=True, metavar="FILES..."),
        output_options,
        click.option(
            "--useafter",
            metavar="DATE",
            help="Start of validity, UTC; by default the start of the earliest exposure.",
        ),
        click.option(
            "--version",
            "release",
            metavar="N.N.N",
            default="0.0.1",
            show_default=True,
            help="Version of the file.",
        ),
        click.option("--author", metavar="NAME", default="", help="Who made it."),
        click.option("--descrip", metavar="TEXT", default="", help="What it is, in a few words."),
        parameter_options,
        reference_options,
        cache_options,
        click.option("--no-cache", is_flag=True, help="Use no references but those of --override."),
        format_option("text", "json"),
        color_option,
        quiet_option,
        click.pass_context,
    )
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


@make.command(
    epilog=examples("calmap make dark night/ --out new", "calmap make dark d*.fits --useafter 2025-06-20")
)
@_options
def dark(ctx: click.Context, /, **given: Any) -> None:
    """Make a dark: the mean dark current, and hot and unsteady pixels.

    It takes exposures with IMTYPE DARK, of any length, as rates (L1). Outliers are left out of the mean if
    there are three or more; combine_frames has the parameters of that. The errors are propagated.

    Parameters for --set: make.warm, make.hot, make.cold and make.noisy, in standard deviations, and
    make.box.
    """
    _run(ctx, "dark", given)


@make.command(
    epilog=examples(
        "calmap make flat lamp/ --out new", "calmap make flat f*.fits --override dark=new_dark.fits"
    )
)
@_options
def flat(ctx: click.Context, /, **given: Any) -> None:
    """Make a flat: the response of each pixel, 1 for the typical one.

    It takes exposures with IMTYPE FLAT, as rates without dark (L2). Each is divided by its typical value, so
    the lamp may drift or have several levels. Pixels that see nothing get NO_FLAT_FIELD.

    Parameters for --set: make.typical (median, mean or mode), make.dead, make.low and make.unreliable,
    shares, and make.box.
    """
    _run(ctx, "flat", given)


@make.command(epilog=examples("calmap make bias night/ --set make.border=4 --out new"))
@_options
def bias(ctx: click.Context, /, **given: Any) -> None:
    """Make a bias: the counts just after the reset, in DN.

    It takes raw exposures with IMTYPE BIAS: the mean of their first reads, or of all with make.reads=all, for
    exposures of no length. The error is from the noise between the exposures.

    Parameters for --set: make.reads (first or all), make.border, the width of the frame of reference pixels
    where no map of bad pixels tells it, and make.noisy.
    """
    _run(ctx, "bias", given)


@make.command(epilog=examples("calmap make badpix night/ --set make.border=4 --allow-missing nonlincoeff"))
@_options
def badpix(ctx: click.Context, /, **given: Any) -> None:
    """Make a map of bad pixels, a reference of type dq.

    It takes exposures with IMTYPE DARK or FLAT, as rates (L1). Darks tell hot, warm and unsteady pixels;
    flats, from which the mean of the darks is subtracted, tell dead, inefficient and open ones. What an older
    map says of bad pixels does not count.

    Parameters for --set: make.warm, make.hot, make.cold and make.noisy, in standard deviations; make.dead and
    make.low, shares; make.box; and make.border, the width of the frame of reference pixels where no older map
    tells it.
    """
    _run(ctx, "badpix", given)


@make.command(
    epilog=examples(
        "calmap make sky night/ --out new", "calmap make sky s*.fits --set calc_bkg_imager.box=32"
    )
)
@_options
def sky(ctx: click.Context, /, **given: Any) -> None:
    """Make a sky: what the sky looks like, per unit of its level.

    It takes exposures with IMTYPE SKY, as calibrated frames (L2), which should see different stars: these are
    masked. calc_bkg_imager has the parameters.
    """
    _run(ctx, "sky", given)


@make.command(epilog=examples("calmap make linearity ramps/ --override bias=new_bias.fits --out new"))
@_options
def linearity(ctx: click.Context, /, **given: Any) -> None:
    """Make a linearity correction and levels of saturation.

    It takes raw exposures with IMTYPE FLAT, all read alike, of a lamp that is steady within each of them and
    drives most pixels into saturation. The correction, of type nonlincoeff, is linear = sum of COEFFS[k] *
    DN**k for counts above the bias. The levels, of type saturation, are a second file, if none was given.

    Parameters for --set: make.order, the highest power; make.tolerance; make.saturation=no for the correction
    alone; make.gain and make.read_noise, where there are no references.
    """
    _run(ctx, "linearity", given)


@make.command(epilog=examples("calmap make gain pairs/ darks/ --set make.channels=64 --out new"))
@_options
def gain(ctx: click.Context, /, **given: Any) -> None:
    """Make the gain (electrons a DN) and the read noise, two files.

    It takes raw exposures with IMTYPE FLAT in pairs of equal level, several of them, and DARK or BIAS; each
    of two reads or more. The variance of the differences within pairs grows with the level by one over the
    gain, from that of the read noise.

    Parameters for --set: make.channels, the strips of columns that are measured by themselves, by default one
    for 64 columns; make.readnoise=pixel for the read noise of each pixel; make.tolerance and make.quadratic.
    """
    _run(ctx, "gain", given)


def _run(ctx: click.Context, kind: str, given: Mapping[str, Any]) -> None:
    """Make what is asked for, and print it."""
    invocation: Invocation = ctx.obj
    output = replace(output_of(invocation, given), logged=False)
    with told():
        written = _made(invocation, _wish(invocation, kind, given), output, given)
    if given["quiet"]:
        return
    if given["style"] == "json":
        click.echo(json.dumps([_json(each) for each in written], indent=2))
        return
    console = invocation.console(given["color"])
    for each in written:
        for line in _lines(each):
            console.print(line, soft_wrap=True)


def _made(
    invocation: Invocation, wish: Wish, output: Output, given: Mapping[str, Any]
) -> tuple[Written, ...]:
    from reduce.making.maker import make as made

    console = None if given["quiet"] else invocation.console(given["color"], stderr=True)
    with StepBar(console) as bar:
        return made(wish, output, bar.of)


def _wish(invocation: Invocation, kind: str, given: Mapping[str, Any]) -> Wish:
    from reduce.making.maker import Wish

    own = [text for text in given["settings"] if text.strip().startswith(_OWN)]
    others = [text for text in given["settings"] if not text.strip().startswith(_OWN)]
    request = requested(invocation, given, others)
    candidates = _candidates(given["files"], invocation)
    return Wish(kind, candidates, request, _parameters(own), _description(given, request))


def _parameters(texts: Sequence[str]) -> dict[str, object]:
    """The parameters of the kind itself."""
    from reduce.settings import command_line

    return dict(command_line(texts).values.get(_OWN.removesuffix("."), {}))


def _description(given: Mapping[str, Any], request: Request) -> Description:
    from calmap.reduction.resolver import CacheResolver
    from calmap.reduction.serving import served
    from reduce.making.order import Description, moment
    from reduce.references import Overrides

    useafter = moment(given["useafter"]) if given["useafter"] else None
    rules = request.resolver.others if isinstance(request.resolver, Overrides) else None
    serves = partial(served, rules.context) if isinstance(rules, CacheResolver) else None
    return Description(useafter, given["release"], given["author"], given["descrip"], serves)


def _candidates(names: Sequence[str], invocation: Invocation) -> list[Candidate]:
    """The files that are named, and those of folders and lists."""
    from calmap.headers.datasets import dataset_files
    from reduce.making.exposures import Candidate
    from reduce.products import is_fits

    found: dict[Path, Candidate] = {}
    for name in names:
        folder = (invocation.cwd / Path(name).expanduser()).is_dir()
        for path in dataset_files([name], invocation.cwd):
            if not folder or is_fits(path.name):
                found.setdefault(path, Candidate(path, named=not folder))
    if not found:
        raise UsageError(f"there is no FITS file below {', '.join(names)}")
    return list(found.values())


def _lines(written: Written) -> Iterator[Any]:
    """A reference file for people: its name, the exposures, each step."""
    from rich.text import Text

    from calmap.report.text import printable

    number = len(written.sources)
    yield Text.assemble((printable(nearer(str(written.path))), "bold"))
    yield Text(f"  {written.reftype} from {number} exposure{'' if number == 1 else 's'}")
    for note in written.notes:
        yield Text(f"  note: {note}", "yellow")
    for record in written.provenance.steps:
        text = Text(f"  {record.step:<16} ")
        if record.status == "SKIPPED":
            yield text.append("skipped  ", "yellow").append(record.reason)
        else:
            used = "  ".join(use.reference.keyword_value for use in record.references)
            yield text.append("done     ", "green").append(printable(nearer(used)))


def _json(written: Written) -> dict[str, Any]:
    """A reference file for machines."""
    from calmap.cli.reduce_output import step_json

    return {
        "file": str(written.path),
        "type": written.reftype,
        "sources": [str(path) for path in written.sources],
        "notes": list(written.notes),
        "steps": [step_json(record) for record in written.provenance.steps],
    }
