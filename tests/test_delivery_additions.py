"""Types and instruments that had no rules."""

import shutil
from pathlib import Path

import pytest

import calmap
from calmap.cache.inspection import Inspector
from calmap.cache.targets import context_targets
from calmap.cache.transaction import changing
from calmap.delivery.additions import plan_addition
from calmap.delivery.change import Change
from calmap.delivery.scaffold import cache_files, telescope
from calmap.delivery.scaffold_folder import fill
from calmap.delivery.templates import RuleTerms
from calmap.errors import RefusedError, UsageError
from calmap.syntax.ast import plain

DEMO = Path(__file__).parent.parent / "mappings"
CONTEXT = "ligeriri_0001.pmap"
TERMS = RuleTerms(("Match", "UseAfter"), (("META.INSTRUMENT.DETECTOR",), ("META.DATE",)))
DEFINITION = """
name: ligeriri
instrument_keywords: [INSTRUME]
instruments: {iris: {}, liger: {types: [dark, dq, drizpars, flat, nonlincoeff, sky]}, owl: {}}
keywords: {META.INSTRUMENT.DETECTOR: [DETECTOR], META.DATE: [DATE-OBS]}
"""


@pytest.fixture
def cache(tmp_path):
    shutil.copytree(DEMO, tmp_path / "mappings")
    (tmp_path / "config/ligeriri").mkdir(parents=True)
    (tmp_path / "config/ligeriri/observatory.yaml").write_text(DEFINITION)
    return calmap.Cache(tmp_path)


def plan(cache, *arguments, context=CONTEXT, **options):
    return plan_addition(cache.rules("ligeriri"), context, *arguments, **options)


def make(cache, addition):
    with changing(cache.layout) as transaction:
        transaction.commit("test", Change("test", addition.revision).files())
    inspector = Inspector()
    targets = context_targets(addition.revision.context, cache.layout)
    return [finding.message for target in targets for finding in inspector.check(target)]


def names(addition):
    return [change.new.name for change in addition.revision.changes]


def test_type_gets_rules_in_a_new_context(cache):
    addition = plan(cache, "IRIS", "Sky", TERMS)

    assert names(addition) == ["ligeriri_iris_sky_0001.rmap", "ligeriri_iris_0002.imap", "ligeriri_0002.pmap"]
    assert make(cache, addition) == []
    assert "sky" in cache.context("ligeriri_0002.pmap").reftypes("iris")


def test_rules_have_the_serial_after_those_there_are(cache):
    shutil.copy(
        cache.root / "mappings/ligeriri/ligeriri_iris_dq_0001.rmap",
        cache.root / "mappings/ligeriri/ligeriri_iris_sky_0041.rmap",
    )

    assert names(plan(cache, "iris", "sky", TERMS))[0] == "ligeriri_iris_sky_0042.rmap"


def test_in_place_changes_the_imap_alone(cache):
    addition = plan(cache, "iris", "sky", TERMS, in_place=True)

    assert names(addition) == ["ligeriri_iris_sky_0001.rmap", "ligeriri_iris_0001.imap"]
    assert addition.revision.context == CONTEXT
    assert make(cache, addition) == []


@pytest.mark.parametrize("template", [TERMS, None], ids=["rules", "not applicable"])
@pytest.mark.parametrize("in_place", [False, True])
def test_instrument_gets_its_first_imap(cache, template, in_place):
    addition = plan(cache, "owl", "sky", template, in_place=in_place)

    assert "ligeriri_owl_0001.imap" in names(addition)
    assert make(cache, addition) == []
    assert "owl" in calmap.Cache(cache.root).context(addition.revision.context).instruments()


def test_telescope_gets_its_first_context(cache):
    shutil.rmtree(cache.root / "mappings/ligeriri")

    addition = plan(cache, "owl", "sky", TERMS, context=None)

    assert names(addition) == ["ligeriri_owl_sky_0001.rmap", "ligeriri_owl_0001.imap", "ligeriri_0001.pmap"]
    assert make(cache, addition) == []
    assert cache.layout.newest_context("ligeriri") == "ligeriri_0001.pmap"


