"""The command ``calmap``."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

from calmap.cli.options import Invocation, examples
from calmap.cli.trouble import FINDINGS, TROUBLE, USAGE, say, tell, tell_warning
from calmap.errors import CacheError, CalmapError, RefusedError, UsageError

_COMMANDS = (
    ("affected", "calmap.cli.affected:affected"),
    ("bestref", "calmap.cli.bestref:bestref"),
    ("cache", "calmap.cli.cache:cache"),
    ("certify", "calmap.cli.certify:certify"),
    ("check", "calmap.cli.check:check"),
    ("compile", "calmap.cli.compile:compile_command"),
    ("completion", "calmap.cli.completion:completion"),
    ("config", "calmap.cli.config:config"),
    ("coverage", "calmap.cli.coverage:coverage"),
    ("delete-reference", "calmap.cli.delete_reference:delete_reference"),
    ("diff", "calmap.cli.diff:diff"),
    ("init", "calmap.cli.init:init"),
    ("explain", "calmap.cli.explain:explain"),
    ("harvest", "calmap.cli.harvest:harvest"),
    ("insert-reference", "calmap.cli.insert_reference:insert_reference"),
    ("list", "calmap.cli.list_:list_command"),
    ("make", "calmap.cli.make:make"),
    ("matches", "calmap.cli.matches:matches"),
    ("new-context", "calmap.cli.new_context:new_context"),
    ("new-mapping", "calmap.cli.new_mapping:new_mapping"),
    ("quicklook", "calmap.cli.quicklook:quicklook"),
    ("reduce", "calmap.cli.reduce:reduce"),
    ("refactor", "calmap.cli.refactor:refactor"),
    ("replay", "calmap.cli.replay:replay"),
    ("simulate", "calmap.cli.simulate:simulate"),
    ("sync", "calmap.cli.sync:sync"),
    ("undo", "calmap.cli.undo:undo"),
    ("update-checksums", "calmap.cli.update_checksums:update_checksums"),
    ("uses", "calmap.cli.uses:uses"),
    ("validity", "calmap.cli.validity:validity"),
)
_CODES = ((UsageError, USAGE), (RefusedError, FINDINGS), (CalmapError, TROUBLE))
_INTERRUPTED, _TERMINATED, _NO_READER = 130, 143, 141


class Program(click.Group):
    """A group that imports a command when it is called, and turns exceptions into exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands."""
        return [name for name, _ in _COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command, imported now."""
        target = dict(_COMMANDS).get(cmd_name)
        if target is None:
            return None
        module, _, attribute = target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is called, or an error with the nearest name."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            near = get_close_matches(name, self.list_commands(ctx), n=1)
            ctx.fail(f"no such command '{name}'" + (f"; did you mean '{near[0]}'?" if near else ""))
        return super().resolve_command(ctx, args)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run; ends the process with an exit code unless ``standalone_mode`` is false."""
        run = partial(super().main, args, prog_name, complete_var, standalone_mode=False, **extra)
        return _ended(run) if standalone_mode else run()

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command to its end, output included."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(_NO_READER)


def _ended(run: Callable[[], object]) -> NoReturn:
    """End the process with the exit code that goes with how a run ended."""
    try:
        code = run()
    except click.ClickException as problem:
        with suppress(OSError):
            problem.show()
        sys.exit(USAGE)
    except (click.Abort, KeyboardInterrupt):
        say("interrupted")
        sys.exit(_INTERRUPTED)
    except CalmapError as problem:
        tell(problem)
        sys.exit(next(code for kind, code in _CODES if isinstance(problem, kind)))
    except OSError as problem:
        tell(CacheError(f"{problem.filename or 'the system says'}: {problem.strerror or problem}"))
        sys.exit(TROUBLE)
    sys.exit(code if isinstance(code, int) else 0)


@click.command(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples("calmap bestref exposure.fits", "calmap check mappings/", "calmap config"),
)
@click.version_option(package_name="calmap-toolkit", prog_name="calmap", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Check and compile CRDS-format calibration rules, and explain every selection.

    Exit codes: 0 done, 1 findings or no best reference, 2 wrong usage, 3 trouble with the cache or a file,
    130 interrupted.
    """
    if ctx.obj is None:
        from calmap.cache.settings import process_variables

        ctx.obj = Invocation(process_variables(), _current_folder())


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except OSError as problem:
        raise CacheError(f"the current folder can't be used: {problem.strerror}") from problem


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(_TERMINATED)


def _open_what_is_closed() -> None:
    """Let what is printed vanish where the caller closed an output, as with ``>&-``."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))


def main() -> None:
    """Entry point of the program."""
    signal.signal(signal.SIGTERM, _terminate)
    warnings.showwarning = tell_warning
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    cli(prog_name="calmap")
