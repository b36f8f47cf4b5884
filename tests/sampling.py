"""How much of the long suites a run tries: a part, another one for each commit."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import settings

T = TypeVar("T")
SEED = os.environ.get("HOLDFAST_SAMPLE", "0")
"""Seeds what is sampled: in CI the commit's id. ``all`` tries everything."""

SHARE = 1.0 if SEED == "all" else 0.12
"""Of the cases that a soak tries."""


def some(count: int) -> int:
    """Return how many cases to try, of the ``count`` that a soak tries."""
    return max(1, round(SHARE * count))


def some_of(cases: Sequence[T]) -> list[T]:
    """Return as many of ``cases``: the same in each process of a run."""
    return random.Random(SEED).sample(cases, some(len(cases)))


def examples(count: int) -> settings:
    """Give a property a share of the ``count`` examples that a soak gives it."""
    return settings(max_examples=max(10, some(count)))
