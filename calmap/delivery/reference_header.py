"""From the header of a reference to the values that a rule for it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Any, NamedTuple

from calmap.compile.evaluate import EvaluationError, compile_expression
from calmap.compile.terms import ReferenceTerms, header_data, reference_terms
from calmap.edit.keys import selectors_of
from calmap.errors import HeaderError, MappingError
from calmap.model.dates import DateError, parse_date
from calmap.model.values import ANY, NA, UNDEFINED, alternatives, condition_element, is_esoteric
from calmap.observatories.converters import CONVERTERS
from calmap.observatories.definition import Observatory
from calmap.observatories.keywords import KeywordResolver, missing_keyword_hint
from calmap.observatories.reference_headers import Expansion
from calmap.syntax.ast import MappingFile
from calmap.syntax.expression import ExpressionError
from calmap.syntax.expression_text import parse_expression

_DATED = frozenset({"UseAfter", "ClosestTime"})


class RuleValues(NamedTuple):
    """Values for the keywords of an rmap, and how they were found.

    Parameters
    ----------
    values
        By keyword, as `calmap.edit.insertion.insert` wants them.
    notes
        One sentence for each value that is not simply the header's.
    """

    values: dict[str, str]
    notes: tuple[str, ...]


def rule_values(
    file: MappingFile, observatory: Observatory, header: Mapping[str, str], *, checked: bool = True
) -> RuleValues:
    """Values that make an rmap choose a reference for the datasets that its header describes.

    The steps are those of CRDS: pattern keywords and `reference_to_dataset` come before
    the keyword itself, the date is that of useafter, words that stand for several values are
    expanded, and keywords that don't count for the reference are N/A.

    Parameters
    ----------
    file
        The rmap.
    observatory
        Its telescope.
    header
        The reference's header, keywords in upper case.
    checked
        Refuse values that the telescope does not allow.

    Raises
    ------
    HeaderError
        If a value is missing or not allowed.
    MappingError
        If the header of the rmap makes no sense.
    """
    terms, data = reference_terms(file, observatory), header_data(file)
    notes: list[str] = []
    dates = _dates(file, observatory, header, data)
    keywords = [name for level in data["parkey"] for name in level if name not in dates]
    values = _translated(keywords, observatory, data, header, notes)
    values = _expanded(values, observatory, terms.instrument, {**header, **values, **dates}, notes)
    unused = _unused(terms, data, {**header, **values, **dates})
    notes += (f"{name} does not count here: N/A" for name in unused if values.get(name, NA) != NA)
    values |= dict.fromkeys(unused, NA)
    notes += _strangers(observatory, data, header)
    _refuse_missing(values, observatory, _comments(data), in_fits=_is_fits(header))
    if checked:
        _refuse_impossible(values, observatory, terms.instrument, _comments(data))
    return RuleValues({**values, **dates}, tuple(dict.fromkeys(notes)))


def useafter(observatory: Observatory, header: Mapping[str, str]) -> datetime:
    """The date from which on a reference may be used.

    Raises
    ------
    HeaderError
        If the header has none, or one that can't be read.
    """
    keywords = observatory.useafter_keywords or ("USEAFTER",)
    for keyword in keywords:
        text = header.get(keyword, UNDEFINED)
        if not text.strip() or text == UNDEFINED:
            continue
        try:
            return parse_date(_converted(observatory, keyword, text))
        except DateError as problem:
            raise HeaderError(f"{keyword}: {problem}") from None
    plain = [keyword for keyword in keywords if "." not in keyword] if _is_fits(header) else []
    name = (plain or keywords)[0]
    raise HeaderError("the header has no useafter date", f"set {name}, such as 2024-09-24T00:00:00")


def _is_fits(header: Mapping[str, str]) -> bool:
    """True if no keyword has a dot in it, which headers of FITS files can't have."""
    return not any("." in keyword for keyword in header)


def _converted(observatory: Observatory, keyword: str, text: str) -> str:
    """The text of a date in a form that `parse_date` knows, where the telescope writes another one."""
    for sources in observatory.keywords.values():
        for source in sources:
            if source.names == (keyword,) and source.format:
                return CONVERTERS[source.format](text) or text
    return text


def _dates(
    file: MappingFile, observatory: Observatory, header: Mapping[str, str], data: Mapping[Any, Any]
) -> dict[str, str]:
    """Values of the keywords that rules take a date from."""
    found: dict[str, str] = {}
    for selector, level in zip(selectors_of(file, data), data["parkey"], strict=False):
        if selector not in _DATED:
            continue
        moment = useafter(observatory, header)
        parts = moment.isoformat(" ").split()
        if len(level) > len(parts):
            raise MappingError(f"{file.source.name}: no date is spread over {len(level)} keywords")
        found.update(zip(level, parts if len(level) == len(parts) else [" ".join(parts)], strict=True))
    return found


