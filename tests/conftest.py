import os
from collections.abc import Iterator
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


@pytest.fixture(scope="session", autouse=True)
def own_user_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What calmap keeps for its user, such as compiled mappings, is kept for the tests alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("user")))
        yield
