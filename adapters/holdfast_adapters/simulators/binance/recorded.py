"""A market that was recorded: its trades, as the exchange on the desk can tell them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import attrs

from holdfast_adapters.streams.recording import Kind, records


@attrs.frozen
class RecordedTrade:
    """A trade of the market, and when it was heard."""

    at_ns: int
    symbol: str
    price: Decimal
    quantity: Decimal


def recorded_trades(folder: Path) -> Iterator[RecordedTrade]:
    """Yield the trades of a recording of Binance's streams, in the order of coming.

    What else was recorded is passed over, and so is a trade that was heard twice, on
    two connections.

    Raises:
        RecordingDamaged: a record does not fit its checksum.
    """
    last: dict[str, int] = {}
    for record in records(folder):
        if record.kind is not Kind.HEARD:
            continue
        trade = _trade(record.payload)
        if trade is not None and trade["t"] > last.get(trade["s"], -1):
            last[trade["s"]] = trade["t"]
            try:
                price, quantity = Decimal(trade["p"]), Decimal(trade["q"])
            except InvalidOperation:
                continue
            yield RecordedTrade(record.at_ns, trade["s"], price, quantity)


def _trade(payload: bytes) -> dict[str, Any] | None:
    """Return the event of a trade with the exchange's names, if it is one."""
    try:
        message = json.loads(payload)
        event = message.get("data", message)
        if event["e"] == "aggTrade":  # of futures: several as one, with its own number
            event = {**event, "e": "trade", "t": event["a"]}
        is_trade = event["e"] == "trade"
    except (ValueError, AttributeError, KeyError, TypeError):
        return None
    known = is_trade and isinstance(event.get("t"), int)
    return event if known and {"s", "p", "q"} <= event.keys() else None
