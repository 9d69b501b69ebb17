"""Running Git."""

from __future__ import annotations

import subprocess
from hashlib import sha1
from pathlib import Path
from typing import NamedTuple

from calmap.cache.settings import process_variables
from calmap.errors import CacheError

_OF_A_HOOK = frozenset(
    f"GIT_{name}" for name in ("DIR", "WORK_TREE", "INDEX_FILE", "OBJECT_DIRECTORY", "COMMON_DIR", "PREFIX")
)
"""Variables with which Git runs hooks; they are about the repository of the hook, not that of the folder."""
PROGRAM = ("git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "--no-pager")


class Done(NamedTuple):
    """What a run of Git came to.

    Parameters
    ----------
    code
        Its exit code.
    output
        What it wrote.
    said
        Lines of its complaints, or of the output if it has none; none are empty.
    """

    code: int
    output: bytes
    said: tuple[str, ...]

    @property
    def text(self) -> str:
        """What it wrote, without white space at its ends; what is not UTF-8 is still a path."""
        return self.output.decode("utf-8", "surrogateescape").strip()

    @property
    def reason(self) -> str:
        """Why it failed, in a line."""
        return "; ".join(self.said[:3]) or f"exit code {self.code}"


def blob_name(content: bytes) -> str:
    """What Git calls a file with some content."""
    return sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def git(folder: Path, *arguments: str, given: bytes = b"", otherwise: str) -> Done:
    """Run Git in a folder; what it prints is not for the user.

    Parameters
    ----------
    folder, arguments
        Where and what.
    given
        What it reads.
    otherwise
        What the user can do without Git.

    Raises
    ------
    CacheError
        If it can't be run.
    """
    environment = {name: value for name, value in process_variables().items() if name not in _OF_A_HOOK}
    command = (*PROGRAM, "-C", str(folder), *arguments)
    try:
        done = subprocess.run(command, input=given, capture_output=True, check=False, env=environment)
    except FileNotFoundError:
        raise CacheError("there is no program git", f"install Git, or {otherwise}") from None
    except (OSError, ValueError) as problem:
        raise CacheError(f"git can't be started: {problem}") from None
    heard = done.stderr or done.stdout
    said = (line for line in heard.decode("utf-8", "replace").splitlines() if line.strip())
    return Done(done.returncode, done.stdout, tuple(said))
