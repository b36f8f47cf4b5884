"""A fork of an engine goes on as that engine would have gone on itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import attrs
import pytest
from msgspec.structs import replace

from holdfast import BarData, Context, Strategy, param
from holdfast.clocks import FixedClock
from holdfast.compose import VENUE, World, build_tree, make_parts, write_opening
from holdfast.forking import NOT_TAKEN, Fork, fork_of, kept_fork
from holdfast.options import RunOptions, read_options
from holdfast.testing import columns, market_of
from holdfast_actors.folding import Fold
from holdfast_actors.guardbook import GuardBook
from holdfast_actors.messages import Save
from holdfast_actors.strategy.restore import TOLD
from holdfast_actors.tree import Parts
from holdfast_adapters.journal import codec
from holdfast_adapters.journal.memory import MemoryJournal
from holdfast_domain import events as ev
from holdfast_domain.money import Quantity
from holdfast_runtime import SimulatedEngine

from .simulations import run, wave

ENGINE, TWIN = 7, 8


class Swing(Strategy):
    """Trades by what it counts and holds, and rests a limit or a stop at times."""

    every = param(3)

    def initialize(self, context: Context) -> None:
        context.asset = self.symbol("AAA")
        context.bars = context.fills = 0
        context.early = True
        self.resting: Any = ""

    def handle_data(self, context: Context, data: BarData) -> None:
        context.bars += 1
        last = data.current(context.asset)
        if context.bars == self.every:
            del context.early
        if context.bars % self.every == 0:
            self.trade(context, last)
        elif context.bars % 7 == 1:
            self.cancel_order(self.resting)
            self.resting = self.order(context.asset, 1, limit_price=int(last) - 1)
        elif context.bars % 7 == 4:
            self.order(context.asset, 1, stop_price=int(last) + 2)

    def trade(self, context: Context, last: float) -> None:
        held = context.portfolio.positions[context.asset]
        if held.amount > 4 and last > float(held.cost_basis):
            self.order(context.asset, -held.amount)
        elif hasattr(context, "early") or context.portfolio.cash < 4_000:
            self.order(context.asset, -1)
        else:
            self.order(context.asset, 1 + context.fills % 3)

    def on_order_fill(self, context: Context, order: Any, transaction: Any) -> None:
        context.fills += 1


class Bracketed(Strategy):
    """Has a position with both of its exits resting at the venue."""

    def initialize(self, context: Context) -> None:
        context.asset = self.symbol("AAA")
        context.canceled = []

    def handle_data(self, context: Context, data: BarData) -> None:
        if not context.portfolio.positions[context.asset].amount:
            exits: Any = {"take_profit_price": 200, "stop_loss_price": 10}
            self.order_bracket(context.asset, 1, **exits)

    def on_order_cancel(self, context: Context, order: Any, reason: str) -> None:
        context.canceled.append(reason)


def options(*strategies: type[Strategy], steps: int = 60) -> RunOptions:
    bars = market_of(columns("AAA", wave(100, 6, 0.3, steps)))
    return read_options(strategies, data=bars, capital=10_000, commission=0.001)


def saving(engine: SimulatedEngine) -> None:
    """Let each strategy say how it stands after each message, before anything runs."""
    for name, cell in engine.cells.items():
        if "/strategies/" in name:
            cell.spec = attrs.evolve(cell.spec, build=_saves(cell.spec.build))


def _saves(build: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def built(ctx: Any) -> Any:
        actor = build(ctx)
        handle = actor.handle

        def handled(message: Any) -> Any:
            answer = handle(message)
            handle(Save())
            return answer

        actor.handle = handled
        return actor

    return built


def cut(entries: Sequence[ev.Entry], records: int) -> MemoryJournal:
    """Return a journal that ends with that record."""
    store = MemoryJournal()
    store.append(list(entries[:records]))
    return store


def parts_of(
    made: RunOptions, store: MemoryJournal, engine: int, fork: Fork | None = None
) -> tuple[Parts, World, list[bool]]:
    done: list[bool] = []
    world = World(
        store=store,
        journal_host=None,
        venue_path=None,
        venue_host=None,
        wall=FixedClock(),
        engine=engine,
        finished=lambda: done.append(True),
        mode="paper",
        slices_max=1,
        fork=fork,
    )
    return make_parts(made, world), world, done


def fork_at(made: RunOptions, entries: Sequence[ev.Entry], records: int) -> Fork:
    parts, _, _ = parts_of(made, cut(entries, records), ENGINE)
    parts.prices.show((parts.clock.cursor >> 16) - 1)
    return fork_of(parts, VENUE)


def go_on(made: RunOptions, fork: Fork) -> list[ev.Entry]:
    """Run a fork to the end of the data."""
    parts, world, done = parts_of(made, MemoryJournal(), TWIN, fork)
    write_opening(made, parts, world)
    engine = SimulatedEngine(build_tree(parts))
    engine.root.begin()
    while not done and engine.step():
        pass
    assert done
    return list(parts.store.read())


def fills(entries: Sequence[ev.Entry], after: int = -1) -> list[tuple[Any, ...]]:
    """Return what was traded in inputs after one."""
    return [
        (f.strategy, f.instrument, f.side, f.quantity, f.price, f.fee, f.filled_at)
        for each in entries
        if isinstance(each.event, ev.OrderFilled) and each.cursor > after
        for f in [each.event.fill]
    ]


def quiet(made: RunOptions, entries: Sequence[ev.Entry]) -> list[int]:
    """Return the records after which an input was over, and everybody had said all."""
    parts, _, _ = parts_of(made, MemoryJournal(), ENGINE)
    fold, found = Fold(parts.shape, codec), []
    for entry, after in pairwise(entries):
        fold.take([entry])
        pasts = [each.past for each in fold.strategies.values()]
        untold = [
            each
            for past in pasts
            for each in past.entries
            if each.sequence > past.applied and type(each.event) in TOLD
        ]
        begun = not any(past.is_first for past in pasts)
        if entry.cursor < after.cursor and begun and not untold:
            found.append(entry.sequence)
    return found


@pytest.mark.parametrize("poke", [None, saving])
def test_a_fork_trades_as_its_engine_would_have_gone_on(poke: Any) -> None:
    made = options(Swing, Swing)
    whole = run(made, poke=poke).entries
    places = quiet(made, whole)
    assert len(places) > 10
    for records in places:
        fork = fork_at(made, whole, records)
        twin = go_on(made, fork)
        assert fills(twin) == fills(whole, fork.cursor), records
        intents = [e.event for e in whole if isinstance(e.event, ev.OrderIntended)]
        known = {each.order_id for each in intents}
        own = [e.event for e in twin if isinstance(e.event, ev.OrderIntended)]
        assert not known & {each.order_id for each in own if each.decision}


def test_what_was_filled_of_an_order_is_not_asked_for_again() -> None:
    made = options(Swing)
    entries = list(run(made).entries)
    at, event = next(
        (place, each.event)
        for place, each in enumerate(entries)
        if isinstance(each.event, ev.OrderFilled) and each.event.fill.quantity.value > 1
    )
    part = replace(event.fill, quantity=Quantity.of(1))
    entries[at] = replace(entries[at], event=replace(event, fill=part, complete=False))
    fork = fork_at(made, entries, at + 1)
    (intended,) = (
        each
        for each in fork.events
        if isinstance(each, ev.OrderIntended) and each.order_id == part.order_id
    )
    (was,) = (
        each.event
        for each in entries[:at]
        if isinstance(each.event, ev.OrderIntended)
        and each.event.order_id == part.order_id
    )
    left = event.fill.quantity.value - 1
    assert intended.terms == replace(was.terms, quantity=Quantity(left))
    share = was.reserved.amount * left / was.terms.quantity.value
    assert abs(intended.reserved.amount - share) <= Decimal("0.0001")


def test_its_books_begin_with_what_the_engine_has() -> None:
    made = options(Swing, Swing)
    whole = run(made).entries
    parts, _, _ = parts_of(made, MemoryJournal(), ENGINE)
    for records in quiet(made, whole)[::3]:
        before, after = Fold(parts.shape, codec), Fold(parts.shape, codec)
        before.take(whole[:records])
        fork = fork_at(made, whole, records)
        entries = [
            ev.Entry(
                sequence=number, epoch=1, cursor=0, market_time_us=0, wall_time_us=0,
                event=event,
            )
            for number, event in enumerate(fork.events, start=1)
        ]  # fmt: skip
        after.take(entries)
        again = Fold(parts.shape, codec)
        again.load(after.save(), len(entries))
        for fold in (after, again):
            assert of_books(fold) == of_books(before)
            assert of_guard(fold) == of_guard(before)
        assert fork.cash == sums(before)
        held = {s: each.amount for s, each in fork.positions.items()}
        assert held == {s: n for s, n in before.books.held_at(VENUE)[0].items() if n}
        units: dict[str, Any] = {}
        for (_, unit), amount in after.books.balances.items():
            units[unit] = units.get(unit, 0) + amount
        assert set(units.values()) == {0}
        assert after.books.held_at(VENUE)[1] == before.books.held_at(VENUE)[1]


def of_books(fold: Fold) -> dict[str, Any]:
    return {
        name: (
            each.cash,
            {
                s: (p.amount, p.cost_basis)
                for s, p in each.positions.items()
                if p.amount
            },
        )
        for name, each in fold.books.sub_ledgers().items()
    }


def of_guard(fold: Fold) -> dict[str, Any]:
    held: GuardBook = fold.guard
    return {
        name: (each.cash, each.reserved, {s: n for s, n in each.positions.items() if n})
        for name, each in held.reservations.accounts.items()
    }


def sums(fold: Fold) -> dict[str, Any]:
    total: dict[str, Any] = {}
    for each in fold.books.sub_ledgers().values():
        for unit, amount in each.cash.items():
            total[unit] = total.get(unit, 0) + amount
    return total


def test_orders_that_are_bound_together_are_not_taken_along_and_it_is_told() -> None:
    made = options(Bracketed)
    whole = run(made).entries
    fork = fork_at(made, whole, len(whole) - 1)
    ended = [each for each in fork.events if isinstance(each, ev.OrderNotPlaced)]
    assert len(ended) == 2
    assert {each.reason for each in ended} == {NOT_TAKEN}
    parts, world, _ = parts_of(made, MemoryJournal(), TWIN, fork)
    write_opening(made, parts, world)
    engine = SimulatedEngine(build_tree(parts))
    engine.root.begin()
    for _ in range(10_000):
        engine.step()
    (strategy,) = (
        each.actor for path, each in engine.cells.items() if "strategies" in path
    )
    assert strategy is not None
    assert strategy.context.canceled == [NOT_TAKEN] * 2


def test_a_journal_tells_with_what_it_was_opened() -> None:
    made = options(Swing, Swing)
    whole = run(made).entries
    fork = fork_at(made, whole, quiet(made, whole)[3])
    twin = go_on(made, fork)
    kept = kept_fork(twin)
    assert kept is not None
    assert (kept.cash, kept.positions) == (fork.cash, fork.positions)
    assert (kept.cursor, kept.time_us) == (fork.cursor, fork.time_us)
    assert kept_fork([]) is None
