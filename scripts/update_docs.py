"""Run the console examples of README.md and docs/ and write what they print into them, or --check it.

An example is a block of ``console`` with a line ``$ calmap ...``, or ``$ scripts/...`` in the checkout. Every
line that begins with ``$`` is run, on a terminal of 80 columns without colour, and what follows is its
output. A command that ends in a backslash goes on in the next. Output that ends in a line ``...`` is longer
than shown. ``$ echo $?`` shows the exit code; one above 1 must be shown. The examples of
a page share their folders, from first to last.

Where a page says "`name`:" before a block of YAML, Python or JSON, there is a file of that name. A page with
such files has its examples run in a new folder with them, any other page in the root of the checkout. A
comment in the line before an example says otherwise:

- ``<!-- test: cwd=root -->``  in the checkout, whose files it must leave alone;
- ``<!-- test: cwd=new -->``   in a new folder, which holds the files of the page;
- ``<!-- test: cwd=new/demo -->``  in the folder ``demo`` that examples of the page have made in the new one;
- ``<!-- test: cwd=copy -->``  in a copy of the demonstration cache, with the files of the page;
- ``<!-- test: cwd=real -->``  in a copy of the cache of Liger and IRIS as it is today, where the tests have
  it; elsewhere the example is left as it is;
- ``<!-- test: skip because ... -->``  not at all.

Files are shown as seen from the folder. Git is used as by one person at one moment, so that commits are
always the same. ``$ cd`` has no effect. A picture in docs/images is the one of that name that the examples of
the page make; other versions of matplotlib draw a little differently, so that --check leaves it alone.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner

from calmap.cli.main import cli
from calmap.cli.options import Invocation

ROOT = Path(__file__).resolve().parents[1]
GENERATED = frozenset({"cli.md"})
_FILE = re.compile(r"`([\w./+-]+)`[^`\n]*:\n\n```(?:yaml|python|json)\n(.*?)^```", re.S | re.M)
_PICTURE = re.compile(r"!\[[^\]]*\]\((images/[\w.-]+)\)")
_EXAMPLE = re.compile(r"(?:^<!-- test: (?P<note>.*?) -->\n+)?^```console\n(?P<body>.*?)^```$", re.S | re.M)
_SHELL = re.compile(r"[|<>;&*$`{}]")
_SETTING = ("CALMAP_", "CRDS_", "GIT_")
_REAL_CACHE = ROOT.parent / "shared" / "corpus" / "liger-iris-crds-cache"
_GIT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "init.defaultBranch",
    "GIT_CONFIG_VALUE_0": "main",
    "GIT_CONFIG_KEY_1": "core.abbrev",
    "GIT_CONFIG_VALUE_1": "10",
    **{f"GIT_{who}_NAME": "Ada Ridge" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "ada@example.org" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_DATE": "2025-08-02T09:00:00Z" for who in ("AUTHOR", "COMMITTER")},
}


class ExampleError(Exception):
    """An example that can't be run as it stands."""


@dataclass(slots=True)
class Folders:
    """Where the examples of one page run."""

    page: Path
    text: str
    base: Path
    made: dict[str, Path] = field(default_factory=dict)

    def folder(self, note: str) -> Path:
        """The folder that a comment asks for, or that goes without saying."""
        place = note.removeprefix("cwd=") or ("new" if _FILE.search(self.text) else "root")
        kind, _, below = place.partition("/")
        if kind not in ("root", "new", "copy", "real") or (below and kind != "new"):
            raise ExampleError(f"'<!-- test: {note} -->' is not understood")
        if kind == "root":
            return ROOT
        if kind not in self.made:
            self.made[kind] = self._new(kind)
        return self.made[kind] / below

    def _new(self, kind: str) -> Path:
        folder = self.base / self.page.stem / kind
        folder.mkdir(parents=True)
        if kind == "copy":
            for name in ("config", "exposures", "mappings", "references"):
                shutil.copytree(ROOT / name, folder / name)
        if kind == "real":
            shutil.copytree(_REAL_CACHE, folder, copy_function=shutil.copyfile, dirs_exist_ok=True)
            for made in (folder, *folder.rglob("*/")):
                made.chmod(0o755)
        for name, text in _FILE.findall(self.text):
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return folder


def pages(root: Path = ROOT) -> list[Path]:
    """README.md and the pages of docs/ that people write."""
    docs = root / "docs"
    written = sorted(page for page in docs.glob("*.md") if page.name not in GENERATED)
    return [root / "README.md", *written, *sorted((docs / "algorithms").glob("*.md"))]


