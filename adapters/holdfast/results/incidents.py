"""What happened to the engine during a run: starts, restarts, halts and the like."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from holdfast_domain.events import (
    ActorParked,
    ActorRestarted,
    EngineStarted,
    Entry,
    Event,
    Halted,
    Quarantined,
    QuarantineReleased,
    Resumed,
    VenueDegraded,
    VenueRestored,
)
from holdfast_domain.marketdata import utc_from_us


@attrs.frozen(kw_only=True)
class Incident:
    """One thing that happened to the engine."""

    epoch: int
    """Which start of the engine it happened in."""

    at: datetime | None
    """Market time, UTC; ``None`` before the first bar."""

    what: str
    where: str
    why: str


def incidents_of(entries: Iterable[Entry]) -> list[Incident]:
    """Return the incidents in ``entries``, in their order; the first start is none."""
    told = ((entry, _told(entry.event)) for entry in entries)
    return [
        Incident(
            epoch=entry.epoch,
            at=utc_from_us(entry.market_time_us) if entry.market_time_us > 0 else None,
            what=words[0],
            where=words[1],
            why=words[2],
        )
        for entry, words in told
        if words is not None
        and not (isinstance(entry.event, EngineStarted) and entry.epoch <= 1)
    ]


def _told(event: Event) -> tuple[str, str, str] | None:
    """Return what happened, where and why; ``None`` if it is no incident."""
    match event:
        case EngineStarted():
            return "process started again", "engine", f"pid {event.pid}"
        case ActorRestarted():
            return "restarted", event.path, event.error
        case ActorParked():
            return "parked", event.path, event.error
        case Quarantined():
            return "quarantined", event.subject, f"{event.reader}: {event.error}"
        case QuarantineReleased():
            return "quarantine lifted", event.subject, f"by {event.by}"
        case _:
            return _told_of_gate(event)


def _told_of_gate(event: Event) -> tuple[str, str, str] | None:
    match event:
        case Halted():
            return "halted", "orders", f"{event.reason} (by {event.by})"
        case Resumed():
            return "resumed", "orders", f"{event.reason} (by {event.by})"
        case VenueDegraded():
            return "degraded", event.venue, f"{event.why}: {event.policy}"
        case VenueRestored():
            return "restored", event.venue, f"{event.reason} (by {event.by})"
        case _:
            return None
