"""`holdfast run`, in this process, on an exchange on the desk whose time goes fast."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import attrs
import pytest
import trio

from holdfast.cli import main
from holdfast.clocks import SystemClock
from holdfast.configuration import read_config
from holdfast.live import LiveRun, run_live
from holdfast.logs import Logs
from holdfast.paper import run_entries
from holdfast_adapters.auditor import audit
from holdfast_adapters.simulators.binance import (
    Account,
    BinanceSimulator,
    Exchange,
    SimSymbol,
)
from holdfast_adapters.simulators.binance.walk import walk
from holdfast_adapters.simulators.serving import serving
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev
from holdfast_domain.errors import InputError
from holdfast_domain.marketdata import utc_from_us

EXAMPLE = Path(__file__).parents[2] / "examples" / "binance_paper.yaml"
FASTER = 25
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

    def config(self, path: Path) -> Any:
        address = f"http://127.0.0.1:{self.port}"
        set_ = {"BINANCE": address, "HOLDFAST_STATE": str(self.state)}
        config = read_config(path, {**set_, "KEY": KEY, "SECRET": SECRET})
        data = attrs.evolve(config.data, pulse_s=0.01)
        return attrs.evolve(config, data=data)

    async def run(self, path: Path, enough: Callable[[list[ev.Entry]], bool]) -> None:
        """Run until there is enough in the journal, or a minute is over."""
        with trio.fail_after(60), StateDir.open(self.state, os.getpid()) as directory:
            share = LiveRun(
                config=self.config(path), path=path, directory=directory,
                say=self.said.append, clock=self.clock, logs=Logs("json", "debug"),
            )  # fmt: skip
            async with trio.open_nursery() as nursery:
                nursery.start_soon(run_live, share)
                while not (  # noqa: ASYNC110 - no one tells
                    directory.journal.exists() and enough(self.entries())
                ):
                    await trio.sleep(0.2)
                nursery.cancel_scope.cancel()

    def entries(self) -> list[ev.Entry]:
        return run_entries(StateDir(self.state))

    def complaints(self) -> list[str]:
        directory = StateDir(self.state)
        report = audit(directory.journal, directory.venues())
        return [text for check in report.checks for text in check.findings]


@asynccontextmanager
async def desk(state: Path) -> AsyncIterator[Desk]:
    clock, symbol = FastClock(), SimSymbol()
    funds = {"USDT": Decimal(100_000)}
    exchange = Exchange(
        [symbol], funds, clock, record=state.with_suffix(".sqlite"),
        order_of=lambda name: name[:32],
    )  # fmt: skip
    simulator = BinanceSimulator(exchange, Account(KEY, SECRET))

    async def trade() -> None:
        for price, quantity in walk(symbol, Decimal(50_000), Random(3)):
            exchange.trade(symbol.name, price, quantity)
            await trio.sleep(0.01)

    async with serving(simulator) as port, trio.open_nursery() as nursery:
        nursery.start_soon(trade)
        yield Desk(simulator, clock, port, state)
        nursery.cancel_scope.cancel()
    exchange.record.close()


def fills(entries: list[ev.Entry]) -> Counter[str]:
    found = [e.event.fill for e in entries if isinstance(e.event, ev.OrderFilled)]
    return Counter(fill.strategy for fill in found)


async def test_the_example_trades_two_siblings_and_goes_on_after_a_stop(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path / "state") as here:
        await here.run(EXAMPLE, lambda entries: fills(entries)["fast"] >= 2)
        before = fills(here.entries())
        # The connection breaks, and the feed lives on.
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_break, here)
            await here.run(
                EXAMPLE,
                lambda entries: (
                    fills(entries)["fast"] >= before["fast"] + 2
                    and fills(entries)["slow"] >= 1
                    and any("is heard after" in text for text in here.said)
                ),
            )
        assert here.complaints() == []
        kinds = Counter(type(entry.event) for entry in here.entries())
        assert kinds[ev.EngineStarted] == 2
        assert kinds[ev.ActorRestarted] == kinds[ev.ActorParked] == 0


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


async def test_an_account_is_traded_and_nothing_is_lost_on_the_way(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "live.yaml"
    path.write_text(LIVE.replace("STRATEGIES", str(EXAMPLE.parent / "strategies")))
    async with desk(tmp_path / "state") as here:
        # Its answer is lost, and its fills come by the stream, or are asked for.
        here.simulator.faults.on("lost_ack", "submit")
        await here.run(path, lambda entries: fills(entries)["slow"] >= 1)
        here.simulator.faults.on("torn_ack", "submit")
        here.simulator.faults.on("closed", "user_stream", skip=2)
        before = fills(here.entries())["fast"]
        await here.run(path, lambda entries: fills(entries)["fast"] >= before + 3)
        # What the exchange recorded is judged against what the engine booked.
        record = {"binance": here.state.with_suffix(".sqlite")}
        report = audit(StateDir(here.state).journal, record)
        assert [line for check in report.checks for line in check.findings] == []
        kinds = Counter(type(entry.event) for entry in here.entries())
        assert kinds[ev.OrderUnknown] > 0
        assert kinds[ev.ActorRestarted] == kinds[ev.ActorParked] == 0
    written = files_under(tmp_path)
    assert len(written) > 4
    assert [name for name, each in written.items() if SECRET.encode() in each] == []
    assert SECRET not in "".join(here.said) + capfd.readouterr().err


def files_under(folder: Path) -> dict[str, bytes]:
    found = (each for each in folder.rglob("*") if each.is_file())
    return {each.name: each.read_bytes() for each in found}


async def _break(here: Desk) -> None:
    while not any(  # noqa: ASYNC110 - no one tells
        "is heard" in text for text in here.said
    ):
        await trio.sleep(0.05)
    await trio.sleep(0.3)
    for socket in here.simulator.sockets:
        socket.reset()


async def test_a_symbol_that_is_not_listed_is_one_line(tmp_path: Path) -> None:
    async with desk(tmp_path / "state") as here:
        config = here.config(EXAMPLE)
        venue = attrs.evolve(config.venues["binance"], symbols=("NOSUCH",))
        with StateDir.open(here.state, os.getpid()) as directory:
            share = LiveRun(
                config=attrs.evolve(config, venues={"binance": venue}),
                path=EXAMPLE, directory=directory, clock=here.clock,
            )  # fmt: skip
            with pytest.raises(InputError, match=r"knows the symbols.*Invalid symbol"):
                await run_live(share)


@pytest.mark.parametrize(
    ("mode", "given", "said"),
    [("live", [], "consent"), ("paper", ["--live"], "mode: live with --live")],
)
def test_money_needs_consent(
    mode: str, given: list[str], said: str, tmp_path: Path, capsys: Any
) -> None:
    path = tmp_path / "holdfast.yaml"
    who = "adapter: binance\n    credentials: {key: '${HOME}', secret: '${HOME}'}"
    text = EXAMPLE.read_text().replace("mode: paper", f"mode: {mode}")
    path.write_text(text.replace("adapter: binance", who))
    assert main(["run", str(path), *given]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
