"""What is set aside is what a recomputation says, live and rebuilt alike."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Any

from hypothesis import given, strategies as st
from tests.sampling import examples

from holdfast_actors.messages import Change, Unchanged
from holdfast_actors.reservations import Reservations
from holdfast_actors.vetting import Limits
from holdfast_domain import events as ev
from holdfast_domain.orderlists import ListKind, Role
from holdfast_domain.orders import Side

from .desk import INSTRUMENTS, D, filled, terms
from .gate import Gate

names = st.sampled_from(["one", "two"])
quantities = st.integers(-6, 6).filter(bool)
STEPS = st.one_of(
    st.tuples(st.just("order"), names, quantities, st.sampled_from([None, 95, 105])),
    st.tuples(
        st.just("list"), names, st.sampled_from(ListKind), quantities, st.booleans()
    ),
    st.tuples(st.just("fill"), st.integers(0, 9), st.integers(1, 4)),
    st.tuples(st.just("end"), st.integers(0, 9)),
    st.tuples(st.just("change"), st.integers(0, 9), st.integers(1, 9)),
    st.tuples(st.just("replaced"), st.integers(0, 9)),
    st.tuples(st.just("refused"), st.integers(0, 9)),
    st.tuples(st.just("dropped"), st.integers(0, 9)),
)


class Script:
    """Plays orders and what becomes of them to a guard, as `orders` would."""

    def __init__(self) -> None:
        self.gate = Gate(cash=1_000, limits=Limits(commission=D("0.0013")))
        self.executions = 0

    @property
    def held(self) -> Reservations:
        """What the live guard holds."""
        return self.gate.guard._reservations

    def play(self, step: tuple[Any, ...]) -> None:
        """Play one of `STEPS`; what has no order does nothing."""
        kind, *rest = step
        if kind == "order":
            strategy, quantity, limit = rest
            self.gate.decide(terms(quantity, limit=limit), strategy=strategy)
            return
        if kind == "list":
            self.bind(*rest)
            return
        ids = list(self.held.open)
        if rest[0] < len(ids):
            getattr(self, kind)(ids[rest[0]], *rest[1:])

    def bind(self, strategy: str, kind: ListKind, quantity: int, limits: bool) -> None:
        by, far = -quantity, (105, 95) if quantity > 0 else (95, 105)
        exits = terms(by, limit=far[0]), terms(by, stop=far[1])
        entry = terms(quantity, limit=100 if limits else None)
        legs = exits if kind is ListKind.OCO else (entry, *exits)
        self.gate.decide(*legs, strategy=strategy, bound=kind)

    def reserved(self, strategy: str) -> Decimal:
        """Reckon what is set aside, from the open orders and the journal's fills."""
        total = Decimal(0)
        exits: dict[str, Decimal] = {}
        for each in self.held.open.values():
            if each.strategy != strategy:
                continue
            leg, money = each.leg, each.money
            if leg is None or leg.role is Role.ENTRY:
                total += money
                continue
            if leg.kind is ListKind.BRACKET:
                live = max(D(0), min(each.left, self.entered(leg.list_id)))
                money = each.whole * live / each.terms.quantity.value
                money = money.quantize(D("0.0001"), ROUND_CEILING)
            exits[leg.list_id] = max(exits.get(leg.list_id, D(0)), money)
        return total + sum(exits.values())

    def entered(self, list_id: str) -> Decimal:
        """Return what the entry of a list traded, and its exits did not give back."""
        legs = {
            each.order_id: each.leg
            for each in self.gate.journal
            if isinstance(each, ev.OrderIntended) and each.leg
        }
        units = Decimal(0)
        for each in self.gate.journal:
            if isinstance(each, ev.OrderFilled) and each.fill.order_id in legs:
                leg = legs[each.fill.order_id]
                sign = 1 if leg.role is Role.ENTRY else -1
                if leg.list_id == list_id:
                    units += sign * each.fill.quantity.value
        return units

    def fill(self, order_id: str, quantity: int) -> None:
        known = self.held.open[order_id]
        self.executions += 1
        self.gate.commit(
            filled(
                order_id,
                known.terms,
                quantity,
                101,
                strategy=known.strategy,
                execution=f"X{self.executions}",
                fee=D("0.13"),
                complete=quantity >= known.left,
            )
        )

    def end(self, order_id: str) -> None:
        strategy = self.held.open[order_id].strategy
        self.gate.commit(ev.OrderExpired(order_id=order_id, strategy=strategy))

    def change(self, order_id: str, quantity: int) -> None:
        known = self.held.open[order_id]
        wanted = terms(quantity * known.terms.side.sign, limit=99)
        (verdict,) = self.gate.decide(
            strategy=known.strategy, changes=[Change(order_id, wanted)]
        )
        if verdict.reserved is not None:
            self.gate.commit(
                ev.ReplaceRequested(
                    order_id=order_id,
                    strategy=known.strategy,
                    terms=wanted,
                    reserved=verdict.reserved,
                )
            )

    def replaced(self, order_id: str) -> None:
        known = self.held.open[order_id]
        if known.wanted is not None:
            self.gate.commit(
                ev.OrderReplaced(
                    order_id=order_id, strategy=known.strategy, terms=known.wanted
                )
            )

    def refused(self, order_id: str) -> None:
        known = self.held.open[order_id]
        self.gate.commit(
            ev.ReplaceRefused(order_id=order_id, strategy=known.strategy, reason="")
        )

    def dropped(self, order_id: str) -> None:
        known = self.held.open[order_id]
        wanted = terms(known.terms.side.sign, limit=1)
        if known.wanted is None:
            self.gate.decide(
                strategy=known.strategy, changes=[Change(order_id, wanted)]
            )
            self.gate.guard.handle(Unchanged(order_id))


