"""A program that asks the package crds for dates: a JSON string a line in, a JSON list or null a line out."""

import json
import logging
import sys

from crds.core import log, timestamp


def answer(text):
    try:
        found = timestamp.parse_date(text)
    except Exception:
        return None
    return [found.year, found.month, found.day, found.hour, found.minute, found.second, found.microsecond]


if __name__ == "__main__":
    log.set_verbose(-3)
    logging.disable(logging.CRITICAL)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
