"""The end of a history: the time that the engine has to know all of its orders."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from holdfast_actors.messages import Report
from holdfast_actors.tree import ORDERS
from holdfast_domain.events import Entry, Reconciled
from holdfast_domain.orders import OrderState
from holdfast_domain.ports import JournalStore
from holdfast_runtime.cell import State
from holdfast_runtime.testing import FaultyEngine

SETTLE_S: Final = 600.0
"""How long the engine has, once the venue is good again, to know all of its orders."""

LOOK_S: Final = 30.0
"""How often it is looked at whether it does."""

_WORKS: Final = (OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED)


def settle(
    engine: FaultyEngine,
    store: JournalStore,
    venues: Collection[str],
    *,
    patient: bool,
) -> None:
    """Let ``engine`` run until nothing is left to know, or its time is over.

    Nothing is left once no order is on its way or in doubt and the last comparison with
    each of the ``venues`` found both sides agreed. ``patient`` gives it all of its
    time, come what may.
    """
    until_s = engine.now_s() + SETTLE_S
    after = store.last_sequence
    if patient:
        engine.run_until_idle(until_s)
        return
    while engine.now_s() < until_s:
        engine.run_until_idle(min(until_s, engine.now_s() + LOOK_S))
        if engine.root.state is not State.RUNNING:
            return
        if _all_agree(store.read(after), venues) and _nothing_is_open(engine):
            return


def _all_agree(entries: Iterator[Entry], venues: Collection[str]) -> bool:
    verdicts = {
        entry.event.venue: entry.event.verdict
        for entry in entries
        if isinstance(entry.event, Reconciled)
    }
    return all(verdicts.get(venue) == "agreed" for venue in venues)


def _nothing_is_open(engine: FaultyEngine) -> bool:
    """Whether all that can still trade works at its venue, and is not asked about."""
    orders = engine.cells[ORDERS].actor
    if orders is None:
        return False
    return all(row.state in _WORKS for row in orders.handle(Report()) if row.is_open)


def still_unknown(engine: FaultyEngine) -> list[str]:
    """Say which orders were not looked up while nothing was in the way of it."""
    orders = engine.cells[ORDERS].actor
    rows = [] if orders is None else orders.handle(Report())
    return [
        f"unknown for {SETTLE_S:.0f} s on a good venue: {row.order_id}"
        for row in rows
        if row.state is OrderState.UNKNOWN
    ]