def plain(held: Reservations) -> tuple[Any, ...]:
    return held.accounts, held.open, held.save()["lists"]


@examples(200)
@given(st.lists(STEPS, max_size=30))
def test_the_reserved_cash_is_the_sum_of_the_reservations(
    steps: list[tuple[Any, ...]],
) -> None:
    script = Script()

    for step in steps:
        script.play(step)
        for name, account in script.held.accounts.items():
            own = [each for each in script.held.open.values() if each.strategy == name]
            assert account.reserved == script.reserved(name)
            assert all(each.money >= 0 and each.left >= 0 for each in own)


@examples(200)
@given(st.lists(STEPS, max_size=30))
def test_a_rebuilt_guard_has_reserved_what_the_live_one_has(
    steps: list[tuple[Any, ...]],
) -> None:
    script = Script()

    for step in steps:
        script.play(step)
        rebuilt = Reservations(dict(INSTRUMENTS))
        for event in script.gate.journal:
            rebuilt.apply(event)
        assert plain(rebuilt) == plain(script.held), step


@examples(100)
@given(st.lists(STEPS, max_size=30))
def test_cash_and_positions_are_those_of_the_fills(
    steps: list[tuple[Any, ...]],
) -> None:
    script = Script()
    for step in steps:
        script.play(step)

    for name, account in script.held.accounts.items():
        cash, units = Decimal(1_000), Decimal(0)
        for event in script.gate.journal:
            if isinstance(event, ev.OrderFilled) and event.fill.strategy == name:
                signed = event.fill.quantity.value * event.fill.side.sign
                cash -= signed * event.fill.price.value + event.fill.fee.amount
                units += signed
        assert account.cash == cash
        assert account.positions.get("SPY", Decimal(0)) == units


def test_partial_fills_give_back_their_share() -> None:
    gate = Gate(cash=1_000)
    gate.decide(terms(3, limit=100))

    gate.commit(filled("one-1", terms(3, limit=100), 1, 90, complete=False))
    assert gate.free() == 1_000 - 90 - 200
    gate.commit(filled("one-1", terms(3, limit=100), 2, 90, execution="X2"))

    assert gate.free() == 1_000 - 270
    assert gate.guard._reservations.open == {}


def test_an_overfill_does_not_reserve_less_than_nothing() -> None:
    gate = Gate(cash=1_000)
    gate.decide(terms(3, limit=100))

    gate.commit(filled("one-1", terms(3, limit=100), 5, 100, complete=False))

    assert gate.free() == 500


ORDERS = st.tuples(
    names, st.sampled_from(["SPY", "QQQ"]), quantities, st.sampled_from([None, 95, 105])
)


@examples(100)
@given(st.lists(st.one_of(ORDERS, st.integers(0, 9)), max_size=30))
def test_what_is_open_of_an_instrument_is_found_as_in_a_walk_through_all(
    steps: list[tuple[str, str, int, int | None] | int],
) -> None:
    """Of a reservation, an end and a snapshot; a number ends one of those open."""
    held, loaded = Reservations(dict(INSTRUMENTS)), Reservations(dict(INSTRUMENTS))
    for number, step in enumerate(steps):
        if isinstance(step, tuple):
            strategy, symbol, quantity, limit = step
            wanted = terms(quantity, limit=limit, instrument=symbol)
            held.reserve(f"{strategy}-{number}", strategy, wanted, D(100))
        elif step < len(held.open):
            name = list(held.open)[step]
            ended = ev.OrderExpired(order_id=name, strategy=held.open[name].strategy)
            held.apply(ended)
        loaded.load(held.save())
        for each in (held, loaded):
            for symbol in ("SPY", "QQQ", "IWM"):
                there = [
                    (name, made)
                    for name, made in each.open.items()
                    if made.terms.instrument == symbol
                ]
                assert list(each.open_at(symbol).items()) == there
                for strategy in ("one", "two"):
                    for side in Side:
                        units = sum(
                            made.left
                            for _, made in there
                            if made.strategy == strategy and made.terms.side is side
                        )
                        assert each.pending_units(strategy, symbol, side) == units
