"""The table of an order's life, as a matrix: every state with every cause."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from holdfast_domain.errors import ImpossibleTransition
from holdfast_domain.money import Price, Quantity
from holdfast_domain.orderkinds import OrderKinds
from holdfast_domain.orders import (
    OURS,
    TERMINAL,
    TRANSITIONS,
    Cause,
    OrderState,
    OrderTerms,
    OrderType,
    Side,
    TimeInForce,
    next_state,
)

S, C = OrderState, Cause
TRAILING = frozenset({OrderType.TRAILING_STOP})

MATRIX = {
    S.NEW: {C.INTEND: S.INTENT, C.REFUSE: S.REFUSED},
    S.INTENT: {C.SEND: S.SENT, C.GIVE_UP: S.NOT_PLACED, C.DOUBT: S.UNKNOWN},
    S.NOT_SENT: {C.INTEND: S.INTENT, C.GIVE_UP: S.NOT_PLACED},
    S.SENT: {
        C.NO_BYTE_LEFT: S.NOT_SENT,
        C.ACK: S.ACCEPTED,
        C.PARTIAL_FILL: S.PARTIALLY_FILLED,
        C.LAST_FILL: S.FILLED,
        C.CANCEL_ACK: S.CANCELED,
        C.EXPIRE: S.EXPIRED,
        C.REJECT: S.REJECTED,
        C.DOUBT: S.UNKNOWN,
    },
    S.ACCEPTED: {
        C.REQUEST_CANCEL: S.CANCEL_PENDING,
        C.REQUEST_REPLACE: S.REPLACE_PENDING,
        C.ACK: S.ACCEPTED,
        C.PARTIAL_FILL: S.PARTIALLY_FILLED,
        C.LAST_FILL: S.FILLED,
        C.CANCEL_ACK: S.CANCELED,
        C.EXPIRE: S.EXPIRED,
        C.REJECT: S.REJECTED,
        C.DOUBT: S.UNKNOWN,
    },
    S.PARTIALLY_FILLED: {
        C.SAID_ENDED: S.CANCELED,
        C.REQUEST_CANCEL: S.CANCEL_PENDING,
        C.REQUEST_REPLACE: S.REPLACE_PENDING,
        C.ACK: S.PARTIALLY_FILLED,
        C.PARTIAL_FILL: S.PARTIALLY_FILLED,
        C.LAST_FILL: S.FILLED,
        C.CANCEL_ACK: S.CANCELED,
        C.EXPIRE: S.EXPIRED,
        C.REJECT: S.REJECTED,
        C.DOUBT: S.UNKNOWN,
    },
    S.CANCEL_PENDING: {
        C.CANCEL_REFUSED: S.ACCEPTED,
        C.REPLACE_ACK: S.CANCEL_PENDING,
        C.REPLACE_REFUSED: S.CANCEL_PENDING,
        C.ACK: S.CANCEL_PENDING,
        C.PARTIAL_FILL: S.CANCEL_PENDING,
        C.LAST_FILL: S.FILLED,
        C.CANCEL_ACK: S.CANCELED,
        C.EXPIRE: S.EXPIRED,
        C.REJECT: S.REJECTED,
        C.DOUBT: S.UNKNOWN,
    },
    S.REPLACE_PENDING: {
        C.REQUEST_CANCEL: S.CANCEL_PENDING,
        C.REPLACE_ACK: S.ACCEPTED,
        C.REPLACE_REFUSED: S.ACCEPTED,
        C.ACK: S.REPLACE_PENDING,
        C.PARTIAL_FILL: S.REPLACE_PENDING,
        C.LAST_FILL: S.FILLED,
        C.CANCEL_ACK: S.CANCELED,
        C.EXPIRE: S.EXPIRED,
        C.REJECT: S.REJECTED,
        C.DOUBT: S.UNKNOWN,
    },
    S.UNKNOWN: {
        C.PROVEN_ABSENT: S.NOT_SENT,
        C.SAID_ABSENT: S.NOT_PLACED,
        C.SAID_ENDED: S.CANCELED,
        C.REQUEST_CANCEL: S.UNKNOWN,
        C.ACK: S.ACCEPTED,
        C.PARTIAL_FILL: S.PARTIALLY_FILLED,
        C.LAST_FILL: S.FILLED,
        C.CANCEL_ACK: S.CANCELED,
        C.EXPIRE: S.EXPIRED,
        C.REJECT: S.REJECTED,
        C.DOUBT: S.UNKNOWN,
    },
    S.NOT_PLACED: {C.OVERRULE: S.UNKNOWN},
    S.CANCELED: {C.OVERRULE: S.UNKNOWN},
    S.FILLED: {C.OVERRULE: S.UNKNOWN},
}
"""What the design allows, written a second time by hand."""


def expected(state: OrderState, cause: Cause) -> OrderState | None:
    """Where a cause leads; None where it must raise."""
    row = MATRIX.get(state, {})
    if cause in row:
        return row[cause]
    if cause in OURS:
        return None
    return state if state in TERMINAL else S.UNKNOWN


@pytest.mark.parametrize("cause", list(C), ids=lambda each: each.name)
@pytest.mark.parametrize("state", list(S), ids=lambda each: each.name)
def test_a_cause_leads_where_the_matrix_says(state: OrderState, cause: Cause) -> None:
    after = expected(state, cause)

    if after is None:
        with pytest.raises(ImpossibleTransition, match=f"{state.value} cannot"):
            next_state(state, cause)
    else:
        assert next_state(state, cause) is after


def test_the_table_has_the_rows_of_the_matrix_and_no_other() -> None:
    rows = {
        (state, cause): after
        for state, row in MATRIX.items()
        for cause, after in row.items()
    }

    assert rows == TRANSITIONS


def test_a_finished_order_is_left_only_by_the_venues_overruling() -> None:
    ways = {(s, c): after for (s, c), after in TRANSITIONS.items() if s in TERMINAL}

    assert {cause for _, cause in ways} == {C.OVERRULE}
    assert set(ways.values()) == {S.UNKNOWN}


@pytest.mark.parametrize("state", list(S), ids=lambda each: each.name)
@pytest.mark.parametrize("cause", list(C), ids=lambda each: each.name)
def test_an_order_of_which_a_part_is_filled_is_never_accepted_again(
    state: OrderState, cause: Cause
) -> None:
    after = expected(state, cause)
    if after is None:
        return

    partly = next_state(state, cause, Decimal(1))

    known = (state, cause) in TRANSITIONS
    assert partly is (S.PARTIALLY_FILLED if known and after is S.ACCEPTED else after)


def test_a_doubt_is_left_only_by_what_a_venue_said() -> None:
    ways = {c for s, c in TRANSITIONS if s is S.UNKNOWN and TRANSITIONS[s, c] is not s}

    assert not ways & OURS


def test_an_order_goes_out_again_only_after_a_proof_that_it_is_not_there() -> None:
    before = {s for (s, c), after in TRANSITIONS.items() if after is S.INTENT}

    assert before == {S.NEW, S.NOT_SENT}
    proofs = {c for (_, c), after in TRANSITIONS.items() if after is S.NOT_SENT}
    assert proofs == {C.NO_BYTE_LEFT, C.PROVEN_ABSENT}


def walk(causes: Iterable[Cause]) -> list[OrderState]:
    states = [S.NEW]
    for cause in causes:
        try:
            states.append(next_state(states[-1], cause))
        except ImpossibleTransition:
            states.append(states[-1])
    return states


@given(st.lists(st.sampled_from([c for c in C if c is not C.OVERRULE]), max_size=30))
def test_whatever_happens_a_finished_order_stays_finished(causes: list[Cause]) -> None:
    states = walk(causes)

    for before, after in itertools.pairwise(states):
        if before in TERMINAL:
            assert after is before


@pytest.mark.parametrize("kind", list(OrderType), ids=lambda each: each.name)
@pytest.mark.parametrize("limit", [None, Price.of(1)], ids=["", "limit"])
@pytest.mark.parametrize("stop", [None, Price.of(2)], ids=["", "stop"])
@pytest.mark.parametrize("trail", [None, Price.of(3)], ids=["", "trail"])
def test_terms_have_the_prices_of_their_type_and_no_other(
    kind: OrderType, limit: Price | None, stop: Price | None, trail: Price | None
) -> None:
    wants = {
        OrderType.MARKET: (False, False, False),
        OrderType.LIMIT: (True, False, False),
        OrderType.STOP: (False, True, False),
        OrderType.STOP_LIMIT: (True, True, False),
        OrderType.TRAILING_STOP: (False, False, True),
    }

    def make() -> OrderTerms:
        return OrderTerms(
            instrument="SPY",
            side=Side.BUY,
            quantity=Quantity.of(1),
            type=kind,
            limit_price=limit,
            stop_price=stop,
            trail=trail,
        )

    if tuple(each is not None for each in (limit, stop, trail)) == wants[kind]:
        assert make().type is kind
    else:
        with pytest.raises(ImpossibleTransition):
            make()


@pytest.mark.parametrize(
    "how",
    [
        {"trail": Price.of(1), "trail_bps": 100},
        {"trail": Price.of(0)},
        {"trail_bps": 0},
        {"trail_bps": -100},
    ],
)
def test_a_trailing_stop_has_one_distance_above_nothing(how: dict[str, Any]) -> None:
    base: dict[str, Any] = {
        "instrument": "SPY",
        "side": Side.SELL,
        "quantity": Quantity.of(1),
        "type": OrderType.TRAILING_STOP,
    }
    assert OrderTerms(**base, trail_bps=100).trail_bps == 100

    with pytest.raises(ImpossibleTransition):
        OrderTerms(**base, **how)


@pytest.mark.parametrize(
    ("kinds", "lacks"),
    [
        (
            OrderKinds(),
            "trailing_stop orders; it takes limit, market, stop, stop_limit",
        ),
        (
            OrderKinds(types=TRAILING, trails=True),
            "trailing stops of 100 basis points; it takes them by a price",
        ),
        (
            OrderKinds(types=TRAILING, trail_bps=(110, 500)),
            "trailing stops of 100 basis points; it takes them of 110 to 500 basis "
            "points",
        ),
        (OrderKinds(types=TRAILING, trail_bps=(100, 100)), ""),
    ],
)
def test_a_venue_declares_how_its_trailing_stops_say_their_distance(
    kinds: OrderKinds, lacks: str
) -> None:
    trailing = OrderTerms(
        instrument="SPY",
        side=Side.SELL,
        quantity=Quantity.of(1),
        type=OrderType.TRAILING_STOP,
        trail_bps=100,
    )
    assert kinds.lacks(trailing) == lacks

    by_price = replace(trailing, trail_bps=None, trail=Price.of(1))
    assert bool(kinds.lacks(by_price)) is not kinds.trails


@pytest.mark.parametrize("force", list(TimeInForce), ids=lambda each: each.name)
@pytest.mark.parametrize("kind", [OrderType.LIMIT, OrderType.STOP_LIMIT])
@pytest.mark.parametrize("how", [{"post_only": True}, {"shown": Quantity.of(1)}])
def test_only_what_may_rest_is_post_only_or_hidden(
    kind: OrderType, force: TimeInForce, how: dict[str, Any]
) -> None:
    def make() -> OrderTerms:
        return OrderTerms(
            instrument="SPY",
            side=Side.BUY,
            quantity=Quantity.of(1),
            type=kind,
            time_in_force=force,
            limit_price=Price.of(1),
            stop_price=Price.of(2) if kind is OrderType.STOP_LIMIT else None,
            **how,
        )

    may_rest = force not in (TimeInForce.IOC, TimeInForce.FOK)
    if kind is OrderType.LIMIT and may_rest:
        assert make().time_in_force is force
    else:
        with pytest.raises(ImpossibleTransition):
            make()


def test_a_side_has_a_sign_and_an_opposite() -> None:
    assert (Side.BUY.sign, Side.SELL.sign) == (1, -1)
    assert Side.BUY.opposite is Side.SELL
    assert Side.SELL.opposite is Side.BUY
