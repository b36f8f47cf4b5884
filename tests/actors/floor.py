"""An `Orders` between inboxes, called directly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from holdfast_actors.kin import Kin
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
from holdfast_actors.resolver import Patience
from holdfast_domain import events as ev
from holdfast_domain.money import Money
from holdfast_domain.orders import OrderState, OrderTerms
from holdfast_domain.ports import Found, VenueEvent, VenuePromises

from .desk import T0_US, D, Inbox, Timers, acked, entries, terms

T = TypeVar("T")
PROVES_AT_ONCE = VenuePromises(proves_absence=True, processing_bound_s=0.0)


class Floor:
    """An `Orders` between inboxes, and what it has journaled."""

    def __init__(
        self,
        history: Sequence[ev.Event] = (),
        *,
        promises: VenuePromises = PROVES_AT_ONCE,
        patience: Patience = Patience(),  # noqa: B008 - frozen
    ) -> None:
        self.promises = promises
        self.patience = patience
        self.now_s = 1_000.0
        self.called: list[str] = []
        self.fenced: list[str] = []
        self.incarnation = 0
        self.journal: list[ev.Event] = list(history)
        self.session, self.guard, self.one, self.two = (Inbox() for _ in range(4))
        self.timers = Timers()
        self.build()

    def build(self) -> None:
        """Build the actor anew from what is journaled, as a restart does."""
        self.incarnation += 1
        for inbox in (self.session, self.guard, self.one, self.two):
            inbox.take()
        self.orders = Orders(
            history=entries(self.journal),
            sessions={"paper": self.session.ref},
            venue_of=lambda _symbol: "paper",
            guard=self.guard.ref,
            strategies={"one": self.one.ref, "two": self.two.ref},
            record=self.journal.append,
            after=self.timers.after,
            now_us=lambda: T0_US,
            now_s=lambda: self.now_s,
            patience=self.patience,
            call=self.called.append,
            incarnation=self.incarnation,
            kin=Kin(7, 5, self.called.append, self.fenced.append),
        )
        self.orders.start()

    def up(self, incarnation: int = 1, *, in_step: bool = True) -> None:
        self.orders.handle(SessionUp("paper", incarnation, self.promises, in_step))

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
        story: Found | None = None,
        watermark: str = "",
        again_s: float = 0.0,
    ) -> None:
        """Let evidence come from the session."""
        if story is not None:
            events = tuple(story.events)
        message = Evidence(
            "paper",
            asked,
            order_id,
            how,
            events,
            reason,
            asked_s=self.now_s if asked is Asked.LOOKUP else 0.0,
            story=story,
            watermark=watermark,
            again_s=again_s,
        )
        self.orders.handle(message)

    def later(self, pass_s: float = 0.0) -> list[float]:
        """Let all timers fire, after ``pass_s`` seconds; return their pauses."""
        self.now_s += pass_s
        due, self.timers.set = self.timers.set, []
        for _, message in due:
            self.orders.handle(message)  # type: ignore[arg-type]
        return [pause_s for pause_s, _ in due]

    def events(self, kind: type[T]) -> list[T]:
        """Return what was journaled of one kind."""
        return [each for each in self.journal if isinstance(each, kind)]

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

    def states(self, *order_ids: str) -> list[OrderState]:
        return [self.state(order_id) for order_id in order_ids]

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.journal]
