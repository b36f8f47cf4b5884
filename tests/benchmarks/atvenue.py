"""A live run at a Binance simulator over loopback sockets, in one process.

It is the run of ``holdfast run``, from its configuration on. Both ends of the sockets
are here, so that a core that slept, and another process that must be woken, count for
nothing. What is noted lies here, where a strategy's module finds it: in its state it
has no place.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import trio

import holdfast.live
import holdfast.running
from holdfast.account import AtVenue, lock_at
from holdfast.clocks import SystemClock
from holdfast.configuration import read_config
from holdfast.hosts import Hosts
from holdfast.live import LiveRun, run_live
from holdfast_actors.places import FEEDS, JOURNAL
from holdfast_adapters.journal.memory import MemoryJournal
from holdfast_adapters.simulators.binance import (
    Account,
    BinanceSimulator,
    Exchange,
    SimSymbol,
)
from holdfast_adapters.simulators.serving import serving
from holdfast_adapters.statedir import StateDir
from holdfast_adapters.tape import SqliteTape

SYMBOL = "BTCUSDT"
FIRST_PRICE = 50_000
KEY, SECRET = "a-key-of-the-desk", "a-secret-of-the-desk"
CONFIG = """\
mode: {mode}
strategies: [{{class: strategy.py, capital: 1000000}}]
venues:
  binance:
    adapter: binance
    symbols: [BTCUSDT]
    address: http://127.0.0.1:{port}
    credentials: {{key: "${{KEY}}", secret: "${{SECRET}}"}}
data: {{interval: 1s, grace_s: 0.1, trades: true, history: false}}
engine: {{state: "{state}"}}
"""
HEAD = """\
import time

import atvenue
from holdfast import Strategy


"""
LIMIT_S = 120.0

ordered_s: dict[str, float] = {}
"""By client id, when a strategy began to order."""

heard_s: dict[float, float] = {}
"""By price, when a strategy's handler began."""

heard = [trio.Event()]
"""Set by the strategy at each message."""

left_s: dict[bytes, float] = {}
"""By its bytes, when something was given to a socket: just before the system had it."""

came_s: dict[bytes, float] = {}
"""By its bytes, when something was taken from a socket."""


class _Inline:
    """A host without a thread, for what does not block."""

    async def run(
        self, call: Callable[..., Any], *args: object, deadline_s: float
    ) -> Any:
        del deadline_s
        return call(*args)

    def close(self) -> None:
        pass


class _NoTape(SqliteTape):
    """A tape on which nothing is made durable."""

    def append(self, steps: Sequence[Any]) -> None:
        self._next += len(steps)


class _NoJournal(MemoryJournal):
    """A journal that has no file."""

    def __init__(self, path: Path, engine: int) -> None:
        del path
        super().__init__(engine)

    def compact(self, upto: int) -> int:
        """Move nothing: there is no archive."""
        del upto
        return 0


class _NoDisk(Hosts):
    """Hosts of a run that makes nothing durable while it is measured."""

    def open(self, path: str) -> Any:
        return _Inline() if path.startswith((FEEDS, JOURNAL)) else super().open(path)


def without_disk() -> None:
    """Let the run of this process make nothing durable: no tape, and no journal."""
    setattr(holdfast.live, "SqliteTape", _NoTape)  # noqa: B010 - for mypy
    setattr(holdfast.running, "Hosts", _NoDisk)  # noqa: B010 - for mypy
    setattr(holdfast.running, "SqliteJournal", _NoJournal)  # noqa: B010 - for mypy


def note_what_passes() -> None:
    """Note what passes any socket of this process."""
    send_all, receive_some = trio.SocketStream.send_all, trio.SocketStream.receive_some

    async def sending(stream: trio.SocketStream, data: bytes) -> None:
        left_s[bytes(data)] = time.perf_counter()
        await send_all(stream, data)

    async def receiving(
        stream: trio.SocketStream, max_bytes: int | None = None
    ) -> bytes | bytearray:
        data = await receive_some(stream, max_bytes)
        came_s[bytes(data)] = time.perf_counter()
        return data

    setattr(trio.SocketStream, "send_all", sending)  # noqa: B010 - for mypy
    setattr(trio.SocketStream, "receive_some", receiving)  # noqa: B010 - for mypy


@asynccontextmanager
async def running(
    folder: Path, strategy: str, mode: str
) -> AsyncIterator[BinanceSimulator]:
    """Run ``strategy``, the text of its class, while the block runs.

    The block begins when the market is heard.
    """
    (folder / "strategy.py").write_text(HEAD + strategy)
    path, state = folder / "run.yaml", folder / "state"
    funds = {"USDT": Decimal(10**9), "BTC": Decimal(1000)}
    exchange = Exchange([SimSymbol()], funds, SystemClock())
    simulator = BinanceSimulator(exchange, Account(KEY, SECRET))
    with trio.fail_after(LIMIT_S), StateDir.open(state, os.getpid()) as directory:
        async with serving(simulator) as port, trio.open_nursery() as nursery:
            path.write_text(CONFIG.format(mode=mode, port=port, state=state))
            config = read_config(path, {"KEY": KEY, "SECRET": SECRET})
            account = None
            if mode == "live":
                account = AtVenue(lock_at(folder, "binance", "", KEY, testnet=True))
            is_heard = trio.Event()

            def say(text: str) -> None:
                if "is heard" in text:
                    is_heard.set()

            share = LiveRun(
                config=config, path=path, directory=directory, account=account, say=say
            )
            nursery.start_soon(run_live, share)
            await is_heard.wait()
            yield simulator
            nursery.cancel_scope.cancel()
