"""A program that asks the package crds for the values of a rule for references: JSON in, JSON out."""

import json
import logging
import sys

from crds.core import log, rmap


def answer(name, reference):
    mapping = rmap.load_mapping(name)
    header = mapping.get_refactor_header(reference)
    return {keyword: str(header.get(keyword)) for keyword in mapping.get_required_parkeys()}


if __name__ == "__main__":
    log.set_verbose(-3)
    logging.disable(logging.CRITICAL)
    print(json.dumps([answer(*question) for question in json.load(sys.stdin)]))
