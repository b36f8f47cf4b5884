"""What a spot exchange has once is compared once, wherever the books have it."""

from __future__ import annotations

from holdfast_actors.reconciliation.comparing import Compared, Here, There, compare
from holdfast_actors.reconciliation.messages import OrderLine
from holdfast_actors.reconciliation.plan import ReconcilePlan
from holdfast_domain.instruments import Instrument
from holdfast_domain.orders import OrderState, Side

from .desk import D

PAIRS = {
    symbol: Instrument(symbol=symbol, base=base, currency=quote, lot=D("0.001"))
    for symbol, base, quote in (
        ("BTCUSDT", "BTC", "USDT"),
        ("BTCEUR", "BTC", "EUR"),
        ("ETHBTC", "ETH", "BTC"),
    )
}


def line(instrument: str) -> OrderLine:
    """Return an order that something is under way about."""
    return OrderLine(
        order_id="a",
        strategy="one",
        venue_order_id="",
        instrument=instrument,
        side=Side.BUY,
        quantity=D(1),
        filled=D(0),
        state=OrderState.SENT,
        busy=True,
    )


def compared(there: dict[str, str], *lines: OrderLine) -> Compared:
    """Compare books that have parts of an asset in several places with a venue."""
    here = Here(
        positions={"BTCUSDT": D("0.5"), "BTCEUR": D("0.2"), "ETHBTC": D(3)},
        cash={"BTC": D("-0.1"), "USDT": D(100)},
        lines=lines,
        fills={},
        ended={},
        external=(),
    )
    held = {name: D(amount) for name, amount in there.items()}
    venue = There(positions=held, cash={"USDT": D(100)}, orders=(), executions=())
    return compare(here, venue, PAIRS, ReconcilePlan())


def test_an_asset_in_several_places_does_not_differ_from_the_one_balance() -> None:
    assert compared({"BTCUSDT": "0.6", "ETHBTC": "3"}).differences == ()


def test_what_it_has_too_little_is_told_once_of_its_first_pair() -> None:
    (found,) = compared({"BTCUSDT": "0.5", "ETHBTC": "3"}).differences

    assert (found.name, found.here, found.there, found.amount) == (
        "BTCUSDT", "0.6", "0.5", D("-0.1"),
    )  # fmt: skip


def test_it_is_unclear_while_any_order_moves_the_asset() -> None:
    for symbol in PAIRS:
        found = compared({"BTCUSDT": "0.5", "ETHBTC": "3"}, line(symbol))
        assert found.differences == ()
        assert list(found.unclear) == ["position/BTCUSDT"]
