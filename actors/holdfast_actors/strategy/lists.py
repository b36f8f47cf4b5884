"""Order lists as a strategy asks for them: the terms, and the ids that it is given."""

from __future__ import annotations

from typing import NamedTuple

from holdfast_actors.strategy.orders import terms_of
from holdfast_domain.errors import InputError
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import Numeric, to_decimal
from holdfast_domain.orderlists import ListKind, OrderList
from holdfast_domain.orders import OrderTerms

_RESTING = ("gtc", "day")


class Oco(NamedTuple):
    """The ids of two orders of which one cancels the other."""

    take_profit: str
    stop_loss: str


class Bracket(NamedTuple):
    """The ids of an entry and its exits."""

    entry: str
    take_profit: str
    stop_loss: str


def oco_of(
    asset: Instrument,
    quantity: Numeric,
    limit_price: Numeric,
    stop_price: Numeric,
    stop_limit_price: Numeric | None,
    time_in_force: str,
    *,
    words: tuple[str, str] = ("limit_price", "stop_price"),
) -> OrderList | None:
    """Return an OCO for signed ``quantity``; None where it is zero.

    ``words`` are what the caller calls the two prices.

    Raises:
        InputError: the prices are not on two sides, or the orders could not rest.
    """
    if time_in_force not in _RESTING:
        todo = "an order that ends at once cancels nothing"
        raise InputError("time_in_force", "gtc or day", time_in_force, todo)
    profit = terms_of(asset, quantity, limit_price, None, time_in_force)
    loss = terms_of(asset, quantity, stop_limit_price, stop_price, time_in_force)
    if profit is None or loss is None:
        return None
    limit, stop = to_decimal(limit_price), to_decimal(stop_price)
    sells = to_decimal(quantity) < 0
    if limit <= stop if sells else limit >= stop:
        side = "above" if sells else "below"
        does = "sell" if sells else "buy"
        expected = f"a price {side} {words[1]} ({stop}) to {does}"
        raise InputError(words[0], expected, str(limit))
    return OrderList(kind=ListKind.OCO, legs=(profit, loss))


def bracket_of(entry: OrderTerms, exits: OrderList | None) -> OrderList:
    """Return the bracket of an entry and the OCO that follows it."""
    legs = () if exits is None else exits.legs
    return OrderList(kind=ListKind.BRACKET, legs=(entry, *legs))
