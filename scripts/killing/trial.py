"""One change that is killed, and what is there after recovery."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from killing.scene import RECOVERY, Scene, has_journal, tree

KINDS = ("moment", "commit", "call", "call")
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trial.

    Attributes
    ----------
    killed
        False if the change had ended before.
    pending
        True if there was something to recover.
    state
        "old" or "new"; anything else is a failure.
    """

    number: int
    moment: str
    killed: bool
    pending: bool
    state: str


class Trials:
    """Trials on one scene; the same seed and number kill in the same way."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self._scene, self._seed = scene, seed
        points = [(call, side) for call in range(1, scene.calls + 1) for side in ("before", "after")]
        self._points = random.Random(seed).sample(points, len(points))

    def run(self, number: int) -> Outcome:
        """Kill a change, and its recovery too in every fifth trial; then recover what is to be, and look."""
        chance = random.Random(f"{self._seed}-{number}")
        cache = self._scene.copy(f"trial-{number}")
        moment, killed = self._change(cache, number, chance)
        pending = has_journal(cache)
        if number % 5 == 4:
            call = chance.randint(1, 40)
            moment += f", recovery at call {call}"
            self._end(
                RECOVERY.faulty(cache, call, chance.choice(("before", "after")), cache.with_suffix(".log"))
            )
        trouble = self._recover(cache) if has_journal(cache) else ""
        state = trouble or self._state(cache)
        if state in ("old", "new"):
            shutil.rmtree(cache)
        return Outcome(number, moment, killed, pending, state)

    def _change(self, cache: Path, number: int, chance: random.Random) -> tuple[str, bool]:
        kind = KINDS[number % len(KINDS)]
        run = self._scene.run
        if kind == "call":
            earlier = number // len(KINDS) * KINDS.count(kind) + number % len(KINDS) - KINDS.index(kind)
            call, side = self._points[earlier % len(self._points)]
            return f"{side} call {call}", self._end(run.faulty(cache, call, side, cache.with_suffix(".log")))
        process = _started(run.command(cache))
        if kind == "moment":
            delay = chance.uniform(0, self._scene.seconds * 1.05)
        else:
            delay = chance.uniform(0, self._scene.commit)
            while process.poll() is None and not has_journal(cache):
                time.sleep(0.0002)
        time.sleep(delay)
        return f"{delay:.4f} s after the {'start' if kind == 'moment' else 'journal'}", _killed(process)

    def _end(self, command: list[str]) -> bool:
        return _started(command).wait(PATIENCE) == -signal.SIGKILL

    def _recover(self, cache: Path) -> str:
        done = subprocess.run(RECOVERY.command(cache), capture_output=True, text=True)
        return f"no recovery: {done.stderr.strip()}" if done.returncode else ""

    def _state(self, cache: Path) -> str:
        found = tree(cache)
        if has_journal(cache):
            return "a journal is left"
        if found in (self._scene.old, self._scene.new):
            return "old" if found == self._scene.old else "new"
        odd = set(found) ^ set(self._scene.old)
        return f"neither old nor new: {', '.join(sorted(name for name, _ in odd))}"


def _started(command: list[str]) -> subprocess.Popen[bytes]:
    nothing = subprocess.DEVNULL
    return subprocess.Popen(command, start_new_session=True, stdout=nothing, stderr=nothing)


def _killed(process: subprocess.Popen[bytes]) -> bool:
    """Kill a process and all that it started; False if it had ended."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait() == -signal.SIGKILL
