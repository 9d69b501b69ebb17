"""The package crds, set up to work on the corpus without a network."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

VERSION = "14.0.3"


def installed() -> bool:
    """True if crds can be imported."""
    return find_spec("crds") is not None


def settings(cache: Path, observatory: str = "hst") -> dict[str, str]:
    """Environment in which crds uses a local cache only."""
    return {
        "CRDS_PATH": str(cache),
        "CRDS_SERVER_URL": "https://crds-serverless-mode.stsci.edu",
        "CRDS_READONLY_CACHE": "1",
        "CRDS_OBSERVATORY": observatory,
        "PYTHONWARNINGS": "ignore",
    }


class Reference:
    """Functions of crds, imported once the environment is set."""

    def __init__(self, cache: Path) -> None:
        os.environ.update(settings(cache))
        from crds.core import log, rmap, utils

        log.set_verbose(-3)
        self._rmap, self._utils = rmap, utils

    def load_all(self, context: str) -> Any:
        """A context with every mapping below it, nothing taken from memory."""
        self._utils.clear_function_caches()
        mapping = self._rmap.load_mapping(context)
        mapping.force_load()
        return mapping

    def look_up(self, context: Any, header: Mapping[str, str]) -> Callable[[], object]:
        """Work that finds the references of one header."""
        conditioned = {key: self._utils.condition_value(value) for key, value in header.items()}
        return lambda: context.get_best_references(conditioned)

    def check_duplicates(self, path: Path) -> None:
        """What crds does to find doubled keys in an rmap."""
        from crds.certify import mapping_parser

        mapping_parser.check_duplicates(mapping_parser.parse_mapping(str(path)))
