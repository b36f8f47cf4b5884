"""What histories of the simulation are made of in tests."""

from __future__ import annotations

from holdfast.simulation.plan import Plan

QUIET = Plan(
    seed=1,
    market=3,
    strategies=1,
    fill="next_open",
    partial=False,
    speed=1.0,
    commit_s=0.0,
    latency_s=0.0,
    shuffle=False,
    faults=(),
)
"""One strategy, and nothing happens: to be evolved."""
