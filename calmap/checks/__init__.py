"""Everything that `calmap check` finds in rule files."""

from calmap.checks.capping import MAX_FINDINGS, capped
from calmap.checks.fixes import Fixed, apply_fixes, is_safe
from calmap.checks.runner import RULES, check_mapping, closure
from calmap.checks.surroundings import Folder, NoSurroundings, Surroundings

__all__ = [
    "MAX_FINDINGS",
    "RULES",
    "Fixed",
    "Folder",
    "NoSurroundings",
    "Surroundings",
    "apply_fixes",
    "capped",
    "check_mapping",
    "closure",
    "is_safe",
]
