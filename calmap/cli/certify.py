"""The command ``calmap certify``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calmap.cli.options import Invocation, cache_options, color_option, examples, format_option, quiet_option
from calmap.cli.trouble import TROUBLE, tell
from calmap.errors import CalmapError, UsageError
from calmap.model.names import mapping_kind

if TYPE_CHECKING:
    from calmap.cache.inspection import Inspector
    from calmap.cache.settings import Settings
    from calmap.certify.certifier import Certifier
    from calmap.certify.finding import Certificate

_STYLES = ("text", "json", "github")


@click.command(
    epilog=examples(
        "calmap certify IRIS_IMG1_FLAT_20260101T000000_0.0.1.fits",
        "calmap certify new/ --context ligeriri_0042.pmap --format github",
        "calmap certify new_flat.fits --compare old_flat.fits",
        "calmap certify jwst_miri_ipc_0004.fits --tpn tpns/",
        "calmap certify --convert tpns/ > certify.yaml",
    )
)
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@cache_options
@click.option("-t", "--type", "reftype", metavar="TYPE", help="The reference type, whatever the headers say.")
@click.option("--compare", metavar="OLD", help="The file that is replaced; its tables are compared.")
@click.option(
    "--tpn", "tpns", multiple=True, metavar="PATH", help="Constraints of a TPN file, or of a folder of them."
)
@click.option(
    "--convert",
    is_flag=True,
    help="Print what TPN files, or folders of them, say as a telescope's definition has it.",
)
@format_option(*_STYLES)
@color_option
@quiet_option
@click.pass_context
def certify(
    ctx: click.Context,
    files: tuple[str, ...],
    cache: str | None,
    context: str | None,
    observatory: str | None,
    reftype: str | None,
    compare: str | None,
    tpns: tuple[str, ...],
    convert: bool,
    style: str,
    color: str,
    quiet: bool,
) -> None:
    """Find mistakes in reference files before they are delivered.

    FILES are reference files (FITS, ASDF, JSON or YAML), folders with such files below them, @LIST for a text
    file with a name on each line, or mappings, which are checked as by calmap check.

    Keywords, arrays, columns and tables must be as the telescope's definition demands under certify, or as
    the TPN files of --tpn do. FITS files must be whole, with right checksums. In a cache the file is inserted
    into the rules of the context on trial, and its tables are compared with those of the file before; nothing
    is written.

    The exit code is 1 if there are errors or warnings, and 3 if a file could not be read.
    """
    invocation: Invocation = ctx.obj
    if convert:
        text = _converted(files, invocation)
        click.echo("" if quiet else text, nl=False)
        return
    settings = invocation.settings(cache=cache, context=context, observatory=observatory)
    run = _Run(invocation, settings, reftype, _path(compare, invocation), tuple(tpns))
    done = []
    for certificate in run.certificates(files, color, quiet=quiet):
        done.append(certificate)
        if style == "text" and not quiet:
            _show(certificate, invocation, color)
    if not quiet:
        _close(done, style)
    failed = not all(certificate.passed for certificate in done)
    ctx.exit(TROUBLE if run.failed else int(failed))


@dataclass(slots=True)
class _Run:
    """One call of the command."""

    invocation: Invocation
    settings: Settings
    reftype: str | None
    compare: Path | None
    tpns: tuple[str, ...]
    failed: bool = False
    _certifiers: dict[str, Certifier] = field(default_factory=dict)
    _inspector: Inspector | None = None

    def certificates(self, files: Sequence[str], color: str, *, quiet: bool) -> Iterator[Certificate]:
        """The result for each file; what can't be read is told and remembered."""
        from calmap.cli.progress import track

        jobs = tuple(self._jobs(files))
        if self.compare is not None and len(jobs) != 1:
            raise UsageError("--compare goes with a single file")
        shown = quiet or sys.stdout.isatty() or not sys.stderr.isatty()
        bar = None if shown else self.invocation.console(color, stderr=True)
        for job in track(jobs, "Certifying", bar):
            try:
                yield job()
            except UsageError:
                raise
            except CalmapError as problem:
                tell(problem)
                self.failed = True

    def _jobs(self, files: Sequence[str]) -> Iterator[Callable[[], Certificate]]:
        from calmap.headers.datasets import dataset_files

        cwd = self.invocation.cwd
        for name in files:
            found = () if mapping_kind(name) else dataset_files([name], cwd)
            near = cwd == Path.cwd()
            references = tuple(
                path.relative_to(cwd) if near and path.is_relative_to(cwd) else path for path in found
            )
            if mapping_kind(name) or self._is_folder_of_mappings(name):
                yield from self._mapping_jobs(name)
            elif not references:
                raise UsageError(f"there is no reference file and no mapping below {name}")
            yield from (self._job(path) for path in references)

    def _is_folder_of_mappings(self, name: str) -> bool:
        from calmap.cache.files import mapping_files

        folder = self.invocation.cwd / Path(name).expanduser()
        return not name.startswith("@") and folder.is_dir() and bool(mapping_files(folder))

    def _mapping_jobs(self, name: str) -> Iterator[Callable[[], Certificate]]:
        from calmap.cache.inspection import Inspector
        from calmap.cache.targets import path_targets
        from calmap.certify.mappings import certify_mapping

        self._inspector = inspector = self._inspector or Inspector()
        fixed = self.settings.cache.origin == "--cache"
        for target in path_targets([name], self.invocation.cwd, self.settings.layout, fixed=fixed):
            yield partial(certify_mapping, target, inspector)

    def _job(self, path: Path) -> Callable[[], Certificate]:
        return lambda: self._certifier(path).certify(path, self.reftype, self.compare)

    def _certifier(self, path: Path) -> Certifier:
        from calmap.certify.equipment import certifier, telescope

        wanted = telescope(path, self.settings)
        if wanted.name not in self._certifiers:
            paths = tuple(Path(self.invocation.cwd, name) for name in self.tpns)
            self._certifiers[wanted.name] = certifier(wanted, self.settings, paths)
        return self._certifiers[wanted.name]


def _path(name: str | None, invocation: Invocation) -> Path | None:
    if name is None:
        return None
    path = invocation.cwd / Path(name).expanduser()
    if not path.is_file():
        raise UsageError(f"there is no file {name} to compare with")
    return path


def _converted(files: Sequence[str], invocation: Invocation) -> str:
    from calmap.certify.conversion import converted

    paths = []
    for path in (invocation.cwd / Path(name).expanduser() for name in files):
        found = sorted(path.glob("*.tpn")) if path.is_dir() else [path]
        if not found:
            raise UsageError(f"there is no TPN file in {path}")
        paths += found
    return converted(paths)


def _show(certificate: Certificate, invocation: Invocation, color: str) -> None:
    from calmap.report.certificate import render_certificate

    render_certificate(certificate, invocation.console(color))


def _close(certificates: Sequence[Certificate], style: str) -> None:
    from calmap.report.certificate import certificates_github, certificates_json, totals

    if style == "json":
        click.echo(certificates_json(certificates), nl=False)
    elif style == "github":
        click.echo(certificates_github(certificates), nl=False)
    elif len(certificates) > 1:
        click.echo(f"\n{totals(certificates)}")
