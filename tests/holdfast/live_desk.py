"""An exchange on the desk whose time goes fast, and engines that trade there."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import attrs
import trio

from holdfast.account import AtVenue
from holdfast.clocks import SystemClock
from holdfast.configuration import read_config
from holdfast.live import LiveRun, run_live
from holdfast.logs import Logs
from holdfast.paper import run_entries
from holdfast_actors.messages import Halt
from holdfast_actors.parts import Parts
from holdfast_actors.places import GUARD
from holdfast_adapters.auditor import audit
from holdfast_adapters.simulators.binance import (
    Account,
    BinanceSimulator,
    Exchange,
    SimSymbol,
)
from holdfast_adapters.simulators.binance.futures import (
    FuturesExchange,
    FuturesSimulator,
)
from holdfast_adapters.simulators.serving import serving
from holdfast_adapters.simulators.walk import walk
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev
from holdfast_domain.marketdata import utc_from_us
from holdfast_runtime import Backoff, LiveEngine

EXAMPLE = Path(__file__).parents[2] / "examples" / "binance_paper.yaml"
FASTER = 25
PATIENCE_S = 600.0
QUICKLY = Backoff(first_s=0.02, limit_s=0.1)
KEY, SECRET = "a-key-of-the-desk", "a-secret-of-the-desk"


class FastClock:
    """The host's clock, some times faster."""

    def __init__(self) -> None:
        self._began_us = SystemClock().now_us()

    def now_us(self) -> int:
        return self._began_us + (SystemClock().now_us() - self._began_us) * FASTER

    def now(self) -> datetime:
        return utc_from_us(self.now_us())


@attrs.define(eq=False)
class Desk:
    """An exchange, and what a run at it needs."""

    simulator: BinanceSimulator
    clock: FastClock
    port: int
    state: Path
    said: list[str] = attrs.field(factory=list)
    engine: LiveEngine | None = None
    """That of the run under way, or of the last one."""

    parts: Parts | None = None

    is_closed: bool = False
    """Whether nothing is traded at the exchange."""

    def config(self, path: Path) -> Any:
        address = f"http://127.0.0.1:{self.port}"
        set_ = {"BINANCE": address, "HOLDFAST_STATE": str(self.state)}
        config = read_config(path, {**set_, "KEY": KEY, "SECRET": SECRET})
        data = attrs.evolve(config.data, pulse_s=0.01)
        return attrs.evolve(config, data=data)

    async def run(
        self,
        path: Path,
        enough: Callable[[list[ev.Entry]], bool],
        account: AtVenue | None = None,
        *,
        settled: bool = False,
    ) -> None:
        """Run until there is enough in the journal; a slow machine has its time.

        A stop amid trading leaves to the next start what the exchange did meanwhile.
        ``settled`` leaves nothing.
        """
        self.engine = self.parts = None
        with (
            trio.fail_after(PATIENCE_S),
            StateDir.open(self.state, os.getpid()) as directory,
        ):
            share = LiveRun(
                config=self.config(path), path=path, directory=directory,
                say=self.said.append, clock=self.clock, logs=Logs("json", "debug"),
                account=account, observe=self._is_up, backoff=QUICKLY,
            )  # fmt: skip
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(run_live, share)
                    while not (  # noqa: ASYNC110 - no one tells
                        directory.journal.exists() and enough(self.entries())
                    ):
                        await trio.sleep(0.2)
                    if settled:
                        await self.settle()
                    nursery.cancel_scope.cancel()
            except BaseExceptionGroup as group:
                raise group.exceptions[0] from None

    async def settle(self) -> None:
        """Close the market, halt, and wait until the journal has all that happened."""
        self.is_closed = True
        is_told = False
        while not (is_told and self._is_known()):
            if self.engine is not None and not is_told:
                self.engine.ref(GUARD).tell(Halt("to look at it", "test"))
                is_told = True
            await trio.sleep(0.05)

    def _is_known(self) -> bool:
        entries, exchange = self.entries(), self.simulator.exchange
        kinds = [type(entry.event) for entry in entries]
        working = {order_of(each.client_id) for each in exchange.open_orders()}
        return (
            ev.Halted in kinds
            and kinds.count(ev.OrderFilled) == len(exchange.trades)
            and open_by(entries) == working
        )

    def _is_up(self, engine: LiveEngine, parts: Parts) -> None:
        self.engine, self.parts = engine, parts

    def entries(self) -> list[ev.Entry]:
        return run_entries(StateDir(self.state))

    def complaints(self) -> list[str]:
        directory = StateDir(self.state)
        report = audit(directory.journal, directory.venues())
        return [text for check in report.checks for text in check.findings]


