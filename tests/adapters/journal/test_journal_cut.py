"""Where a journal may be cut."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from holdfast_adapters.journal.repair import last_whole
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_domain.events import (
    ActorRestarted,
    DecisionMade,
    Entry,
    Event,
    OrderIntended,
)
from holdfast_domain.money import Money, Quantity
from holdfast_domain.orders import OrderTerms, Side


def test_a_cut_never_falls_between_a_decision_and_its_orders(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    store = SqliteJournal(path, 7)
    terms = OrderTerms(instrument="A", side=Side.BUY, quantity=Quantity(Decimal(1)))
    decision = DecisionMade(
        strategy="s",
        number=1,
        cursor=1,
        applied=0,
        phase="slice",
        orders=("a", "b"),
        cancels=(),
        replaces=(),
        state="{}",
    )
    intents = [
        OrderIntended(
            order_id=order_id,
            strategy="s",
            decision=1,
            index=index,
            venue="paper",
            terms=terms,
            reserved=Money(Decimal(1), "USD"),
            valid_until_us=1,
        )
        for index, order_id in enumerate("ab")
    ]
    opened = ActorRestarted(path="engine/core/ledger", incarnation=2, error="")
    events: list[Event] = [opened, decision, *intents]
    store.append(
        [
            Entry(
                sequence=number,
                epoch=1,
                cursor=0,
                market_time_us=0,
                wall_time_us=0,
                event=event,
            )
            for number, event in enumerate(events, start=1)
        ]
    )
    store.close()

    assert [last_whole(path, to) for to in range(5)] == [0, 1, 1, 1, 4]
