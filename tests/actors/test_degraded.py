"""A venue that is degraded: what the guard holds back, and what `orders` cancels."""

from __future__ import annotations

from datetime import datetime, time

import pytest

from holdfast_actors.clock import HaltGate, MarketClock, OrdersMark
from holdfast_actors.degradation import (
    CancelResting,
    Degrade,
    Degrading,
    Maintenance,
    Policy,
    Restore,
)
from holdfast_actors.guardbook import GuardBook
from holdfast_actors.lastgate import LastGate
from holdfast_actors.messages import Readmit, Readmitted
from holdfast_actors.requests import Asked, Cancel, How, Submit
from holdfast_domain import events as ev
from holdfast_domain.marketdata import us_of
from holdfast_domain.orders import OrderState
from holdfast_domain.ports import VenueOrder
from holdfast_domain.windows import DailyWindow

from .desk import INSTRUMENTS, T0_US, acked, entries, terms
from .floor import Floor
from .gate import Gate

AWAY = "its session is away"
WHY = f"paper is degraded: {AWAY}"
BACK = Restore("paper", "it is there again", "venue")


def degrade(policy: Policy, venue: str = "paper") -> Degrade:
    return Degrade(venue, Degrading(policy=policy), AWAY)


# --- the guard --------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["halt", "cancel", "paper"])
def test_no_new_order_passes_to_a_venue_that_is_degraded(policy: Policy) -> None:
    gate = Gate()
    gate.guard.handle(degrade(policy))
    (verdict,) = gate.decide(terms(1))
    assert verdict.reason == WHY
    gate.guard.handle(Readmit("x", "one", terms(1), T0_US + 1))
    assert gate.orders.of(Readmitted)[-1].reason == WHY


def test_orders_to_another_venue_go_on_and_so_they_do_where_it_is_kept() -> None:
    gate = Gate()
    gate.guard.handle(degrade("halt", "elsewhere"))
    gate.guard.handle(degrade("keep"))
    (verdict,) = gate.decide(terms(1))
    assert verdict.reason == ""
    recorded = [e for e in gate.journal if isinstance(e, ev.VenueDegraded)]
    assert [(e.venue, e.policy, e.resume) for e in recorded] == [
        ("elsewhere", "halt", "person"),
        ("paper", "keep", "venue"),
    ]


def test_both_are_recorded_once_however_often_they_are_said() -> None:
    gate = Gate()
    for message in (degrade("halt"), degrade("halt"), BACK, BACK):
        gate.guard.handle(message)
    assert [type(e) for e in gate.journal[-2:]] == [ev.VenueDegraded, ev.VenueRestored]
    assert gate.gate.degraded  # until its record is durable
    gate.effects.pop()()
    assert gate.gate.degraded == {}
    (verdict,) = gate.decide(terms(1))
    assert verdict.reason == ""


def test_a_venue_that_is_away_again_before_its_return_is_durable_stays_away() -> None:
    gate = Gate()
    for message in (degrade("halt"), BACK, degrade("cancel")):
        gate.guard.handle(message)
    gate.effects.pop()()
    assert gate.gate.degraded["paper"].policy == "cancel"


def test_it_is_counted_how_often_a_venue_was_and_a_restart_goes_on_counting() -> None:
    gate = Gate()
    for message in (
        degrade("halt"),
        BACK,
        degrade("halt", "elsewhere"),
        degrade("halt"),
    ):
        gate.guard.handle(message)
    gate.build()
    book = GuardBook(INSTRUMENTS, HaltGate(), 0)
    for entry in entries(gate.journal):
        book.replay(entry)
    again = GuardBook(INSTRUMENTS, HaltGate(), 0)
    again.load(book.save())
    assert again.outages == book.outages == {"paper": 2, "elsewhere": 1}
    gate.guard.handle(BACK)
    gate.guard.handle(degrade("halt"))
    recorded = [e for e in gate.journal if isinstance(e, ev.VenueDegraded)]
    assert [(e.venue, e.nth) for e in recorded] == [
        ("paper", 1), ("elsewhere", 1), ("paper", 2), ("paper", 3),
    ]  # fmt: skip


def test_a_restart_knows_it_and_a_snapshot_too() -> None:
    gate = Gate()
    gate.guard.handle(degrade("halt"))
    gate.gate = HaltGate()
    gate.build()
    assert gate.gate.holds("paper") == WHY
    book = GuardBook(INSTRUMENTS, HaltGate(), 0)
    for entry in entries(gate.journal):
        book.replay(entry)
    again = HaltGate()
    GuardBook(INSTRUMENTS, again, 0).load(book.save())
    assert again.degraded == gate.gate.degraded


def test_what_died_before_it_was_durable_is_said_again_or_taken_back() -> None:
    gate = Gate()
    gate.guard.handle(degrade("halt"))
    lost = gate.journal.pop()
    gate.build()
    assert gate.gate.holds("paper") == WHY
    gate.guard.handle(degrade("halt"))
    assert gate.journal[-1] == lost
    gate.journal.pop()
    gate.build()
    before = list(gate.journal)
    gate.guard.handle(BACK)
    assert gate.gate.degraded == {}
    assert gate.journal == before


