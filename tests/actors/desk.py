"""What actors are given in tests: inboxes for references, lists for journals."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar, cast

import attrs
import polars as pl

from holdfast_domain import events as ev
from holdfast_domain.fills import Fill
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import FIELDS, BarColumns, MarketData
from holdfast_domain.money import Money, Numeric, Price, Quantity
from holdfast_domain.orderlists import Leg
from holdfast_domain.orders import OrderTerms, OrderType, Side, TimeInForce
from holdfast_domain.ports import Acked, Ended, Executed, Found, VenueEvent
from holdfast_runtime import Ref

T = TypeVar("T")
D = Decimal
T0 = datetime(2024, 1, 2, tzinfo=UTC)
T0_US = int(T0.timestamp()) * 1_000_000
DAY_US = 86_400_000_000
SPY = Instrument(symbol="SPY")
INSTRUMENTS = {"SPY": SPY, "QQQ": Instrument(symbol="QQQ", tick=D("0.01"))}


class Inbox:
    """Stands where a reference is: keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def tell(self, message: object) -> None:
        """Keep ``message``."""
        self.told.append(message)

    @property
    def ref(self) -> Ref[Any]:
        """This inbox, for where a reference is wanted."""
        return cast("Ref[Any]", self)

    def take(self) -> list[Any]:
        """Return what was told, and forget it."""
        told, self.told = self.told, []
        return told

    def of(self, kind: type[T]) -> list[T]:
        """Return the messages of one kind."""
        return [each for each in self.told if isinstance(each, kind)]


def entries(
    events: Iterable[ev.Event], *, cursor: int = 0, time_us: int = T0_US
) -> list[ev.Entry]:
    """Return ``events`` as a journal has them."""
    return [
        ev.Entry(
            sequence=sequence,
            epoch=1,
            cursor=cursor,
            market_time_us=time_us,
            wall_time_us=0,
            event=event,
        )
        for sequence, event in enumerate(events, start=1)
    ]


def at_once(call: Callable[[], None]) -> None:
    """Do an effect at once, as when a handler recorded nothing."""
    call()


def terms(
    quantity: Numeric = 10,
    *,
    side: Side | None = None,
    limit: Numeric | None = None,
    stop: Numeric | None = None,
    instrument: str = "SPY",
    time_in_force: TimeInForce = TimeInForce.GTC,
    reduce_only: bool = False,
) -> OrderTerms:
    """Return terms; a negative quantity sells."""
    units = Quantity.of(quantity) if side else Quantity.of(abs(D(str(quantity))))
    kinds = {
        (False, False): OrderType.MARKET,
        (True, False): OrderType.LIMIT,
        (False, True): OrderType.STOP,
        (True, True): OrderType.STOP_LIMIT,
    }
    return OrderTerms(
        instrument=instrument,
        side=side or (Side.BUY if D(str(quantity)) > 0 else Side.SELL),
        quantity=units,
        type=kinds[limit is not None, stop is not None],
        time_in_force=time_in_force,
        limit_price=None if limit is None else Price.of(limit),
        stop_price=None if stop is None else Price.of(stop),
        reduce_only=reduce_only,
    )


def capital(strategy: str, amount: Numeric) -> ev.CapitalAllotted:
    """Return the record of a strategy's capital."""
    return ev.CapitalAllotted(strategy=strategy, money=Money(D(str(amount)), "USD"))


def intended(
    order_id: str,
    wanted: OrderTerms,
    *,
    strategy: str = "one",
    reserved: Numeric = 0,
    decision: int = 0,
    valid_until_us: int = T0_US + 60_000_000,
    leg: Leg | None = None,
) -> ev.OrderIntended:
    """Return the record of an intent, as if it had been there before any decision."""
    return ev.OrderIntended(
        order_id=order_id,
        strategy=strategy,
        decision=decision,
        index=0,
        venue="paper",
        terms=wanted,
        reserved=Money(D(str(reserved)), "USD"),
        valid_until_us=valid_until_us,
        leg=leg,
    )


def filled(
    order_id: str,
    wanted: OrderTerms,
    quantity: Numeric,
    price: Numeric,
    *,
    strategy: str = "one",
    execution: str = "",
    fee: Numeric = 0,
    complete: bool = True,
) -> ev.OrderFilled:
    """Return the record of a fill."""
    return ev.OrderFilled(
        fill=Fill(
            execution_id=execution or f"X-{order_id}-{quantity}-{price}",
            order_id=order_id,
            strategy=strategy,
            instrument=wanted.instrument,
            side=wanted.side,
            quantity=Quantity.of(quantity),
            price=Price.of(price),
            fee=Money(D(str(fee)), "USD"),
            filled_at=T0,
        ),
        complete=complete,
    )


def acked(order_id: str) -> Acked:
    """Return a venue's acknowledgement."""
    return Acked(order_id=order_id, venue_order_id=f"V-{order_id}")


def executed(
    order_id: str, number: int, quantity: Numeric, price: Numeric = 100
) -> Executed:
    """Return an execution at a venue."""
    return Executed(
        order_id=order_id,
        execution_id=f"X{number}",
        quantity=Quantity.of(quantity),
        price=Price.of(price),
        fee=Money(D(0), "USD"),
        filled_at=T0,
        cumulative=Quantity.of(quantity),
    )


def story(
    *events: VenueEvent,
    quantity: Numeric = 10,
    side: Side = Side.BUY,
    instrument: str = "SPY",
    placed_at_us: int = T0_US,
    cumulative: Numeric | None = None,
) -> Found:
    """Return what a venue knows of an order, as `terms` makes one by default."""
    return Found(
        instrument=instrument,
        side=side,
        quantity=Quantity.of(quantity),
        placed_at_us=placed_at_us,
        cumulative=None if cumulative is None else Quantity.of(cumulative),
        events=events,
    )


def ended(order_id: str, how: str = "canceled", reason: str = "on request") -> Ended:
    """Return a venue's word that an order has ended."""
    return Ended(order_id=order_id, how=how, reason=reason)


def market(**closes: list[float]) -> MarketData:
    """Return daily bars that stand still at their closes, from 2 January 2024 on."""
    return MarketData({name: still(name, row) for name, row in closes.items()})


def still(symbol: str, closes: list[float]) -> BarColumns:
    """Return the bars of one symbol, each at its close."""
    frame = pl.DataFrame(
        {
            "timestamp": [T0_US + at * DAY_US for at in range(len(closes))],
            **{name: [float(each) for each in closes] for name in FIELDS},
        }
    ).with_columns(
        pl.from_epoch("timestamp", time_unit="us").dt.replace_time_zone("UTC")
    )
    return BarColumns(symbol, frame)


@attrs.define
class Timers:
    """Keeps what an actor wants to be told later."""

    set: list[tuple[float, object]] = attrs.field(factory=list)

    def after(self, delay_s: float, message: object) -> object:
        """Keep a timer."""
        self.set.append((delay_s, message))
        return message
