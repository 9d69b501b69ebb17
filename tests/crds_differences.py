"""A program that asks the package crds what differs between rmaps: JSON pairs in, JSON differences out."""

import json
import logging
import re
import sys

from crds.core import log, rmap


def differences(old, new):
    selectors = [rmap.ReferenceMapping.from_file(path, ignore_checksum=True).selector for path in (old, new)]
    found = []
    for item in selectors[0].difference(selectors[1]):
        words = item[-1]
        if words.startswith("replaced"):
            before, after = re.fullmatch(r"replaced '(.*)' with '(.*)'", words).groups()
            found.append(["replaced", before, after])
        else:
            kind = "added" if words.startswith("added") else "removed"
            found.append([kind, re.search(r"(?:for|terminal) '(.*)'", words)[1], ""])
    return found


if __name__ == "__main__":
    log.set_verbose(-3)
    logging.disable(logging.CRITICAL)
    print(json.dumps([differences(*pair) for pair in json.load(sys.stdin)]))
