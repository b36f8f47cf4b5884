"""Holdfast: the memory of a live process that hears 100 instruments, in megabytes.

`holdfast run` in a process of its own, on paper over a market of trades that a server
here sends; then ten times as many trades. The figure is what is resident at the end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from random import Random

import trio

from holdfast.clocks import SystemClock
from holdfast_adapters.simulators.binance import (
    Account,
    BinanceSimulator,
    Exchange,
    SimSymbol,
)
from holdfast_adapters.simulators.serving import serving

INSTRUMENTS = 100
TRADES = 4_000
"""Of the first flood; the second is ten times as long."""

AT_ONCE = 50
SETTLES_S = 6.0
"""For the start, and for the last trades to be heard."""

STRATEGY = """\
from holdfast import Strategy, param


class Watcher(Strategy):
    symbol_names: str = param("")

    def initialize(self, context):
        context.assets = [self.symbol(each) for each in self.symbol_names.split()]
        context.ticks = 0

    def handle_data(self, context, data):
        for asset in context.assets:
            data.current(asset, "close")

    def on_tick(self, context, tick):
        context.ticks += 1
"""
CONFIG = """\
mode: paper
strategies:
  - class: watcher.py
    params: {{symbol_names: "{names}"}}
venues:
  binance:
    adapter: binance
    symbols: [{symbols}]
    address: http://127.0.0.1:{port}
data: {{interval: 1s, trades: true}}
engine: {{state: "{state}"}}
"""


def symbols() -> list[SimSymbol]:
    return [
        SimSymbol(name=f"C{number:03}USDT", base=f"C{number:03}")
        for number in range(INSTRUMENTS)
    ]


async def measure(folder: Path) -> dict[str, float]:
    listed = symbols()
    exchange = Exchange(listed, {"USDT": Decimal(1)}, SystemClock())
    simulator = BinanceSimulator(exchange, Account("key", "secret"))
    async with serving(simulator) as port:
        engine = _started(folder, [each.name for each in listed], port)
        try:
            while not simulator.sockets:
                _check(engine, folder)
                await trio.sleep(0.1)
            await trio.sleep(SETTLES_S)
            began = _resident_mb(engine.pid)
            await _flood(exchange, TRADES)
            first = _resident_mb(engine.pid)
            await _flood(exchange, 10 * TRADES)
            _check(engine, folder)
            last = _resident_mb(engine.pid)
        finally:
            engine.kill()
            engine.wait()
    return {"value": last, "at_start": began, "after_the_first": first}


def _started(folder: Path, names: list[str], port: int) -> subprocess.Popen[bytes]:
    (folder / "watcher.py").write_text(STRATEGY)
    config = folder / "run.yaml"
    config.write_text(
        CONFIG.format(
            names=" ".join(names),
            symbols=", ".join(names),
            port=port,
            state=folder / "state",
        )
    )
    command = [sys.executable, "-m", "holdfast", "run", str(config)]
    environment = {**os.environ, "HOLDFAST_DATA_DIR": str(folder / "data")}
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env=environment)


async def _flood(exchange: Exchange, count: int) -> None:
    """Trade so often, and wait until all of it must have been heard."""
    random, names = Random(1), list(exchange.symbols)
    for number in range(count):
        price = Decimal(50_000 + random.randint(-500, 500)) / 100
        exchange.trade(names[number % INSTRUMENTS], price, Decimal("0.5"))
        if number % AT_ONCE == AT_ONCE - 1:
            await trio.sleep(0.02)
    await trio.sleep(SETTLES_S)


def _check(engine: subprocess.Popen[bytes], folder: Path) -> None:
    if engine.poll() is not None:
        sys.exit(f"the engine ended: {(folder / 'log').read_text()}")


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as where:
        print(json.dumps(trio.run(measure, Path(where))))
