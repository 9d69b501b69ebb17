"""A context in one file: its mappings with their compiled forms, and the definition of its telescope.

The file is a ZIP archive, not compressed, always the same for the same context:

- ``calmap.json``: what it is, for which context and by which compiler;
- ``observatory.yaml``: the definition of the telescope;
- ``mappings/NAME``: the text of each mapping;
- ``compiled/NAME``: its compiled form, which another version of calmap passes over.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from calmap.cache.compiled import COMPILER, sealed, unsealed
from calmap.cache.layout import Layout
from calmap.cache.rulesets import Rules, mapping_key
from calmap.compile import selectors
from calmap.compile.packed import PackedError, PackedReference, decode, encode
from calmap.compile.terms import open_terms
from calmap.errors import CacheError, CalmapError, NotInCacheError
from calmap.model.names import is_safe, mapping_kind, mapping_name
from calmap.source import Source
from calmap.syntax.ast import MappingKind

SUFFIX = ".calmap"
_ABOUT, _DEFINITION, _MAPPINGS, _COMPILED = "calmap.json", "observatory.yaml", "mappings/", "compiled/"
_KIND = "calmap context"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


class Bundled(NamedTuple):
    """What was put into a file.

    Parameters
    ----------
    data
        Its bytes.
    mappings
        Number of mappings.
    problems
        Mappings that can't be used, as in the cache itself, and why.
    """

    data: bytes
    mappings: int
    problems: tuple[CalmapError, ...]


def bundle(rules: Rules, name: str) -> Bundled:
    """Put a context and all below it into one file.

    Raises
    ------
    MappingError, CacheError
        If the context itself can't be used.
    """
    texts: dict[str, bytes] = {}
    compiled: dict[str, bytes] = {}
    problems: list[CalmapError] = []
    definition = rules.layout.read_definition(rules.observatory.name)[1]
    for mapping in _below(rules, name):
        try:
            path, data = rules.layout.read_mapping(mapping, rules.observatory.name)
            texts[mapping] = data
            key = mapping_key(data, rules.observatory)
            compiled[mapping] = sealed(key, encode(rules.packed(path, data)))
        except CalmapError as problem:
            problems.append(problem)
    about = {"kind": _KIND, "context": name, "observatory": rules.observatory.name, "compiler": COMPILER}
    parts = {_ABOUT: f"{json.dumps(about, indent=2)}\n".encode(), _DEFINITION: definition.encode()}
    parts |= {f"{_MAPPINGS}{mapping}": data for mapping, data in sorted(texts.items())}
    parts |= {f"{_COMPILED}{mapping}": data for mapping, data in sorted(compiled.items())}
    return Bundled(_zipped(parts), len(texts), tuple(problems))


@dataclass(frozen=True, slots=True, eq=False)
class BundleLayout(Layout):
    """A context in one file, which is the root; reference files are looked for beside it, as in a cache.

    Parameters
    ----------
    contents
        What the file holds.
    """

    contents: Contents = field(kw_only=True)

    @property
    def mappings(self) -> Path:
        """The file, as far as a name in it is concerned."""
        return self.contents.path

    @property
    def references(self) -> Path:
        """Folder of all reference files."""
        return self.reference_root or self.root.parent / "references"

    @property
    def config(self) -> Path:
        """Folder of all configuration."""
        return self.root.parent / "config"

    def read_definition(self, observatory: str) -> tuple[Path, str]:
        """The definition of the telescope in the file, and where it stands."""
        if observatory.lower() != self.contents.observatory:
            raise CacheError(f"{self.contents.path} is of {self.contents.observatory}, not of {observatory}")
        return self.contents.path / _DEFINITION, self.contents.text(_DEFINITION)

    def find_mapping(self, name: str, observatory: str = "") -> Path | None:
        """The name of a mapping in the file, or None if it is not there."""
        return self.contents.path / name if self.contents.has(f"{_MAPPINGS}{name}") else None

    def mapping_path(self, name: str, observatory: str = "") -> Path:
        """The name of a mapping in the file.

        Raises
        ------
        NotInCacheError
            If it is not there.
        """
        found = self.find_mapping(name, observatory)
        if found is None:
            raise NotInCacheError(
                f"mapping {name} is not in {self.contents.path}", f"it is of {self.contents.context}"
            )
        return found

    def read_mapping(self, name: str, observatory: str = "") -> tuple[Path, bytes]:
        """The name of a mapping in the file, and its text.

        Raises
        ------
        NotInCacheError, CacheError
            If it is not there, or the file is damaged.
        """
        return self.mapping_path(name, observatory), self.contents.read(f"{_MAPPINGS}{name}")

    def compiled(self, path: Path, key: str) -> memoryview | None:
        """The compiled form of a mapping, if this calmap can use it."""
        name = f"{_COMPILED}{path.name}"
        if self.contents.compiler != COMPILER or not self.contents.has(name):
            return None
        body = unsealed(key, self.contents.read(name))
        return body if body is not None and _is_sound(body) else None

    def observatories(self) -> tuple[str, ...]:
        """The only telescope."""
        return (self.contents.observatory,)

    def contexts(self, observatory: str) -> tuple[str, ...]:
        """The only context, if it is of the telescope."""
        return (self.contents.context,) if observatory == self.contents.observatory else ()

    def newest_context(self, observatory: str | None = None) -> str:
        """The only context.

        Raises
        ------
        NotInCacheError
            If it is of another telescope.
        """
        if observatory not in (None, self.contents.observatory):
            raise NotInCacheError(
                f"{self.contents.path} is of {self.contents.observatory}, not of {observatory}"
            )
        return self.contents.context

    def mapping_files(self, observatory: str | None = None) -> tuple[Path, ...]:
        """Nothing, as the mappings aren't files.

        Raises
        ------
        CacheError
            Always.
        """
        self.require_files()
        return ()

    def require_files(self) -> None:
        """Refuse, as the mappings aren't files.

        Raises
        ------
        CacheError
            Always.
        """
        raise CacheError(
            f"{self.contents.path} is a context in one file, and no cache", "name the cache that it is from"
        )


class Contents:
    """What a file holds.

    Parameters
    ----------
    path
        Where the file is, or what to call it.
    data
        Its bytes.

    Raises
    ------
    CacheError
        If it is none that calmap made, or damaged.
    """

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self._data = data
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as problem:
            raise self._refuse(str(problem)) from None
        if any(info.compress_type != zipfile.ZIP_STORED for info in self._archive.infolist()):
            raise self._refuse("it is compressed")
        self._names = frozenset(self._archive.namelist())
        about = self._about()
        self.context, self.observatory, self.compiler = (
            about["context"],
            about["observatory"],
            about["compiler"],
        )
        is_named = is_safe(self.observatory) and self.observatory == self.observatory.lower()
        if mapping_name(self.context) is None or not is_named:
            raise self._refuse("it names no context")

    def __reduce__(self) -> tuple[type[Contents], tuple[Path, bytes]]:
        """How it is sent to another process."""
        return Contents, (self.path, self._data)

    def has(self, name: str) -> bool:
        """True if a part is there."""
        return name in self._names

    def read(self, name: str) -> bytes:
        """A part.

        Raises
        ------
        CacheError
            If it is not there or damaged.
        """
        if not self.has(name):
            raise self._refuse(f"{name} is missing")
        try:
            return self._archive.read(name)
        except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError) as problem:
            raise self._refuse(str(problem)) from None

    def text(self, name: str) -> str:
        """A part that is text.

        Raises
        ------
        CacheError
            As `read`, or if it is no text.
        """
        try:
            return self.read(name).decode()
        except UnicodeDecodeError:
            raise self._refuse(f"{name} is no text") from None

    def _about(self) -> dict[str, str]:
        try:
            about = json.loads(self.text(_ABOUT))
        except (json.JSONDecodeError, RecursionError) as problem:
            raise self._refuse(f"{_ABOUT}: {problem}") from None
        known = ("kind", "context", "observatory", "compiler")
        if not isinstance(about, dict) or not all(isinstance(about.get(key), str) for key in known):
            raise self._refuse(f"{_ABOUT} lacks what it must say")
        if about["kind"] != _KIND:
            raise self._refuse(f"it is a '{about['kind'][:40]}'")
        return about

    def _refuse(self, reason: str) -> CacheError:
        return CacheError(
            f"{self.path} is not a whole file of compiled rules: {reason}", "make it with calmap compile"
        )


def open_bundle(path: Path, references: Path | None = None) -> BundleLayout:
    """The layout of a context in one file.

    Parameters
    ----------
    path
        The file.
    references
        Where reference files are, if not beside it.

    Raises
    ------
    CacheError
        If it can't be read, or is none that calmap made.
    """
    try:
        with path.open("rb") as file:
            is_archive = zipfile.is_zipfile(file)
            file.seek(0)
            data = file.read() if is_archive else b""
    except OSError as problem:
        raise CacheError(f"{path} can't be read: {problem.strerror or problem}") from problem
    return bundle_layout(path, data, references)


def bundle_layout(path: Path, data: bytes, references: Path | None = None) -> BundleLayout:
    """As `open_bundle`, for bytes that were read already; the path says what to call them.

    Raises
    ------
    CacheError
        If they are none that calmap made.
    """
    return BundleLayout(path, None, references, contents=Contents(path, data))


def _below(rules: Rules, name: str) -> dict[str, None]:
    """A mapping and all that it leads to, each once."""
    found = {name: None}
    waiting = [name]
    for mapping in waiting:
        if mapping_kind(mapping) is MappingKind.REFERENCE:
            continue
        try:
            links = rules.links(mapping).links.values()
        except CalmapError:
            if mapping == name:
                raise
            continue
        targets = dict.fromkeys(link.target for link in links if not (link.is_na or link.is_omit))
        waiting += (target for target in targets if target not in found)
        found |= targets
    return found


def _zipped(parts: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), data)
    return target.getvalue()


def _is_sound(body: memoryview) -> bool:
    """True if rules that came from elsewhere don't contradict themselves."""
    try:
        packed = decode(body)
        if isinstance(packed, PackedReference):
            open_terms(Source("", ""), packed.terms)
            selectors.Rules(packed.selector).check()
    except PackedError:
        return False
    return True
