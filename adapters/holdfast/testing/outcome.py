"""What no fault may change in a run, as plain values that can be compared."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from holdfast_actors.ledger import Ledger
from holdfast_actors.orderbook import OrderBook
from holdfast_domain import events as ev
from holdfast_domain.instruments import Instrument

ORDER_ID = re.compile(r"\b[0-9a-f]{16}([0-9a-f]{16})\b")
"""A client order id; its last 64 bits are strategy, decision and index."""


def plain(value: object) -> str:
    """Return ``value`` as text in which an order is (strategy, decision, index)."""
    return ORDER_ID.sub(r"\1", repr(value))


def domain_records(entries: Sequence[ev.Entry]) -> list[tuple[int, int, str]]:
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
            event = replace(event, applied=numbers[event.applied])
        rows.append((entry.cursor, entry.market_time_us, plain(event)))
    return rows


def outcome(
    entries: Sequence[ev.Entry], instruments: Mapping[str, Instrument], venue: str
) -> dict[str, list[str]]:
    """Return orders, fills, decisions and balances, and who was given up.

    Of each strategy its decisions are in order. Fills are sorted, without the venue's
    ids: an order that came later than a sibling's trades under a later one.
    """
    book = OrderBook()
    for entry in entries:
        book.apply(entry.event)
    events = [entry.event for entry in entries]
    fills = [e.fill for e in events if isinstance(e, ev.OrderFilled)]
    decisions = [e for e in events if isinstance(e, ev.DecisionMade)]
    decisions.sort(key=lambda each: each.strategy)
    ledger = Ledger(history=entries, instruments=instruments, venue=venue)
    rows = ((plain(key), row) for key, row in book.rows.items())
    given_up = (ev.ActorParked, ev.Quarantined)
    return {
        "orders": sorted(
            f"{key} {row.strategy} {plain(row.terms)} {row.state.value} "
            f"{row.filled} {plain(row.reason)}"
            for key, row in rows
        ),
        "fills": sorted(plain(replace(each, execution_id="")) for each in fills),
        "decisions": [plain(replace(each, applied=0)) for each in decisions],
        "balances": [plain(each) for each in sorted(ledger.sub_ledgers().items())],
        "parked or quarantined": [plain(e) for e in events if isinstance(e, given_up)],
        # A process that dies with its last record is followed by one that writes it.
        "end": [plain(e) for e in events if isinstance(e, ev.RunFinished)][:1],
    }


def difference(
    expected: Mapping[str, list[str]], actual: Mapping[str, list[str]]
) -> str:
    """Return where two outcomes first differ; empty if they do not."""
    for name, wanted in expected.items():
        came = actual[name]
        if wanted == came:
            continue
        pairs = zip(wanted, came, strict=False)
        same = next((n for n, (w, c) in enumerate(pairs) if w != c), None)
        at = min(len(wanted), len(came)) if same is None else same
        return (
            f"{name}: the first of {len(wanted)} that differs is number {at + 1}\n"
            f"  expected  {_at(wanted, at)}\n"
            f"  was       {_at(came, at)}"
        )
    return ""


def _at(values: Sequence[str], at: int) -> str:
    return values[at] if at < len(values) else "nothing"
