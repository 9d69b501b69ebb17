"""TPN files of CRDS: the lines of constraints in them, with their places."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

from calmap.errors import ObservatoryError
from calmap.model.names import is_safe

MAX_BYTES: Final = 1_000_000
MAX_LINE: Final = 100_000
MAX_LINES: Final = 50_000
MAX_INCLUDES: Final = 20
_WORD: Final = re.compile(r'(?:"[^"]*"|[^\s"])+')
_FIELDS: Final = "NAME KEYTYPE DATATYPE PRESENCE [VALUES]"


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a constraint and where it begins."""

    text: str
    file: str
    line: int
    column: int

    def fail(self, problem: str, hint: str | None = None, offset: int = 0) -> NoReturn:
        """Complain about this word.

        Raises
        ------
        ObservatoryError
            Always.
        """
        place = f"{self.file}:{self.line}:{self.column + offset}"
        raise ObservatoryError(f"{place}: {problem}", hint=hint)


@dataclass(frozen=True, slots=True)
class TpnLine:
    """One constraint, as it is written: four words and, maybe, its values."""

    name: Word
    keytype: Word
    datatype: Word
    presence: Word
    values: Word | None

    @property
    def value_texts(self) -> tuple[str, ...]:
        """The values one by one, without quotes; in upper case where case has no meaning."""
        if self.values is None:
            return ()
        datatype, text = self.datatype.text, self.values.text
        parts = (text,) if datatype == "X" or _is_quoted(text) else _split(text)
        texts = (_unquoted(part) for part in parts)
        if _is_quoted(text) and datatype != "X":
            texts = (part for text in texts for part in text.split(","))
        return tuple(part if datatype == "S" or is_expression(part) else part.upper() for part in texts)


def is_expression(text: str) -> bool:
    """True for what stands in parentheses."""
    return text.startswith("(") and text.endswith(")")


def read_tpn(path: Path) -> tuple[TpnLine, ...]:
    """The constraints of a TPN file and of those that it includes.

    Raises
    ------
    ObservatoryError
        If a file can't be read or a line is no constraint; the message has line and column.
    """
    return tuple(_constraint(line) for line in _Reader().lines(path, (), ()))


@dataclass(slots=True)
class _Line:
    """A line put together from those that ``\\`` joins, each with its place."""

    file: str
    text: str = ""
    starts: list[tuple[int, int, int]] = field(default_factory=list)

    def add(self, text: str, line: int, column: int) -> None:
        self.starts.append((len(self.text), line, column))
        self.text += text

    def word(self, match: re.Match[str]) -> Word:
        return Word(match[0], self.file, *self.place(match.start()))

    def place(self, offset: int) -> tuple[int, int]:
        index = bisect_right(self.starts, offset, key=lambda start: start[0]) - 1
        start, line, column = self.starts[index]
        return line, column + offset - start


