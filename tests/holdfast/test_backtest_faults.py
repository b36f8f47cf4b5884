"""Whatever dies, and whenever: the orders, fills and balances are those of no fault."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random

import pytest
from tests.sampling import some

from holdfast import BarData, Context, Strategy
from holdfast.options import RunOptions, read_options
from holdfast.testing import Faults, TradingRun, columns, market_of
from holdfast.testing.outcome import domain_records
from holdfast_actors.messages import Halt, Readmit, Resume
from holdfast_actors.requests import Submit
from holdfast_actors.strategy.views import OrderView, Transaction
from holdfast_actors.tree import GUARD, ORDERS
from holdfast_actors.vetting import Limits
from holdfast_domain import events as ev
from holdfast_runtime import SimulatedEngine

from .simulations import CutJournal, PowerCut, add, run, wave

STEPS = 40
PATHS = (
    "engine/core/journal",
    "engine/core/orders",
    "engine/core/ledger",
    "engine/core/guard",
    "engine/trading/venues/paper/session",
    "engine/trading/feeds/replay",
    "engine/trading/strategies/Trader/strategy",
    "engine/trading/strategies/Momentum/strategy",
    "engine/trading/scheduler",
)
HOWS = ("before", "after", "now", "soon")
"""Crash inside of a handler, before or after its work; or kill between two messages."""


class Trader(Strategy):
    """Every kind of order, changes, cancels, triggers, and memory of what was told."""

    def initialize(self, context: Context) -> None:
        context.a, context.b = self.symbols("AAA", "BBB")
        context.slices = context.midnights = 0
        context.told = []
        self.ended: set[str] = set()
        self.schedule(self.tidy_up, at="30 12 * * 2,4")
        self.schedule(self.midnight, at="0 0 * * *")

    def midnight(self, context: Context, _data: BarData) -> None:
        context.midnights += 1

    def tidy_up(self, context: Context, _data: BarData) -> None:
        for order in self.get_open_orders(context.a):
            self.cancel_order(order)

    def handle_data(self, context: Context, data: BarData) -> None:
        context.slices += 1
        at, a, b = context.slices, context.a, context.b
        price = data.current(a)
        if at % 4 == 1:
            force = ("gtc", "day", "ioc")[at % 3]
            limit = round(price - 1, 2)
            self.order(a, 3, limit_price=limit, time_in_force=force)
        if at % 5 == 2:
            self.order_target_percent(a, 0.5)
        if at % 9 == 4:
            self.order_target(a, 0)
        if at % 6 == 5 and data.can_trade(b):
            if context.portfolio.positions[b].amount > 0:
                self.order(b, -4)
            else:
                self.order(b, 4, stop_price=round(data.current(b) + 0.3, 2))
        if at % 7 == 3:
            self.raise_a_limit()

    def raise_a_limit(self) -> None:
        for order in self.get_open_orders()[:1]:
            if order.limit is not None:
                self.modify_order(order, limit_price=order.limit + 1)

    def on_order_fill(
        self, context: Context, order: OrderView, transaction: Transaction
    ) -> None:
        context.told.append((str(transaction.amount), str(transaction.price)))
        if len(context.told) % 3 == 0:
            sign = -1 if transaction.amount > 0 else 1
            limit = round(float(transaction.price) * (1 - sign * 0.01), 2)
            self.order(order.asset, sign, limit_price=limit)

    def on_order_reject(self, _context: Context, order: OrderView, reason: str) -> None:
        self.ended.add(order.id[16:] + reason)

    def on_order_cancel(self, _context: Context, order: OrderView, reason: str) -> None:
        self.ended.add(order.id[16:] + reason)


class Momentum(Strategy):
    """All of the cash, or nothing; and an order by the clock now and then."""

    def initialize(self, context: Context) -> None:
        context.b = self.symbol("BBB")
        context.noons = 0
        self.schedule(self.noon, at="0 12 * * *")

    def noon(self, context: Context, _data: BarData) -> None:
        context.noons += 1
        if context.noons % 4 == 0:
            self.order(context.b, 2)

    def handle_data(self, context: Context, data: BarData) -> None:
        closes = data.history(context.b, "close", 5)
        context.mean = closes.mean()
        if len(closes) < 5:
            return
        if closes[-1] > context.mean:
            self.order_target_percent(context.b, 0.99)
        elif context.portfolio.positions[context.b].amount > 5:
            self.order_target(context.b, 0)


@cache
def options(fill: str = "next_open") -> RunOptions:
    """Two strategies with little cash; the second instrument has gaps."""
    days = [at for at in range(STEPS) if at % 7 != 3]
    gappy = [row for at, row in enumerate(wave(50, 4, 0.8, STEPS)) if at in days]
    data = market_of(
        columns("AAA", wave(100, 6, 0.5, STEPS)), columns("BBB", gappy, at=days)
    )
    return read_options(
        [Trader, Momentum], data=data, capital=2_000, commission="0.001", fill=fill
    )


@cache
def undisturbed(fill: str = "next_open") -> TradingRun:
    return run(options(fill))


@cache
def calls_of(path: str) -> int:
    """How many messages an actor handles in a run without a fault."""
    return len(undisturbed().history.of("handled", path))


def test_the_run_that_is_disturbed_below_has_all_kinds_of_records() -> None:
    ran = run(options())

    kinds = {type(each.event) for each in ran.entries}

    assert ran.finished
    assert kinds >= {
        ev.OrderRefused,
        ev.OrderFilled,
        ev.OrderReplaced,
        ev.OrderCanceled,
        ev.OrderExpired,
        ev.SchedulesDeclared,
    }
    assert len(ran.events(ev.OrderFilled)) > 30


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("path", PATHS)
def test_an_actor_that_dies_once_changes_nothing(
    path: str, how: str, sample: Random
) -> None:
    calls = calls_of(path)

    for nth in {1, *sample.sample(range(1, calls + 1), some(5))}:
        faults = Faults()
        fault = add(faults, how, path, nth)
        run(options(), faults).expect_same_as(undisturbed())
        assert fault.happened


@pytest.mark.soak
@pytest.mark.parametrize("commit_s", [0.0, 0.01])
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("path", PATHS)
def test_an_actor_that_dies_at_any_message_changes_nothing(
    path: str, how: str, commit_s: float
) -> None:
    for nth in range(1, calls_of(path) + 1):
        faults = Faults()
        add(faults, how, path, nth)
        run(options(), faults, commit_s=commit_s).expect_same_as(undisturbed())


@pytest.mark.parametrize("fill", ["next_open", "next_close", "this_close"])
def test_two_deaths_in_one_run_change_nothing(fill: str, sample: Random) -> None:
    for _ in range(some(20)):
        faults = Faults()
        for path in sample.sample(PATHS, 2):
            nth = sample.randint(1, calls_of(path))
            add(faults, sample.choice(HOWS), path, nth)
        ran = run(options(fill), faults, commit_s=sample.choice([0.0, 0.01]))
        ran.expect_same_as(undisturbed(fill))


@pytest.mark.parametrize("how", HOWS)
def test_an_order_in_doubt_survives_the_guard_that_is_to_readmit_it(how: str) -> None:
    faults = Faults()
    faults.crash_on("engine/trading/venues/paper/session", Submit, 2)
    asked = add(faults, how, GUARD, 1, Readmit)

    ran = run(options(), faults)

    assert asked.happened
    ran.expect_same_as(undisturbed())
    assert len(ran.events(ev.OrderReadmitted)) >= 1


@pytest.mark.parametrize("written", [False, True], ids=["lost", "written"])
def test_a_process_that_ends_at_any_commit_goes_on_as_if_it_had_not(
    written: bool, sample: Random, tmp_path: Path
) -> None:
    whole = CutJournal(0, written=True)
    run(options(), store=whole)

    # The first batch is the composition's: without it there is no run to go on with.
    for nth in sample.sample(range(2, whole.appends + 1), some(15)):
        store, file = CutJournal(nth, written=written), tmp_path / f"{nth}.sqlite"
        with pytest.raises(PowerCut):
            run(options(), store=store, venue_path=file)
        ran = run(options(), store=store, venue_path=file)
        ran.expect_same_as(undisturbed())
        assert ran.entries[-1].epoch == 2


def test_a_process_may_end_again_and_again(tmp_path: Path) -> None:
    file, store = tmp_path / "venue.sqlite", CutJournal(20, written=True)
    for nth in (20, 25, 30, 35):
        store.cut_after(nth)
        with pytest.raises(PowerCut):
            run(options(), store=store, venue_path=file)
    store.cut_after(0)

    ran = run(options(), store=store, venue_path=file)

    ran.expect_same_as(undisturbed())
    assert len(ran.events(ev.EngineStarted)) == 5


@pytest.mark.parametrize("commit_s", [0.0, 0.01])
def test_a_seed_that_shuffles_who_is_next_gives_the_same_journal(
    commit_s: float, sample: Random
) -> None:
    expected = domain_records(undisturbed().entries)

    for seed in sample.sample(range(1, 10_000), some(15)):
        ran = run(options(), seed=seed, commit_s=commit_s)
        assert domain_records(ran.entries) == expected, f"seed {seed}"


def test_a_slow_disk_changes_nothing() -> None:
    ran = run(options(), commit_s=5.0)

    assert domain_records(ran.entries) == domain_records(undisturbed().entries)


def test_while_halted_nothing_is_sent_and_the_halt_survives_the_guard() -> None:
    def poke(engine: SimulatedEngine) -> None:
        engine.ref(GUARD).tell(Halt("lunch", "test"))

    faults = Faults()
    faults.crash_on(GUARD, nth=20)
    ran = run(options(), faults, poke=poke)

    refusals = {each.reason for each in ran.events(ev.OrderRefused)}
    assert ran.finished
    assert refusals == {"halted: lunch"}
    assert not ran.events(ev.OrderIntended)
    assert len(ran.events(ev.Halted)) == 1


def test_after_a_resume_orders_go_out_again() -> None:
    def poke(engine: SimulatedEngine) -> None:
        engine.ref(GUARD).tell(Halt("lunch", "test"))
        engine.ref(GUARD).tell(Resume("back", "test"))

    faults = Faults()
    faults.crash_on(ORDERS, nth=9, after=True)
    ran = run(options(), faults, poke=poke)

    assert ran.events(ev.OrderFilled)
    assert len(ran.events(ev.Resumed)) == 1


def test_limits_hold_although_the_guard_dies() -> None:
    limits = Limits(orders=3, orders_period_s=86_400 * 7)
    base = run(options(), limits=limits)

    for nth in (5, 25, 60):
        faults = Faults()
        faults.kill(GUARD, object, nth)
        run(options(), faults, limits=limits).expect_same_as(base)

    reasons = {each.reason for each in base.events(ev.OrderRefused)}
    assert "more than 3 orders in 604800 s" in reasons
