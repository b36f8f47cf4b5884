"""Order lists with an account, through a lost answer, a broken stream and a restart."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from holdfast_adapters.auditor import audit
from holdfast_adapters.auditor.reading import read_venue
from holdfast_adapters.statedir import StateDir
from holdfast_domain import events as ev
from holdfast_domain.orderlists import Role

from .live_desk import LIVE, desk

BRACKETS = """\
from holdfast import Context, Strategy, param


class Brackets(Strategy):
    \"\"\"Buys near the market, with exits so near that they are soon reached.\"\"\"

    symbol_name = param("BTCUSDT")
    far = param(0.0005)

    def initialize(self, context: Context) -> None:
        self.asset = self.symbol(self.symbol_name)
        context.bars = 0

    def handle_data(self, context: Context, data: object) -> None:
        context.bars += 1
        if self.get_open_orders():
            for order in self.get_open_orders():
                if order.role == "entry" and context.bars % 4 == 0:
                    self.cancel_order(order)
            return
        last = data.current(self.asset)
        self.order_bracket(
            self.asset,
            "0.02",
            limit_price=round(last, 2),
            take_profit_price=round(last * (1 + self.far), 2),
            stop_loss_price=round(last * (1 - self.far), 2),
        )
"""


def exits(entries: list[ev.Entry]) -> Counter[str]:
    """How many exits were filled, by strategy."""
    legs = {
        each.event.order_id: each.event.leg
        for each in entries
        if isinstance(each.event, ev.OrderIntended)
    }
    found = [e.event.fill for e in entries if isinstance(e.event, ev.OrderFilled)]
    return Counter(
        fill.strategy
        for fill in found
        if (leg := legs[fill.order_id]) is not None and leg.role is not Role.ENTRY
    )


async def test_brackets_are_traded_and_each_leg_is_accounted_for(
    tmp_path: Path,
) -> None:
    (tmp_path / "brackets.py").write_text(BRACKETS)
    text = LIVE.replace("STRATEGIES/breakout.py", "brackets.py")
    text = text.replace("window: 2", "far: 0.0005").replace("window: 5", "far: 0.001")
    path = tmp_path / "live.yaml"
    path.write_text(text)
    async with desk(tmp_path / "state") as here:
        here.simulator.faults.on("lost_ack", "submit_otoco")
        here.simulator.faults.on("lost_request", "submit_otoco", skip=3)
        await here.run(path, lambda entries: exits(entries).total() >= 2)
        here.simulator.faults.on("torn_ack", "submit_otoco")
        here.simulator.faults.on("closed", "user_stream", skip=3)
        before = exits(here.entries()).total()
        await here.run(
            path,
            lambda entries: exits(entries).total() >= before + 3,
            settled=True,
        )
        record = here.state.with_suffix(".sqlite")
        report = audit(StateDir(here.state).journal, {"binance": record})
        entries = here.entries()

    assert [line for check in report.checks for line in check.findings] == []
    kinds = Counter(type(entry.event) for entry in entries)
    assert kinds[ev.OrderUnknown] > 0
    assert kinds[ev.ActorRestarted] == kinds[ev.ActorParked] == 0
    legs = [row for row in read_venue(record) if row.fields.get("leg")]
    assert len(legs) % 3 == 0
