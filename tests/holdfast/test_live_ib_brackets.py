"""Brackets with an account at Interactive Brokers, whatever it does with the exits."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast.running import Observer
from holdfast_actors.tree import GUARD, ORDERS, Parts, session_path
from holdfast_adapters.auditor import audit
from holdfast_adapters.ib import IBVenue
from holdfast_adapters.ib.venue import PROMISES
from holdfast_adapters.simulators.ib import Exits, Parked
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev
from holdfast_domain.money import ZERO
from holdfast_runtime import Killed, LiveEngine

from .test_live_ib import EXAMPLE, Office, office
from .test_live_ib_lists import legs
from .test_live_lists import BRACKETS, exits

pytest.importorskip("ib_async")

PLACE, CANCEL, EXECUTIONS = "3", "4", "7"
"""Requests to TWS."""

BEYOND = "exits filled beyond what binds them"
TORN = "lists at the venue that are not whole"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let absence be proven soon: the desk is quick."""
    promises = replace(PROMISES, processing_bound_s=2.0)
    monkeypatch.setattr(IBVenue, "promises", promises)


def config(tmp_path: Path, *, alone: bool = False) -> Path:
    strategy = BRACKETS.replace('"0.02"', "6").replace("BTCUSDT", "AAPL")
    (tmp_path / "brackets.py").write_text(strategy)
    text = EXAMPLE.read_text().replace("strategies/breakout.py", "brackets.py")
    text = text.replace("window: 5", "far: 0.0005")
    text = text.replace("window: 20, invested: 0.9", "far: 0.001")
    if alone:
        before, _, after = text.partition("  - class: brackets.py\n    name: slow")
        text = before + "venues:" + after.partition("venues:")[2]
    path = tmp_path / "brackets.yaml"
    path.write_text(text)
    return path


def findings(here: Office, *but: str) -> list[str]:
    """What the auditor finds, but for the checks named here."""
    record = {"ib": here.state.with_suffix(".sqlite")}
    report = audit(StateDir(here.state).journal, record)
    return [
        f"{check.name}: {line}"
        for check in report.checks
        if check.name not in but
        for line in check.findings
    ]


def kinds(here: Office) -> Counter[type]:
    return Counter(type(entry.event) for entry in here.entries())


@pytest.mark.parametrize("rule", list(Exits))
async def test_brackets_are_traded_whatever_becomes_of_their_exits(
    tmp_path: Path, rule: Exits
) -> None:
    path = config(tmp_path)
    async with office(tmp_path / "state", most=Decimal(4)) as here:
        here.simulator.desk.brackets.exits = rule
        here.simulator.faults.on("lost_ack", "submit", skip=2)
        await here.run(lambda _: exits(here.entries()).total() >= 4, path)
        here.simulator.faults.on("closed", "fills", skip=2)
        before = exits(here.entries()).total()
        await here.run(lambda _: exits(here.entries()).total() >= before + 6, path)
        await here.settle(path)
        # At full size they may sell more than was bought: the auditor tells it.
        assert findings(here, *([BEYOND] if rule is Exits.FULL else [])) == []
        assert here.crashes() == []
        traded = Counter(type(e) for told in legs(here).values() for e in told)
        assert traded[ev.OrderFilled] >= 10
        assert traded[ev.OrderCanceled] >= 3
        calls = [
            each.event.why
            for each in here.entries()
            if isinstance(each.event, ev.AttentionNeeded)
        ]
        assert rule is Exits.FULL or not [why for why in calls if "its entry" in why]
        assert rule is not Exits.WAIT or not traded[ev.OrderReplaced]


@pytest.mark.parametrize("parked", list(Parked))
async def test_a_bracket_that_is_torn_or_refused_in_part_is_ended(
    tmp_path: Path, parked: Parked
) -> None:
    path = config(tmp_path, alone=True)
    async with office(tmp_path / "state") as here:
        here.simulator.desk.brackets.parked = parked
        faults = here.simulator.faults
        faults.on("lost_request", "submit", skip=1)
        await here.run(lambda fills: fills["fast"] >= 2, path)
        faults.on("lost_request", "submit", skip=2)
        refused = [faults.on("refused", "submit", skip=3 + leg) for leg in (1, 2)]
        before = here.fills()["fast"]
        await here.run(
            lambda fills: (
                all(each.struck for each in refused) and fills["fast"] >= before + 4
            ),
            path,
        )
        await here.settle(path)
        assert findings(here, TORN) == []
        every = kinds(here)
        assert here.crashes() == []
        assert every[ev.OrderRejected] >= 1
        # What is there of orders is of brackets that are whole.
        orders = here.simulator.desk.orders.values()
        lists = Counter(each.asked.group.partition("/")[0] for each in orders)
        alive = [each for each in orders if not each.has_ended]
        assert {lists[each.asked.group.partition("/")[0]] for each in alive} <= {3}
        assert not [each for each in alive if each.is_parked]
        assert all(
            held.quantity >= ZERO for held in here.simulator.desk.positions.values()
        )


def heard(here: Office, code: str) -> int:
    """How often TWS was asked for something."""
    return sum(each[0] == code for each in here.simulator.heard)


def killer(here: Office, path: str, code: str, nth: int) -> Observer:
    """Kill an actor right after TWS has read the nth request of a kind."""

    def blow(engine: LiveEngine, _parts: Parts) -> None:
        wanted = heard(here, code) + nth

        async def wait_and_kill() -> None:
            while heard(here, code) < wanted:
                await here.simulator.asked.wait()
            engine.kill(engine.cells[path], Killed("by the test"))

        engine.nursery.start_soon(wait_and_kill)

    return blow


@pytest.mark.parametrize(
    ("path", "code", "nth"),
    [
        pytest.param(session_path("ib"), PLACE, 3, id="session-first bracket"),
        pytest.param(session_path("ib"), PLACE, 5, id="session-amid the second"),
        pytest.param(session_path("ib"), CANCEL, 1, id="session-cancel"),
        pytest.param(session_path("ib"), EXECUTIONS, 4, id="session-question"),
        pytest.param(ORDERS, PLACE, 3, id="orders-first bracket"),
        pytest.param(GUARD, PLACE, 6, id="guard-second bracket"),
    ],
)
async def test_an_actor_that_is_killed_loses_no_leg(
    tmp_path: Path, path: str, code: str, nth: int
) -> None:
    config_path = config(tmp_path)
    async with office(tmp_path / "state", most=Decimal(4)) as here:
        here.simulator.desk.brackets.exits = Exits.RESIZED
        blow = killer(here, path, code, nth)
        await here.run(
            lambda _: (
                exits(here.entries()).total() >= 4
                and kinds(here)[ev.ActorRestarted] > 0
            ),
            config_path,
            blow,
        )
        await here.settle(config_path)
        assert findings(here) == []
        assert kinds(here)[ev.ActorParked] == 0
        restarted = {
            each.event.path
            for each in here.entries()
            if isinstance(each.event, ev.ActorRestarted)
        }
        assert path in restarted
