"""Combines frames in a process of its own, so that its memory can be seen: BYTES FILE…"""

from __future__ import annotations

import sys
from pathlib import Path

from reduce.files.rows import open_rows
from reduce.kernels.combine import Source, combine


def main() -> None:
    frames = [open_rows(Path(path)) for path in sys.argv[2:]]
    combine(
        [Source(frame.sci, tuple(frame.variances.values()), frame.dq) for frame in frames],
        memory=float(sys.argv[1]),
    )


if __name__ == "__main__":
    main()
