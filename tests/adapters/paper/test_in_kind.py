"""What an account on paper holds, fees in kind included."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from holdfast_adapters.paper.account import Trade, balances_of, positions_of
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import Money, Price, Quantity
from holdfast_domain.orders import OrderTerms, OrderType, Side, TimeInForce
from holdfast_domain.ports import Executed

D = Decimal
PAIR = {"BTCUSDT": Instrument(symbol="BTCUSDT", base="BTC", currency="USDT")}


def trade(side: Side, quantity: str, price: str, fee: Money) -> Trade:
    terms = OrderTerms(
        instrument="BTCUSDT",
        side=side,
        quantity=Quantity.of(quantity),
        type=OrderType.MARKET,
        time_in_force=TimeInForce.GTC,
    )
    event = Executed(
        order_id="a",
        execution_id="X1",
        quantity=terms.quantity,
        price=Price.of(price),
        fee=fee,
        filled_at=datetime(2024, 1, 2, tzinfo=UTC),
        cumulative=terms.quantity,
    )
    return terms, event


def test_a_fee_in_kind_is_taken_of_the_position_and_of_no_balance() -> None:
    trades = [
        trade(Side.BUY, "2", "100", Money(D("0.002"), "BTC")),
        trade(Side.SELL, "1", "110", Money(D("0.11"), "USDT")),
    ]

    (held,) = positions_of(trades, PAIR, {})
    balances = balances_of(trades, PAIR, {"USDT": D(1000)})

    assert held.quantity == D("0.998")
    assert {each.currency: each.total.amount for each in balances} == {
        "USDT": D("909.89")
    }
