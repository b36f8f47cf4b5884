"""A strategy that is built anew at any record of the journal is as it was there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import attrs
import pytest
from msgspec.structs import replace
from tests.sampling import some_of

from holdfast import BarData, Context, Strategy, param
from holdfast.options import RunOptions, read_options
from holdfast.testing import TradingRun, columns, market, market_of
from holdfast_actors.clock import MarketClock
from holdfast_actors.messages import Decision, Resend, Save
from holdfast_actors.strategy.actor import StrategyActor
from holdfast_actors.strategy.restore import TOLD
from holdfast_actors.strategy.views import OrderView, Transaction
from holdfast_actors.tree import strategy_path
from holdfast_domain import events as ev
from holdfast_runtime import SimulatedEngine

from .simulations import CutJournal, run

STEPS = 30


@attrs.define
class Note:
    """A value of an own class, as strategies have them."""

    text: str
    marks: list[int] = attrs.field(factory=list)


class Dice(Strategy):
    """Does one thing or another, by a hash of its seed and of all it was told."""

    seed = param(0)

    def initialize(self, context: Context) -> None:
        context.a, context.b = self.symbols("AAA", "BBB")
        context.calls = 0
        context.notes = {}
        context.passing = "set in initialize"
        self.history: list[Any] = []
        self.schedule(self.by_the_clock, at="0 6,18 * * *")
        if self.seed % 2:
            self.order(context.a, 1)

    def by_the_clock(self, context: Context, data: BarData) -> None:
        self.roll(context, data, "clock")

    def handle_data(self, context: Context, data: BarData) -> None:
        self.roll(context, data, f"{data.current(context.a)}")

    def on_order_fill(
        self, context: Context, order: OrderView, transaction: Transaction
    ) -> None:
        self.history.append((order.filled, transaction.price, context.now))
        self.roll(context, None, f"{transaction.price}")

    def on_order_reject(self, context: Context, order: OrderView, reason: str) -> None:
        self.history.append((order.amount, reason))

    def on_order_cancel(self, context: Context, order: OrderView, reason: str) -> None:
        self.history.append((order.status, reason))
        self.roll(context, None, reason)

    def roll(self, context: Context, data: BarData | None, told: str) -> None:
        """Do what the dice say; on fills only now and then, or it never ends."""
        context.calls += 1
        text = f"{self.seed}/{context.calls}/{told}/{context.portfolio.cash}"
        dice = hashlib.sha256(text.encode()).digest()
        if data is None and dice[0] % 4:
            return
        asset = context.a if dice[1] % 2 or data is None else context.b
        if data is not None and not data.can_trade(asset):
            return
        self.remember(context, dice)
        self.trade(context, asset, dice)

    def remember(self, context: Context, dice: bytes) -> None:
        key = dice[2] % 5
        context.notes.setdefault(key, Note(f"{dice[3]}")).marks.append(dice[4])
        if dice[5] % 5 == 0:
            vars(context).pop("passing", None)
        elif dice[5] % 5 == 1:
            context.passing = Decimal(dice[6])
        if dice[5] % 7 == 0:
            self.extra = {dice[7], dice[8]}

    def trade(self, context: Context, asset: Any, dice: bytes) -> None:
        last = context.portfolio.positions[asset].last_sale_price
        size = dice[9] % 5 - 2
        force = ("gtc", "day", "ioc", "fok")[dice[10] % 4]
        what = dice[11] % 8
        if what == 0:
            self.order(asset, size)
        elif what == 1:
            self.order(asset, size, limit_price=last - size, time_in_force=force)
        elif what == 2:
            self.order(asset, size, stop_price=last + size, time_in_force=force)
        elif what == 3:
            self.order_target_percent(asset, round(dice[12] / 255, 2))
        elif what == 4:
            for order in self.get_open_orders()[: 1 + dice[12] % 3]:
                self.cancel_order(order)
        elif what == 5:
            for order in self.get_open_orders()[:1]:
                self.modify_order(order, quantity=1 + dice[12] % 4)


def options(seed: int) -> RunOptions:
    prices = [round(20 + 6 * ((at * (seed + 3)) % 11) / 11, 2) for at in range(STEPS)]
    rows = [(p, p + 1, p - 1, round(p + 0.25, 2)) for p in prices]
    days = [at for at in range(STEPS) if at % 5 != 2]
    data = market_of(
        columns("AAA", rows), columns("BBB", [rows[at] for at in days], at=days)
    )
    return read_options(
        Dice, data=data, capital=400, commission="0.001", params={"seed": seed}
    )


class Album:
    """What a strategy remembered after each message, by what it had taken."""

    def __init__(self, *, saves: int = 0) -> None:
        """Let the strategy save its state after each message whose count fits."""
        self.saves, self.count = saves, 0
        self.pages: dict[tuple[int, int], dict[str, str]] = {}
        self.decisions: dict[int, Decision] = {}

    def watch(self, engine: SimulatedEngine) -> None:
        """Have a picture taken after each message."""
        cell = engine.cells[strategy_path("Dice")]
        build = cell.spec.build

        def watched(context: Any) -> Any:
            actor = build(context)
            handle, start = actor.handle, actor.start

            def pictured(message: Any) -> Any:
                answer = handle(message)
                self.take(actor)
                self.count += 1
                if self.saves and self.count % self.saves == 0:
                    handle(Save())
                return answer

            def started() -> None:
                start()
                self.take(actor)

            actor.handle, actor.start = pictured, started
            return actor

        cell.spec = attrs.evolve(cell.spec, build=watched)

    def take(self, actor: StrategyActor) -> None:
        self.pages[actor._cursor, actor._applied] = picture(actor)
        self.decisions |= {each.number: each for each in actor._sent}


def picture(actor: StrategyActor) -> dict[str, str]:
    """Return everything that a strategy can see, as text."""
    page = {name: str(text) for name, text in actor._new_memory().changes().items()}
    page["cash"] = str(actor._portfolio.cash)
    page["positions"] = str(actor._portfolio._book)
    page["open"] = str(list(actor._desk.open.values()))
    page["decisions"] = str(actor._desk.number)
    page["now"] = str(actor._host.now_us)
    return page


class Mute:
    """A reference that nobody listens at."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def tell(self, message: Any) -> None:
        self.told.append(message)


