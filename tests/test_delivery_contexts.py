"""Contexts with other mappings for some types."""

import shutil
from pathlib import Path

import pytest

import calmap
from calmap.delivery.contexts import plan_context
from calmap.delivery.links import relink
from calmap.delivery.preview import differences
from calmap.diagnostics import apply_edits
from calmap.errors import CacheError, NotInCacheError, RefusedError, UsageError
from calmap.model.mapping import load_mapping
from calmap.model.recording import update_checksum
from calmap.syntax.ast import plain

DEMO = Path(__file__).parent.parent / "mappings"
CONTEXT = "ligeriri_0001.pmap"


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(DEMO, tmp_path / "mappings")
    return tmp_path / "mappings/ligeriri"


def rules(folder):
    return calmap.Cache(folder.parent.parent).context(CONTEXT).rules


def derived(folder, name, new, *changes):
    """A copy of a mapping under another name."""
    text = (folder / name).read_text().replace(f"'{name}'", f"'{new}'").replace("'NONE'", f"'{name}'")
    for old, replacement in changes:
        assert old in text
        text = text.replace(old, replacement)
    path = folder / new
    path.write_text(text)
    mapping = load_mapping(path)
    path.write_text(apply_edits(mapping.text, [update_checksum(mapping)]))
    return new


def plan(folder, *wanted):
    return plan_context(rules(folder), CONTEXT, wanted, folder)


def links(made, kind):
    """Links of the last new mapping of a kind."""
    found = [change.new for change in made.revision.changes if change.new.name.endswith(kind)]
    return plain(found[-1].selector)


def test_rmap_takes_its_place(folder):
    flat = derived(folder, "ligeriri_iris_flat_0001.rmap", "ligeriri_iris_flat_0002.rmap")

    made = plan(folder, flat)

    assert made.revision.context == "ligeriri_0002.pmap"
    assert [change.new.name for change in made.revision.changes] == [
        "ligeriri_iris_0002.imap",
        "ligeriri_0002.pmap",
    ]
    assert links(made, ".imap") == {
        **plain(load_mapping(folder / "ligeriri_iris_0001.imap").selector),
        "FLAT": flat,
    }
    assert links(made, ".pmap") == {"IRIS": "ligeriri_iris_0002.imap", "Liger": "ligeriri_liger_0001.imap"}


def test_path_and_name_of_the_same_file_are_one(folder):
    derived(folder, "ligeriri_iris_flat_0001.rmap", "ligeriri_iris_flat_0002.rmap")

    by_path = plan(folder, "../ligeriri/ligeriri_iris_flat_0002.rmap")

    assert by_path == plan(folder, "ligeriri_iris_flat_0002.rmap")


def test_imap_and_rmap_of_another_instrument_go_into_one_context(folder):
    imap = derived(folder, "ligeriri_liger_0001.imap", "ligeriri_liger_0007.imap")
    flat = derived(folder, "ligeriri_iris_flat_0001.rmap", "ligeriri_iris_flat_0002.rmap")

    made = plan(folder, imap, flat)

    assert links(made, ".pmap") == {"IRIS": "ligeriri_iris_0002.imap", "Liger": imap}
    assert all(change.new.recorded_checksum == change.new.checksum for change in made.revision.changes)


@pytest.mark.parametrize(
    ("wanted", "key", "value"),
    [
        ("iris.flat=N/A", "FLAT", "N/A"),
        ("IRIS.FLAT=n/a", "FLAT", "N/A"),
        ("liger.dark=OMIT", "DARK", "OMIT"),
        ("iris.newtype=N/A", "NEWTYPE", "N/A"),
    ],
)
def test_links_to_no_mapping(folder, wanted, key, value):
    assert links(plan(folder, wanted), ".imap")[key] == value


def test_type_alone_is_enough_where_one_instrument_has_it(folder):
    new = derived(
        folder,
        "ligeriri_iris_0001.imap",
        "ligeriri_iris_0002.imap",
        ("    'DQ' :", "    'BIAS' : 'N/A',\n    'DQ' :"),
    )
    (folder / "ligeriri_0001.pmap").write_text(
        (folder / "ligeriri_0001.pmap").read_text().replace("ligeriri_iris_0001.imap", new)
    )

    made = plan(folder, "bias=OMIT")

    assert links(made, ".imap")["BIAS"] == "OMIT"
    with pytest.raises(UsageError, match="iris, liger have the type 'dark'"):
        plan(folder, "dark=N/A")


def test_serial_numbers_are_numbers_and_have_four_digits(folder):
    imap = folder / "ligeriri_iris_0001.imap"
    for serial in ("0999", "1000"):
        shutil.copy(imap, folder / f"ligeriri_iris_{serial}.imap")
    shutil.copy(folder / CONTEXT, folder / "ligeriri_9998.pmap")

    made = plan(folder, "iris.flat=N/A")

    assert [change.new.name for change in made.revision.changes] == [
        "ligeriri_iris_1001.imap",
        "ligeriri_9999.pmap",
    ]
    shutil.copy(folder / CONTEXT, folder / "ligeriri_9999.pmap")
    with pytest.raises(CacheError, match="9999, the last serial number"):
        plan(folder, "iris.flat=N/A")