def _translated(
    keywords: list[str],
    observatory: Observatory,
    data: Mapping[Any, Any],
    header: Mapping[str, str],
    notes: list[str],
) -> dict[str, str]:
    """What the header says of each keyword, UNDEFINED if nothing."""
    resolved = KeywordResolver(observatory, keywords).resolve(header)
    given = data.get("reference_to_dataset", {})
    pairs = given.items() if isinstance(given, dict) else ()
    renamed = {str(target).upper(): str(source).upper() for source, target in pairs}
    values: dict[str, str] = {}
    for keyword in keywords:
        upper = keyword.upper()
        values[keyword] = own = resolved.get(keyword, UNDEFINED)
        for source in (renamed.get(upper, ""), *observatory.reference_headers.patterns.get(upper, ())):
            text = header.get(source, UNDEFINED)
            if text.strip(" |") and text != UNDEFINED:
                values[keyword] = "|".join(dict.fromkeys(alternatives(text)))
                if values[keyword] != own:
                    notes.append(f"{keyword} is {values[keyword]}, from {source}")
                break
    return values


def _expanded(
    values: Mapping[str, str],
    observatory: Observatory,
    instrument: str,
    header: Mapping[str, str],
    notes: list[str],
) -> dict[str, str]:
    """Values with words that stand for several replaced; conditioned, where the telescope has it so."""
    result = dict(values)
    named = {name.replace("-", "_"): text for name, text in header.items()}
    terms = observatory.reference_headers
    for expansion in terms.expansions.get(instrument, ()):
        old = values.get(expansion.keyword)
        if old is not None and _applies(expansion, old, named):
            result[expansion.keyword] = expansion.values
            notes.append(f"{expansion.keyword} = {old} stands for {expansion.values}")
    if terms.conditioned:
        return {keyword: condition_element(value) for keyword, value in result.items()}
    return result


def _applies(expansion: Expansion, value: str, header: Mapping[str, str]) -> bool:
    if expansion.word != ANY and condition_element(value) != condition_element(expansion.word):
        return False
    if expansion.when is None:
        return True
    try:
        return bool(compile_expression(parse_expression(expansion.when))(header))
    except (EvaluationError, ExpressionError):
        return False


def _unused(terms: ReferenceTerms, data: Mapping[Any, Any], header: Mapping[str, str]) -> tuple[str, ...]:
    """Keywords that are N/A in every rule, or in those of references with such a header."""
    parkey = [name for level in data["parkey"] for name in level]
    switch = str(data.get("reffile_switch", "NONE")).upper()
    extra = {name.upper() for name in (*_words(data, "extra_keys"), switch)}
    known: dict[str, object] = {**dict.fromkeys(terms.required, UNDEFINED)}
    known.update((key, condition_element(value)) for key, value in header.items())
    known["keep_comments"] = True
    return tuple(name for name in parkey if name.upper() in extra or not _counts(terms, name, known, data))


def _counts(
    terms: ReferenceTerms, keyword: str, header: Mapping[str, object], data: Mapping[Any, Any]
) -> bool:
    counts = terms.counts.get(keyword.upper())
    if counts is None or keyword.upper() in _comments(data):
        return True
    try:
        return bool(counts(header))
    except EvaluationError as problem:
        raise HeaderError(f"whether {keyword} counts can't be told: {problem}") from None


def _strangers(observatory: Observatory, data: Mapping[Any, Any], header: Mapping[str, str]) -> Iterator[str]:
    """What to say of keywords that look like pattern keywords and are none."""
    given = data.get("reference_to_dataset", {})
    known = {str(name).upper() for name in given} if isinstance(given, dict) else set()
    known.update(name for names in observatory.reference_headers.patterns.values() for name in names)
    if not observatory.reference_headers.patterns:
        return
    for keyword in header:
        if keyword.rpartition(".")[2].startswith("P_") and keyword not in known:
            yield f"{keyword} looks like a pattern keyword, but {observatory.name} has none of that name"


def _refuse_missing(
    values: Mapping[str, str], observatory: Observatory, comments: frozenset[str], *, in_fits: bool
) -> None:
    missing = [
        name
        for name, value in values.items()
        if (value == UNDEFINED or not value.strip(" |")) and name.upper() not in comments
    ]
    if missing:
        hints = "; ".join(missing_keyword_hint(observatory, name, in_fits=in_fits) for name in missing)
        raise HeaderError(f"the header has no value for {', '.join(missing)}", hints)


def _refuse_impossible(
    values: Mapping[str, str], observatory: Observatory, instrument: str, comments: frozenset[str]
) -> None:
    for keyword, value in values.items():
        allowed = observatory.values(instrument, keyword)
        if allowed is None or keyword.upper() in comments:
            continue
        known = {condition_element(item) for item in allowed} | {ANY, NA}
        for item in _plain_members(value):
            if condition_element(item) not in known:
                near = get_close_matches(item.upper(), sorted(known), n=1)
                advice = f"did you mean {near[0]}?" if near else f"allowed are {', '.join(allowed)}"
                raise HeaderError(f"{keyword} = {item!r} is no value of {instrument}", advice)


def _plain_members(value: str) -> Iterator[str]:
    if not is_esoteric(value):
        yield from alternatives(value)


def _comments(data: Mapping[Any, Any]) -> frozenset[str]:
    return frozenset(word.upper() for word in _words(data, "comment_parkeys"))


def _words(data: Mapping[Any, Any], key: str) -> tuple[str, ...]:
    value = data.get(key, ())
    return tuple(str(word) for word in value) if isinstance(value, tuple) else ()