def test_type_becomes_not_applicable_and_then_gets_rules(cache):
    first = plan(cache, "iris", "sky", None)
    make(cache, first)

    second = plan(cache, "iris", "sky", TERMS, context=first.revision.context)

    assert (first.target, first.old, second.old) == ("N/A", None, "N/A")
    assert make(cache, second) == []
    with pytest.raises(RefusedError, match="N/A already"):
        plan(cache, "iris", "sky", None, context=first.revision.context)


@pytest.mark.parametrize(
    ("template", "hint"),
    [(TERMS, "calmap insert-reference adds files"), (None, "calmap new-context iris.dark=N/A")],
)
def test_type_with_rules_is_refused(cache, template, hint):
    with pytest.raises(
        RefusedError, match=r"has rules for dark already: ligeriri_iris_dark_0001\.rmap"
    ) as found:
        plan(cache, "iris", "DARK", template)

    assert found.value.hint.startswith(hint)


def test_like_another_rmap(cache):
    model = cache.rules("ligeriri").mapping("ligeriri_iris_flat_0001.rmap")

    addition = plan(cache, "liger", "sky", model)

    new = addition.revision.changes[0].new
    assert plain(new.header)["instrument"] == "Liger"
    assert plain(new.header)["classes"] == ("Match", "ClosestTime")
    assert make(cache, addition) == []


@pytest.mark.parametrize(
    ("instrument", "reftype", "message", "hint"),
    [
        ("iriss", "sky", "no instrument", "did you mean 'iris'"),
        ("liger", "skyy", "no reference type of liger", "did you mean 'sky'"),
        (
            "liger",
            "bias",
            "no reference type of liger",
            "a new one goes under the types of liger in",
        ),
        ("../x", "sky", "can't be the name of an instrument", "letters and digits"),
        ("iris", "-rf", "can't be the name of a type", "letters and digits"),
        ("iris", "größe", "can't be the name of a type", "letters and digits"),
        ("i" * 300, "sky", "can't be the name of an instrument", "letters and digits"),
        ("iris", "sky\n", "can't be the name of a type", "letters and digits"),
        ("iris", "", "can't be the name of a type", "letters and digits"),
    ],
)
def test_names_that_make_no_sense_are_refused(cache, instrument, reftype, message, hint):
    with pytest.raises(UsageError, match=message) as found:
        plan(cache, instrument, reftype, TERMS)

    assert hint in found.value.hint


def test_keyword_may_be_one_of_other_rules(cache):
    terms = RuleTerms(("Match",), (("META.INSTRUMENT.PUPIL",),))

    assert plan(cache, "iris", "sky", terms).revision.changes


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        (("META.INSTRUMENT.DETECTR",), "is no keyword"),
        (("META.DATE", "META.DATE"), "is given twice"),
        (("'] + x",), "can't be a keyword"),
        (("A\nB",), "can't be a keyword"),
    ],
)
def test_unknown_keyword_is_refused(cache, keywords, message):
    with pytest.raises(UsageError, match=message) as found:
        plan(cache, "iris", "sky", RuleTerms(("Match",), (keywords,)))

    assert "DETECTR" not in keywords[0] or "did you mean 'META.INSTRUMENT.DETECTOR'?" in found.value.hint


def test_telescope_with_fits_keywords_takes_those_of_its_rules(corpus):
    rules = calmap.Cache(corpus / "crds-cache").rules("hst")
    terms = RuleTerms(("Match", "UseAfter"), (("DETECTOR",), ("DATE-OBS", "TIME-OBS")))

    addition = plan_addition(rules, "hst_0729.pmap", "acs", "skyfile", terms)

    assert names(addition)[0] == "hst_acs_skyfile_0001.rmap"
    with pytest.raises(UsageError, match="'DETECTER' is no keyword"):
        plan_addition(rules, "hst_0729.pmap", "acs", "skyfile", RuleTerms(("Match",), (("DETECTER",),)))


def test_first_rules_of_a_telescope_with_fits_keywords_take_any(tmp_path):
    fill(tmp_path / "new", cache_files(telescope("hst", None, ["acs"])))
    rules = calmap.Cache(tmp_path / "new").rules("hst")

    addition = plan_addition(rules, "hst_0001.pmap", "acs", "sky", RuleTerms(("Match",), (("DETECTOR",),)))

    assert names(addition) == ["hst_acs_sky_0001.rmap", "hst_acs_0002.imap", "hst_0002.pmap"]
