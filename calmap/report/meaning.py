"""What a line of a mapping means, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from calmap.compile.wording import DOES_NOT_MATTER, either, spoken
from calmap.report.layout import hanging
from calmap.report.text import Charset

if TYPE_CHECKING:
    from calmap.bestref.meaning import Interval, KeyMeaning, Meaning, Rival

MAX_SHOWN = 8


def render_meaning(meaning: Meaning, console: Console) -> None:
    """Write it in sentences."""
    for row in _Page(meaning, console).rows():
        console.print(row, soft_wrap=True)


def meaning_json(meaning: Meaning) -> str:
    """All of it, as JSON."""
    return json.dumps(asdict(meaning), indent=2) + "\n"


class _Page:
    """A meaning laid out for a console."""

    def __init__(self, meaning: Meaning, console: Console) -> None:
        self.meaning = meaning
        self.console = console
        self.charset = Charset.of(console)

    def rows(self) -> Iterator[Text]:
        """Every line, in order."""
        meaning = self.meaning
        place = f"{self.charset.safe(meaning.file)}:{meaning.line}"
        yield Text(place, "cyan")
        if meaning.written:
            yield from self._wrapped("  ", meaning.written, "bold")
        yield Text()
        yield from self._text(" ".join(meaning.sentences))
        for key in meaning.keys:
            yield from self._wrapped("  - ", _key(key), "dim" if key.words == DOES_NOT_MATTER else "")
        if meaning.weight is not None:
            yield from self._text(_weight(meaning))
        if meaning.hidden:
            yield Text()
            yield from self._wrapped("", meaning.hidden, "red")
        yield from self._sequel()
        yield from self._rivals()
        for note in meaning.notes:
            yield from self._text(note)
        yield from self._example()
        yield from self._files()

    def _sequel(self) -> Iterator[Text]:
        meaning = self.meaning
        if meaning.sequel or meaning.intervals:
            yield Text()
        for sentence in meaning.sequel:
            yield from self._text(sentence)
        if not meaning.intervals:
            return
        if meaning.before:
            yield from self._text(
                f"Before {_day(meaning.before)} it has no answer, and rules of less weight are tried."
                if meaning.weight is not None
                else f"Before {_day(meaning.before)} there is no answer."
            )
        whose = "the" if meaning.weight is None else "its"
        shown = _around_here(meaning.intervals)
        if shown[0] is not meaning.intervals[0]:
            yield from self._text(f"There are {len(meaning.intervals):,} rows in all.")
        for interval in shown:
            words = _interval(interval, whose, alone=len(shown) == 1)
            yield from self._wrapped("  - " if len(shown) > 1 else "", words, "bold" if interval.here else "")
        more = len(meaning.intervals) - len(shown)
        if more and shown[-1] is not meaning.intervals[-1]:
            yield from self._text(f"And so on. {_interval(meaning.intervals[-1], whose, alone=False)}")

    def _rivals(self) -> Iterator[Text]:
        for rank, words in (
            ("heavier", "Rules of more weight take some of its observations first:"),
            ("equal", "Rules of equal weight match some of its observations too:"),
        ):
            rivals = [rival for rival in self.meaning.rivals if rival.rank == rank]
            if not rivals:
                continue
            yield Text()
            yield from self._text(words)
            for rival in rivals[:MAX_SHOWN]:
                yield from self._wrapped("  - ", _rival(rival), "")
            if len(rivals) > MAX_SHOWN:
                yield Text(f"    and {len(rivals) - MAX_SHOWN} more", "dim")

    def _example(self) -> Iterator[Text]:
        meaning = self.meaning
        if meaning.kind not in ("rule", "row") or not (meaning.keys or meaning.intervals):
            return
        yield Text()
        if meaning.example is None:
            yield from self._text("No observation was found that comes to this line.")
            return
        yield from self._text("An observation that comes to this line:")
        for line in json.dumps(meaning.example, indent=2).splitlines():
            yield Text(f"  {self.charset.safe(line)}", "green")

    def _files(self) -> Iterator[Text]:
        files = [file for file in self.meaning.files if file.present is not None]
        if not files:
            return
        missing = [file.name for file in files if not file.present]
        yield Text()
        if not missing:
            names = files[0].name if len(files) == 1 else f"All {len(files)} files named here"
            yield from self._text(f"{names} {'is' if len(files) == 1 else 'are'} in the cache.")
            return
        named = either(missing[:MAX_SHOWN], "and")
        more = f", and {len(missing) - MAX_SHOWN} more" if len(missing) > MAX_SHOWN else ""
        yield from self._text(f"Not in the cache: {named}{more}.")

    def _text(self, text: str) -> Iterator[Text]:
        yield from self._wrapped("", text, "")

    def _wrapped(self, lead: str, text: str, style: str) -> Iterator[Text]:
        yield from hanging(Text(lead), Text(self.charset.safe(text), style), self.console)


def _key(key: KeyMeaning) -> str:
    name = spoken(key.parameter)
    where = [key.parameter] if key.parameter != name else []
    where += [f"header keyword {either(key.keywords)}"] if key.keywords else []
    return f"{name} {key.words} ({'; '.join(where)})" if where else f"{name} {key.words}"


def _weight(meaning: Meaning) -> str:
    whose = "Its" if meaning.kind == "rule" else "The rule's"
    if not meaning.weight:
        return f"{whose} weight is 0: it is tried last, for observations that no other rule answers."
    return f"{whose} weight is {meaning.weight}, one for each keyword that matters."


def _interval(interval: Interval, whose: str, *, alone: bool) -> str:
    if interval.start is None and interval.end is None:
        when = "At any time"
    elif interval.start is None:
        when = f"Until {_day(interval.end)}"
    elif interval.end is None:
        when = f"From {_day(interval.start)} on"
    else:
        when = f"From {_day(interval.start)} until {_day(interval.end)}"
    place = "" if alone else f" (line {interval.line}{', this one' if interval.here else ''})"
    return f"{when} {whose} answer is {interval.text}{place}."


def _around_here(intervals: tuple[Interval, ...]) -> tuple[Interval, ...]:
    """Some of the intervals: the first, or those around the line that is asked for."""
    if len(intervals) <= MAX_SHOWN:
        return intervals
    at = next((number for number, interval in enumerate(intervals) if interval.here), 0)
    start = max(0, min(at - 1, len(intervals) - MAX_SHOWN))
    return intervals[start : start + (3 if intervals[at].here else MAX_SHOWN)]


def _rival(rival: Rival) -> str:
    return f"line {rival.line}, weight {rival.weight}: {rival.written}"


def _day(date: str | None) -> str:
    return (date or "").removesuffix(" 00:00:00")
