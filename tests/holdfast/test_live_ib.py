"""`holdfast run` at Interactive Brokers: engines, and a TWS whose time goes fast."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random

import attrs
import pytest
import trio

from holdfast.cli import main
from holdfast.configuration import read_config
from holdfast.doctor import examine
from holdfast.listing import kept_hours
from holdfast.live import LiveRun, run_live
from holdfast.paper import run_entries
from holdfast.running import Observer
from holdfast_actors.messages import Halt
from holdfast_actors.tree import GUARD, Parts
from holdfast_adapters.auditor import audit
from holdfast_adapters.ib.hours import sessions_of
from holdfast_adapters.simulators.ib import (
    Desk,
    SimContract,
    TwsSimulator,
    serving_tws,
)
from holdfast_adapters.simulators.walk import walk
from holdfast_adapters.statedir import StateDir
from holdfast_adapters.tape import SqliteTape
from holdfast_domain import events as ev
from holdfast_domain.errors import InputError
from holdfast_domain.marketdata import us_of
from holdfast_runtime import LiveEngine

from .live_desk import PATIENCE_S, FastClock, open_by

pytest.importorskip("ib_async")

EXAMPLE = Path(__file__).parents[2] / "examples" / "ib_paper.yaml"
Enough = Callable[[Counter[str]], bool]


@attrs.define(eq=False)
class Office:
    simulator: TwsSimulator
    clock: FastClock
    port: int
    state: Path
    said: list[str] = attrs.field(factory=list)
    is_closed: bool = False
    """Whether nothing is traded."""

    async def settle(self, path: Path = EXAMPLE) -> None:
        """Halt, and run until all that is at the desk is known, fees too.

        The market is closed, and no new order leaves.
        """
        self.is_closed = True
        desk = self.simulator.desk

        def is_known(fills: Counter[str]) -> bool:
            working = {each.asked.order_ref for each in desk.open_orders()}
            halted = any(isinstance(e.event, ev.Halted) for e in self.entries())
            known = (
                fills.total() == len(desk.executions)
                # Told apart, one may be late, and is a correction then.
                and self.fees() == sum(each.commission for each in desk.executions)
                and open_by(self.entries()) == working
            )
            return halted and known

        def halt(engine: LiveEngine, _parts: Parts) -> None:
            engine.ref(GUARD).tell(Halt("to look at it", "test"))

        await self.run(is_known, path, halt)

    async def run(
        self, enough: Enough, path: Path = EXAMPLE, observe: Observer | None = None
    ) -> None:
        """Run until there are enough fills; a slow machine has its time."""
        address = f"127.0.0.1:{self.port}"
        variables = {"IB": address, "HOLDFAST_STATE": str(self.state)}
        config = read_config(path, variables)
        config = attrs.evolve(
            config, data=attrs.evolve(config.data, pulse_s=0.01), logging=None
        )
        with (
            trio.fail_after(PATIENCE_S),
            StateDir.open(self.state, os.getpid()) as directory,
        ):
            share = LiveRun(
                config=config, path=path, directory=directory,
                say=self.said.append, clock=self.clock, observe=observe,
            )  # fmt: skip
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(run_live, share)
                    while not (  # noqa: ASYNC110 - no one tells
                        directory.journal.exists() and enough(self.fills())
                    ):
                        await trio.sleep(0.1)
                    nursery.cancel_scope.cancel()
            except BaseExceptionGroup as group:
                raise group.exceptions[0] from None

    def entries(self) -> list[ev.Entry]:
        return run_entries(StateDir(self.state))

    def crashes(self) -> list[object]:
        """Which actors were restarted or given up, and why."""
        kinds = (ev.ActorRestarted, ev.ActorParked)
        return [e.event for e in self.entries() if isinstance(e.event, kinds)]

    def fills(self) -> Counter[str]:
        events = [each.event for each in self.entries()]
        return Counter(
            each.fill.strategy for each in events if isinstance(each, ev.OrderFilled)
        )

    def fees(self) -> Decimal:
        """What was booked as commission of own orders, corrections included."""
        total = Decimal(0)
        for entry in self.entries():
            event = entry.event
            if isinstance(event, ev.OrderFilled):
                total += event.fill.fee.amount
            elif isinstance(event, ev.FillCorrected | ev.FillBusted):
                total += sum(fill.fee.amount for fill in event.bookings)
        return total


@asynccontextmanager
async def office(
    state: Path,
    contract: SimContract = SimContract(),  # noqa: B008 - frozen
    past_days: int = 0,
    most: Decimal | None = None,
) -> AsyncIterator[Office]:
    """``most`` is how much the market trades at a time."""
    clock = FastClock()
    desk = Desk(
        [contract],
        Decimal(100_000),
        clock,
        record=state.with_suffix(".sqlite"),
        past_days=past_days,
    )
    simulator = TwsSimulator(desk)

    async def trade(here: Office) -> None:
        for price, quantity in walk(contract, Decimal(100), Random(3)):
            there = quantity if most is None else min(quantity, most)
            if not here.is_closed:
                desk.trade(contract.local, price, there)
            await trio.sleep(0.01)

    async with serving_tws(simulator) as port, trio.open_nursery() as nursery:
        opened = Office(simulator, clock, port, state)
        nursery.start_soon(trade, opened)
        yield opened
        nursery.cancel_scope.cancel()
    desk.record.close()


async def test_two_siblings_trade_through_faults_and_a_stop(tmp_path: Path) -> None:
    async with office(tmp_path / "state") as here:
        # The answer to the first order is lost with its connection.
        here.simulator.faults.on("lost_ack", "submit")
        await here.run(lambda fills: fills["fast"] >= 1)
        before = here.fills()["fast"]
        here.simulator.faults.on("torn_frame", "fills")
        await here.run(lambda fills: fills["fast"] >= before + 3 and fills["slow"] >= 1)
        await here.settle()
        record = {"ib": here.state.with_suffix(".sqlite")}
        report = audit(StateDir(here.state).journal, record)
        assert [line for check in report.checks for line in check.findings] == []
        assert here.crashes() == []
        contract = next(iter(here.simulator.desk.contracts.values()))
        told = sessions_of(contract.hours, contract.zone)
        assert kept_hours(StateDir(here.state)) == {"AAPL": told}


NEEDS = """\
from holdfast import Strategy


