"""A context: the rules of one telescope at one moment, ready to answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calmap.bestref.answer import BestRef
from calmap.bestref.explainer import Explainer
from calmap.bestref.rulebook import Rulebook, TypeRules
from calmap.cache.rulesets import Rules
from calmap.compile.tree import Answer
from calmap.errors import CalmapError, HeaderError, UsageError
from calmap.model.names import mapping_kind
from calmap.observatories.definition import Observatory
from calmap.observatories.keywords import instrument_of
from calmap.syntax.ast import MappingKind

_OMITTED = Answer.OMITTED


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """A pmap, imap or rmap with everything below it; mappings are loaded when first needed.

    Parameters
    ----------
    name
        File name of the mapping at the top.
    rules
        The mappings of its cache.
    """

    name: str
    rules: Rules
    _books: dict[str, Rulebook] = field(default_factory=dict, repr=False, compare=False)

    @property
    def observatory(self) -> Observatory:
        """The telescope."""
        return self.rules.observatory

    @property
    def kind(self) -> MappingKind:
        """Level of the mapping at the top."""
        kind = mapping_kind(self.name)
        if kind is None:
            raise UsageError(f"'{self.name}' is no mapping", "name a .pmap, .imap or .rmap")
        return kind

    def instruments(self) -> tuple[str, ...]:
        """Instruments that the context has rules for, in lower case."""
        if self.kind is MappingKind.PIPELINE:
            links = self.rules.links(self.name).links.values()
            return tuple(sorted(link.key for link in links if not (link.is_na or link.is_omit)))
        return (self._book("").instrument,)

    def reftypes(self, instrument: str | None = None) -> tuple[str, ...]:
        """Reference types of an instrument, or of all, in lower case.

        Raises
        ------
        HeaderError
            If the context has no rules for the instrument.
        """
        wanted = self.instruments() if instrument is None else (instrument.lower(),)
        return tuple(sorted({reftype for name in wanted for reftype in self._book(name).reftypes}))

    def instrument_mapping(self, instrument: str) -> str:
        """File name of the imap of an instrument."""
        return self._book(instrument.lower()).name

    def rulebook(self, instrument: str) -> Rulebook:
        """The rules of an instrument.

        Raises
        ------
        HeaderError
            If the context has no rules for the instrument.
        """
        return self._book(instrument.lower())

    def type_rules(self, instrument: str, reftype: str) -> TypeRules:
        """The rules of one type of an instrument."""
        return self._book(instrument.lower()).rules_of(reftype.lower())

    def unusable(
        self, instrument: str, reftypes: Iterable[str] | None = None
    ) -> tuple[tuple[str, CalmapError], ...]:
        """Types whose mapping is missing or broken, so that they have no answers, and why.

        Parameters
        ----------
        instrument
            Whose types.
        reftypes
            Those to look at; all if None.
        """
        book = self._book(instrument.lower())
        rules = [book.rules_of(reftype.lower()) for reftype in (reftypes or book.reftypes)]
        return tuple((each.reftype, each.problem) for each in rules if each.problem is not None)

    def required_keywords(self, instrument: str | None = None) -> tuple[str, ...]:
        """Keywords that the rules of an instrument, or of all, look at."""
        wanted = self.instruments() if instrument is None else (instrument.lower(),)
        keys = {key for name in wanted for key in self._book(name).required(None)}
        return tuple(sorted(keys))

    def instrument(self, header: Mapping[str, Any]) -> str:
        """Instrument of a dataset, in lower case.

        Raises
        ------
        HeaderError
            If the header names none, or one that the context has no rules for.
        """
        if self.kind is MappingKind.PIPELINE:
            return instrument_of(self.observatory, header, known=self.rules.links(self.name).links)
        return self._book("").instrument

    def bestrefs(
        self, header: Mapping[str, Any], reftypes: Iterable[str] | None = None
    ) -> dict[str, BestRef]:
        """Best references of a dataset.

        Parameters
        ----------
        header
            Values by keyword, in the words of the rules or of the dataset's files.
        reftypes
            Types to look for; all of the instrument's if None.

        Returns
        -------
        dict
            An answer for every type; a type that the rules omit is left out.

        Raises
        ------
        HeaderError
            If the header names no instrument that the context knows.
        MappingError, CacheError
            If the context or the instrument's mapping can't be used.
        """
        book = self._book(self.instrument(header))
        wanted = None if reftypes is None else tuple(reftype.lower() for reftype in reftypes)
        values = book.values(header, wanted)

        explainer = Explainer(book, values)
        found = {}
        for reftype, choose in book.plan(wanted):
            outcome = choose(values)
            if outcome.answer is not _OMITTED:
                found[reftype] = BestRef(reftype, outcome, explainer)
        return found

    def bestrefs_table(self, table: Any, reftypes: Iterable[str] | None = None) -> Any:
        """Best references for a table of headers.

        The answers are those that `bestrefs` gives for each row, as a dictionary of its values
        by column without those that are null; they come many times faster. Needs pyarrow.

        Parameters
        ----------
        table
            A row for each header, a column for each keyword: an Arrow table, record batch or
            stream of batches; a polars, pandas or astropy table, or any other that has the
            Arrow or the dataframe interchange protocol; or a dictionary of lists. Names of
            columns may be in any case; columns that no rule asks for are not looked at. Values
            count as `str` writes them, numbers of single precision as numpy does: 1.4. A
            stream is read batch by batch.
        reftypes
            Types to look for; all that the instruments in the table have if None.

        Returns
        -------
        pyarrow.Table
            As many rows as the table, and for each type, in alphabetical order, two
            dictionary-encoded columns of text: ``<reftype>``, the file, several joined by
            ``", "``, null unless one was found; and ``<reftype>_status``, which is ``found``,
            ``not_applicable``, ``not_found``, ``bad_header`` where the row names no
            instrument that the context knows, or null where the rules omit the type. A type
            that the row's instrument does not have is ``not_found`` if `reftypes` names it,
            as for `bestrefs`, and null if it is there for other rows.

        Raises
        ------
        UsageError
            If it is no table, a value of it can't be read, or pyarrow is not there.
        MappingError, CacheError
            If the context, or the mapping of an instrument in the table, can't be used.
        """
        try:
            from calmap.bestref.tables import bestrefs_table
        except ModuleNotFoundError as problem:
            raise UsageError(
                f"tables of headers need {problem.name}, which is not installed",
                "pip install 'calmap-toolkit[table]'",
            ) from None
        return bestrefs_table(self, table, reftypes)

    def bundle(self) -> bytes:
        """The context in one file, which `Cache.of_bytes` opens where no mappings are.

        Raises
        ------
        MappingError, CacheError
            If the context can't be used.
        """
        from calmap.cache.bundle import bundle

        return bundle(self.rules, self.name).data

    def reference_path(self, name: str, instrument: str) -> Path:
        """Where a reference file is in the cache.

        Raises
        ------
        NotInCacheError
            If it isn't there.
        """
        return self.rules.layout.reference_path(name, self.observatory.name, instrument)

    def has_reference(self, name: str, instrument: str) -> bool:
        """Whether a reference file is here; one of a cache that is elsewhere is not fetched for that.

        Raises
        ------
        CacheError
            If that can't be found out.
        """
        return self.rules.layout.has_reference(name, self.observatory.name, instrument)

    def _book(self, instrument: str) -> Rulebook:
        if instrument not in self._books:
            self._books[instrument] = self._new_book(instrument)
        return self._books[instrument]

    def _new_book(self, instrument: str) -> Rulebook:
        if self.kind is not MappingKind.PIPELINE:
            return Rulebook.of_mapping(self.rules, self.name)
        pipeline = self.rules.links(self.name)
        link = pipeline.links.get(instrument)
        if link is None:
            known = ", ".join(self.instruments())
            raise HeaderError(
                f"{self.name} has no rules for the instrument '{instrument}'", f"it has {known}"
            )
        return Rulebook.of_link(self.rules, pipeline, link)
