"""What the header of a reference mapping says about a look-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from calmap.compile.evaluate import Compiled, compile_expression
from calmap.compile.hooks import AFTER_FAILURE, AFTER_FAILURE_KEYWORDS, HOOK_KEYWORDS, HOOKS, Hook
from calmap.compile.packed import PackedError, PackedTerms
from calmap.compile.prepare import Substitutions, Terms
from calmap.errors import MappingError
from calmap.observatories.definition import Observatory
from calmap.source import Source
from calmap.syntax.ast import MappingFile, Plain, plain
from calmap.syntax.expression import Constant, Expression, ExpressionError, names

_GENERIC: Mapping[Plain, Plain] = {"GENERIC": "N/A"}
DEFAULT_SUBSTITUTIONS: Substitutions = {"SUBARRAY": _GENERIC, "META.SUBARRAY.NAME": _GENERIC}
_CONDITIONS = ("rmap_omit", "rmap_relevance")
_REQUIRED = ("mapping", "parkey", "name", "derived_from")
_REQUIRED_BY_RMAP = (*_REQUIRED, "observatory", "instrument", "filekind")


@dataclass(frozen=True)
class ReferenceTerms:
    """The header of an rmap, read once.

    Parameters
    ----------
    filekind, instrument, observatory
        In lower case.
    required
        Keywords that a look-up needs.
    omit, relevance
        Expressions on the whole type, or None where there is none.
    parkey_relevance
        For a keyword, the expression that tells if it counts.
    precondition, fallback
        Instrument hooks.
    unmatched_is_na
        Whether a type without a matching rule does not apply.
    selector
        What counts for the rules.
    written
        Expressions on the whole type as they stand in the header.
    """

    observatory: str
    instrument: str
    filekind: str
    required: tuple[str, ...]
    omit: Expression | None
    relevance: Expression | None
    parkey_relevance: Mapping[str, Expression]
    precondition: Hook | None
    fallback: Hook | None
    after_failure: str | None
    unmatched_is_na: bool
    selector: Terms
    written: Mapping[str, str]

    @cached_property
    def omits(self) -> Compiled | None:
        """`omit`, compiled."""
        return compile_expression(self.omit) if self.omit is not None else None

    @cached_property
    def applies(self) -> Compiled | None:
        """`relevance`, compiled."""
        return compile_expression(self.relevance) if self.relevance is not None else None

    @cached_property
    def counts(self) -> Mapping[str, Compiled]:
        """`parkey_relevance`, compiled."""
        return {key: compile_expression(expression) for key, expression in self.parkey_relevance.items()}

    @property
    def expression_names(self) -> frozenset[str]:
        """Keywords that expressions name."""
        expressions = (self.omit, self.relevance, *self.parkey_relevance.values())
        return frozenset(name.name for expression in expressions if expression for name in names(expression))

    @property
    def outside_names(self) -> frozenset[str]:
        """Keywords that expressions, hooks and the check after a failure look at beside those required."""
        hooks = [hook.__name__ for hook in (self.precondition, self.fallback) if hook is not None]
        hooked = frozenset[str]().union(*(HOOK_KEYWORDS[hook] for hook in hooks))
        failing = AFTER_FAILURE_KEYWORDS.get(self.after_failure or "", frozenset())
        return (self.expression_names | hooked | failing) - set(self.required)


def header_data(file: MappingFile, required: tuple[str, ...] = _REQUIRED) -> dict[Any, Any]:
    """The header of a mapping as plain data.

    Raises
    ------
    MappingError
        If it holds a selector or lacks a key that CRDS insists on.
    """
    source = file.source
    try:
        data: Any = plain(file.header)
    except TypeError as problem:
        raise _refuse(source, str(problem)) from None
    missing = [key for key in required if key not in data]
    if missing:
        raise _refuse(source, f"the header lacks {', '.join(map(repr, missing))}")
    return dict(data)


def lower_text(value: Plain) -> Plain:
    """A header value as CRDS reads it: in lower case unless it stands in parentheses."""
    if isinstance(value, str) and not (value.startswith("(") and value.endswith(")")):
        return value.lower()
    return value


def reference_terms(file: MappingFile, observatory: Observatory | None) -> ReferenceTerms:
    """Read the header of an rmap.

    Raises
    ------
    MappingError
        If something in it has no meaning.
    """
    data = header_data(file, _REQUIRED_BY_RMAP)
    source = file.source
    parkey = _parkey(source, data["parkey"])
    switch = str(data.get("reffile_switch", "NONE")).upper()
    extra = (*_words(source, data, "extra_keys"), *(observatory.extra_keys if observatory else ()))
    flat = [name for level in parkey for name in level]
    required = tuple(dict.fromkeys([*flat, *([] if switch == "NONE" else [switch]), *extra]))
    instrument, filekind = str(data["instrument"]).lower(), str(data["filekind"]).lower()
    hooks = _hooks(data, instrument, filekind, observatory)
    omit, relevance = _expression(source, data, "rmap_omit"), _expression(source, data, "rmap_relevance")
    parkey_relevance = _parkey_relevance(source, data)
    return ReferenceTerms(
        observatory=str(data["observatory"]).lower(),
        instrument=instrument,
        filekind=filekind,
        required=required,
        omit=omit,
        relevance=relevance,
        parkey_relevance=parkey_relevance,
        precondition=hooks.get("precondition_header"),
        fallback=hooks.get("fallback_header"),
        after_failure=observatory.after_failure if observatory else None,
        unmatched_is_na=str(data.get("reffile_required", "NONE")).upper() not in ("YES", "NONE"),
        selector=_selector_terms(source, data),
        written={key: data[key] for key in _CONDITIONS if isinstance(data.get(key), str)},
    )


def selector_terms(file: MappingFile) -> Terms:
    """What the header of an rmap says about its selector.

    Raises
    ------
    MappingError
        If something in it has no meaning.
    """
    return _selector_terms(file.source, header_data(file, _REQUIRED_BY_RMAP))


def _selector_terms(source: Source, data: Mapping[Any, Any]) -> Terms:
    merges = _flag(data.get("merge_overlaps", True))
    return Terms(source, _parkey(source, data["parkey"]), _substitutions(source, data), merges)


def pack_terms(terms: ReferenceTerms) -> PackedTerms:
    """The packed form of a header."""
    selector = terms.selector
    swaps = {
        parameter: {old: new for old, new in given.items() if isinstance(old, str) and isinstance(new, str)}
        for parameter, given in selector.substitutions.items()
    }
    return PackedTerms(
        observatory=terms.observatory,
        instrument=terms.instrument,
        filekind=terms.filekind,
        required=terms.required,
        omit=terms.omit,
        relevance=terms.relevance,
        parkey_relevance=dict(terms.parkey_relevance),
        precondition=terms.precondition.__name__ if terms.precondition else None,
        fallback=terms.fallback.__name__ if terms.fallback else None,
        after_failure=terms.after_failure,
        unmatched_is_na=terms.unmatched_is_na,
        parkey=selector.parkey,
        substitutions=swaps,
        merge_overlaps=selector.merge_overlaps,
        written=dict(terms.written),
    )


def open_terms(source: Source, packed: PackedTerms) -> ReferenceTerms:
    """The header of an rmap from its packed form; of substitutions only those of one text by another.

    Raises
    ------
    PackedError
        If it names hooks that don't exist.
    """
    try:
        hooks = [HOOKS[name] if name is not None else None for name in (packed.precondition, packed.fallback)]
    except KeyError as problem:
        raise PackedError(f"there is no hook {problem}") from None
    if packed.after_failure not in (None, *AFTER_FAILURE):
        raise PackedError(f"there is no check {packed.after_failure}")
    return ReferenceTerms(
        observatory=packed.observatory,
        instrument=packed.instrument,
        filekind=packed.filekind,
        required=packed.required,
        omit=packed.omit,
        relevance=packed.relevance,
        parkey_relevance=packed.parkey_relevance,
        precondition=hooks[0],
        fallback=hooks[1],
        after_failure=packed.after_failure,
        unmatched_is_na=packed.unmatched_is_na,
        selector=Terms(source, packed.parkey, packed.substitutions, packed.merge_overlaps),
        written=packed.written,
    )


def check_names(observatory: Observatory) -> None:
    """Refuse a definition that names hooks or checks that don't exist.

    Raises
    ------
    MappingError
        With the names that there are.
    """
    unknown = [name for name in observatory.hooks if name not in HOOKS]
    if unknown:
        raise MappingError(
            f"{observatory.origin}: no hook is named {unknown[0]}", f"there are {', '.join(HOOKS)}"
        )
    if observatory.after_failure not in (None, *AFTER_FAILURE):
        raise MappingError(f"{observatory.origin}: no check is named {observatory.after_failure}")


def _refuse(source: Source, message: str) -> MappingError:
    return MappingError(f"{source.name}: {message}", "calmap check tells more")


def _flag(value: Plain) -> bool:
    return str(value).upper() in ("TRUE", "1")


def _parkey(source: Source, value: Any) -> tuple[tuple[str, ...], ...]:
    levels = value if isinstance(value, tuple) else ()
    if not levels or not all(
        isinstance(level, tuple) and all(isinstance(k, str) for k in level) for level in levels
    ):
        raise _refuse(source, "parkey must be a tuple with one tuple of keywords for each selector")
    return levels


def _words(source: Source, data: Mapping[Any, Any], key: str) -> tuple[str, ...]:
    """A tuple of keywords; a string is one of its characters, as in CRDS."""
    value = data.get(key, ())
    if isinstance(value, str):
        return tuple(value)
    if not isinstance(value, tuple) or not all(isinstance(word, str) for word in value):
        raise _refuse(source, f"{key} must be a tuple of keywords")
    return value


def _substitutions(source: Source, data: Mapping[Any, Any]) -> Substitutions:
    given = data.get("substitutions", {})
    if not isinstance(given, dict) or not all(isinstance(swaps, dict) for swaps in given.values()):
        raise _refuse(source, "substitutions must be a dictionary of dictionaries")
    hashable = all(not isinstance(new, dict) for swaps in given.values() for new in swaps.values())
    if not hashable:
        raise _refuse(source, "a substitution must be by a string, a number or a tuple of them")
    return {**DEFAULT_SUBSTITUTIONS, **given}


def _expression(source: Source, data: Mapping[Any, Any], key: str) -> Expression | None:
    if key not in data:
        return None
    text = lower_text(data[key])
    if not isinstance(text, str):
        raise _refuse(source, f"{key} must be a string")
    if key == "rmap_relevance":
        text = text.replace("always", "True")
    return _parsed(source, key, text)


def _parsed(source: Source, key: str, text: Any) -> Expression:
    if not isinstance(text, str):
        raise _refuse(source, f"the expression of {key} must be a string")
    from calmap.syntax.expression_text import parse_expression

    try:
        return parse_expression(text)
    except ExpressionError as problem:
        raise _refuse(source, f"{key} is no expression: {problem}: {text}") from None


def _parkey_relevance(source: Source, data: Mapping[Any, Any]) -> dict[str, Expression]:
    given = data.get("parkey_relevance", {})
    if not isinstance(given, dict):
        raise _refuse(source, "parkey_relevance must be a dictionary of expressions")
    found = {str(key).upper(): _parsed(source, str(key), text) for key, text in given.items()}
    return found | {name.upper(): Constant(False) for name in _words(source, data, "comment_parkeys")}


def _hooks(
    data: Mapping[Any, Any], instrument: str, filekind: str, observatory: Observatory | None
) -> dict[str, Hook]:
    given = data.get("hooks", None)
    found = {}
    for role in ("precondition_header", "fallback_header"):
        implicit = f"{role}_{instrument}_{filekind}_v1"
        name = given.get(role, role) if isinstance(given, dict) and given else implicit
        if observatory is not None and name in observatory.hooks and name in HOOKS:
            found[role] = HOOKS[name]
    return found
