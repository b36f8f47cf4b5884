"""Brackets with an account at Interactive Brokers, whatever it does with the exits."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast_adapters.auditor import audit
from holdfast_adapters.ib import IBVenue
from holdfast_adapters.ib.venue import PROMISES
from holdfast_adapters.simulators.ib import Exits, Parked
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev
from holdfast_domain.money import ZERO

from .test_live_ib import EXAMPLE, Office, office
from .test_live_ib_lists import legs
from .test_live_lists import BRACKETS, exits

pytest.importorskip("ib_async")

BEYOND = "exits filled beyond what binds them"
TORN = "lists at the venue that are not whole"


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
        every = kinds(here)
        assert every[ev.ActorRestarted] == every[ev.ActorParked] == 0
        traded = Counter(type(e) for told in legs(here).values() for e in told)
        assert traded[ev.OrderFilled] >= 10
        assert traded[ev.OrderCanceled] >= 3
        assert rule is not Exits.WAIT or not traded[ev.OrderReplaced]


@pytest.mark.parametrize("parked", list(Parked))
async def test_a_bracket_that_is_torn_or_refused_in_part_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parked: Parked
) -> None:
    soon = replace(PROMISES, processing_bound_s=2.0)
    monkeypatch.setattr(IBVenue, "promises", soon)
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
        assert every[ev.ActorRestarted] == every[ev.ActorParked] == 0
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