def test_an_order_that_was_passed_before_is_held_back_at_the_last_gate() -> None:
    gate, mark = Gate(), OrdersMark()
    last = {
        venue: LastGate(gate.gate, mark, MarketClock(T0_US, 0), venue=venue)
        for venue in ("paper", "elsewhere")
    }
    before = gate.gate.generation
    assert last["paper"].holds_back(submit(before), 1) == ""
    gate.guard.handle(degrade("halt"))
    now = gate.gate.generation
    assert last["paper"].holds_back(submit(before), 1) == "halted"
    assert last["paper"].holds_back(submit(now), 1) == WHY
    assert last["elsewhere"].holds_back(submit(now), 1) == ""
    assert (last["paper"].halted, last["elsewhere"].halted) == (True, False)


@pytest.mark.parametrize("refuses", [True, False])
def test_a_known_window_refuses_new_orders_or_lets_them_wait(refuses: bool) -> None:
    gate, now_us = Gate(), T0_US
    window = DailyWindow(begin=time(23, 45), end=time(0, 45), zone="UTC")
    known = Maintenance(window=window, refuses=refuses, now_us=lambda: now_us)
    gate.gate.timetables["paper"] = known.refusal
    last = LastGate(gate.gate, OrdersMark(), MarketClock(T0_US, 0), venue="paper")
    why = "the venue is known to be away from 23:45 to 00:45 UTC" if refuses else ""
    assert gate.reason(terms(1)) == why
    assert last.holds_back(submit(gate.gate.generation), 1) == why
    now_us += 45 * 60_000_000
    assert gate.reason(terms(1)) == ""
    assert last.holds_back(submit(gate.gate.generation), 1) == ""


@pytest.mark.parametrize(
    ("begin", "end", "zone", "clock", "holds"),
    [
        ("23:45", "00:45", "America/New_York", "2026-01-06T04:44:59", False),
        ("23:45", "00:45", "America/New_York", "2026-01-06T04:45:00", True),
        ("23:45", "00:45", "America/New_York", "2026-01-06T05:44:59", True),
        ("23:45", "00:45", "America/New_York", "2026-01-06T05:45:00", False),
        ("23:45", "00:45", "America/New_York", "2026-07-06T03:45:00", True),
        ("23:45", "00:45", "America/New_York", "2026-07-06T04:45:00", False),
        ("05:30", "06:00", "Europe/Zurich", "2026-01-06T04:30:00", True),
        ("05:30", "06:00", "Europe/Zurich", "2026-01-06T05:00:00", False),
        ("05:30", "06:00", "Europe/Zurich", "2026-01-06T04:29:59", False),
    ],
)
def test_a_window_goes_by_the_clocks_of_its_zone(
    begin: str, end: str, zone: str, clock: str, holds: bool
) -> None:
    window = DailyWindow(
        begin=time.fromisoformat(begin), end=time.fromisoformat(end), zone=zone
    )
    assert window.holds(us_of(datetime.fromisoformat(f"{clock}+00:00"))) is holds


def submit(generation: int) -> Submit:
    order = VenueOrder(order_id="a", terms=terms(), placed_at_us=0)
    return Submit(order, 0, 1, generation, T0_US)


# --- orders -----------------------------------------------------------------------


def test_all_that_works_is_canceled_and_asked_for_again_without_a_lookup() -> None:
    floor = Floor()
    floor.up(1)
    floor.decide(1, ("a", terms(limit=90)), ("b", terms(limit=91)), ("c", terms()))
    floor.hear(Asked.SUBMIT, "a", acked("a"))
    floor.hear(Asked.SUBMIT, "b", how=How.UNKNOWN)
    floor.session.take()
    cancel = CancelResting("paper", "degraded")
    floor.orders.handle(cancel)
    assert floor.session.of(Cancel) == [Cancel("a", 1), Cancel("b", 1)]
    assert floor.state("a") is OrderState.CANCEL_PENDING
    floor.session.take()
    floor.orders.handle(cancel)
    assert floor.session.take() == []  # they are under way
    for order_id in ("a", "b"):
        floor.hear(Asked.CANCEL, order_id, how=How.NOT_SENT)
    floor.session.take()
    floor.orders.handle(cancel)
    assert floor.session.of(Cancel) == [Cancel("a", 1), Cancel("b", 1)]
    asked = [e for e in floor.journal if isinstance(e, ev.CancelRequested)]
    assert [(e.order_id, e.by) for e in asked] == [("a", "degraded"), ("b", "degraded")]


def test_what_has_not_left_is_given_up() -> None:
    floor = Floor()
    floor.decide(1, ("a", terms()))
    floor.orders.handle(CancelResting("paper", "degraded"))
    assert floor.state("a") is OrderState.NOT_PLACED


def test_what_was_on_its_way_is_canceled_once_it_is_there() -> None:
    floor = Floor()
    floor.up(1)
    floor.decide(1, ("a", terms()))
    floor.orders.handle(CancelResting("paper", "degraded"))
    assert floor.session.of(Cancel) == []
    floor.hear(Asked.SUBMIT, "a", acked("a"))
    assert floor.session.of(Cancel) == [Cancel("a", 1)]