class _Reader:
    """Reads lines, following ``include`` and applying ``replace``."""

    def __init__(self) -> None:
        self._count = 0

    def lines(
        self, path: Path, replaced: tuple[tuple[str, str], ...], above: tuple[Path, ...]
    ) -> Iterator[_Line]:
        current: _Line | None = None
        for number, raw in enumerate(_text(path).splitlines(), 1):
            self._count += 1
            text = raw.strip()
            if not text or text.startswith("#"):
                continue
            if self._count > MAX_LINES:
                raise ObservatoryError(f"{path}:{number}: more than {MAX_LINES} lines with those included")
            here = Word(text, str(path), number, len(raw) - len(raw.lstrip()) + 1)
            words = text.split()
            if words[0] == "include":
                yield from self.lines(_included(here, words, path, above), replaced, (*above, path))
                continue
            if words[0] == "replace":
                replaced = _with(replaced, here, words)
                continue
            current = current or _Line(str(path))
            text = _replace(text, replaced, here)
            continued = text.endswith("\\")
            current.add(text[:-1].rstrip() if continued else text, here.line, here.column)
            if len(current.text) > MAX_LINE:
                here.fail(f"a constraint of more than {MAX_LINE} characters")
            if not continued:
                yield from (current,) if current.text else ()
                current = None
        if current is not None and current.text:
            yield current


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise ObservatoryError(f"{path} is no ordinary file")
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as problem:
        raise ObservatoryError(f"{path} can't be read: {problem.strerror or problem}") from None
    if len(data) > MAX_BYTES:
        raise ObservatoryError(f"{path} is larger than {MAX_BYTES} bytes, too large for a TPN file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise ObservatoryError(f"{path}:{line}:1: not UTF-8 text") from None


def _included(here: Word, words: list[str], path: Path, above: tuple[Path, ...]) -> Path:
    if len(words) != 2 or not all(map(is_safe, words[1].split("/"))):
        here.fail(f"'{here.text}' is not understood", "write 'include' and a file in this folder or below it")
    target = path.parent / words[1]
    if target == path or target in above or len(above) >= MAX_INCLUDES:
        here.fail(
            f"'{words[1]}' includes itself" if target in (path, *above) else "too many files include others"
        )
    if not target.is_file():
        here.fail(f"there is no file {target} to include")
    return target


def _with(replaced: tuple[tuple[str, str], ...], here: Word, words: list[str]) -> tuple[tuple[str, str], ...]:
    if len(words) != 3:
        here.fail(f"'{here.text}' is not understood", "write 'replace', a pattern and what to put there")
    _, old, new = words
    for known, by in replaced:
        if known == old and by != new:
            here.fail(f"'{old}' is to be replaced by '{new}', before it was by '{by}'", "keep one of the two")
    return replaced if (old, new) in replaced else (*replaced, (old, new))


def _replace(text: str, replaced: tuple[tuple[str, str], ...], here: Word) -> str:
    for old, new in replaced:
        if old.replace("_", "").isalnum():
            text = text.replace(old, new)
        else:
            text = _substituted(old, new, text, here)
        if len(text) > MAX_LINE:
            here.fail(f"replacing '{old}' makes a line of more than {MAX_LINE} characters")
    return text


def _substituted(pattern: str, new: str, text: str, here: Word) -> str:
    """Replacement of a regular expression, in time that grows with the text only."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return str(re2.compile(pattern, options).sub(new, text))
    except re2.error:
        here.fail(
            f"'{pattern}' is to be replaced by '{new}', which is no regular expression and its substitute"
        )


def _constraint(line: _Line) -> TpnLine:
    words = [line.word(match) for match in _WORD.finditer(line.text)]
    unclosed = line.text.rfind('"') if line.text.count('"') % 2 else -1
    if unclosed >= 0:
        Word("", line.file, *line.place(unclosed)).fail("the quote '\"' is not closed")
    if len(words) not in (4, 5):
        place = words[5] if len(words) > 5 else words[0]
        hint = "values are separated by commas, without blanks; those with blanks stand in quotes"
        place.fail(f"{len(words)} words, expected 4 or 5: {_FIELDS}", hint if len(words) > 5 else None)
    name, keytype, datatype, presence, *rest = words
    return TpnLine(
        Word(_unquoted(name.text), *_place(name)), keytype, datatype, presence, rest[0] if rest else None
    )


def _place(word: Word) -> tuple[str, int, int]:
    return word.file, word.line, word.column


def _is_quoted(text: str) -> bool:
    return len(text) > 1 and text.startswith('"') and text.endswith('"') and '"' not in text[1:-1]


def _unquoted(text: str) -> str:
    return text[1:-1] if _is_quoted(text) else text


def _split(text: str) -> list[str]:
    """Parts between commas that stand outside quotes."""
    parts, quoted = [""], False
    for char in text:
        quoted ^= char == '"'
        if char == "," and not quoted:
            parts.append("")
        else:
            parts[-1] += char
    return parts
