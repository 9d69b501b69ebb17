"""A program that asks the package crds: JSON questions in, JSON answers out."""

import json
import logging
import sys

from crds.core import log, rmap, utils
from crds.core.exceptions import CrdsLookupError


def answer(name, text, header):
    try:
        mapping = rmap.ReferenceMapping.from_string(text, name, ignore_checksum=True)
        found = mapping.get_best_ref(mapping.minimize_header(utils.condition_header(header)))
    except CrdsLookupError as problem:
        return "N/A" if str(problem) == "NOT FOUND n/a" else "not found"
    except Exception:
        return "refused"
    if found is None:
        return "OMIT"
    if isinstance(found, str):
        if found == "NOT FOUND n/a":
            return "N/A"
        return "not found" if found.startswith("NOT FOUND") else found
    files = list(found.values()) if isinstance(found, dict) else list(map(str, found))
    return files[0] if len(files) == 1 else files


if __name__ == "__main__":
    log.set_verbose(-3)
    logging.disable(logging.CRITICAL)
    print(json.dumps([answer(*question) for question in json.load(sys.stdin)]))
