"""Write docs/rules/*.md from the rules themselves, or with --check say which pages are out of date."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from calmap.report.rule_page import rule_pages

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "rules"


def outdated(pages: dict[str, str], folder: Path) -> list[Path]:
    """Files that are missing, differ, or belong to no rule."""
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    return sorted(folder / name for name in pages | present if pages.get(name) != present.get(name))


def write(pages: dict[str, str], folder: Path) -> list[Path]:
    """Bring a folder up to date; the files that were changed."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = outdated(pages, folder)
    for path in changed:
        if path.name in pages:
            path.write_text(pages[path.name], encoding="utf-8", newline="\n")
        else:
            path.unlink()
    return changed


def main(arguments: list[str] | None = None) -> int:
    from calmap.checks import RULES

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare, exit 1 if a page is out of date")
    check = parser.parse_args(arguments).check
    pages = rule_pages(RULES)
    changed = outdated(pages, FOLDER) if check else write(pages, FOLDER)
    for path in changed:
        print(f"{'out of date' if check else 'wrote'}: {path}")
    return int(check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())
