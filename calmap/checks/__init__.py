"""Everything that `calmap check` finds in rule files."""

from calmap.checks.fixes import Fixed, apply_fixes
from calmap.checks.runner import RULES, check_closure, check_mapping, closure
from calmap.checks.surroundings import Folder, NoSurroundings, Surroundings

__all__ = [
    "RULES",
    "Fixed",
    "Folder",
    "NoSurroundings",
    "Surroundings",
    "apply_fixes",
    "check_closure",
    "check_mapping",
    "closure",
]
