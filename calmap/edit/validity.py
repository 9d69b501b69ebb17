"""The `UseAfter` tables of an rmap as periods of validity, and their text changed to other ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from calmap.compare.rows import Step, key_elements, rows
from calmap.diagnostics import TextEdit
from calmap.edit import spans
from calmap.edit.application import edited, parsed
from calmap.edit.entries import quote_of, remove_entries
from calmap.edit.insertion import new_entry
from calmap.edit.keys import Level, levels_of, same_key
from calmap.edit.literals import quoted
from calmap.edit.spans import Period
from calmap.errors import MappingError, RefusedError
from calmap.model.dates import DateError, parse_date
from calmap.model.mapping import Mapping as MappingText
from calmap.syntax.ast import Entry, MappingFile, SelectorCall, String, Value

USE_AFTER = "UseAfter"
_ADVICE = "only the files of rules with UseAfter have spans of validity"
_NO_SPANS = {
    "ClosestTime": "it chooses the nearest date, so that a file has no beginning and no end",
}


class Place(NamedTuple):
    """A selector without others below it: the files of one rule.

    Parameters
    ----------
    steps
        The keys that lead to it.
    call
        The selector.
    line
        Where its rule stands.
    last_line
        Where it ends.
    """

    steps: tuple[Step, ...]
    call: SelectorCall
    line: int
    last_line: int

    @property
    def keys(self) -> tuple[tuple[str, ...], ...]:
        """The keys alone, by which it is found again in a changed text."""
        return tuple(step.key for step in self.steps)

    @property
    def start(self) -> int:
        """Offset of its rule."""
        return self.steps[-1].span.start if self.steps else self.call.start

    def names(self, file: str) -> bool:
        """True if one of its entries is a file, alone."""
        return any(_is(entry.value, file) for entry in self.call.table.entries)


def places(file: MappingFile) -> Iterator[Place]:
    """Every selector of an rmap without others below it, in the order of the text."""
    if isinstance(file.selector, SelectorCall):
        yield from _places(file, file.selector, ())


def place_at(file: MappingFile, keys: Sequence[tuple[str, ...]]) -> Place | None:
    """The selector that some keys lead to; of doubled keys the last counts."""
    return next((place for place in reversed(tuple(places(file))) if place.keys == tuple(keys)), None)


def place_for(file: MappingFile, values: Mapping[str, str]) -> Place | None:
    """The selector that has the dates of a rule with some values, or None if there is no such rule.

    Parameters
    ----------
    file
        The rmap.
    values
        Values of its keywords, as `calmap.edit.insertion.insert` wants them.

    Raises
    ------
    RefusedError
        If such a rule chooses otherwise than by `UseAfter`.
    MappingError
        If the header of the rmap makes no sense.
    """
    levels = levels_of(file, values)
    value: Value = file.selector
    steps: tuple[Step, ...] = ()
    for level in levels[:-1]:
        if not isinstance(value, SelectorCall):
            break
        entry = _entry(value, level)
        if entry is None:
            require_use_after(file, levels[-1].selector, value.start)
            return None
        steps = (*steps, Step(value.name, key_elements(entry.key), entry.key.span, entry.key))
        value = entry.value
    if not isinstance(value, SelectorCall):
        raise RefusedError(f"{_where(file, value.start)}: the rule leads to a file without dates", _ADVICE)
    place = _place(file, value, steps)
    require_use_after(file, value.name, place.start)
    return place


def require_use_after(file: MappingFile, selector: str, offset: int) -> None:
    """Refuse a selector whose files have no spans of validity.

    Raises
    ------
    RefusedError
        If it is any but `UseAfter`.
    """
    if selector != USE_AFTER:
        why = _NO_SPANS.get(selector, "its files have no dates")
        raise RefusedError(f"{_where(file, offset)}: the rule goes by {selector}: {why}", _ADVICE)


def periods_of(file: MappingFile, place: Place) -> tuple[Period, ...]:
    """What a `UseAfter` table says, as periods.

    Raises
    ------
    RefusedError
        If a date can't be read or is there twice, or the place has no `UseAfter` table.
    """
    require_use_after(file, place.call.name, place.start)
    return spans.periods((moment, _text(entry.value)) for moment, entry in _dated(file, place).items())


def retimed(mapping: MappingText, place: Place, wanted: Sequence[Period]) -> MappingText:
    """A mapping in which a `UseAfter` table says other periods; without any, the rule goes too.

    Rows that both have stay as they are written, with their comments.

    Parameters
    ----------
    mapping
        The rmap.
    place
        The table in it.
    wanted
        The periods, of names of files and of N/A only where they differ from those there are.

    Raises
    ------
    MappingError
        If the new text would be no mapping.
    """
    dated = dict(spans.rows(wanted))
    if not dated:
        return _without_rule(mapping, place)
    mapping = _with_other_files(mapping, place, dated)
    for moment in sorted(dated.keys() - _dated(parsed(mapping), place).keys()):
        file = parsed(mapping)
        here = _found(file, place)
        level = Level(USE_AFTER, ("",), (moment.isoformat(" "),), (False,))
        mapping = edited(mapping, new_entry(file.source, here.call, (level,), (), dated[moment]).edits)
    file = parsed(mapping)
    here = _found(file, place)
    gone = frozenset(
        index for index, (moment, _) in enumerate(_dated(file, here).items()) if moment not in dated
    )
    return edited(mapping, remove_entries(file.source, here.call.table, gone)) if gone else mapping


def _with_other_files(mapping: MappingText, place: Place, dated: Mapping[datetime, str]) -> MappingText:
    file = parsed(mapping)
    edits = [
        TextEdit(entry.value.span, quoted(dated[moment], quote_of(file.source, entry.value)))
        for moment, entry in _dated(file, _found(file, place)).items()
        if moment in dated and dated[moment] != _text(entry.value)
    ]
    return edited(mapping, edits) if edits else mapping


def _without_rule(mapping: MappingText, place: Place) -> MappingText:
    """A mapping without a table, and without the rules that have nothing else."""
    file = parsed(mapping)
    call, chosen = _root(file), (_root(file), frozenset(range(len(_root(file).table.entries))))
    for key in place.keys:
        entries = call.table.entries
        index = max(i for i, entry in enumerate(entries) if key_elements(entry.key) == key)
        if len(entries) > 1 or call is _root(file):
            chosen = (call, frozenset({index}))
        below = entries[index].value
        if isinstance(below, SelectorCall):
            call = below
    return edited(mapping, remove_entries(file.source, chosen[0].table, chosen[1]))


def _root(file: MappingFile) -> SelectorCall:
    if not isinstance(file.selector, SelectorCall):
        raise MappingError(f"{file.source.name}: the selector is a table, not rules such as Match")
    return file.selector


def _places(file: MappingFile, call: SelectorCall, steps: tuple[Step, ...]) -> Iterator[Place]:
    inner = [entry for entry in call.table.entries if isinstance(entry.value, SelectorCall)]
    if not inner:
        yield _place(file, call, steps)
    for entry in inner:
        if isinstance(entry.value, SelectorCall):
            step = Step(call.name, key_elements(entry.key), entry.key.span, entry.key)
            yield from _places(file, entry.value, (*steps, step))


def _place(file: MappingFile, call: SelectorCall, steps: tuple[Step, ...]) -> Place:
    start = steps[-1].span.start if steps else call.start
    return Place(steps, call, file.source.position(start).line, file.source.position(call.end).line)


def _found(file: MappingFile, place: Place) -> Place:
    found = place_at(file, place.keys)
    if found is None:
        raise MappingError(f"{file.source.name}: the rule of line {place.line} is gone")
    return found


def _dated(file: MappingFile, place: Place) -> dict[datetime, Entry]:
    """The entries of a table by their dates."""
    found: dict[datetime, Entry] = {}
    for entry in _found(file, place).call.table.entries:
        text = " ".join(key_elements(entry.key))
        try:
            moment = parse_date(text)
        except DateError as problem:
            raise RefusedError(f"{_where(file, entry.start)}: {problem}", "correct the date first") from None
        if moment in found:
            raise RefusedError(
                f"{_where(file, entry.start)}: the rule has the date {moment} twice", "remove one first"
            )
        found[moment] = entry
    return found


def _entry(call: SelectorCall, level: Level) -> Entry | None:
    key = level.key(call.name)
    return next((e for e in reversed(call.table.entries) if same_key(e.key, key, call.name, level)), None)


def _text(value: Value) -> str:
    return next(rows(value)).file


def _is(value: Value, file: str) -> bool:
    return isinstance(value, String) and value.value == file


def _where(file: MappingFile, offset: int) -> str:
    return f"{file.source.name.rpartition('/')[2]}:{file.source.position(offset).line}"
