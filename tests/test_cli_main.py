"""The program as a whole: help, exit codes, and errors that people can read."""

import os
import re
import signal
import subprocess
import sys
import time
from importlib import import_module, metadata
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from calmap.cli.main import Program, cli
from calmap.errors import CacheError, HeaderError, ObservatoryError, UsageError

COMMANDS = cli.list_commands(click.Context(cli))
CHECKOUT = Path(__file__).parent.parent


def run(*arguments, **extra):
    return CliRunner().invoke(cli, list(arguments), prog_name="calmap", **extra)


def program(function):
    """A program whose only command calls a function."""
    group = Program("calmap")
    group.get_command = lambda _ctx, _name: click.Command("act", callback=function)
    return CliRunner().invoke(group, ["act"])


def raising(problem):
    def callback():
        raise problem

    return program(callback)


def test_help(snapshot):
    result = run("--help", terminal_width=80)

    assert result.exit_code == 0
    assert result.stdout == snapshot


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command, option):
    result = run(command, option)

    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: calmap {command}")
    assert re.search(rf"Examples:\n(    .*\n)*    .*calmap {command}", result.stdout)


@pytest.mark.parametrize("command", COMMANDS)
def test_same_options_have_the_same_help(command):
    own = cli.get_command(click.Context(cli), command)
    common = {
        option.name: option.help
        for option in cli.get_command(click.Context(cli), "check").params
        if option.name in {"cache", "context", "style", "color", "quiet"}
    }

    for option in own.params:
        assert getattr(option, "help", None) == common.get(option.name, getattr(option, "help", None))


def test_version():
    assert run("--version").stdout == f"calmap {metadata.version('calmap-toolkit')}\n"


def test_module_can_be_run():
    done = subprocess.run(
        [sys.executable, "-m", "calmap", "--version"], capture_output=True, text=True, cwd="/"
    )

    assert done.returncode == 0
    assert done.stdout.startswith("calmap ")


def test_unknown_command_has_a_suggestion():
    result = run("udpate-checksums")

    assert result.exit_code == 2
    assert "no such command 'udpate-checksums'; did you mean 'update-checksums'?" in result.stderr
    assert "did you mean" not in run("xyz").stderr


def test_unknown_option_is_wrong_usage():
    assert run("check", "--nonsense").exit_code == 2
    assert run("--nonsense").exit_code == 2
    assert run().exit_code == 2


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (UsageError("which?", "this one"), 2),
        (CacheError("no disk", "buy one"), 3),
        (HeaderError("no date", "add one"), 3),
        (ObservatoryError("no such telescope", "build one"), 3),
        (PermissionError(13, "Permission denied", "/secret"), 3),
        (click.UsageError("what?"), 2),
        (click.FileError("x", "gone"), 2),
        (click.Abort(), 130),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__,
)
def test_exit_codes(problem, code):
    result = raising(problem)

    assert result.exit_code == code
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_error_has_message_and_hint():
    result = raising(CacheError("no\x1b[2J disk", "buy one"))

    assert result.stderr == "error: no\\x1b[2J disk\nhint: buy one\n"


def test_mistake_of_the_program_is_not_hidden():
    assert isinstance(raising(ZeroDivisionError()).exception, ZeroDivisionError)


def test_exit_code_of_a_command():
    assert program(lambda: click.get_current_context().exit(1)).exit_code == 1
    assert program(lambda: None).exit_code == 0


def start(code, **options):
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


MAIN = "from calmap.cli.main import main; main()"
SLEEPING = """
import signal, sys, time, click
from calmap.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background starts without
def sleep():
    try:
        print("ready", flush=True)
        time.sleep(20)
    finally:
        print("tidied", flush=True)
main.Program.get_command = lambda *_: click.Command("check", callback=sleep)
sys.argv[1:] = ["check"]
main.main()
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted(number, code):
    process = start(SLEEPING)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.05)
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=10)

    assert process.returncode == code
    assert out == "tidied\n"
    assert "Traceback" not in err


def test_closed_pipe_is_quiet():
    code = f"import sys; sys.argv[1:] = ['config', '--format', 'json']; {MAIN}"
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)

    assert done.returncode == 141
    assert done.stderr == ""


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    ("arguments", "code"),
    [("config", 0), ("check broken.rmap", 1), ("nonsense", 2), ("bestref x --cache nowhere", 3)],
)
def test_closed_outputs(tmp_path, closed, arguments, code):
    (tmp_path / "broken.rmap").write_text("header = {")
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    command = f'"{sys.executable}" -m calmap {arguments} {closed}'
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=30
    )

    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert (tmp_path / "broken.rmap").read_text() == "header = {"


def test_name_that_the_terminal_cannot_show(tmp_path):
    (tmp_path / "d\u00e9.rmap").write_text("header = {")
    code = f"import sys; sys.argv[1:] = ['check', '.', '--format', 'concise']; {MAIN}"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env=environment
    )

    assert done.returncode == 1
    assert done.stderr == ""
    assert "rmap:1:" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(shell):
    result = run("completion", shell)

    assert result.exit_code == 0
    assert "_CALMAP_COMPLETE" in result.stdout


def test_completion_answers():
    result = run(env={"_CALMAP_COMPLETE": "zsh_complete", "COMP_WORDS": "calmap upd", "COMP_CWORD": "1"})

    assert "update-checksums" in result.stdout


@pytest.mark.parametrize("module", ["calmap.cli.main", "calmap.cli.update_checksums"])
def test_checksums_start_quickly(module):
    heavy = ("rich", "yaml", "numpy", "astropy", "calmap.observatories", "calmap.checks", "tomllib", "re2")
    code = f"import sys, {module}; print(*[name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=CHECKOUT
    )

    assert done.stdout.split() == []


def test_page_of_all_help_is_up_to_date():
    script = CHECKOUT / "scripts/generate_cli_docs.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)

    assert done.returncode == 0, done.stdout


def test_commands_are_where_the_table_says():
    assert import_module("calmap.cli.check").check is cli.get_command(click.Context(cli), "check")
