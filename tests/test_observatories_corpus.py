"""The bundled definitions against the rules that exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from calmap.observatories import accepted_keywords, load_observatory

OBSERVATORIES = {
    "jwst": "crds-cache",
    "roman": "crds-cache",
    "ligeriri": "liger-iris-crds-cache",
    "tmt": "tmt-crds-cache",
}
FREE = {"N/A", "*", "ANY", ""}


def parkeys(mapping: Path) -> list[str]:
    """Keywords of a mapping, in the order of its match keys."""
    text = re.search(r"'parkey'\s*:\s*\((.*?)\),?\n\s*(?:'|\})", mapping.read_text(), re.S)
    return re.findall(r"'([A-Z0-9._-]+)'", text[1] if text else "")


def rmaps(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.glob("*.rmap"))


@pytest.mark.parametrize("name", sorted(OBSERVATORIES))
def test_every_data_model_keyword_of_the_rules_has_another_name(name: str, corpus: Path) -> None:
    observatory = load_observatory(name)
    wanted = {
        key for rmap in rmaps(corpus / OBSERVATORIES[name] / "mappings" / name) for key in parkeys(rmap)
    }
    assert wanted
    assert {key for key in wanted if "META" in key and len(accepted_keywords(observatory, key)) < 2} == set()


@pytest.mark.parametrize("name", ["hst", *sorted(OBSERVATORIES)])
def test_every_instrument_of_the_rules_is_known(name: str, corpus: Path) -> None:
    observatory = load_observatory(name)
    folder = corpus / OBSERVATORIES.get(name, "crds-cache") / "mappings" / name
    used = {imap.name.split("_")[1].removesuffix(".imap") for imap in folder.glob("*.imap")}
    assert used <= set(observatory.instruments)


@pytest.mark.parametrize("cache", ["corpus", "demo"])
def test_no_value_of_the_real_rules_is_called_wrong(cache: str, corpus: Path, repo_root: Path) -> None:
    observatory = load_observatory("ligeriri")
    root = corpus / "liger-iris-crds-cache" if cache == "corpus" else repo_root
    checked = 0
    for rmap in rmaps(root / "mappings" / "ligeriri"):
        keys, instrument = parkeys(rmap)[:-1], rmap.name.split("_")[1]
        for row in re.findall(r"^    \(('.*')\) : ", rmap.read_text(), re.M):
            values = [value.split("|") for value in re.findall(r"'([^']*)'", row)]
            assert len(values) == len(keys), rmap.name
            for key, alternatives in zip(keys, values, strict=True):
                allowed = observatory.values(instrument, key)
                checked += 1
                assert allowed is None or set(alternatives) <= {*allowed, *FREE}, (rmap.name, row)
    assert checked or cache == "demo"


def test_types_of_the_real_rules_are_known(corpus: Path) -> None:
    liger = load_observatory("ligeriri")
    imap = (corpus / "liger-iris-crds-cache/mappings/ligeriri/ligeriri_iris_0001.imap").read_text()
    used = {name.lower() for name in re.findall(r"'([A-Z]+)' : 'ligeriri_", imap)}
    assert used <= set(liger.reftypes("iris"))
