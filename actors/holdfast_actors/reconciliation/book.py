"""What the reconciler knows from the journal: a pure projection of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from holdfast_actors.reconciliation.plan import Policies
from holdfast_domain.events import (
    BooksAdjusted,
    DecisionMade,
    Event,
    ExternalOrderAdopted,
    ExternalOrderGone,
    FillBusted,
    FillCorrected,
    OrderFilled,
    Reconciled,
    ReconcilePolicySet,
)
from holdfast_domain.fills import HOUSE, Fill
from holdfast_domain.money import ZERO


class ReconcileBook:
    """Policies, orders of other hands, what is owed, and the last comparison."""

    def __init__(self, policies: Policies | None = None) -> None:
        """Begin with ``policies``, until a record sets others."""
        self._policies = policies or Policies()
        self._chosen: Policies | None = None
        """What a person chose; a snapshot keeps it, and not what is configured."""

        self.external: dict[str, ExternalOrderAdopted] = {}
        """Orders of other hands that work at the venue, by name."""

        self.owed: dict[str, Decimal] = {}
        """Signed units that are to be traded to bring the venue to the books."""

        self.decision = 0
        """The last decision of ours that was taken."""

        self.runs = 0
        self.last: dict[str, Reconciled] = {}
        """By venue."""

        self.opened: set[str] = set()
        """The venues that were compared to an end before, ever."""

    @property
    def policies(self) -> Policies:
        """What is done about a difference."""
        return self._chosen or self._policies

    def forget_debts(self) -> None:
        """Owe nothing, unless something may be traded back."""
        if not self.policies.trades:
            self.owed.clear()

    def apply(self, event: Event) -> None:
        """Take one record; most change nothing."""
        match event:
            case OrderFilled():
                self._traded(event.fill)
            case FillCorrected() | FillBusted():
                for fill in event.bookings:
                    self._traded(fill)
            case DecisionMade() if event.strategy == HOUSE:
                self.decision = event.number
            case _:
                self._rarely(event)

    def _rarely(self, event: Event) -> None:
        match event:
            case Reconciled():
                self.runs, self.last[event.venue] = event.run, event
                if event.verdict != "inconclusive":
                    self.opened.add(event.venue)
            case BooksAdjusted():
                if event.traded_back:
                    self._owe(event.unit, -event.amount)
            case ExternalOrderAdopted():
                self.external[event.name] = event
            case ExternalOrderGone():
                self.external.pop(event.name, None)
            case ReconcilePolicySet():
                self._set(event)
            case _:
                """It is nothing to the reconciler."""

    def save(self) -> dict[str, Any]:
        """Return all of it as plain values, for a snapshot."""
        return {
            "policies": msgspec.to_builtins(self._chosen),
            "external": msgspec.to_builtins(self.external),
            "owed": {name: str(units) for name, units in self.owed.items()},
            "decision": self.decision,
            "runs": self.runs,
            "last": msgspec.to_builtins(self.last),
            "opened": sorted(self.opened),
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Be what `save` returned."""
        self._chosen = msgspec.convert(saved["policies"], Policies | None)
        known = dict[str, ExternalOrderAdopted]
        self.external = msgspec.convert(saved["external"], known)
        self.owed = {name: Decimal(text) for name, text in saved["owed"].items()}
        self.decision, self.runs = saved["decision"], saved["runs"]
        self.last = msgspec.convert(saved["last"], dict[str, Reconciled])
        self.opened = set(saved["opened"])

    def _traded(self, fill: Fill) -> None:
        if fill.strategy == HOUSE and fill.instrument in self.owed:
            self._owe(fill.instrument, -fill.traded())

    def _owe(self, instrument: str, units: Decimal) -> None:
        left = self.owed.get(instrument, ZERO) + units
        if left:
            self.owed[instrument] = left
        else:
            self.owed.pop(instrument, None)

    def _set(self, event: ReconcilePolicySet) -> None:
        self._chosen = Policies(
            minor=event.minor, moderate=event.moderate, critical=event.critical
        )
        self.forget_debts()
