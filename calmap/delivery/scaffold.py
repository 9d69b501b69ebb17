"""The files of a new cache and of the repository that keeps it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from string import Template

from calmap import __version__
from calmap.cache.references import MODE_FILE, Arrangement
from calmap.delivery.scaffold_folder import NewFile
from calmap.delivery.templates import empty_context, empty_instrument, instrument_keyword
from calmap.errors import UsageError
from calmap.observatories.definition import Observatory
from calmap.observatories.library import FILE_NAME, bundled_observatories, load_observatory

_FILES = Path(__file__).parent / "scaffold_files"
_NAME = re.compile(r"[a-z][a-z0-9]{0,31}")
_MAX_TITLE = 200


@dataclass(frozen=True, slots=True)
class Telescope:
    """The telescope of a new cache.

    Parameters
    ----------
    name
        Lower case.
    title
        For people.
    instruments
        Names of its instruments as mappings write them.
    definition
        What calmap brings along on it, or None.
    """

    name: str
    title: str
    instruments: tuple[str, ...]
    definition: Observatory | None = None

    @property
    def instrument_keyword(self) -> str:
        """Keyword that names the instrument."""
        return instrument_keyword(self.definition) if self.definition else "INSTRUME"


def telescope(name: str, title: str | None = None, instruments: Sequence[str] = ()) -> Telescope:
    """The telescope that a user names.

    Parameters
    ----------
    name, title
        As `Telescope` has them; case does not matter.
    instruments
        Names of instruments; all if none and calmap knows the telescope.

    Raises
    ------
    UsageError
        If a name can't be one, or the telescope has no such instrument.
    """
    name = _plain(name, "telescope")
    if title is not None and (not title.strip() or not title.isprintable() or len(title) > _MAX_TITLE):
        raise UsageError(f"the title must be one line of text, at most {_MAX_TITLE} characters")
    chosen = tuple(dict.fromkeys(_plain(word, "instrument") for word in instruments))
    if name not in bundled_observatories():
        return Telescope(name, title or name, tuple(word.upper() for word in chosen))
    known = load_observatory(name)
    if title is not None and title != known.title:
        raise UsageError(f"calmap knows {name} already, as {known.title}", "leave out --title, or rename it")
    for word in chosen:
        if word not in known.instruments:
            near = get_close_matches(word, known.instruments, n=1)
            advice = f"did you mean '{near[0]}'?" if near else f"it has {', '.join(known.instruments)}"
            raise UsageError(f"'{word}' is no instrument of {known.title}", advice)
    names = tuple(word.upper() for word in chosen or known.instruments)
    return Telescope(name, known.title, names, known)


def cache_files(subject: Telescope) -> tuple[NewFile, ...]:
    """The files of a cache without rules."""
    files = [*repository_files(subject), *_mappings(subject), *_config(subject)]
    files.append(NewFile(PurePosixPath("references", subject.name, ".gitkeep"), b""))
    return tuple(sorted(files))


def repository_files(subject: Telescope, more: str = "") -> Iterator[NewFile]:
    """Files of a repository beside the cache; `more` ends the page for people."""
    described = f"`config/{subject.name}/{FILE_NAME}` describes the telescope.\n"
    page = template(
        "README.md",
        heading=_escaped(subject.title),
        name=subject.name,
        definition="" if subject.definition else described,
    )
    yield _text("README.md", page + more)
    yield _text(".gitattributes", template("gitattributes"))
    yield _text(".gitignore", template("gitignore"))
    yield _text(".pre-commit-config.yaml", template("pre-commit.yaml", version=__version__))
    yield _text(".github/workflows/check.yml", template("check.yml", version=__version__))


def template(name: str, /, **values: str) -> str:
    """A text of the scaffold with its gaps filled."""
    return Template((_FILES / f"{name}.txt").read_text("utf-8")).substitute(values)


def _mappings(subject: Telescope) -> Iterator[NewFile]:
    folder = PurePosixPath("mappings", subject.name)
    links = {name: f"{subject.name}_{name.lower()}_0001.imap" for name in subject.instruments}
    path = Path(f"{subject.name}_0001.pmap")
    context = empty_context(path, subject.name, subject.instrument_keyword, links)
    yield NewFile(folder / path.name, context.text.encode())
    for name, file in links.items():
        mapping = empty_instrument(Path(file), subject.name, name, {})
        yield NewFile(folder / file, mapping.text.encode())


def _config(subject: Telescope) -> Iterator[NewFile]:
    folder = PurePosixPath("config", subject.name)
    yield NewFile(folder / MODE_FILE, f"{Arrangement.INSTRUMENT}\n".encode())
    if subject.definition is None:
        title = json.dumps(subject.title, ensure_ascii=False)
        instruments = _instruments(subject.instruments)
        text = template("observatory.yaml", name=subject.name, title=title, instruments=instruments)
        yield NewFile(folder / FILE_NAME, text.encode())


def _instruments(names: Sequence[str]) -> str:
    """The section of a definition on instruments."""
    if not names:
        return "# Put the instruments here: owl: {types: [dark, flat]}\ninstruments: {}"
    lines = [
        "# The reference types of each instrument, any if none is listed, and the values that a keyword of",
        "# the rules may have, such as: values: {META.INSTRUMENT.DETECTOR: [NORTH, SOUTH]}",
        "instruments:",
    ]
    for name in names:
        lines += (f"  {name.lower()}:", "    types: []")
    return "\n".join(lines)


def _plain(word: str, what: str) -> str:
    if not _NAME.fullmatch(word.lower()):
        hint = "letters and digits, a letter first, at most 32"
        raise UsageError(f"'{word[:60]}' can't be the name of a{'n' * (what[0] == 'i')} {what}", hint)
    return word.lower()


def _escaped(title: str) -> str:
    """A title as it can stand in Markdown."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", title)


def _text(path: str, text: str) -> NewFile:
    return NewFile(PurePosixPath(path), text.encode())
