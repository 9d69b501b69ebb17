"""A program that asks the package crds whether one match key is an equal weight special case of another."""

import json
import logging
import sys

from crds.core import log
from crds.core.selectors import different_match_weight, match_superset


def is_special_case(key, other):
    return key != other and match_superset(other, key) and not different_match_weight(key, other)


if __name__ == "__main__":
    log.set_verbose(-3)
    logging.disable(logging.CRITICAL)
    print(json.dumps([is_special_case(tuple(key), tuple(other)) for key, other in json.load(sys.stdin)]))
