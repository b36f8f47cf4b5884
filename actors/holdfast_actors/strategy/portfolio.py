"""The portfolio as a strategy sees it: its own part, as of its last input."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import attrs
import msgspec

from holdfast_actors.strategy.amount import Amount
from holdfast_domain import events as ev
from holdfast_domain.fills import Fill
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import ZERO
from holdfast_domain.positions import FLAT, Position


@attrs.frozen
class PositionView:
    """One position: ``amount`` is signed, prices are per unit."""

    asset: Instrument
    amount: Amount
    cost_basis: Amount
    last_sale_price: Amount


class Positions(Mapping[Instrument, PositionView]):
    """Positions by asset; one that is not held has the amount 0."""

    def __init__(self, portfolio: Portfolio) -> None:
        self._portfolio = portfolio

    def __getitem__(self, asset: Instrument | str) -> PositionView:
        return self._portfolio.view(asset if isinstance(asset, str) else asset.symbol)

    def __iter__(self) -> Iterator[Instrument]:
        return iter(self._portfolio.held())

    def __len__(self) -> int:
        return len(self._portfolio.held())

    def __contains__(self, asset: object) -> bool:
        return asset in self._portfolio.held()


class Portfolio:
    """Cash and positions of one strategy; a projection of its fills."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        last: Callable[[str], Decimal | None],
    ) -> None:
        self._instruments = instruments
        self._last = last
        self._cash = ZERO
        self._book: dict[str, Position] = {}
        self.starting_cash = Amount(0)

    @property
    def cash(self) -> Amount:
        """Cash of the strategy's allotment; negative after fills at worse prices."""
        return Amount(self._cash)

    @property
    def positions(self) -> Positions:
        """Positions by asset."""
        return Positions(self)

    @property
    def positions_value(self) -> Amount:
        """What the positions are worth at the last prices."""
        total = ZERO
        for symbol, held in self._book.items():
            if held.amount:
                price = self._last(symbol) or held.cost_basis
                total += self._instruments[symbol].notional(price, held.amount)
        return Amount(total)

    @property
    def portfolio_value(self) -> Amount:
        """Cash and positions together."""
        return Amount(self._cash + self.positions_value)

    def view(self, symbol: str) -> PositionView:
        """Return the position in ``symbol``, which may be none."""
        held = self._book.get(symbol, FLAT)
        last = self._last(symbol) or ZERO
        return PositionView(
            self._instruments[symbol],
            Amount(held.amount),
            Amount(held.cost_basis),
            Amount(last),
        )

    def held(self) -> list[Instrument]:
        """Return the assets of which there is a position."""
        return [
            self._instruments[symbol]
            for symbol, held in self._book.items()
            if held.amount
        ]

    def amount(self, symbol: str) -> Decimal:
        """Return the signed units of ``symbol``."""
        held = self._book.get(symbol)
        return held.amount if held is not None else ZERO

    # --- for the actor -------------------------------------------------------

    def apply(self, event: ev.Event) -> None:
        """Take one record of the strategy; those that move nothing change nothing."""
        if type(event) is ev.OrderFilled:
            self.fill(event.fill)
        elif isinstance(event, ev.FillCorrected | ev.FillBusted):
            for fill in event.bookings:
                self.fill(fill)
        elif isinstance(event, ev.CapitalAllotted):
            self.allot(event.money.amount)
        elif isinstance(event, ev.StrategyForked):
            self._fork(event)

    def allot(self, cash: Decimal) -> None:
        """Add capital."""
        self._cash += cash
        self.starting_cash = Amount(self.starting_cash + cash)

    def fill(self, fill: Fill) -> None:
        """Take one fill."""
        symbol, book = fill.instrument, self._book
        self._cash, units = fill.settle(self._cash, self._instruments[symbol])
        book[symbol] = book.get(symbol, FLAT).after(units, fill.price.value)

    def _fork(self, event: ev.StrategyForked) -> None:
        """Have what the strategy had from which this one was forked."""
        self._cash = event.cash.amount
        self.starting_cash = Amount(event.starting_cash.amount)
        self._book = {
            each.instrument: Position(each.amount, each.cost_basis.value)
            for each in event.positions
        }

    def save(self) -> dict[str, Any]:
        """Return all of it as plain values, for a snapshot."""
        return {
            "cash": str(self._cash),
            "starting_cash": str(self.starting_cash),
            "positions": msgspec.to_builtins(self._book),
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Be what `save` returned."""
        self._cash = Decimal(saved["cash"])
        self.starting_cash = Amount(saved["starting_cash"])
        self._book = msgspec.convert(saved["positions"], dict[str, Position])
