"""What two runs of the same strategies must have in common, whatever happened."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from holdfast_actors.ledger import Ledger
from holdfast_actors.orderbook import OrderBook
from holdfast_adapters.auditor import audit
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_domain import events as ev
from holdfast_domain.instruments import Instrument

ORDER_ID = re.compile(r"\b[0-9a-f]{16}([0-9a-f]{16})\b")
"""A client order id; its last 64 bits are strategy, decision and index."""


def plain(value: object) -> str:
    """Return ``value`` as text in which an order is (strategy, decision, index)."""
    return ORDER_ID.sub(r"\1", repr(value))


def read(journal: Path) -> list[ev.Entry]:
    """Return the records of a journal that nobody writes any more."""
    store = SqliteJournal(journal, 0, read_only=True)
    try:
        return list(store.read())
    finally:
        store.close()


def domain_records(entries: Iterable[ev.Entry]) -> list[tuple[int, int, str]]:
    """Return what was traded, in order: no operational kinds, no host, no epoch.

    A decision cites the last record that its strategy had taken; records are counted
    here without the operational ones.
    """
    numbers: dict[int, int] = {0: 0}
    rows: list[tuple[int, int, str]] = []
    for entry in entries:
        operational = isinstance(entry.event, ev.OPERATIONAL)
        numbers[entry.sequence] = len(rows) + (not operational)
        if operational:
            continue
        event = entry.event
        if isinstance(event, ev.DecisionMade):
            event = attrs.evolve(event, applied=numbers[event.applied])
        rows.append((entry.cursor, entry.market_time_us, plain(event)))
    return rows


def outcome(
    entries: Sequence[ev.Entry], instruments: Mapping[str, Instrument]
) -> dict[str, Any]:
    """Return what no fault may change: orders, fills, decisions and the ledger."""
    book = OrderBook()
    for entry in entries:
        book.apply(entry.event)
    events = [entry.event for entry in entries]
    ledger = Ledger(history=entries, instruments=instruments, venue="paper")
    return {
        "orders": {plain(key): _order(row) for key, row in book.rows.items()},
        "fills": [plain(e.fill) for e in events if isinstance(e, ev.OrderFilled)],
        "decisions": [
            plain(attrs.evolve(e, applied=0))
            for e in events
            if isinstance(e, ev.DecisionMade)
        ],
        "ledger": plain(sorted(ledger.sub_ledgers().items())),
        "parked": [e for e in events if isinstance(e, ev.ActorParked)],
        "quarantined": [e for e in events if isinstance(e, ev.Quarantined)],
        "finished": [plain(e) for e in events if isinstance(e, ev.RunFinished)],
    }


def _order(row: Any) -> tuple[object, ...]:
    return (row.strategy, plain(row.terms), row.state, row.filled, row.reason)


def complaints(state: Path) -> list[str]:
    """Return what the auditor finds between the journal and the venue in ``state``."""
    report = audit(state / "journal.sqlite", state / "venue-paper.sqlite")
    return [f"{c.name}: {line}" for c in report.checks for line in c.findings]
