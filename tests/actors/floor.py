"""An `Orders` between inboxes, called directly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from holdfast_actors.messages import (
    Change,
    Decision,
    Draft,
    Report,
    Verdict,
    Vetted,
)
from holdfast_actors.orders import Orders
from holdfast_actors.requests import (
    Asked,
    Evidence,
    How,
    SessionUp,
)
from holdfast_domain import events as ev
from holdfast_domain.money import Money
from holdfast_domain.orders import OrderState, OrderTerms
from holdfast_domain.ports import VenueEvent

from .desk import T0_US, D, Inbox, Timers, acked, entries, terms


class Floor:
    """An `Orders` between inboxes, and what it has journaled."""

    def __init__(self, history: Sequence[ev.Event] = ()) -> None:
        self.journal: list[ev.Event] = list(history)
        self.session, self.guard, self.one, self.two = (Inbox() for _ in range(4))
        self.timers = Timers()
        self.build()

    def build(self) -> None:
        """Build the actor anew from what is journaled, as a restart does."""
        for inbox in (self.session, self.guard, self.one, self.two):
            inbox.take()
        self.orders = Orders(
            history=entries(self.journal),
            venue="paper",
            session=self.session.ref,
            guard=self.guard.ref,
            strategies={"one": self.one.ref, "two": self.two.ref},
            record=self.journal.append,
            after=self.timers.after,
            now_us=lambda: T0_US,
        )
        self.orders.start()

    def up(self, incarnation: int = 1) -> None:
        self.orders.handle(SessionUp("paper", incarnation))

    def decide(
        self,
        number: int = 1,
        *drafts: tuple[str, OrderTerms],
        cancels: tuple[str, ...] = (),
        changes: tuple[Change, ...] = (),
        refused: str = "",
        strategy: str = "one",
    ) -> None:
        """Let a decision come from the guard."""
        decision = Decision(
            strategy=strategy,
            number=number,
            cursor=0,
            time_us=T0_US,
            applied=0,
            phase="slice",
            drafts=tuple(Draft(*draft) for draft in drafts),
            cancels=cancels,
            changes=changes,
            state="{}",
        )
        verdict = Verdict(None if refused else Money(D(1), "USD"), refused)
        self.orders.handle(
            Vetted(
                decision,
                tuple(verdict for _ in drafts),
                tuple(verdict for _ in changes),
                0,
                T0_US + 60_000_000,
            )
        )

    def hear(
        self,
        asked: Asked,
        order_id: str,
        *events: VenueEvent,
        how: How = How.ANSWERED,
        reason: str = "because",
    ) -> None:
        """Let evidence come from the session."""
        message = Evidence("paper", asked, order_id, how, events, reason, "")
        self.orders.handle(message)

    def placed(self, order_id: str = "a", wanted: OrderTerms | None = None) -> None:
        """Bring one order to ACCEPTED."""
        self.up()
        self.decide(1, (order_id, wanted or terms(limit=100)))
        self.hear(Asked.SUBMIT, order_id, acked(order_id))
        self.session.take()

    def row(self, order_id: str = "a") -> Any:
        rows: Any = self.orders.handle(Report())
        return {row.order_id: row for row in rows}[order_id]

    def state(self, order_id: str = "a") -> OrderState:
        state: OrderState = self.row(order_id).state
        return state

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.journal]
