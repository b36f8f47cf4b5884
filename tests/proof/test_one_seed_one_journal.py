"""One seed, one journal: in another process, with other hashes, after every death."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.testing import Faults, TradingSystem

from .journal_of import faults_of, options_of

PROGRAM = Path(__file__).parent / "journal_of.py"


def printed(seed: int, hash_seed: str, folder: Path) -> str:
    """Return the exported journal, the history and the faults of a run."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(seed), str(folder)],
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("seed", [0, 1])
def test_the_journal_is_the_same_to_the_byte_in_another_process(
    seed: int, tmp_path: Path
) -> None:
    first = printed(seed, "1", tmp_path / "1")

    assert printed(seed, "2", tmp_path / "2") == first
    assert printed(seed, "random", tmp_path / "3") == first
    assert first.count('"kind": "ActorRestarted"') >= 8
    assert first.count('"kind": "OrderFilled"') > 50
    assert " 0 struck" not in first


def test_another_seed_is_another_history(tmp_path: Path) -> None:
    assert printed(1, "1", tmp_path / "1") != printed(2, "1", tmp_path / "2")


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_history_the_outcome_is_that_of_no_fault(seed: int) -> None:
    options = options_of()
    undisturbed = TradingSystem(options).run(Faults())
    faults = faults_of(seed)

    ran = TradingSystem(options, seed=seed, commit_s=0.01).run(faults)

    ran.expect_same_as(undisturbed)
    assert all(fault.happened for fault in faults.faults)