def updated(page: Path, base: Path) -> str:
    """The text of a page with the output of its examples as it is now.

    Parameters
    ----------
    page
        The file.
    base
        An empty folder to work in.
    """
    text = page.read_text(encoding="utf-8")
    folders = Folders(page, text, base)

    def rewrite(match: re.Match[str]) -> str:
        note, body = match["note"] or "", match["body"]
        if note.startswith("skip because ") or not re.search(r"^\$ (calmap|scripts/)", body, re.M):
            return match[0]
        if note == "cwd=real" and not _REAL_CACHE.is_dir():
            return match[0]
        start, end = match.span("body")
        try:
            new = "".join(_answered(body, folders.folder(note)))
        except ExampleError as problem:
            line = text.count("\n", 0, start) + 1
            raise ExampleError(f"{page.name}:{line}: {problem}") from None
        return match[0][: start - match.start()] + new + match[0][end - match.start() :]

    return _EXAMPLE.sub(rewrite, text)


def pictures(page: Path, base: Path) -> Iterator[tuple[Path, bytes]]:
    """Pictures that a page shows and its examples have made, by their place."""
    for shown in _PICTURE.findall(page.read_text(encoding="utf-8")):
        place = page.parent / shown
        for made in sorted((base / page.stem).rglob(place.name)):
            yield place, made.read_bytes()


def _answered(body: str, folder: Path) -> Iterator[str]:
    """Commands of an example, each with what it prints."""
    code = 0
    for command, old in _commands(body):
        if command == "$ echo $?\n":
            output, code = f"{code}\n", 0
        elif command.startswith("$ cd "):
            output = ""
        else:
            if code > 1:
                raise ExampleError(f"the exit code is {code}: show it with '$ echo $?'")
            output, code = _run(command[2:].replace("\\\n", " ").strip(), folder)
        yield command + _shortened(output.replace(f"{folder}{os.sep}", ""), old)
    if code > 1:
        raise ExampleError(f"the exit code is {code}: show it with '$ echo $?'")


def _commands(body: str) -> Iterator[tuple[str, list[str]]]:
    command, old = "", []
    for line in body.splitlines(keepends=True):
        if command.endswith("\\\n"):
            command += line
        elif line.startswith("$ "):
            if command:
                yield command, old
            command, old = line, []
        else:
            old.append(line)
    yield command, old


def _shortened(output: str, old: list[str]) -> str:
    lines = [line.rstrip() + "\n" for line in output.rstrip().splitlines()]
    kept = len(old) - 1
    if old and old[-1].strip() == "..." and kept < len(lines):
        return "".join(lines[:kept]) + "...\n"
    return "".join(lines)


def _run(command: str, folder: Path) -> tuple[str, int]:
    words = shlex.split(command)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(_SETTING)}
    environment |= {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb", **_GIT}
    if words[0] == "calmap" and not _SHELL.search(command):
        with chdir(folder):
            unset = {key: None for key in os.environ if key.startswith(_SETTING)}
            result = CliRunner().invoke(
                cli, words[1:], obj=Invocation({}, folder), prog_name="calmap", env={**unset, **environment}
            )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise ExampleError(f"{command}: {result.exception!r}")
        return result.output, result.exit_code
    if words[0].startswith("scripts/") and folder == ROOT:
        command = shlex.join([sys.executable, *words])
    elif words[0] != "calmap" and folder == ROOT:
        raise ExampleError(f"'{words[0]}' can't be run in the checkout itself: say cwd=copy or cwd=new")
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment["HOME"] = str(folder)
    environment["CALMAP_STORE"] = "off"
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, stdout=-1, stderr=-2, text=True, check=False
    )
    return done.stdout, done.returncode


def _draw(page: Path, base: Path) -> None:
    for place, content in pictures(page, base):
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(content)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the output of the examples into the documentation.")
    parser.add_argument("--check", action="store_true", help="only compare, exit 1 if a page is out of date")
    check = parser.parse_args(arguments).check
    changed = []
    with tempfile.TemporaryDirectory() as base:
        for page in pages():
            try:
                text = updated(page, Path(base))
            except ExampleError as problem:
                print(f"error: {problem}", file=sys.stderr)
                return 3
            if text != page.read_text(encoding="utf-8"):
                changed.append(page)
                if not check:
                    page.write_text(text, encoding="utf-8", newline="\n")
            if not check:
                _draw(page, Path(base))
    for page in changed:
        print(f"{'out of date' if check else 'wrote'}: {page}")
    return int(check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())
