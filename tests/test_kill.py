"""However a change of a cache is killed, recovery leaves it old or new."""

import re
import subprocess
import sys
from pathlib import Path

KILL = Path(__file__).parent.parent / "scripts" / "kill"


def kill(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, KILL, *arguments], capture_output=True, text=True, cwd="/")


def test_a_few_kills() -> None:
    done = kill("--count", "8", "--seed", "20240924")

    assert done.returncode == 0, done.stdout + done.stderr
    numbers = re.search(r"(\d+) killed, (\d+) ended before; .* (\d+) old, (\d+) new, 0 failed", done.stdout)
    assert numbers is not None, done.stdout
    killed, ended, old, new = map(int, numbers.groups())
    assert killed + ended == old + new == 8
    assert killed >= 4


def test_one_trial_can_be_run_alone() -> None:
    done = kill("--trial", "2", "--driver", "transaction")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("1 trial of transaction with seed 1 ")
