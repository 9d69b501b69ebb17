"""What a run of certifying works with: the telescope, its cache and its context, as far as there are any."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from calmap.cache.chosen import Settings
from calmap.cache.layout import Layout
from calmap.certify.certifier import Certifier, Trial, TrialOf
from calmap.certify.evaluation import is_function
from calmap.certify.finding import Finding
from calmap.certify.identity import telescope_of
from calmap.certify.tpn_folder import TpnFiles
from calmap.diagnostics import Severity
from calmap.errors import CalmapError, HeaderError, NotInCacheError, ObservatoryError
from calmap.headers.reading import read_header
from calmap.observatories.constraints import Constraint
from calmap.observatories.definition import Observatory
from calmap.observatories.library import load_observatory
from calmap.syntax.constraint import ExpressionError, parse_constraint, term_functions

if TYPE_CHECKING:
    from calmap.bestref.context import Context


def telescope(path: Path, settings: Settings) -> Observatory:
    """The telescope that a file is of: the one that was chosen, or what its header tells.

    Raises
    ------
    HeaderError
        If that can't be told.
    """
    layout = _layout(settings)
    config = layout.config if layout else None
    if settings.observatory.value is not None:
        name = settings.observatory.value
        return load_observatory(name, layout.definitions(name) if layout else None)
    try:
        known = layout.observatories() if layout else ()
        return telescope_of(read_header(path), path.name, known, config)
    except HeaderError as problem:
        named = problem.message if str(path) in problem.message else f"{path}: {problem.message}"
        raise HeaderError(named, problem.hint) from None


def certifier(observatory: Observatory, settings: Settings, tpns: tuple[Path, ...] = ()) -> Certifier:
    """A certifier with everything that the settings give it.

    Parameters
    ----------
    observatory
        The telescope.
    settings
        Cache and context; both may be missing, and why nothing is inserted on trial is said then.
    tpns
        TPN files and folders whose constraints replace those of the definition.

    Raises
    ------
    ObservatoryError
        If an expression of the definition can't be read.
    """
    refuse_wrong_expressions(observatory.certification.every_constraint())
    demands = TpnFiles(tpns, observatory).demands if tpns else None
    layout = _layout(settings)
    if layout is None:
        hint = "name the cache with --cache, or run calmap in its folder"
        return Certifier(observatory, demands, trial=_no_trial("there is no cache", hint))
    context = _context(layout, settings, observatory)
    if context is None:
        reason = f"the cache has no context of {observatory.name}"
        return Certifier(observatory, demands, trial=_no_trial(reason, "name one with --context"))
    return Certifier(
        observatory,
        demands,
        reftypes=_reftypes(context),
        trial=_trial(context),
        exists=_exists(layout, observatory),
    )


def refuse_wrong_expressions(constraints: Iterable[Constraint]) -> None:
    """Read every expression of some constraints.

    Raises
    ------
    ObservatoryError
        If one can't be read, or calls a function that there is not.
    """
    for constraint in constraints:
        for text in filter(None, (constraint.condition, constraint.expression)):
            place = f"{constraint.origin}: {constraint.subject} > {constraint.name}"
            try:
                term = parse_constraint(text)
            except ExpressionError as problem:
                where = f"column {problem.offset + 1} of '{text}'"
                raise ObservatoryError(
                    f"{place}: the expression can't be read: {problem.message}", where
                ) from None
            unknown = next((name for name in term_functions(term) if not is_function(name.name)), None)
            if unknown is not None:
                where = f"column {unknown.span.start + 1} of '{text}'"
                raise ObservatoryError(f"{place}: there is no function '{unknown.name}'", where)


def _layout(settings: Settings) -> Layout | None:
    """The cache, or None if there is none; one that was named has to be there."""
    return settings.layout() if settings.cache.value or settings.mappings.value else None


def _context(layout: Layout, settings: Settings, observatory: Observatory) -> Context | None:
    from calmap.bestref.cache import Cache

    named = settings.context.value
    if named is None:
        try:
            named = layout.newest_context(observatory.name)
        except NotInCacheError:
            return None
    else:
        named = settings.context_name()
    return Cache(layout).context(named, observatory.name)


def _reftypes(context: Context) -> Callable[[str], Collection[str]]:
    """Types of an instrument that the context has rules for, and those that may have some one day."""

    def known(instrument: str) -> Collection[str]:
        return {*_with_rules(context, instrument), *context.observatory.reftypes(instrument)}

    return known


def _with_rules(context: Context, instrument: str) -> Collection[str]:
    try:
        return context.reftypes(instrument)
    except CalmapError:
        return ()


def _trial(context: Context) -> TrialOf:
    from calmap.certify.trial import try_insertion

    def tried(path: Path, instrument: str, reftype: str) -> Trial:
        with_rules = _with_rules(context, instrument)
        if with_rules and reftype not in with_rules and reftype in context.observatory.reftypes(instrument):
            reason = f"{context.name} has no rules for {instrument} {reftype}"
            hint = f"calmap new-mapping {instrument} {reftype} makes them"
            return _no_trial(reason, hint)(path, instrument, reftype)
        return try_insertion(context.rules, context.name, path, reftype)

    return tried


def _no_trial(reason: str, hint: str) -> TrialOf:
    message = f"it was not inserted into rules on trial, since {reason}"
    return lambda path, _, __: Trial((Finding(str(path), "", message, Severity.INFO, hint),))


def _exists(layout: Layout, observatory: Observatory) -> Callable[[str], bool]:
    folder = layout.reference_folder(observatory.name)

    def exists(name: str) -> bool:
        for instrument in observatory.instruments or ("",):
            try:
                folder.path(name, instrument)
            except CalmapError:
                continue
            return True
        return False

    return exists
