"""Whose full mailboxes the trading actors wait for: inwards, never to the venue."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from holdfast.clocks import FixedClock
from holdfast.compose import World, build_tree, make_parts
from holdfast.options import read_options
from holdfast_actors.tree import GUARD, JOURNAL, ORDERS
from holdfast_adapters.journal.memory import MemoryJournal
from holdfast_domain.marketdata import MarketData
from holdfast_runtime import ActorSpec, SimulatedEngine, SpecError, SupervisorSpec
from holdfast_runtime.spec import actors_of

from .test_quarantine import Both, columns


@pytest.fixture
def tree() -> SupervisorSpec:
    data = MarketData({name: columns(name) for name in ("A", "B")}, "x")
    world = World(
        store=MemoryJournal(),
        journal_host=None,
        venue_path=None,
        venue_host=None,
        wall=FixedClock(),
        engine=1,
        finished=lambda: None,
        mode="backtest",
    )
    return build_tree(make_parts(read_options(Both, data=data, capital=1), world))


def changed(
    spec: ActorSpec | SupervisorSpec, path: str, **changes: Any
) -> ActorSpec | SupervisorSpec:
    """The same tree, with another spec of the actor at ``path``."""
    name, _, below = path.partition("/")
    if spec.name != name:
        return spec
    if isinstance(spec, ActorSpec):
        return attrs.evolve(spec, **changes)
    children = tuple(changed(child, below, **changes) for child in spec.children)
    return attrs.evolve(spec, children=children)


def test_every_trading_actor_says_for_whom_it_waits(tree: SupervisorSpec) -> None:
    SimulatedEngine(tree)
    waits = {path: spec.waits_for for path, spec in actors_of(tree)}
    assert None not in waits.values()
    assert {waits[path] for path in (JOURNAL, ORDERS, GUARD)} == {()}


def test_a_tree_that_waits_for_the_venue_is_refused(tree: SupervisorSpec) -> None:
    """The venue's session waits for orders, so nothing before it may wait for it."""
    [session] = [path for path, _ in actors_of(tree) if "/venues/" in path]
    circle = changed(tree, ORDERS, waits_for=(session,))
    with pytest.raises(SpecError) as caught:
        SimulatedEngine(circle)  # type: ignore[arg-type]
    assert f"was {ORDERS} waits for {session} waits for {ORDERS};" in str(caught.value)
