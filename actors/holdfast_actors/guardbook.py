"""What the guard knows from the journal: a pure projection of it.

The guard applies each committed record to it, and a snapshot is made of one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec

from holdfast_actors.clock import HaltGate
from holdfast_actors.reservations import Reservations
from holdfast_domain import events as ev
from holdfast_domain.events import OrderFilled
from holdfast_domain.instruments import Instrument

_TAKEN = frozenset({
    ev.DecisionMade,
    ev.Halted,
    ev.OrderIntended,
    ev.OrderRefused,
    ev.QuarantineReleased,
    ev.Quarantined,
    ev.Resumed,
    ev.VenueDegraded,
    ev.VenueRestored,
})  # fmt: skip
"""What is taken here; by their very type, for speed: fills are the reservations'."""


class GuardBook:
    """Reservations, decisions passed, recent orders, quarantine and the halt gate."""

    def __init__(
        self, instruments: Mapping[str, Instrument], gate: HaltGate, period_us: int
    ) -> None:
        """``period_us`` is how long an order counts as recent; 0 keeps none."""
        self.reservations = Reservations(dict(instruments))
        self.passed: dict[str, int] = {}
        """Each strategy's last decision that was passed."""

        self.recent: dict[str, deque[int]] = {}
        """Market times of each strategy's last orders, in microseconds."""

        self.quarantined: dict[str, str] = {}
        """What must not trade, by subject, with the error."""

        self.degraded: dict[str, ev.VenueDegraded] = {}
        """By venue, what was journaled of its being away."""

        self.outages: dict[str, int] = {}
        """By venue, how often it was."""

        self._gate = gate
        self._period_us = period_us

    def replay(self, entry: ev.Entry) -> None:
        """Take a record of an incarnation before: its orders count as recent."""
        event = entry.event
        self.apply(event)
        if type(event) is ev.OrderIntended:
            self.note(event.strategy, entry.market_time_us)

    def apply(self, event: ev.Event) -> None:
        """Take one record."""
        if type(event) is OrderFilled:
            self.reservations.fill(event)
            return
        self.reservations.apply(event)
        if type(event) not in _TAKEN:
            return
        match event:
            case ev.OrderIntended() | ev.OrderRefused():
                self._count(event.strategy, event.decision)
            case ev.DecisionMade():
                self._count(event.strategy, event.number)
            case ev.Quarantined():
                self.quarantined[event.subject] = event.error
            case ev.QuarantineReleased():
                self.quarantined.pop(event.subject, None)
            case ev.Halted() | ev.Resumed() | ev.VenueDegraded() | ev.VenueRestored():
                self._moves_gate(event)
            case _:
                """It is not in `_TAKEN`."""

    def _moves_gate(
        self, event: ev.Halted | ev.Resumed | ev.VenueDegraded | ev.VenueRestored
    ) -> None:
        gate = self._gate
        match event:
            case ev.Halted():
                gate.halted, gate.reason = True, event.reason
                gate.generation = max(gate.generation, event.generation)
            case ev.Resumed():
                self.open_gate()
            case ev.VenueDegraded(venue=venue):
                self.degraded[venue] = gate.degraded[venue] = event
                self.outages[venue] = event.nth
            case ev.VenueRestored(venue=venue):
                self.degraded.pop(venue, None)
                gate.restore(venue)

    def note(self, strategy: str, now_us: int) -> None:
        """Count an order of ``strategy`` as recent."""
        if self._period_us:
            self.recent_at(strategy, now_us).append(now_us)

    def recent_at(self, strategy: str, now_us: int) -> deque[int]:
        """Return the times of the orders that are still recent at ``now_us``."""
        times = self.recent.get(strategy)
        if times is None:
            times = self.recent[strategy] = deque()
        since_us = now_us - self._period_us
        while times and times[0] <= since_us:
            times.popleft()
        return times

    def open_gate(self) -> None:
        """Let orders out again."""
        self._gate.halted = False
        self._gate.reason = ""

    def save(self) -> dict[str, Any]:
        """Return all of it as plain values, for a snapshot."""
        gate = self._gate
        return {
            "reservations": self.reservations.save(),
            "passed": dict(self.passed),
            "recent": {name: list(times) for name, times in self.recent.items()},
            "quarantined": dict(self.quarantined),
            "degraded": [msgspec.to_builtins(e) for e in self.degraded.values()],
            "outages": dict(self.outages),
            "gate": {
                "halted": gate.halted,
                "reason": gate.reason,
                "generation": gate.generation,
            },
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Be what `save` returned."""
        self.reservations.load(saved["reservations"])
        self.passed = dict(saved["passed"])
        self.recent = {name: deque(times) for name, times in saved["recent"].items()}
        self.quarantined = dict(saved["quarantined"])
        self.outages = dict(saved.get("outages", {}))
        for each in saved.get("degraded", ()):  # it is younger than the first snapshots
            event = msgspec.convert(each, ev.VenueDegraded)
            self.degraded[event.venue] = self._gate.degraded[event.venue] = event
        gate, was = self._gate, saved["gate"]
        # A gate that is shut stays so: what shut it may not be in the journal yet.
        gate.halted = gate.halted or was["halted"]
        gate.reason = gate.reason or was["reason"]
        gate.generation = max(gate.generation, was["generation"])

    def _count(self, strategy: str, number: int) -> None:
        """Count decisions up to ``number`` as passed."""
        if number > self.passed.get(strategy, 0):
            self.passed[strategy] = number