class Needs(Strategy):
    def initialize(self, context):
        self.asset = self.symbol("AAPL")
        self.needs(history=40)
        context.bars = 0

    def handle_data(self, context, data):
        assert len(data.history(self.asset, "close", 40)) == 40
        context.bars += 1
        if context.bars in (1, 9):
            self.order(self.asset, 1)
"""
CONFIG = """\
mode: paper
strategies: [{class: needs.py, name: fast}]
venues:
  ib: {adapter: ib, symbols: [AAPL], address: "${IB}"}
engine: {state: "${HOLDFAST_STATE}"}
data: {interval: 10s, grace_s: 5}
"""


async def test_a_strategy_has_its_history_and_what_was_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needs.py").write_text(NEEDS)
    path = tmp_path / "needs.yaml"
    path.write_text(CONFIG)
    async with office(tmp_path / "state", past_days=1) as here:
        await here.run(lambda fills: fills["fast"] >= 1, path)
        await here.run(lambda fills: fills["fast"] >= 2, path)
    with closing(SqliteTape(here.state / "tape.sqlite", "ib AAPL 10s ib")) as tape:
        told = list(tape.read())
    marks = [step.fetched for step in told]
    assert marks[:40] == ["before"] * 40
    assert marks.count("before") == 40
    assert {"", "in time"} <= set(marks)
    ends = [us_of(bar.ended_at) // 1_000_000 for step in told for bar in step.bars]
    # The desk trades all day, but for the 20 s between two trades of its past.
    assert set(gaps(ends[40:])) == {10}
    assert set(gaps(ends[:40])) <= {10, 20}
    # The tape makes the same records again, history and filled holes included.
    monkeypatch.setenv("HOLDFAST_STATE", str(here.state))
    monkeypatch.setenv("IB", "127.0.0.1:1")
    assert main(["replay", str(path)]) == 0


def gaps(ends: list[int]) -> list[int]:
    return [later - end for end, later in pairwise(ends)]


async def test_the_doctor_looks_at_tws(tmp_path: Path) -> None:
    async with office(tmp_path / "state") as here:
        config = read_config(EXAMPLE, {"IB": f"127.0.0.1:{here.port}"})
        found = [each async for each in examine(config, EXAMPLE, here.clock)]
    seen = {each.what: (each.verdict, each.text) for each in found}
    assert {verdict for verdict, _ in seen.values()} <= {"ok", "warning"}
    assert seen["TWS"][1].endswith("account DU1234567, on paper")
    assert seen["symbol AAPL"][1].startswith("tick 0.01, lot 1, hours")
    assert seen["market data"] == ("ok", "it is heard")


async def test_the_doctor_says_that_the_cash_of_a_future_is_not_compared(
    tmp_path: Path,
) -> None:
    path, text = tmp_path / "ib.yaml", EXAMPLE.read_text()
    future = "contracts: {ES: {symbol: ES, kind: FUT, exchange: CME}}"
    path.write_text(text.replace("symbols: [AAPL]", f"symbols: [ES]\n    {future}"))
    contract = SimContract(
        symbol="ES", kind="FUT", exchange="CME", local_symbol="ESH6", expiry="20260320"
    )
    async with office(tmp_path / "state", contract) as here:
        config = read_config(path, {"IB": f"127.0.0.1:{here.port}"})
        found = [each async for each in examine(config, path, here.clock)]
    (cash,) = (each for each in found if each.what == "cash of ES")
    assert cash.verdict == "warning"
    assert "set the policies of reconciliation to warn" in cash.text


async def test_the_doctor_without_tws() -> None:
    config = read_config(EXAMPLE, {"IB": "127.0.0.1:1"})
    found = [each async for each in examine(config, EXAMPLE)]
    assert (found[-1].what, found[-1].verdict) == ("TWS", "failed")


async def test_without_tws_nothing_starts(tmp_path: Path) -> None:
    variables = {"IB": "127.0.0.1:1", "HOLDFAST_STATE": str(tmp_path / "state")}
    config = read_config(EXAMPLE, variables)
    with StateDir.open(tmp_path / "state", os.getpid()) as directory:
        share = LiveRun(config=config, path=EXAMPLE, directory=directory)
        with pytest.raises(InputError, match=r"nobody listens at 127\.0\.0\.1:1"):
            await run_live(share)


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        ("${IB:-127.0.0.1:7497}", "127.0.0.1:7496", "where TWS has live accounts"),
        ("commission: 0.0005", "timezone: Mars", "expected a time zone, got 'Mars'"),
        (
            "commission: 0.0005",
            "credentials: {file: keys}",
            "an ib venue without any",
        ),
        (
            "commission: 0.0005",
            "contracts: {ES: {symbol: ES, kind: FUT, exchange: CME}}",
            "expected contracts of AAPL, got 'ES'",
        ),
        ("trades: true", "record: here", "expected data that is not recorded"),
    ],
)
def test_what_is_wrong_of_it_is_one_line(
    tmp_path: Path, was: str, now: str, words: str
) -> None:
    path = tmp_path / "ib.yaml"
    text = EXAMPLE.read_text()
    assert was in text
    path.write_text(text.replace(was, now))
    with pytest.raises(InputError, match=words):
        read_config(path, {})


def test_a_contract_that_is_no_stock(tmp_path: Path) -> None:
    path = tmp_path / "ib.yaml"
    future = 'contracts: {ES: {symbol: ES, kind: FUT, exchange: CME, expiry: "202603"}}'
    text = EXAMPLE.read_text().replace(
        "symbols: [AAPL]", f"symbols: [ES]\n    {future}"
    )
    path.write_text(text)
    (venue,) = read_config(path, {}).venues.values()
    assert venue.contracts["ES"].kind == "FUT"
