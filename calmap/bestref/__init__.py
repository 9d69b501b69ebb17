"""Best references of a dataset, and why."""

from calmap.bestref.answer import BestRef
from calmap.bestref.cache import Cache
from calmap.bestref.context import Context
from calmap.bestref.explanation import Explanation, KeyCheck, NearRule, Step

__all__ = ["BestRef", "Cache", "Context", "Explanation", "KeyCheck", "NearRule", "Step"]
