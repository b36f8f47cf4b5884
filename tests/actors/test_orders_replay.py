"""The journal is all there is: whatever was heard, a replay gives the same book."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given, strategies as st
from msgspec.structs import replace
from tests.sampling import examples

from holdfast_actors.messages import Change, Readmitted
from holdfast_actors.orderbook import OrderBook, OrderRow
from holdfast_actors.requests import Asked, How, Submit
from holdfast_domain import events as ev
from holdfast_domain.orders import OrderState
from holdfast_domain.ports import Replaced

from .desk import acked, ended, executed, terms
from .floor import Floor

IDS = ("a", "b", "c")
ids = st.sampled_from(IDS)
hows = st.sampled_from([How.REFUSED, How.NOT_SENT, How.UNKNOWN])
venue_events = st.one_of(
    st.builds(acked, ids),
    st.builds(executed, ids, st.integers(1, 6), st.integers(1, 6)),
    st.builds(ended, ids, st.sampled_from(["canceled", "expired", "rejected"])),
    st.builds(
        lambda order_id, limit: Replaced(
            order_id=order_id, terms=terms(10, limit=limit)
        ),
        ids,
        st.integers(90, 95),
    ),
)
STEPS = st.one_of(
    st.tuples(st.just("decide"), ids, st.sampled_from(["order", "cancel", "change"])),
    st.tuples(st.just("hear"), st.sampled_from(Asked), ids, st.lists(venue_events)),
    st.tuples(st.just("fail"), st.sampled_from(Asked), ids, hows),
    st.tuples(st.just("absent"), ids),
    st.tuples(st.just("session"), st.integers(1, 4)),
    st.tuples(st.just("readmit"), ids, st.sampled_from(["", "halted"])),
    st.tuples(st.just("rebuild")),
)


class Script:
    """Plays random messages to an `Orders`."""

    def __init__(self) -> None:
        self.floor = Floor()
        self.number = 0
        self.made: set[str] = set()
        self.sent: list[str] = []

    def play(self, step: tuple[Any, ...]) -> None:
        """Play one of `STEPS`."""
        getattr(self, step[0])(*step[1:])
        for message in self.floor.session.take():
            if isinstance(message, Submit):
                self.sent.append(message.order.order_id)

    def decide(self, order_id: str, what: str) -> None:
        self.number += 1
        if what == "order" and order_id not in self.made:
            self.made.add(order_id)
            self.floor.decide(self.number, (order_id, terms(10, limit=100)))
        elif what == "cancel":
            self.floor.decide(self.number, cancels=(order_id,))
        else:
            change = Change(order_id, terms(9, limit=80 + self.number))
            self.floor.decide(self.number, changes=(change,))

    def hear(self, asked: Asked, order_id: str, events: list[Any]) -> None:
        self.floor.hear(asked, order_id, *events)

    def fail(self, asked: Asked, order_id: str, how: How) -> None:
        self.floor.hear(asked, order_id, how=how)

    def absent(self, order_id: str) -> None:
        self.floor.hear(Asked.LOOKUP, order_id, how=How.ABSENT)

    def session(self, incarnation: int) -> None:
        self.floor.up(incarnation)

    def readmit(self, order_id: str, reason: str) -> None:
        self.floor.orders.handle(Readmitted(order_id, reason, 0))

    def rebuild(self) -> None:
        self.floor.build()


def possible(steps: list[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Leave out what is said of an order of ours before there is such an order."""
    coming = {step[1] for step in steps if step[0] == "decide" and step[2] == "order"}
    for step in steps:
        if step[0] == "hear":
            told = [each for each in step[3] if each.order_id not in coming]
            yield (*step[:3], told)
            continue
        if step[0] == "decide" and step[2] == "order":
            coming.discard(step[1])
        yield step


def replayed(records: list[ev.Event]) -> OrderBook:
    book = OrderBook()
    for record in records:
        book.apply(record)
    return book


def plain(row: OrderRow) -> OrderRow:
    """Leave out what is not journaled: that an intent is on its way, and its halt."""
    state = OrderState.INTENT if row.state is OrderState.SENT else row.state
    return replace(row, state=state, generation=0, intended_us=0)


def same(live: OrderBook, rebuilt: OrderBook) -> bool:
    return (
        {name: plain(row) for name, row in live.rows.items()}
        == {name: plain(row) for name, row in rebuilt.rows.items()}
        and list(live.open) == list(rebuilt.open)
        and live.executions["paper"] == rebuilt.executions["paper"]
        and live.decisions == rebuilt.decisions
    )


@examples(300)
@given(st.lists(STEPS, max_size=25))
def test_after_every_message_a_replay_of_the_journal_gives_the_same_book(
    steps: list[tuple[Any, ...]],
) -> None:
    script = Script()

    for step in steps:
        script.play(step)
        live = script.floor.orders._book
        assert same(live, replayed(script.floor.journal)), step


@examples(300)
@given(st.lists(STEPS, max_size=40))
def test_an_order_is_sent_again_only_after_a_proof_that_it_was_not(
    steps: list[tuple[Any, ...]],
) -> None:
    script = Script()
    for step in steps:
        script.play(step)

    for order_id in IDS:
        proofs = sum(
            isinstance(each, ev.OrderNotSent) and each.order_id == order_id
            for each in script.floor.journal
        )
        assert script.sent.count(order_id) <= 1 + proofs


@examples(300)
@given(st.lists(STEPS, max_size=40))
def test_every_execution_of_an_order_of_ours_is_booked_once(
    steps: list[tuple[Any, ...]],
) -> None:
    script = Script()
    heard: set[str] = set()
    late: list[Any] = []
    """What a new incarnation was told, which may have died before it was taken."""

    for step in possible(steps):
        if step[0] == "hear":
            executions = [
                event
                for event in step[3]
                if hasattr(event, "execution_id") and event.order_id in script.made
            ]
            heard |= {event.execution_id for event in executions}
            late += executions if script.floor.incarnation > 1 else ()
        script.play(step)
    script.floor.up(5)
    script.floor.hear(Asked.GAP, "", *late)

    booked = [
        each.fill.execution_id
        for each in script.floor.journal
        if isinstance(each, ev.OrderFilled)
    ]
    assert len(booked) == len(set(booked))
    assert set(booked) == heard


@examples(200)
@given(st.lists(STEPS, max_size=40))
def test_nothing_that_is_unknown_is_resolved_without_evidence(
    steps: list[tuple[Any, ...]],
) -> None:
    script = Script()
    for step in steps:
        rows = script.floor.orders._book.rows
        before = {name for name, row in rows.items() if row.state is OrderState.UNKNOWN}
        script.play(step)
        after = {name for name in before if rows[name].state is not OrderState.UNKNOWN}
        assert not after or step[0] in ("hear", "fail", "absent"), (step, after)
