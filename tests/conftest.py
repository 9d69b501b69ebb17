from pathlib import Path

import pytest


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
