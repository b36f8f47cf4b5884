"""Make the sample recording: what the exchange on the desk tells in five minutes.

Nothing of it was heard at a real exchange: prices walk at random, from a seed. Run it
in the folder of this file; it comes out byte for byte.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from random import Random  # noqa: TID251 - the seed is below

from holdfast_adapters.simulators.binance import Exchange, SimSymbol
from holdfast_adapters.simulators.walk import walk
from holdfast_adapters.streams.recording import Recorder
from holdfast_domain.marketdata import utc_from_us

FIRST_US = 1_772_000_000_000_000
TRADES, GAP_US, SEED = 1200, 250_000, 11


class Stopwatch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.us = FIRST_US

    def now_us(self) -> int:
        return self.us

    def now(self) -> datetime:
        return utc_from_us(self.us)


def frames(clock: Stopwatch) -> Iterator[bytes]:
    """Yield the trades of a market, as a combined stream tells them."""
    symbol, told = SimSymbol(), list[bytes]()
    exchange = Exchange([symbol], {}, clock)

    def tell(stream: str, event: object) -> None:
        if stream.endswith("@trade"):
            told.append(json.dumps({"stream": stream, "data": event}).encode())

    exchange.on_market.append(tell)
    steps = walk(symbol, Decimal(60_000), Random(SEED))
    for _, (price, quantity) in zip(range(TRADES), steps, strict=False):
        exchange.trade(symbol.name, price, quantity)
        yield told.pop()
        clock.us += GAP_US


def main(folder: Path) -> None:
    """Write the recording."""
    folder.mkdir(exist_ok=True)
    clock = Stopwatch()
    recorder = Recorder(folder, lambda: clock.us * 1000)
    recorder.connected(1)
    for frame in frames(clock):
        recorder.heard(1, frame)
    recorder.ended(1, "the end of the sample")
    recorder.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "btcusdt"))
