"""A `Guard` between inboxes, called directly."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal

from holdfast_actors.clock import GuardMark, HaltGate, MarketClock, PriceBoard
from holdfast_actors.guard import Guard
from holdfast_actors.messages import Change, Committed, Decision, Draft, Verdict, Vetted
from holdfast_actors.vetting import Limits
from holdfast_domain import events as ev
from holdfast_domain.orderlists import ROLES, Leg, ListKind
from holdfast_domain.orders import OrderTerms

from .desk import (
    INSTRUMENTS,
    T0_US,
    Inbox,
    capital,
    entries,
    intended,
    market,
)


class Gate:
    """A guard for two strategies, prices of 100 (SPY) and 50 (QQQ), and its journal."""

    def __init__(
        self,
        *history: ev.Event,
        cash: int = 1_000,
        limits: Limits | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.journal: list[ev.Event] = [
            capital("one", cash),
            capital("two", cash),
            *history,
        ]
        self.clock = MarketClock(T0_US, 0)
        self.prices = PriceBoard(market(SPY=[100.0, 110.0], QQQ=[50.0, 50.0]))
        self.prices.show(0)
        self.orders = Inbox()
        self.gate = HaltGate()
        self.passed = GuardMark()
        self.effects: list[Callable[[], None]] = []
        self.numbers = {"one": 0, "two": 0}
        self.ids = 0
        self.build()

    def build(self, incarnation: int = 1) -> None:
        """Build the actor anew from what is journaled.

        The first ``incarnation`` is that of a process, which judges at once.
        """
        self.guard = Guard(
            history=entries(self.journal),
            instruments=INSTRUMENTS,
            limits=self.limits,
            prices=self.prices,
            clock=self.clock,
            gate=self.gate,
            orders=self.orders.ref,
            record=self.record,
            effect=self.effects.append,
            venue_of=lambda _symbol: "paper",
            passed=self.passed,
            incarnation=incarnation,
        )

    def record(self, event: ev.Event) -> None:
        """Journal what the guard itself records."""
        self.journal.append(event)

    def commit(self, *events: ev.Event) -> None:
        """Journal ``events``, and tell the guard of each."""
        for event in events:
            self.journal.append(event)
            entry = entries(self.journal)[-1]
            self.guard.handle(Committed(entry))

    def decide(
        self,
        *wanted: OrderTerms,
        strategy: str = "one",
        changes: Sequence[Change] = (),
        time_us: int | None = None,
        bound: ListKind | None = None,
    ) -> list[Verdict]:
        """Let a strategy decide; return the verdicts on its drafts and changes.

        What is wanted may be ``bound``: it is then the legs of one list.
        """
        self.numbers[strategy] += 1
        drafts = []
        first = f"{strategy}-{self.ids + 1}"
        for number, each in enumerate(wanted):
            self.ids += 1
            leg = None
            if bound is not None:
                leg = Leg(list_id=first, kind=bound, role=ROLES[bound][number])
            drafts.append(Draft(f"{strategy}-{self.ids}", each, leg))
        return self.vet(
            Decision(
                strategy=strategy,
                number=self.numbers[strategy],
                cursor=0,
                time_us=self.clock.now_us if time_us is None else time_us,
                applied=0,
                phase="slice",
                drafts=tuple(drafts),
                cancels=(),
                changes=tuple(changes),
                state="{}",
            )
        )

    def vet(self, decision: Decision) -> list[Verdict]:
        """Give the guard a decision, and journal it as `orders` would."""
        self.orders.take()
        self.guard.handle(decision)
        answers = self.orders.of(Vetted)
        if not answers:
            return []
        (vetted,) = answers
        self._journal(vetted)
        return [*vetted.drafts, *vetted.changes]

    def _journal(self, vetted: Vetted) -> None:
        decision = vetted.decision
        self.commit(
            ev.DecisionMade(
                strategy=decision.strategy,
                number=decision.number,
                cursor=0,
                applied=0,
                phase="slice",
                orders=tuple(each.order_id for each in decision.drafts),
                cancels=(),
                replaces=(),
                state="{}",
            )
        )
        for draft, verdict in zip(decision.drafts, vetted.drafts, strict=True):
            if verdict.reserved is not None:
                reserved = verdict.reserved.amount
                self.commit(
                    intended(
                        draft.order_id,
                        draft.terms,
                        strategy=decision.strategy,
                        reserved=reserved,
                        decision=decision.number,
                        leg=draft.leg,
                    )
                )

    def reason(self, *wanted: OrderTerms, strategy: str = "one") -> str:
        """Return why the last of the orders is refused; empty if it passed."""
        reason = self.decide(*wanted, strategy=strategy)[-1].reason
        return re.sub(r"\.0+\b", "", reason)

    def free(self, strategy: str = "one") -> Decimal:
        """Return a strategy's free cash, as the guard counts it."""
        account = self.guard._reservations.accounts[strategy]
        return account.cash - account.reserved
