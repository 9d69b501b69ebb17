"""The optional files ``calmap.toml``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from calmap.errors import UsageError

FILE_NAME = "calmap.toml"
KEYS = ("cache", "context", "observatory", "mirrors")
_PLACE = re.compile(r"(?P<what>.*) \(at line (?P<line>\d+), column \d+\)")
_MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class ConfigEntry:
    """One value of a configuration file and where it stands."""

    value: str
    path: Path
    line: int

    @property
    def origin(self) -> str:
        """The place as people write it."""
        return f"{self.path}:{self.line}"


def config_files(cwd: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """Configuration files that exist, the one that counts most first.

    They are the nearest ``calmap.toml`` from the current folder upwards, as far
    as the repository or the home folder, and the user's own one.
    """
    home = environ.get("HOME")
    for folder in (cwd, *cwd.parents):
        if (folder / FILE_NAME).is_file():
            yield folder / FILE_NAME
            break
        if (folder / ".git").exists() or str(folder) == home:
            break
    base = environ.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else "")
    if base and (user := Path(base) / "calmap" / FILE_NAME).is_file():
        yield user


def read_config(path: Path) -> Mapping[str, ConfigEntry]:
    """Values of a configuration file.

    Raises
    ------
    UsageError
        If it can't be read, is no TOML, or has anything but text for the keys
        `KEYS`; the message names file and line.
    """
    import tomllib

    text = _text(path)
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        place = _PLACE.fullmatch(str(problem))
        line = place["line"] if place else len(text.splitlines())
        reason = place["what"] if place else problem
        raise UsageError(f"{path}:{line}: not readable as TOML: {reason}") from None
    return {key: _entry(path, text, key, value) for key, value in values.items()}


def _entry(path: Path, text: str, key: str, value: object) -> ConfigEntry:
    line = _line(text, key)
    if key not in KEYS:
        near = get_close_matches(key, KEYS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"it may have {', '.join(KEYS)}"
        raise UsageError(f"{path}:{line}: unknown setting '{key}'", hint=hint)
    if not isinstance(value, str) or not value:
        raise UsageError(f"{path}:{line}: '{key}' must be a text", hint=f'such as {key} = "..."')
    return ConfigEntry(value, path, line)


def _line(text: str, key: str) -> int:
    pattern = re.compile(rf"[\s\[]*[\"']?{re.escape(key)}\b")
    found = (number for number, line in enumerate(text.splitlines(), 1) if pattern.match(line))
    return next(found, 1)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as problem:
        raise UsageError(f"{path} can't be read: {problem.strerror or problem}") from problem
    if len(data) > _MAX_BYTES:
        raise UsageError(f"{path} is larger than {_MAX_BYTES:,} bytes, too large for a configuration")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise UsageError(f"{path}:{line}: not UTF-8 text") from None
