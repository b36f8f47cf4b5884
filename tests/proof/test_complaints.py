"""What users of live trading systems complain about, done to this one.

R1 to R6 are the groups of complaints that the page on the simulation names. Each test
lets the hostile venue do what was reported, and states what comes of it here. All
histories end with the audit, so that each is also free of every other violation.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

import attrs
import pytest

from holdfast.simulation.checks import judge
from holdfast.simulation.plan import EngineFault, Fault
from holdfast.simulation.playing import Played, play
from holdfast_actors.messages import Report
from holdfast_actors.tree import ORDERS
from holdfast_adapters.hostile import Op, VenueFault
from holdfast_domain import events as ev
from holdfast_domain.ports import Executed

from .plans import QUIET


def venue(kind: str, op: Op, nth: int = 1, size: int = 1) -> VenueFault:
    return VenueFault(kind=kind, op=op, nth=nth, size=size)


def played(*faults: Fault, latency_s: float = 0.0) -> Played:
    """Play the faults; nothing may be violated, and each must have struck."""
    history = play(attrs.evolve(QUIET, faults=faults, latency_s=latency_s))
    assert judge(history).violations == ()
    for fault in faults:
        assert history.struck[fault.kind], fault
    return history


E = TypeVar("E")


def events(history: Played, kind: type[E]) -> list[E]:
    return [x.event for x in history.store.read() if isinstance(x.event, kind)]


def fate(history: Played, order_id: str) -> list[str]:
    """Return the kinds of the records of one order, in order."""
    kinds = []
    for entry in history.store.read():
        event = entry.event
        holder = event.fill if isinstance(event, ev.OrderFilled) else event
        if getattr(holder, "order_id", "") == order_id:
            kinds.append(type(event).__name__)
    return kinds


def booked(history: Played) -> list[str]:
    return sorted(e.fill.execution_id for e in events(history, ev.OrderFilled))


def executed(history: Played) -> list[str]:
    rows = [row for _, row in history.venues["paper"].truth()]
    return sorted(row.execution_id for row in rows if isinstance(row, Executed))


# --- R1: "unknown" is treated as "no" ---


@pytest.mark.parametrize("kind", ["lost_ack", "reset"])
def test_r1_an_accepted_order_without_an_answer_is_not_forgotten(kind: str) -> None:
    history = played(venue(kind, Op.SUBMIT))

    doubted = events(history, ev.OrderUnknown)[0].order_id
    kinds = fate(history, doubted)
    assert kinds[:3] == ["OrderIntended", "OrderUnknown", "OrderAccepted"]
    assert "OrderFilled" in kinds
    assert not {"OrderRejected", "OrderNotPlaced"} & set(kinds)


def test_r1_no_count_of_failed_questions_ends_a_doubt() -> None:
    silence = [venue("lost_request", Op.LOOKUP, nth) for nth in range(1, 9)]

    history = played(venue("lost_ack", Op.SUBMIT), *silence)

    doubted = events(history, ev.OrderUnknown)[0].order_id
    # It traded meanwhile: the fill is the evidence, and no count of failures was.
    assert fate(history, doubted)[1:3] == ["OrderUnknown", "OrderFilled"]
    assert history.struck["lost_request"] >= 4


def test_r1_an_order_that_never_arrived_is_sent_only_after_the_venue_has_said_so() -> (
    None
):
    history = played(venue("lost_request", Op.SUBMIT))

    doubted = events(history, ev.OrderUnknown)[0].order_id
    wanted = ["OrderIntended", "OrderUnknown", "OrderNotSent", "OrderReadmitted"]
    assert fate(history, doubted)[:4] == wanted
    assert history.sends[doubted] == 2


# --- R2: the same order is sent twice, or sent after a stop ---


@pytest.mark.parametrize("kind", ["lost_ack", "duplicate_request", "reset", "late_ack"])
def test_r2_no_order_leaves_twice(kind: str) -> None:
    history = played(*(venue(kind, Op.SUBMIT, nth) for nth in (1, 4, 7)))

    assert set(history.sends.values()) == {1}


def test_r2_a_request_that_the_network_doubles_is_one_order() -> None:
    history = played(venue("duplicate_request", Op.SUBMIT))

    first = events(history, ev.OrderIntended)[0].order_id
    assert "OrderRejected" not in fate(history, first)
    assert "OrderAccepted" in fate(history, first)


def test_r2_nothing_leaves_after_a_halt() -> None:
    history = played(EngineFault(kind="halt", nth=3), latency_s=0.05)

    halted, resumed = events(history, ev.Halted), events(history, ev.Resumed)
    assert (len(halted), len(resumed)) == (1, 1)
    assert history.complaints == []


# --- R3: events are lost in a reconnect hole ---


@pytest.mark.parametrize("kind", ["disconnect", "reset", "maintenance"])
def test_r3_fills_of_a_broken_connection_are_asked_for(kind: str) -> None:
    """The fill that the connection took with it is booked, and exactly once."""
    history = played(venue(kind, Op.STREAM, 2, 20), venue(kind, Op.STREAM, 6, 5))

    assert booked(history) == executed(history)
    assert len(booked(history)) >= 3


def test_r3_fills_out_of_order_are_all_booked() -> None:
    faults = [venue("reordered", Op.STREAM, nth) for nth in (1, 3, 5)]
    late = [venue("late_fill", Op.STREAM, nth, 4) for nth in (2, 6)]

    history = played(*faults, *late)

    assert booked(history) == executed(history)


def test_r3_a_fill_that_a_healthy_stream_leaves_out_is_found_without_a_reconnect() -> (
    None
):
    history = played(venue("lost_fill", Op.STREAM, 2), venue("lost_fill", Op.STREAM, 5))

    assert booked(history) == executed(history)
    # What the venue lists is booked before anything is compared: nothing is adjusted.
    assert events(history, ev.BooksAdjusted) == []


# --- R4: what comes twice corrupts the books ---


def test_r4_a_restart_books_no_fill_a_second_time() -> None:
    twice = [venue("duplicate_fill", Op.STREAM, nth, 2) for nth in (1, 2, 3, 5)]
    deaths = [
        EngineFault(kind="death_at_record", nth=nth, process=process)
        for process, nth in enumerate((20, 15, 10))
    ]

    history = played(*twice, *deaths)

    assert booked(history) == executed(history)
    assert history.processes >= 4


def test_r4_what_the_venue_executed_too_much_is_booked_and_not_argued_with() -> None:
    history = played(venue("overfill", Op.STREAM, 1), venue("overfill", Op.STREAM, 3))

    assert sum(name.endswith("+") for name in booked(history)) >= 1
    assert booked(history) == executed(history)


def test_r4_a_warm_start_inserts_nothing() -> None:
    deaths = [
        EngineFault(kind="death_at_record", nth=nth, process=process)
        for process, nth in enumerate((25, 12, 9))
    ]

    history = played(*deaths)

    assert events(history, ev.BooksAdjusted) == []
    assert events(history, ev.ExternalOrderAdopted) == []
    triggers = [each.trigger for each in events(history, ev.Reconciled)]
    assert triggers.count("start") >= 3


def test_r4_a_comparison_that_a_late_list_races_books_no_phantom() -> None:
    late = [venue("late_list", Op.GAP, nth, 8) for nth in range(1, 40, 3)]

    history = played(*late, venue("lost_fill", Op.STREAM, 1))

    assert events(history, ev.BooksAdjusted) == []
    assert booked(history) == executed(history)


def test_r4_a_difference_of_positions_comes_to_rest_after_one_adjustment() -> None:
    history = played(venue("moved_units", Op.HAND, 4, 5))

    (adjusted,) = events(history, ev.BooksAdjusted)
    assert (adjusted.amount, adjusted.ordinal) == (Decimal(5), 0)
    assert events(history, ev.Reconciled)[-1].verdict == "agreed"


def test_r4_each_restart_finds_what_was_adjusted_and_adjusts_no_more() -> None:
    deaths = [
        EngineFault(kind="death_at_record", nth=nth, process=process)
        for process, nth in enumerate((30, 12, 12))
    ]

    history = played(venue("moved_units", Op.HAND, 3, 5), *deaths)

    assert len(events(history, ev.BooksAdjusted)) == 1
    assert history.processes >= 4


def test_r4_an_order_still_working_at_the_venue_is_never_dropped() -> None:
    history = played(
        venue("hand_order", Op.HAND, 4, 7), EngineFault(kind="death_at_record", nth=30)
    )

    (adopted,) = events(history, ev.ExternalOrderAdopted)
    assert (adopted.name, adopted.quantity.value) == ("H1", Decimal(7))
    assert events(history, ev.ExternalOrderGone) == []


def test_r4_a_trade_by_hand_is_booked_once_and_to_no_strategy() -> None:
    twice = EngineFault(kind="death_at_record", nth=30)

    history = played(venue("hand_trade", Op.HAND, 3, 5), twice)

    (external,) = events(history, ev.ExternalFilled)
    assert external.fill.strategy == "external"
    assert events(history, ev.BooksAdjusted) == []


# --- R5: amnesia after a restart ---


def test_r5_a_process_that_dies_knows_its_orders_and_positions_when_it_is_back() -> (
    None
):
    history = played(EngineFault(kind="death_at_record", nth=25))

    # That its books are the venue's, to the last unit, the auditor has seen.
    assert len(booked(history)) > len(events(history, ev.EngineStarted)) > 1
    engine = history.engine
    assert engine is not None
    actor = engine.cells[ORDERS].actor
    assert actor is not None
    rows = {row.order_id for row in actor.handle(Report())}
    assert {e.order_id for e in events(history, ev.OrderIntended)} <= rows


def test_r5_an_order_that_was_leaving_when_the_process_died_is_found() -> None:
    history = played(EngineFault(kind="death_at_send", nth=3))

    doubted = events(history, ev.OrderUnknown)[0].order_id
    assert fate(history, doubted)[1:3] == ["OrderUnknown", "OrderAccepted"]
    assert history.sends[doubted] == 1


# --- R6: silent death ---


def test_r6_after_a_reconnect_the_stream_speaks_again() -> None:
    history = played(venue("disconnect", Op.STREAM, 2))

    assert len(booked(history)) > 3
    assert booked(history) == executed(history)


def test_r6_a_venue_that_does_not_listen_is_tried_again_and_said_aloud() -> None:
    refused = [venue("refused_connection", Op.CONNECT, nth) for nth in (1, 2)]

    history = played(*refused)

    restarts = [
        e for e in events(history, ev.ActorRestarted) if e.path.endswith("session")
    ]
    assert len(restarts) >= 1
    assert booked(history) == executed(history)