def open_by(entries: list[ev.Entry]) -> set[str]:
    """Return which orders are open by a journal."""
    found: set[str] = set()
    for each in entries:
        match each.event:
            case ev.OrderIntended(order_id=order_id):
                found.add(order_id)
            case ev.OrderFilled(complete=True, fill=fill):
                found.discard(fill.order_id)
            case ev.OrderReopened(order_id=order_id):
                found.add(order_id)
            case (
                ev.OrderRejected(order_id=order_id)
                | ev.OrderCanceled(order_id=order_id)
                | ev.OrderExpired(order_id=order_id)
                | ev.OrderNotPlaced(order_id=order_id)
            ):
                found.discard(order_id)
            case _:
                pass
    return found


def order_of(client_id: str) -> str:
    return client_id[:32]


@asynccontextmanager
async def desk(
    state: Path,
    *,
    futures: bool = False,
    past_days: int = 0,
    symbols: tuple[SimSymbol, ...] = (SimSymbol(),),
) -> AsyncIterator[Desk]:
    clock = FastClock()
    funds, who = {"USDT": Decimal(100_000)}, Account(KEY, SECRET)
    record = state.with_suffix(".sqlite")
    simulator: BinanceSimulator
    if futures:
        simulator = FuturesSimulator(
            FuturesExchange(symbols, funds, clock, record=record, order_of=order_of),
            who,
        )
    else:
        simulator = BinanceSimulator(
            Exchange(
                symbols,
                funds,
                clock,
                record=record,
                order_of=order_of,
                past_days=past_days,
            ),
            who,
        )
    exchange = simulator.exchange

    async def trade(symbol: SimSymbol, here: Desk) -> None:
        for price, quantity in walk(symbol, Decimal(50_000), Random(3)):
            if not here.is_closed:
                exchange.trade(symbol.name, price, quantity)
            await trio.sleep(0.01)

    async with serving(simulator) as port, trio.open_nursery() as nursery:
        here = Desk(simulator, clock, port, state)
        for symbol in symbols:
            nursery.start_soon(trade, symbol, here)
        yield here
        nursery.cancel_scope.cancel()
    exchange.record.close()


LIVE = """\
mode: live
strategies:
  - class: STRATEGIES/breakout.py
    name: fast
    params: {symbol_name: BTCUSDT, window: 2}
    capital: 20000
  - class: STRATEGIES/breakout.py
    name: slow
    params: {symbol_name: BTCUSDT, window: 5}
    capital: 20000
venues:
  binance:
    adapter: binance
    symbols: [BTCUSDT]
    address: ${BINANCE}
    credentials: {key: "${KEY}", secret: "${SECRET}"}
data: {interval: 1s, grace_s: 0.5}
engine: {state: "${HOLDFAST_STATE}"}
logging: {format: json, level: debug}
"""


def live_config(folder: Path) -> Path:
    """A configuration that trades the account."""
    path = folder / "live.yaml"
    path.write_text(LIVE.replace("STRATEGIES", str(EXAMPLE.parent / "strategies")))
    return path


TURNING = """\
from holdfast import Context, Strategy, param


class Turns(Strategy):
    \"\"\"Goes from one side to the other, with quiet times between.\"\"\"

    symbol_name = param("BTCUSDT")

    def initialize(self, context: Context) -> None:
        self.asset = self.symbol(self.symbol_name)
        context.bars = 0

    def handle_data(self, context: Context, data: object) -> None:
        context.bars += 1
        if context.bars % 15 == 0 and not self.get_open_orders(self.asset):
            held = context.portfolio.amount("BTCUSDT")
            self.order(self.asset, "-0.05" if held >= 0 else "0.08")
"""


def futures_config(folder: Path) -> Path:
    """One that trades an account at the futures, from one side to the other."""
    (folder / "turns.py").write_text(TURNING)
    text = LIVE.replace("STRATEGIES/breakout.py", "turns.py")
    text = text.replace("adapter: binance", "adapter: binance_futures")
    for window in (2, 5):
        text = text.replace(f", window: {window}", "")
    switch = "connection: {cancel_all_after_s: 8}\n    credentials:"
    text = text.replace("credentials:", switch)
    path = folder / "futures.yaml"
    path.write_text(text)
    return path
