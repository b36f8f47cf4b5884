"""An OCO with an account at Interactive Brokers: torn, refused in part, and traded."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast_adapters.auditor import audit
from holdfast_adapters.ib import IBVenue
from holdfast_adapters.ib.venue import PROMISES
from holdfast_adapters.simulators.ib.faults import Fault
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev

from .test_live_ib import EXAMPLE, Office, office

pytest.importorskip("ib_async")

EXITS = """\
from holdfast import Strategy, param


class Exits(Strategy):
    \"\"\"Buys, and sells by an OCO so near that it is soon reached.\"\"\"

    symbol_name = param("AAPL")
    far = param(0.001)

    def initialize(self, context):
        self.asset = self.symbol(self.symbol_name)

    def handle_data(self, context, data):
        if self.get_open_orders():
            return
        held = context.portfolio.positions[self.asset].amount
        if not held:
            self.order(self.asset, 2)
            return
        last = data.current(self.asset)
        self.order_oco(
            self.asset,
            -held,
            limit_price=round(last * (1 + self.far), 2),
            stop_price=round(last * (1 - self.far), 2),
        )
"""


def config(tmp_path: Path) -> Path:
    (tmp_path / "exits.py").write_text(EXITS)
    text = EXAMPLE.read_text().replace("strategies/breakout.py", "exits.py")
    text = text.replace("window: 5", "far: 0.001")
    path = tmp_path / "exits.yaml"
    path.write_text(text.replace("window: 20, invested: 0.9", "far: 0.002"))
    return path


def legs(here: Office) -> dict[str, list[ev.Event]]:
    """What was recorded of each leg."""
    told: dict[str, list[ev.Event]] = defaultdict(list)
    bound = set()
    for each in here.entries():
        event = each.event
        if isinstance(event, ev.OrderIntended) and event.leg is not None:
            bound.add(event.order_id)
        order_id = getattr(event, "order_id", None)
        if isinstance(event, ev.OrderFilled):
            order_id = event.fill.order_id
        if order_id in bound:
            told[order_id].append(event)
    return told


def is_torn(here: Office) -> bool:
    """Whether of a list a part has come to the desk, and the rest is on its way."""
    there = {each.asked.order_ref for each in here.simulator.desk.orders.values()}
    lists: dict[str, set[bool]] = defaultdict(set)
    for entry in here.entries():
        event = entry.event
        if isinstance(event, ev.OrderIntended) and event.leg is not None:
            lists[event.leg.list_id].add(event.order_id in there)
    return any(len(found) > 1 for found in lists.values())


async def test_exits_are_traded_and_each_leg_is_accounted_for(tmp_path: Path) -> None:
    path = config(tmp_path)
    async with office(tmp_path / "state") as here:
        here.simulator.faults.on("lost_ack", "submit", skip=3)
        await here.run(lambda fills: fills.total() >= 6 and not is_torn(here), path)
        here.simulator.faults.on("closed", "fills", skip=2)
        await here.run(lambda fills: fills.total() >= 14 and not is_torn(here), path)
        await here.settle(path)
        record = {"ib": here.state.with_suffix(".sqlite")}
        report = audit(StateDir(here.state).journal, record)
        assert [line for check in report.checks for line in check.findings] == []
        kinds = Counter(type(e) for told in legs(here).values() for e in told)
        assert kinds[ev.OrderFilled] >= 4
        assert kinds[ev.OrderCanceled] >= 4
        assert here.crashes() == []


async def test_a_leg_alone_is_ended_and_the_strategy_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = replace(PROMISES, processing_bound_s=2.0)
    monkeypatch.setattr(IBVenue, "promises", soon)
    path = config(tmp_path)
    before, _, after = path.read_text().partition("  - class: exits.py\n    name: slow")
    path.write_text(before + "venues:" + after.partition("venues:")[2])
    async with office(tmp_path / "state") as here:
        faults = here.simulator.faults
        # Of an order to buy and a list, the last leg is lost with the connection.
        torn = faults.on("lost_request", "submit", skip=2)
        struck: list[tuple[Fault, int]] = []

        def enough(fills: Counter[str]) -> bool:
            if torn.struck and not struck:
                # A leg of the next list, whatever goes out before it.
                refused = faults.on("refused", "submit", skip=1)
                struck.append((refused, fills["fast"]))
            return any(
                each.struck and fills["fast"] >= count + 6 for each, count in struck
            )

        await here.run(enough, path)
        await here.settle(path)
        every = Counter(type(entry.event) for entry in here.entries())
        assert here.crashes() == []
        assert every[ev.OrderRejected] == 1
        report = audit(
            StateDir(here.state).journal, {"ib": here.state.with_suffix(".sqlite")}
        )
        halves = [check for check in report.checks if "not whole" in check.name]
        others = [check for check in report.checks if check not in halves]
        assert [line for check in others for line in check.findings] == []
        assert [line.endswith("1 of 2 legs") for line in halves[0].findings] == [
            True,
            True,
        ]
        # Neither half is at work: what is, is whole.
        orders = here.simulator.desk.orders.values()
        groups = Counter(each.asked.group for each in orders)
        working = here.simulator.desk.open_orders()
        named = {each.asked.group for each in working} - {""}
        assert {groups[each] for each in named} <= {2}
