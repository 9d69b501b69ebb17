"""Tells what a line of a mapping means."""

from __future__ import annotations

from dataclasses import dataclass, replace

from calmap.bestref.header_words import header_sentences
from calmap.bestref.lines import Located, line_of, locate
from calmap.bestref.meaning import Meaning, NamedFile
from calmap.bestref.reaching import way_to
from calmap.bestref.rule_reader import RuleReader
from calmap.cache.layout import Layout
from calmap.compile.reference import compile_reference
from calmap.errors import CacheError, MappingError, UsageError
from calmap.model.mapping import Mapping
from calmap.model.names import is_na, is_omit
from calmap.observatories.definition import Observatory
from calmap.syntax.ast import Entry, MappingFile, MappingKind, String, header_text

_LEVELS = {
    MappingKind.PIPELINE: "the instruments of the telescope",
    MappingKind.INSTRUMENT: "the reference types of the instrument",
    MappingKind.REFERENCE: "the rules",
}


@dataclass(frozen=True, slots=True)
class LineReader:
    """Tells what lines of a mapping mean.

    Parameters
    ----------
    mapping
        The mapping, which must be one that can be understood.
    observatory
        Its telescope, or None if that is not known.
    layout
        The cache in which to look for the files that it names, if any.
    """

    mapping: Mapping
    observatory: Observatory | None
    layout: Layout | None

    def meaning(self, line: int) -> Meaning:
        """What a line means.

        Raises
        ------
        MappingError
            If the mapping can't be understood.
        UsageError
            If there is no such line.
        """
        file = self._file()
        count = len(file.source.line_starts) - file.source.text.endswith("\n")
        if not 1 <= line <= count:
            raise UsageError(f"{self.mapping.path} has no line {line}", f"it has {count} lines")
        located = locate(file, line)
        bare = Meaning(self.mapping.name, line, file.source.line(line).strip(), "structure", ())
        if located.part == "header":
            return replace(bare, kind="header", sentences=tuple(header_sentences(located.entries)))
        if located.part == "selector":
            return self._entry(bare, file, located)
        return _silent(bare, file, located)

    def _file(self) -> MappingFile:
        if self.mapping.file is None:
            first = self.mapping.diagnostics[0]
            at = first.source.position(first.span.start).line
            raise MappingError(f"{self.mapping.path}:{at}: {first.message}", "calmap check tells more")
        return self.mapping.file

    def _entry(self, bare: Meaning, file: MappingFile, located: Located) -> Meaning:
        entry = located.entries[-1]
        begins = line_of(file.source, entry)
        more = () if located.begins else (f"The line belongs to what begins in line {begins}.",)
        if file.kind is not MappingKind.REFERENCE:
            found = self._link(bare, file, entry)
        else:
            found = self._rule(bare, file, located.entries)
        return replace(found, sentences=(*more, *found.sentences))

    def _link(self, bare: Meaning, file: MappingFile, entry: Entry) -> Meaning:
        key = entry.key.value if isinstance(entry.key, String) else file.source.slice(entry.key.span)
        target = entry.value.value if isinstance(entry.value, String) else file.source.slice(entry.value.span)
        pipeline = file.kind is MappingKind.PIPELINE
        what = f"observations with {key}" if pipeline else f"references of type {key.lower()}"
        if is_na(target):
            words = f"For {what} nothing applies: the answer is N/A."
        elif is_omit(target):
            words = f"For {what} there is no answer at all: they are left out."
        elif pipeline:
            words = f"The rules for {what} are in {target}, which names a mapping for each type."
        else:
            words = f"For {what} the rules of {target} choose."
        special = is_na(target) or is_omit(target)
        files = () if special else (NamedFile(target, self._has_mapping(target)),)
        return replace(bare, kind="link", sentences=(words,), files=files)

    def _rule(self, bare: Meaning, file: MappingFile, entries: tuple[Entry, ...]) -> Meaning:
        kind = header_text(file.header, "filekind") or "?"
        try:
            reference = compile_reference(file, self.observatory)
        except MappingError as problem:
            return replace(
                bare, sentences=("The rules of the mapping can't be used.",), notes=(str(problem),)
            )
        way = way_to(reference.tree, entries)
        if way is None:
            words = (
                f"Nothing reads this line: another rule of {bare.file} has the same key and counts instead."
            )
            return replace(bare, kind="rule", sentences=(words,))
        if not way:
            return replace(bare, sentences=(f"It is a part of what stands there for {kind.lower()}.",))
        return RuleReader(reference, way, entries[len(way) - 1], self.observatory, self.layout).meaning(bare)

    def _has_mapping(self, name: str) -> bool | None:
        if self.layout is None:
            return None
        try:
            return (
                self.layout.find_mapping(name, self.observatory.name if self.observatory else "") is not None
            )
        except CacheError:
            return False


def _silent(bare: Meaning, file: MappingFile, located: Located) -> Meaning:
    """A line that says nothing to programs."""
    near = f" The nearest entry is in line {located.nearest}." if located.nearest else ""
    if located.part == "structure":
        words = f"The line opens or closes a section: the header, or the selector with {_LEVELS[file.kind]}."
        return replace(bare, sentences=(words,))
    known = {"blank": "The line is empty.", "note": "The line is a comment, which nothing reads."}
    text = known.get(located.part, "The line belongs to the comment section, which is for people.")
    return replace(bare, kind="blank" if located.part == "blank" else "comment", sentences=(f"{text}{near}",))