def test_what_the_context_has_is_not_made_again(folder):
    made = plan(folder, "ligeriri_iris_flat_0001.rmap")

    assert made.revision.changes == ()
    assert made.revision.context == CONTEXT


@pytest.mark.parametrize(
    ("wanted", "error", "message"),
    [
        (["ligeriri_0001.pmap"], UsageError, "a context itself"),
        (["iris.flat=A"], UsageError, "'A' is neither N/A nor OMIT"),
        (["=N/A"], UsageError, "names no type"),
        ([".flat=N/A"], UsageError, "names no type"),
        (["spirit.flat=N/A"], UsageError, "no mapping of the instrument 'spirit'"),
        (["iris.flat=N/A", "ligeriri_iris_flat_0001.rmap"], UsageError, "both for iris flat"),
        (["ligeriri_iris_0001.imap", "iris.flat=N/A"], UsageError, "replaces"),
        (["README"], UsageError, "neither a mapping nor a link"),
        (["../../secret.rmap"], NotInCacheError, "is not in the cache"),
        (["ligeriri_iris_flat_0002.rmap"], NotInCacheError, "is not in"),
        (["x" * 300 + ".rmap"], CacheError, "can't be the name"),
        (["größe.rmap"], CacheError, "can't be the name"),
        (["-rf"], UsageError, "neither a mapping nor a link"),
    ],
)
def test_nonsense_is_refused(folder, wanted, error, message):
    (folder.parent.parent / "secret.rmap").write_text("")

    with pytest.raises(error, match=message):
        plan(folder, *wanted)


def test_file_of_the_same_name_elsewhere_is_not_taken(folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(folder / "ligeriri_iris_flat_0001.rmap", elsewhere)

    with pytest.raises(NotInCacheError, match="copy it there"):
        plan(folder, str(elsewhere / "ligeriri_iris_flat_0001.rmap"))


def test_mapping_with_errors_is_refused(folder):
    name = derived(
        folder, "ligeriri_iris_flat_0001.rmap", "ligeriri_iris_flat_0002.rmap", ("'Y', 'CLEAR'", "'Y'")
    )

    with pytest.raises(RefusedError, match=r"flat_0002.rmap:\d+: .* has 4 elements") as refused:
        plan(folder, name)

    assert refused.value.hint == f"calmap check {name} shows all"


def test_mapping_that_does_not_parse_is_refused(folder):
    (folder / "ligeriri_iris_flat_0002.rmap").write_text("header = {\n")

    with pytest.raises(CacheError, match=r"flat_0002\.rmap"):
        plan(folder, "ligeriri_iris_flat_0002.rmap")


def test_mapping_below_a_given_one_counts_too(folder):
    imap = derived(
        folder,
        "ligeriri_iris_0001.imap",
        "ligeriri_iris_0002.imap",
        ("ligeriri_iris_flat_0001.rmap", "ligeriri_iris_flat_0099.rmap"),
    )

    with pytest.raises(RefusedError, match=r"flat_0099\.rmap"):
        plan(folder, imap)


def test_mapping_of_another_telescope_is_refused(folder):
    name = derived(
        folder, "ligeriri_iris_flat_0001.rmap", "ligeriri_iris_flat_0002.rmap", ("'LIGERIRI'", "'HST'")
    )

    with pytest.raises(RefusedError, match="belongs to 'hst', not to ligeriri"):
        plan(folder, name)


def test_context_must_be_one(folder):
    with pytest.raises(UsageError, match="is no context"):
        plan_context(rules(folder), "ligeriri_iris_0001.imap", ["iris.flat=N/A"], folder)


def test_differences_are_told_before_anything_is_written(folder):
    flat = derived(
        folder, "ligeriri_iris_flat_0001.rmap", "ligeriri_iris_flat_0002.rmap", ("20241106T", "20241107T")
    )
    made = plan(folder, flat)

    found = differences(rules(folder).layout, "ligeriri", CONTEXT, made.revision)

    assert [item.keys for item in found] == [(), ("iris",), ("iris", "flat")]
    assert [change.kind for change in found[-1].difference.rules] == ["replaced"]
    assert not (folder / "ligeriri_0002.pmap").exists()


def test_real_context(corpus, tmp_path):
    cache = calmap.Cache(corpus / "crds-cache")
    found = cache.context("hst_0729.pmap").rules

    revision = relink(found, "hst_0729.pmap", {("acs", "darkfile"): "N/A", ("cos", "fluxtab"): "OMIT"})

    changed = {change.new.name: change for change in revision.changes}
    lines = [
        (old, new)
        for change in changed.values()
        for old, new in zip(change.old.text.splitlines(), change.new.text.splitlines(), strict=True)
        if old != new and "sha1sum" not in old
    ]
    assert len(changed) == 3
    assert len(lines) == 3 * 2 + 2 + 2
    assert ("    'darkfile' : 'hst_acs_darkfile_0363.rmap',", "    'darkfile' : 'N/A',") in lines
