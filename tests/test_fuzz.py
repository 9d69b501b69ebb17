"""Damaged mappings never bring calmap down."""

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent
FUZZ = CHECKOUT / "scripts" / "fuzz"


def fuzz(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, FUZZ, *arguments], capture_output=True, text=True, cwd="/")


def test_three_hundred_damaged_mappings(tmp_path):
    done = fuzz("--count", "300", "--seed", "20240924", "--save", tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("300 cases of seed 20240924: ")
    assert " 0 failed" in done.stdout
    assert not list(tmp_path.iterdir())


def test_the_bundled_mappings_are_enough(tmp_path):
    done = fuzz(CHECKOUT / "mappings", "--count", "60", "--save", tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_seed_decides_the_cases(tmp_path):
    runs = [
        fuzz(CHECKOUT / "mappings", "--count", "40", "--seed", seed, "--jobs", "1")
        for seed in ("3", "3", "4")
    ]
    first, again, other = (run.stdout.partition("; slowest")[0].partition(": ")[2] for run in runs)

    assert first == again
    assert first != other


def test_a_case_that_takes_too_long_is_reported_and_kept(tmp_path):
    done = fuzz(CHECKOUT / "mappings", "--case", "7", "--time-limit", "0.000001", "--save", tmp_path)

    assert done.returncode == 1
    assert "case 7: " in done.stdout
    assert "1 failed" in done.stdout
    (kept,) = tmp_path.iterdir()
    assert kept.name.startswith("0-7-ligeriri")


def test_too_little_memory_is_reported(tmp_path):
    done = fuzz(CHECKOUT / "mappings", "--count", "1", "--memory", "1", "--save", tmp_path)

    assert done.returncode == 1
    assert "1 failed" in done.stdout


def test_a_folder_without_mappings_is_reported(tmp_path):
    done = fuzz(tmp_path)

    assert done.returncode == 3
    assert "no mapping below" in done.stderr
