"""Where telescope definitions are kept and how they are found."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from calmap.errors import ObservatoryError
from calmap.observatories.definition import Observatory

MAX_BYTES: Final = 1_000_000
FILE_NAME: Final = "observatory.yaml"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")


def bundled_observatories() -> tuple[str, ...]:
    """Names of the telescopes that calmap brings along."""
    return tuple(sorted(path.stem for path in _bundle().glob("*.yaml")))


def load_observatory(name: str, config: Path | None = None) -> Observatory:
    """Definition of a telescope.

    Parameters
    ----------
    name
        Name of the telescope; case does not matter.
    config
        The ``config`` directory of a cache. ``<name>/observatory.yaml`` in it
        wins over the definition that calmap brings along.

    Raises
    ------
    ObservatoryError
        If there is no such telescope, or its definition is wrong.
    """
    path = definition_file(name, config)
    return parse_definition(read_definition_text(path), name, path)


def definition_file(name: str, config: Path | None = None) -> Path:
    """Where the definition of a telescope stands.

    Parameters
    ----------
    name, config
        As for `load_observatory`.

    Raises
    ------
    ObservatoryError
        If there is no such telescope.
    """
    wanted = name.lower()
    if not _NAME.match(wanted):
        raise ObservatoryError(
            f"{name!r} is no name of a telescope", hint="letters, digits and underscores, at most 32"
        )
    local = None if config is None else config / wanted / FILE_NAME
    for path in (local, _bundle() / f"{wanted}.yaml"):
        if path is not None and path.exists():
            return path
    raise ObservatoryError(f"no definition of the telescope {name!r}", hint=_advice(wanted, local))


def parse_definition(text: str, name: str, path: Path) -> Observatory:
    """The definition of a telescope by its text.

    Parameters
    ----------
    text
        The definition, in YAML.
    name
        Name of the telescope; case does not matter.
    path
        Where it stands, for messages.

    Raises
    ------
    ObservatoryError
        If it is wrong.
    """
    from calmap.observatories.schema import read_definition
    from calmap.yamltree import YamlTreeError, parse_yaml

    try:
        tree = parse_yaml(text)
    except YamlTreeError as error:
        raise ObservatoryError(f"{path}:{error.line}: not readable as YAML: {error.message}") from None
    return read_definition(tree, name.lower(), str(path))


def read_definition_text(path: Path) -> str:
    """Text of a definition.

    Raises
    ------
    ObservatoryError
        If it can't be read, or is too large.
    """
    try:
        if not path.is_file():
            raise ObservatoryError(f"{path} is no file")
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ObservatoryError(f"{path}: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise ObservatoryError(f"{path} is larger than {MAX_BYTES} bytes, too large for a definition")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ObservatoryError(f"{path}:{line}: not UTF-8 text") from None


def _bundle() -> Path:
    return Path(__file__).parent


def _advice(name: str, local: Path | None) -> str:
    bundled = bundled_observatories()
    near = get_close_matches(name, bundled, n=1)
    first = f"did you mean {near[0]!r}?" if near else f"calmap brings along {', '.join(bundled)}"
    return f"{first}; or write {local}" if local else first
