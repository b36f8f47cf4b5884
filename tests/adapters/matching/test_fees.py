"""What a fill costs, and what it is taken of."""

from __future__ import annotations

import pytest

from holdfast_adapters.matching import FillModel
from holdfast_domain.money import Money
from holdfast_domain.orders import Side
from holdfast_domain.ports import Executed

from .test_fills import BUY, SELL, D, Desk


def test_the_fee_is_an_exact_share_of_the_notional() -> None:
    desk = Desk(FillModel(commission=D("0.001")))
    desk.send(SELL, "3")
    (event,) = desk.bar(100.1, 104.0, 99.0, 103.0)
    assert isinstance(event, Executed)
    assert event.fee == Money(D("0.3003"), "USD")


@pytest.mark.parametrize(
    ("side", "base", "fee"),
    [
        (BUY, "S", Money(D("0.003"), "S")),
        (BUY, "", Money(D("0.3003"), "USD")),
        (SELL, "S", Money(D("0.3003"), "USD")),
    ],
)
def test_a_fee_in_kind_is_a_share_of_what_a_buy_brings(
    side: Side, base: str, fee: Money
) -> None:
    desk = Desk(FillModel(commission=D("0.001"), in_kind=True), base=base)
    desk.send(side, "3")
    (event,) = desk.bar(100.1, 104.0, 99.0, 103.0)
    assert isinstance(event, Executed)
    assert event.fee == fee
