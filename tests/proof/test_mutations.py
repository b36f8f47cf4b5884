"""The simulation is tested itself: each breakage of the engine must be caught by it."""

from __future__ import annotations

import importlib.util
import random
import subprocess
import sys
from pathlib import Path

import pytest

from .mutations import MUTATIONS, Mutation

PROGRAM = Path(__file__).parent / "mutant.py"
SEEDS = 1_500
"""How many histories a mutation may survive before it counts as not caught."""

SAMPLED = 2
"""How many mutations each commit tries; a soak tries all."""


def said_of(name: str) -> str:
    """Return the first seed that catches a mutation, or ``survived``."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), name, "0", str(SEEDS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_there_are_enough_of_them_and_no_two_are_one() -> None:
    assert len({each.name for each in MUTATIONS}) == len(MUTATIONS) >= 25


@pytest.mark.parametrize("number", range(SAMPLED))
def test_a_mutation_is_caught(number: int, sample: random.Random) -> None:
    del number
    mutation = sample.choice(MUTATIONS)

    assert ": " in said_of(mutation.name), mutation.name


@pytest.mark.soak
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: each.name)
def test_every_mutation_is_caught(mutation: Mutation) -> None:
    assert ": " in said_of(mutation.name)


def test_without_a_mutation_the_same_seeds_are_clean() -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "", "0", "60"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "survived"


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: each.name)
def test_a_mutation_still_fits_the_code(mutation: Mutation) -> None:
    spec = importlib.util.find_spec(mutation.module)
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).read_text(encoding="utf-8")

    assert source.count(mutation.before) == 1
    compile(source.replace(mutation.before, mutation.after), spec.origin, "exec")