def restored(
    ran: TradingRun,
    records: list[ev.Entry],
    cursor: int | None = None,
    history: Iterable[ev.Entry] | None = None,
) -> tuple[StrategyActor, Mute]:
    """Build the strategy from the first records alone, as a restart there does.

    It is rebuilt from ``history``, if that is given.
    """
    parts, guard = ran.parts, Mute()
    cursor = records[-1].cursor if cursor is None else cursor
    actor = StrategyActor(
        plan=parts.plans[0],
        engine=parts.engine,
        epoch=parts.epoch,
        data=parts.data,
        instruments=parts.instruments,
        calendars=parts.calendars,
        commission=parts.limits.commission,
        history=lambda after: (
            iter(records[after:]) if after or history is None else history
        ),
        clock=MarketClock(records[-1].market_time_us, cursor),
        prices=parts.prices,
        guard=guard,  # type: ignore[arg-type]
        scheduler=Mute(),  # type: ignore[arg-type]
        journal=Mute(),  # type: ignore[arg-type]
        path=strategy_path("Dice"),
    )
    actor.start()
    return actor, guard


def told_up_to(records: list[ev.Entry], sequence: int) -> int:
    """Return the last record up to ``sequence`` that a running strategy is told."""
    told = [
        each.sequence
        for each in records
        if each.sequence <= sequence
        and (type(each.event) in TOLD or isinstance(each.event, ev.CapitalAllotted))
    ]
    return max(told)


@pytest.mark.parametrize("saves", [0, 1, 3])
@pytest.mark.parametrize("seed", some_of(range(12)))
def test_restored_at_any_record_it_is_as_it_was_there(seed: int, saves: int) -> None:
    album, store = Album(saves=saves), CutJournal(0, written=True)
    ran = run(options(seed), poke=album.watch, store=store)
    assert ran.finished
    assert len(ran.events(ev.DecisionMade)) > 10
    pages = {
        (cursor, told_up_to(ran.entries, applied)): page
        for (cursor, applied), page in album.pages.items()
    }

    for cut in store.ends[1:]:
        records = ran.entries[:cut]
        actor, guard = restored(ran, records)
        key = actor._cursor, told_up_to(records, actor._applied)
        assert picture(actor) == pages[key], f"seed {seed}, cut at record {cut}"
        for made in guard.told:
            decided = album.decisions[made.number]
            assert replace(made, applied=0) == replace(decided, applied=0)


def test_what_was_not_told_is_read_when_the_journal_was_built_anew() -> None:
    album = Album()
    ran = run(options(3), poke=album.watch)
    fill = next(e for e in ran.entries if isinstance(e.event, ev.OrderFilled))
    before = fill.sequence - 1
    records = list(ran.entries[:before])
    actor, _ = restored(ran, records)
    cash, known = actor._portfolio.cash, len(actor.strategy.history)  # type: ignore[attr-defined]

    records.append(fill)
    for _ in range(3):
        actor.handle(Resend(999, fill.sequence))

    assert actor._portfolio.cash != cash
    assert actor._applied == fill.sequence
    assert len(actor.strategy.history) == known + 1  # type: ignore[attr-defined]


def test_decisions_that_orders_does_not_have_are_sent_again() -> None:
    ran = run(options(3))
    at, last = max(
        (at, entry.event)
        for at, entry in enumerate(ran.entries)
        if isinstance(entry.event, ev.DecisionMade) and entry.event.phase == "slice"
    )
    actor, guard = restored(ran, ran.entries[:at], last.cursor)
    assert [each.number for each in guard.told] == [last.number]
    guard.told.clear()

    actor.handle(Resend(last.number, 0))
    assert guard.told == []
    actor.handle(Resend(last.number - 1, 0))

    assert [each.number for each in guard.told] == [last.number]


class Waking(Strategy):
    """Tells what it was told at its restart."""

    def initialize(self, context: Context) -> None:
        context.a = self.symbol("AAA")
        context.days = 0
        context.woken = []

    def handle_data(self, context: Context, _data: BarData) -> None:
        context.days += 1
        if context.days == 2:
            self.order(context.a, 1)

    def on_restart(self, context: Context, gap_s: float) -> None:
        context.woken.append((context.days, gap_s))
        self.order(context.a, 1)


def test_a_restarted_strategy_is_woken_after_what_it_missed() -> None:
    data = market(AAA=[(10.0, 10.0, 10.0, 10.0)] * 6)
    ran = run(read_options(Waking, data=data))

    actor, guard = restored(ran, ran.entries)

    context: Any = actor.context
    assert context.days == 6
    assert context.woken == [(6, 4 * 86_400.0)]
    assert [each.phase for each in guard.told] == ["restart"]
