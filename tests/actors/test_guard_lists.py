"""The guard on order lists: passed whole, and counted for no more than can happen."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast_actors.messages import Decision, Draft, Verdict
from holdfast_actors.vetting import Limits
from holdfast_domain import events as ev
from holdfast_domain.money import Quantity
from holdfast_domain.orderlists import ROLES, Leg, ListKind
from holdfast_domain.orders import OrderTerms

from .desk import filled, intended, terms
from .gate import Gate

OCO, BRACKET = ListKind.OCO, ListKind.BRACKET


def exits(units: int) -> tuple[OrderTerms, OrderTerms]:
    """Return what sells (or, negative, buys back) around the last price of 100."""
    profit, loss = (110, 90) if units > 0 else (90, 110)
    return terms(-units, limit=profit), terms(-units, stop=loss)


def held(units: int, cash: int = 1_000, limits: Limits | None = None) -> Gate:
    wanted = terms(units)
    return Gate(
        intended("old", wanted),
        filled("old", wanted, abs(units), 100),
        cash=cash,
        limits=limits,
    )


def reasons(verdicts: list[Verdict]) -> set[str]:
    return {each.reason for each in verdicts}


def ended(order_id: str) -> ev.OrderCanceled:
    return ev.OrderCanceled(order_id=order_id, strategy="one", reason="its list")


def test_an_oco_closes_what_is_held_once_and_needs_nothing() -> None:
    gate = held(5)

    assert reasons(gate.decide(*exits(5), bound=OCO)) == {""}

    assert gate.free() == 500
    assert "not enough equity" not in gate.reason(terms(-1, limit=105))
    assert gate.free() == 400  # that one opens a short position, for 100


def test_an_oco_that_opens_needs_the_cash_of_its_larger_leg() -> None:
    gate = Gate(cash=1_000)

    gate.decide(*exits(-9), bound=OCO)

    assert gate.free() == 1_000 - 9 * 100
    gate.commit(ended("one-2"))  # the stop, at the last price: 900
    assert gate.free() == 1_000 - 9 * 90
    gate.commit(ended("one-1"))
    assert gate.free() == 1_000


def test_a_list_of_which_one_leg_is_too_dear_is_refused_whole() -> None:
    gate = Gate(cash=1_000)
    profit, loss = exits(-11)

    assert reasons(gate.decide(profit, loss, bound=OCO)) == {
        "not enough cash: needs 1100.0, has 1000"
    }
    assert gate.free() == 1_000
    assert gate.guard._reservations.open == {}


def test_a_leg_off_the_grid_refuses_the_entry_too() -> None:
    gate = Gate(cash=1_000)
    odd = terms(-2, limit="60.001", instrument="QQQ")
    loss = terms(-2, stop=40, instrument="QQQ")

    verdicts = gate.decide(terms(2, instrument="QQQ"), odd, loss, bound=BRACKET)

    assert reasons(verdicts) == {"expected a multiple of the tick 0.01, was 60.001"}
    assert gate.free() == 1_000


def test_a_bracket_needs_the_cash_of_its_entry_alone() -> None:
    gate = Gate(cash=1_000)

    assert reasons(gate.decide(terms(10), *exits(10), bound=BRACKET)) == {""}
    assert gate.free() == 0


def test_exits_that_wait_do_not_keep_from_selling_what_is_held() -> None:
    gate = held(5, cash=2_000)
    gate.decide(terms(5), *exits(5), bound=BRACKET)

    assert gate.reason(terms(-5, limit=105)) == ""
    assert gate.free() == 1_500 - 500  # all five were there to sell


def test_exits_keep_what_their_entry_bought() -> None:
    gate = Gate(cash=1_000, limits=Limits())
    entry = terms(5)
    gate.decide(entry, *exits(5), bound=BRACKET)
    gate.commit(filled("one-1", entry, 5, 100))

    verdict = gate.decide(terms(-5, limit=105))[0]

    assert verdict.reserved is not None
    assert verdict.reserved.amount == 500  # they are promised: this one sells short


def test_exits_of_a_short_bracket_set_aside_what_the_entry_brought() -> None:
    gate = Gate(cash=1_000)
    entry = terms(-5)
    gate.decide(entry, *exits(-5), bound=BRACKET)
    assert gate.free() == 500
    gate.commit(filled("one-1", entry, 2, 100, complete=False))
    assert gate.free() == 1_000 + 200 - 300 - 200

    gate.commit(filled("one-1", entry, 3, 100, execution="X2"))

    assert gate.free() == 1_000 + 500 - 500
    gate.commit(ended("one-2"), filled("one-3", exits(-5)[1], 5, 110))
    assert gate.free() == 1_000 - 50


def test_exits_that_the_venue_made_smaller_cost_as_much_less() -> None:
    gate = Gate(cash=1_000)
    entry, stop = terms(-5), exits(-5)[1]
    gate.decide(entry, *exits(-5), bound=BRACKET)
    gate.commit(filled("one-1", entry, 2, 100, complete=False))
    before = gate.free()

    for name, old in zip(("one-2", "one-3"), exits(-5), strict=True):
        smaller = replace(old, quantity=Quantity.of(2))
        gate.commit(ev.OrderReplaced(order_id=name, strategy="one", terms=smaller))

    assert gate.free() == before
    gate.commit(ended("one-2"), filled("one-3", stop, 2, 110))
    assert gate.free() == 1_000 - 20 - 300  # what the entry is yet to sell


def test_each_leg_counts_as_an_order() -> None:
    gate = held(5, limits=Limits(orders=4))
    gate.decide(*exits(1), bound=OCO)

    too_many = "more than 4 orders in 60 s"
    assert reasons(gate.decide(*exits(1), bound=OCO)) == {too_many}
    assert gate.reason(terms(-1, limit=105)) == ""


def test_lists_and_orders_of_one_decision_are_each_judged() -> None:
    gate = held(5)
    profit, loss = exits(5)
    roles = ROLES[OCO]
    legs = [Leg(list_id="p", kind=OCO, role=each) for each in roles]
    drafts = (
        Draft("a", terms(1)),
        Draft("p", profit, legs[0]),
        Draft("s", loss, legs[1]),
        Draft("b", terms(99)),
    )

    verdicts = gate.vet(
        Decision(
            strategy="one",
            number=1,
            cursor=0,
            time_us=gate.clock.now_us,
            applied=0,
            phase="slice",
            drafts=drafts,
            cancels=(),
            changes=(),
            state="{}",
        )
    )

    assert [bool(each.reason) for each in verdicts] == [False, False, False, True]
