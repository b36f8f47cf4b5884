"""What two runs of the same strategies must have in common, whatever happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from holdfast.testing.outcome import plain
from holdfast_actors.ledger import Ledger
from holdfast_actors.orderbook import OrderBook
from holdfast_adapters.auditor import audit
from holdfast_adapters.journal.sqlite import SqliteJournal
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev
from holdfast_domain.instruments import Instrument


def read(journal: Path) -> list[ev.Entry]:
    """Return the records of a journal that nobody writes any more."""
    store = SqliteJournal(journal, 0, read_only=True)
    try:
        return list(store.read())
    finally:
        store.close()


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
            plain(replace(e, applied=0))
            for e in events
            if isinstance(e, ev.DecisionMade)
        ],
        "ledger": plain(sorted(ledger.sub_ledgers().items())),
        "parked": [e for e in events if isinstance(e, ev.ActorParked)],
        "quarantined": [e for e in events if isinstance(e, ev.Quarantined)],
        "finished": [plain(e) for e in events if isinstance(e, ev.RunFinished)],
    }


def unlike(expected: Mapping[str, Any], got: Mapping[str, Any]) -> list[str]:
    """Return where two outcomes begin to differ, a line or two for each part."""
    return [
        f"{part}: expected {mine}, got {its}"
        for part in expected
        if expected[part] != got[part]
        for mine, its in _first_two(expected[part], got[part])
    ]


def _first_two(mine: Any, its: Any) -> list[tuple[str, str]]:
    """Return the first two pairs that are unlike, each cut to a readable length."""
    if isinstance(mine, dict):
        mine, its = list(mine.items()), list(its.items())
    elif isinstance(mine, str):
        mine, its = mine.split("SubLedger"), its.split("SubLedger")
    pairs = zip_longest(mine, its, fillvalue="nothing")
    unequal = (pair for pair in pairs if pair[0] != pair[1])
    return [(str(a)[:300], str(b)[:300]) for a, b in islice(unequal, 2)]


def _order(row: Any) -> tuple[object, ...]:
    return (row.strategy, plain(row.terms), row.state, row.filled, plain(row.reason))


def complaints(state: Path) -> list[str]:
    """Return what the auditor finds between the journal and the venue in ``state``."""
    report = audit(state / "journal.sqlite", StateDir(state).venues())
    return [f"{c.name}: {line}" for c in report.checks for line in c.findings]
