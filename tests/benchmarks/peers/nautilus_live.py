"""NautilusTrader: its live node on uvloop, fed in process, with the sandbox venue.

``ticks``: trade ticks in batches of 64 until a Python strategy has seen them all.
``quote_to_fill``: a quote handed in, a market order on it, until `on_order_filled`;
one quote at a time; the median and the 99th percentile in µs.
``rss``: what is resident once it runs with one instrument, in megabytes.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from statistics import quantiles

import uvloop
from nautilus_common import VENUE, instrument
from nautilus_trader.adapters.sandbox.config import SandboxExecutionClientConfig
from nautilus_trader.adapters.sandbox.factory import SandboxLiveExecClientFactory
from nautilus_trader.common.providers import InstrumentProvider
from nautilus_trader.config import (
    LiveDataClientConfig,
    LiveDataEngineConfig,
    LiveExecEngineConfig,
    LiveRiskEngineConfig,
    LoggingConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.data_client import LiveMarketDataClient
from nautilus_trader.live.factories import LiveDataClientFactory
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.model.enums import AggressorSide, OrderSide
from nautilus_trader.model.identifiers import ClientId, TradeId, TraderId
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.trading.strategy import Strategy

TICKS = 50_000
BATCH = 64
QUOTES = 2_000
WARM_UP = 200
UNTHROTTLED = "100000000/00:00:01"
PAIR = instrument()


class Source(LiveMarketDataClient):
    """A data client without a network: the benchmark hands it what arrives."""

    made: Source

    def __init__(self, loop, msgbus, cache, clock):
        super().__init__(
            loop=loop,
            client_id=ClientId("SIM"),
            venue=VENUE,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            instrument_provider=InstrumentProvider(),
        )
        Source.made = self

    def publish(self, data):
        self._handle_data(data)

    async def _connect(self):
        self._handle_data(PAIR)

    async def _nothing(self, _command=None):
        pass

    _disconnect = _subscribe_trade_ticks = _subscribe_quote_ticks = _nothing
    _unsubscribe_trade_ticks = _unsubscribe_quote_ticks = _nothing


class SourceFactory(LiveDataClientFactory):
    """Makes the source; the node wants a factory."""

    @staticmethod
    def create(loop, name, config, msgbus, cache, clock):
        return Source(loop, msgbus, cache, clock)


class Trader(Strategy):
    """Counts ticks; buys and sells in turn on each quote."""

    def __init__(self):
        super().__init__()
        self.ticks = self.quotes = 0
        self.sent = 0.0
        self.taken_s = []

    def on_start(self):
        self.unit = PAIR.make_qty(1)
        self.subscribe_quote_ticks(PAIR.id, ClientId("SIM"))
        self.subscribe_trade_ticks(PAIR.id, ClientId("SIM"))

    def on_trade_tick(self, tick):
        self.ticks += 1

    def on_quote_tick(self, quote):
        self.quotes += 1
        side = OrderSide.BUY if self.quotes & 1 else OrderSide.SELL
        self.submit_order(self.order_factory.market(PAIR.id, side, self.unit))

    def on_order_filled(self, event):
        self.taken_s.append(time.perf_counter() - self.sent)


def node_of(strategy: Trader) -> TradingNode:
    """A node with the source, the sandbox and the strategy, built but not running."""
    sandbox = SandboxExecutionClientConfig(
        venue="SIM", starting_balances=["1000000000 USDT"]
    )
    config = TradingNodeConfig(
        trader_id=TraderId("BENCH-001"),
        logging=LoggingConfig(log_level="ERROR"),
        data_clients={"SIM": LiveDataClientConfig()},
        exec_clients={"SIM": sandbox},
        data_engine=LiveDataEngineConfig(qsize=1_000_000),
        risk_engine=LiveRiskEngineConfig(max_order_submit_rate=UNTHROTTLED),
        exec_engine=LiveExecEngineConfig(reconciliation=False),
        timeout_connection=10,
        timeout_disconnection=3,
        timeout_post_stop=1,
    )
    node = TradingNode(config=config, loop=asyncio.get_running_loop())
    node.trader.add_strategy(strategy)
    node.add_data_client_factory("SIM", SourceFactory)
    node.add_exec_client_factory("SIM", SandboxLiveExecClientFactory)
    node.kernel.cache.add_instrument(PAIR)
    node.build()
    return node


def price(number: int) -> float:
    """A walk without chance: a hundred cents up, and again."""
    return 100.0 + (number % 100) / 100


def ticks_of(count: int) -> list[TradeTick]:
    """Ticks as the engine's own objects; making them is not timed."""
    buyer, size = AggressorSide.BUYER, Quantity(1, 6)
    return [
        TradeTick(PAIR.id, Price(price(n), 2), size, buyer, TradeId(str(n)), n, n)
        for n in range(count)
    ]


async def ticks(strategy: Trader, node: TradingNode) -> dict[str, object]:
    """Ticks per second from the client to the strategy."""
    publish, data = Source.made.publish, ticks_of(TICKS)
    for _ in range(2):  # the first pass warms up
        strategy.ticks = 0
        began = time.perf_counter()
        for number, tick in enumerate(data, start=1):
            publish(tick)
            if number % BATCH == 0:
                await asyncio.sleep(0)
        while strategy.ticks < TICKS:  # noqa: ASYNC110
            await asyncio.sleep(0)
        took_s = time.perf_counter() - began
    return {"value": TICKS / took_s, "ticks": strategy.ticks}


async def quote_to_fill(strategy: Trader, node: TradingNode) -> dict[str, object]:
    """µs from a quote handed in to the strategy's `on_order_filled`."""
    size = Quantity(100, 6)
    for number in range(WARM_UP + QUOTES):
        now_ns = node.kernel.clock.timestamp_ns()
        bid, ask = Price(price(number), 2), Price(price(number) + 0.01, 2)
        quote = QuoteTick(PAIR.id, bid, ask, size, size, now_ns, now_ns)
        strategy.sent = time.perf_counter()
        Source.made.publish(quote)
        while len(strategy.taken_s) <= number:  # noqa: ASYNC110
            await asyncio.sleep(0)
    hundredths = quantiles(strategy.taken_s[WARM_UP:], n=100)
    return {
        "value": hundredths[49] * 1e6,
        "p99": hundredths[98] * 1e6,
        "fills": len(strategy.taken_s),
    }


async def rss(strategy: Trader, node: TradingNode) -> dict[str, object]:
    """MB of the process that are resident."""
    return {"value": resident_pages() * os.sysconf("SC_PAGE_SIZE") / 1e6}


def resident_pages() -> int:
    """As the kernel counts them."""
    return int(Path("/proc/self/statm").read_text().split()[1])


async def main() -> None:
    work = {"ticks": ticks, "quote_to_fill": quote_to_fill, "rss": rss}[sys.argv[2]]
    strategy = Trader()
    node = node_of(strategy)
    running = asyncio.create_task(node.run_async())
    while not strategy.is_running:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)  # the connections settle
    figures = await work(strategy, node)
    await node.stop_async()
    await asyncio.sleep(0.5)
    running.cancel()
    print(json.dumps(figures))


if __name__ == "__main__":
    uvloop.run(main())
