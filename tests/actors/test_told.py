"""What a strategy is told of its orders, and what it then knows of them."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast_actors.strategy.api import Strategy
from holdfast_actors.strategy.calling import tell
from holdfast_actors.strategy.news import NEWS, BrokerMessage
from holdfast_actors.strategy.orders import Desk
from holdfast_actors.strategy.restore import TOLD
from holdfast_domain import events as ev
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.money import Money, Quantity
from holdfast_domain.orders import Side

from .desk import INSTRUMENTS, T0_US, D, filled, intended, terms

T0 = utc_from_us(T0_US)
NAMES: Any = {"order_id": "a", "strategy": "one"}
FILL = filled("a", terms(), 4, 100, complete=False)
BUST = ev.FillBusted(
    **NAMES, correction_id="B", execution_id="X", was=FILL.fill, reason=""
)


class Ear(Strategy):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    def initialize(self, context: Any) -> None:
        """Nothing to do."""

    def handle_data(self, context: Any, data: Any) -> None:
        """Nothing to do."""

    def on_order_reject(self, context: Any, order: Any, reason: str) -> None:
        self.told.append(("reject", order.status, reason))

    def on_order_cancel(self, context: Any, order: Any, reason: str) -> None:
        self.told.append(("cancel", order.status, reason))

    def on_broker_message(self, context: Any, message: BrokerMessage) -> None:
        self.told.append((message.venue, message.kind, message.text))


def heard(*events: ev.Event) -> tuple[Ear, Desk]:
    ear = Ear()
    desk = Desk(engine=1, epoch=1, index=1, instruments=INSTRUMENTS)
    for event in (intended("a", terms()), *events):
        order = desk.apply(event)
        tell(ear, None, event, order)  # type: ignore[arg-type]
    return ear, desk


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (
            ev.OrderNotPlaced(**NAMES, reason="canceled before", canceled=True),
            ("cancel", "canceled", "canceled before"),
        ),
        (
            ev.OrderNotPlaced(**NAMES, reason="halted"),
            ("reject", "rejected", "halted"),
        ),
        (
            ev.ChangeRefused(**NAMES, reason="not enough cash"),
            ("reject", "open", "not changed: not enough cash"),
        ),
        (
            ev.ReplaceRefused(**NAMES, reason="too late"),
            ("reject", "open", "not changed: too late"),
        ),
        (
            ev.OrderResolved(**NAMES, outcome="not_placed", by="ann", because="so"),
            ("reject", "rejected", "so"),
        ),
        (
            ev.OrderResolved(**NAMES, outcome="filled", by="ann", because="so"),
            ("cancel", "canceled", "so"),
        ),
    ],
)
def test_a_strategy_is_told(event: Any, told: tuple[str, str, str]) -> None:
    ear, _ = heard(event)

    assert ear.told == [told]
    assert type(event) in TOLD


HAND = ev.ExternalOrderAdopted(
    venue="far", name="M1", instrument="SPY", side=Side.BUY, quantity=Quantity.of(7)
)


@pytest.mark.parametrize(
    ("event", "kind", "text"),
    [
        (
            ev.VenueSilenced(venue="far", until=T0, cancels_until=T0),
            "silence",
            f"until {T0.isoformat()}",
        ),
        (ev.StrayEvidence(venue="far", text="a riddle"), "stray", "a riddle"),
        (
            ev.ExternalFilled(venue="far", fill=FILL.fill),
            "external fill",
            "buy 4 SPY at 100",
        ),
        (HAND, "external order", "M1: buy 7 SPY"),
        (ev.ExternalOrderGone(venue="far", name="M1"), "external order gone", "M1"),
    ],
)
def test_a_strategy_is_told_what_a_venue_says_besides(
    event: Any, kind: str, text: str
) -> None:
    ear, desk = heard(event)

    assert ear.told == [("far", kind, text)]
    assert type(event) in NEWS
    assert list(desk.open) == ["a"]


def test_a_busted_fill_is_no_longer_filled() -> None:
    _, desk = heard(FILL, BUST)

    assert desk.open["a"].filled == 0


def test_a_reopened_order_is_open_with_what_was_filled() -> None:
    gone = ev.OrderNotPlaced(**NAMES, reason="halted")
    back = ev.OrderReopened(
        **NAMES,
        terms=terms(),
        reserved=Money(D(1), "USD"),
        filled=Quantity.of(3),
        why="",
    )

    _, desk = heard(gone, back)

    assert desk.open["a"].filled == 3
