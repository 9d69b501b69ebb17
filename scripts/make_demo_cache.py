"""Write the demonstration cache of the repository, or check that it is what would be written.

The same bytes come out on every run and every machine.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from demo_cache.exposures import exposure_files
from demo_cache.references import reference_files
from demo_cache.rules import mapping_files

CHECKOUT = Path(__file__).resolve().parent.parent
FOLDERS = ("mappings/ligeriri", "references/ligeriri", "exposures", "config/ligeriri")


def files() -> Iterator[tuple[str, bytes]]:
    """Path below the cache's root and bytes of every file."""
    yield "config/ligeriri/ref_cache_subdir_mode", b"instrument\n"
    for name, text in mapping_files():
        yield f"mappings/ligeriri/{name}", text.encode()
    for reference, content in reference_files():
        yield f"references/ligeriri/{reference.instrument.lower()}/{reference.name}", content
    for name, content in exposure_files():
        yield f"exposures/{name}", content


def write(root: Path) -> int:
    """Write every file; return how many."""
    count = 0
    for name, content in files():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        count += 1
    return count


def differences(root: Path) -> list[str]:
    """What is missing below the root, differs, or is not ours."""
    expected = dict(files())
    found = {
        path.relative_to(root).as_posix()
        for top in FOLDERS
        for path in (root / top).rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    lines = [f"missing: {name}" for name in expected if name not in found]
    lines += [f"not made by this script: {name}" for name in sorted(found - expected.keys())]
    lines += [
        f"differs: {name}"
        for name, content in expected.items()
        if name in found and (root / name).read_bytes() != content
    ]
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=CHECKOUT, help="root of the cache (default: here)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is different")
    arguments = parser.parse_args()
    if not arguments.check:
        print(f"{write(arguments.out)} files written to {arguments.out}")
        return 0
    lines = differences(arguments.out)
    print("\n".join(lines) or f"{arguments.out}: every file is as expected")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
