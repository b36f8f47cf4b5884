"""What the legs of one list may still trade together, as the guard counts it."""

from __future__ import annotations

import pytest

from holdfast_actors.reservations import Reservations
from holdfast_domain.money import ZERO
from holdfast_domain.orderlists import ROLES, Leg, ListKind
from holdfast_domain.orders import Side

from .desk import INSTRUMENTS, D, filled, terms

LEGS = (terms(10, limit=100), terms(-10, limit=110), terms(-10, stop=90))
SYMBOL = LEGS[0].instrument


def fill(held: Reservations, order_id: str, quantity: int) -> None:
    """Fill so much of a leg; its number is the last of its id."""
    wanted = LEGS[int(order_id[-1])]
    whole = quantity == wanted.quantity.value
    held.apply(filled(order_id, wanted, quantity, 100, complete=whole))


def bracket(held: Reservations, name: str) -> None:
    """Reserve for a bracket that buys ten; its legs are ``name`` and a number."""
    kind = ListKind.BRACKET
    for number, (role, wanted) in enumerate(zip(ROLES[kind], LEGS, strict=True)):
        leg = Leg(list_id=f"{name}0", kind=kind, role=role)
        money = D(1_000) if number == 0 else ZERO
        held.reserve(f"{name}{number}", "one", wanted, money, leg)


def sells(held: Reservations) -> object:
    return held.pending_units("one", SYMBOL, Side.SELL)


def again(held: Reservations) -> Reservations:
    """Return what a snapshot makes of it."""
    made = Reservations(dict(INSTRUMENTS))
    made.load(held.save())
    return made


@pytest.mark.parametrize("restored", [False, True])
def test_exits_count_for_what_was_entered_and_not_given_back(restored: bool) -> None:
    held = Reservations(dict(INSTRUMENTS))
    bracket(held, "a")
    assert sells(held) == 0

    fill(held, "a0", 10)
    assert sells(held) == 10
    held = again(held) if restored else held
    fill(held, "a1", 4)

    # The stop is for ten still; but no more than six are there to be sold.
    assert sells(held) == 6


@pytest.mark.parametrize("restored", [False, True])
def test_a_fill_is_of_its_own_list_alone(restored: bool) -> None:
    held = Reservations(dict(INSTRUMENTS))
    bracket(held, "a")
    bracket(held, "b")
    held = again(held) if restored else held

    fill(held, "a0", 10)
    assert sells(held) == 10
    fill(held, "b0", 10)

    assert sells(held) == 20


def test_a_list_of_which_nothing_is_open_is_forgotten() -> None:
    held = Reservations(dict(INSTRUMENTS))
    bracket(held, "a")
    for number in range(len(LEGS)):
        fill(held, f"a{number}", 10)

    assert held.save()["lists"] == {}
    assert held.accounts["one"].reserved == 0
