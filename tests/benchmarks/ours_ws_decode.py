"""Holdfast: recorded Binance trades, from a socket to domain events in a reader's hand.

The figure is that of the processor: messages per second of one core's time, so that a
busy machine and the server's own speed count for nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from random import Random

import msgspec
import trio
from feed import MESSAGES, served

from holdfast_adapters.streams import (
    Ask,
    Confirmed,
    Data,
    Heard,
    Stream,
    StreamClient,
    StreamPlan,
    Subscription,
)
from holdfast_domain.marketdata import Trade, utc_from_us

KEY = "btcusdt@trade"


class TradeRow(msgspec.Struct):
    """The fields of a trade that are wanted."""

    t: int
    p: str
    q: str
    T: int
    m: bool


class Envelope(msgspec.Struct):
    """A combined stream's message."""

    stream: str = ""
    data: TradeRow | None = None
    end: int = 0


class Trades:
    """What is needed of Binance's words, which repeat: so nothing numbers them."""

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(Envelope).decode

    def login(self) -> Ask | None:
        return None

    def subscribe(self, keys: Sequence[str]) -> Sequence[Ask]:
        return [Ask(payload="go")]

    def unsubscribe(self, keys: Sequence[str]) -> Sequence[Ask]:
        return []

    def heartbeat(self) -> Ask | None:
        return None

    def read(self, payload: bytes, received_s: float) -> Sequence[Heard]:
        envelope = self._decode(payload)
        row = envelope.data
        if row is None:
            return [Confirmed(keys=(KEY,)), Data(key=KEY, value=None, received_s=0.0)]
        trade = Trade(
            instrument="BTCUSDT",
            traded_at=utc_from_us(row.T * 1_000),
            price=float(row.p),
            size=float(row.q),
            id=str(row.t),
            is_buy=not row.m,
        )
        return [Data(key=envelope.stream, value=trade, received_s=received_s)]


async def measure(url: str) -> float:
    client = StreamClient(
        Stream(StreamPlan(url=url, inbox_max=200_000), Trades, Random(0))
    )
    client.stream.subscribe([Subscription(key=KEY)], trio.current_time())
    events = 0
    async with trio.open_nursery() as nursery:
        began_s = time.process_time()
        nursery.start_soon(client.run)
        while events < MESSAGES:
            events += sum(
                type(event) is Data and type(event.value) is Trade
                for event in await client.batch()
            )
        took_s = time.process_time() - began_s
        nursery.cancel_scope.cancel()
    assert events == MESSAGES
    return MESSAGES / took_s


if __name__ == "__main__":
    with served() as address:
        print(json.dumps({"value": trio.run(measure, address), "messages": MESSAGES}))
