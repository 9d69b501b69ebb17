import os
from pathlib import Path

import pytest

SETTINGS = ("CALMAP_", "CRDS_")


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The checkout."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def corpus(repo_root: Path) -> Path:
    """Real mappings, headers and cases with known answers, kept beside the checkout."""
    folder = repo_root.parent / "shared" / "corpus"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    return folder


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of calmap or crds, neither the user's nor those that crds sets when it is imported."""
    for name in [name for name in os.environ if name.startswith(SETTINGS)]:
        monkeypatch.delenv(name)
