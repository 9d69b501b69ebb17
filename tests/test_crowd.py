"""Many processes that insert references into one cache lose nothing."""

import re
import subprocess
import sys
from pathlib import Path

CROWD = Path(__file__).parent.parent / "scripts" / "crowd"


def crowd(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, CROWD, *arguments], capture_output=True, text=True, cwd="/")


def test_a_small_crowd() -> None:
    done = crowd("--processes", "4", "--files", "12")

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.match(r"12 files inserted by 4 processes at once in .* 0 problems\n", done.stdout)


def test_a_cache_that_is_not_in_order_is_a_problem(tmp_path: Path) -> None:
    import shutil

    for name in ("mappings", "references", "config"):
        shutil.copytree(CROWD.parents[1] / name, tmp_path / name)
    context = tmp_path / "mappings/ligeriri/ligeriri_0001.pmap"
    shutil.copy(context, context.with_name("ligeriri_0003.pmap"))

    done = crowd("--processes", "1", "--files", "1", "--cache", str(tmp_path))

    assert done.returncode == 1
    assert "there are 3 contexts after 1 insertions" in done.stdout
    assert "context 2 is ligeriri_0003.pmap" in done.stdout
    shutil.rmtree(Path(done.stdout.splitlines()[-1].removeprefix("the cache is ")).parent)


def test_wrong_usage() -> None:
    assert crowd("--files", "0").returncode == 2
