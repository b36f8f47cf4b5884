"""A story: a run written down by hand, as the journal entries that it would leave."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import attrs
import polars as pl

from holdfast.results import RunResult, measure
from holdfast_domain.cursor import ADVANCE_SLOT, START, cursor_at
from holdfast_domain.events import (
    CapitalAllotted,
    Entry,
    Event,
    OrderFilled,
    OrderIntended,
    OrderRefused,
)
from holdfast_domain.fills import Fill
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import BarColumns, MarketData, utc_from_us
from holdfast_domain.money import Money, Price, Quantity, to_decimal
from holdfast_domain.orders import OrderTerms, Side

DAY_ONE = datetime(2024, 1, 2, 21, tzinfo=UTC)


def bars(
    closes: Mapping[str, Sequence[float]],
    *,
    first: datetime = DAY_ONE,
    every: timedelta = timedelta(days=1),
) -> MarketData:
    """Bars whose fields all equal the close; a NaN is a bar that is not there."""
    columns = {}
    for symbol, values in closes.items():
        steps = enumerate(values)
        kept = [(first + row * every, v) for row, v in steps if not math.isnan(v)]
        price = [value for _, value in kept]
        fields = {"open": price, "high": price, "low": price, "close": price}
        frame = pl.DataFrame(
            {"timestamp": [at for at, _ in kept], **fields, "volume": price},
            schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
        )
        columns[symbol] = BarColumns(symbol, frame)
    return MarketData(columns, "the-digest")


@attrs.define
class Story:
    """Writes entries; every method appends one record."""

    data: MarketData
    instruments: dict[str, Instrument] = attrs.field(factory=dict)
    entries: list[Entry] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        for symbol in self.data.symbols:
            self.instruments.setdefault(symbol, Instrument(symbol=symbol))

    def write(self, step: int, event: Event, *, epoch: int = 1) -> None:
        self.entries.append(
            Entry(
                sequence=len(self.entries) + 1,
                epoch=epoch,
                cursor=START if step < 0 else cursor_at(step, ADVANCE_SLOT),
                market_time_us=0 if step < 0 else self.data.times_us[step],
                wall_time_us=0,
                event=event,
            )
        )

    def capital(self, amount: str, *, to: str = "one", currency: str = "USD") -> None:
        money = Money(Decimal(amount), currency)
        self.write(-1, CapitalAllotted(strategy=to, money=money))

    def order(self, step: int, order_id: str, *, by: str = "one") -> None:
        event = OrderIntended(
            order_id=order_id,
            strategy=by,
            decision=1,
            index=0,
            venue="paper",
            terms=self.terms(),
            reserved=Money(Decimal(0), "USD"),
            valid_until_us=0,
        )
        self.write(step, event)

    def refusal(self, step: int, order_id: str, *, by: str = "one") -> None:
        event = OrderRefused(
            order_id=order_id,
            strategy=by,
            decision=1,
            index=0,
            terms=self.terms(),
            reason="no cash",
        )
        self.write(step, event)

    def terms(self) -> OrderTerms:
        symbol = self.data.symbols[0]
        return OrderTerms(instrument=symbol, side=Side.BUY, quantity=Quantity.of(1))

    def fill(
        self,
        step: int,
        symbol: str,
        units: float | str | Decimal,
        price: float | str | Decimal,
        *,
        fee: str = "0",
        by: str = "one",
        currency: str = "USD",
    ) -> None:
        """``units`` are signed."""
        number = len(self.entries)
        signed = to_decimal(units)
        fill = Fill(
            execution_id=f"x{number}",
            order_id=f"{number:032x}",
            strategy=by,
            instrument=symbol,
            side=Side.BUY if signed > 0 else Side.SELL,
            quantity=Quantity(abs(signed)),
            price=Price.of(price),
            fee=Money(Decimal(fee), currency),
            filled_at=utc_from_us(self.data.times_us[max(step, 0)]),
        )
        self.write(step, OrderFilled(fill=fill, complete=True))

    def result(self, wall_s: float | None = None) -> RunResult:
        return measure(self.entries, self.data, self.instruments, wall_s=wall_s)
