"""One seed, one history: in another process, with other hashes, to the last event."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "history.py"
HAPPENINGS = (
    *("sent", "handled", "recorded", "started", "crashed", "restarted", "parked"),
    *("stopped", "dead", "quarantined", "fault"),
)

FAULTS = {
    *("crash_on", "kill", "pause", "hang", "slow"),
    *("drop", "delay", "duplicate", "reorder"),
}


@cache
def history(seed: int, hash_seed: str) -> str:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(seed)],
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_seed_gives_the_same_history_in_another_process(seed: int) -> None:
    first = history(seed, "1")

    assert history(seed, "2") == first
    assert history(seed, "random") == first


def test_another_seed_gives_another_history() -> None:
    assert len({history(seed, "1") for seed in (1, 2, 3)}) == 3


def test_the_histories_have_all_that_can_happen() -> None:
    """They are worth something only if everything was thrown at the system."""
    text = "".join(history(seed, "1") for seed in (1, 2, 3))

    assert [each for each in HAPPENINGS if f" s  {each} " not in text] == []
    struck = [line for line in text.splitlines() if line.endswith(" struck")]
    happened = [line for line in struck if not line.endswith(" 0 struck")]
    assert {line.partition("(")[0] for line in happened} == FAULTS
