"""Names of extensions in the layouts that are read and written."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

Layout: TypeAlias = Literal["standard", "liger"]

SCIENCE: Final = {"standard": "SCI", "liger": "DATA"}
"""What the image is called."""
SCIENCE_NAMES: Final = ("SCI", "DATA")
VARIANCE: Final = "VAR_"
OTHER: Final = "OTHER"
"""The part of a variance of unknown origin."""
TABLES: Final = ("DQ_DEF", "STEPS", "PROVENANCE", "INPUTS")
NOT_PLANES: Final = frozenset({"PRIMARY", "SCI", "DATA", "ERR", "DQ", "ASDF", *TABLES})
