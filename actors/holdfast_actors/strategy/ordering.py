"""What a strategy may ask of its orders: part of the class that users derive from."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from holdfast_actors.strategy.host import Host
from holdfast_actors.strategy.lists import Bracket, Oco, bracket_of, oco_of
from holdfast_actors.strategy.orders import terms_of
from holdfast_actors.strategy.sizing import (
    units_between,
    units_for_value,
    units_to_target,
)
from holdfast_actors.strategy.views import OrderView
from holdfast_domain.errors import DomainError
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import Numeric, to_decimal


class Ordering:
    """The orders of one strategy: asked for here, and made when they are durable."""

    # In no `vars`: those are the user's, and saved.
    __slots__ = ("_host",)

    _host: Host

    def order(
        self,
        asset: Instrument,
        quantity: Numeric,
        limit_price: Numeric | None = None,
        stop_price: Numeric | None = None,
        *,
        time_in_force: str = "gtc",
        reduce_only: bool = False,
        post_only: bool = False,
        trail: Numeric | None = None,
        trail_bps: int | None = None,
        shown: Numeric | None = None,
    ) -> str | None:
        """Order ``quantity`` units; negative sells. Return the order's id.

        ``post_only`` is rejected where it would trade at once, ``trail`` is the
        distance of a trailing stop as a price, ``trail_bps`` in basis points of the
        best price, ``shown`` what the market sees at a time. A kind of order that the
        venue does not take is rejected before it leaves.

        A quantity of zero orders nothing and returns None.

        Raises:
            InputError: the words do not go together.
        """
        host = self._host
        if type(asset) is not Instrument or asset.symbol not in host.instruments:
            self._known(asset)
        terms = terms_of(
            asset,
            quantity,
            limit_price,
            stop_price,
            time_in_force,
            reduce_only,
            post_only,
            trail,
            trail_bps,
            shown,
        )
        return None if terms is None else host.desk.place(terms)

    def order_oco(
        self,
        asset: Instrument,
        quantity: Numeric,
        *,
        limit_price: Numeric,
        stop_price: Numeric,
        stop_limit_price: Numeric | None = None,
        time_in_force: str = "gtc",
    ) -> Oco | None:
        """Order a limit and a stop of which one cancels the other; return their ids.

        Negative ``quantity`` sells: at ``limit_price`` or better, or, once the market
        falls to ``stop_price``, at the market or at ``stop_limit_price``. What trades
        of the one, in part too, or triggers it, ends the other. To cancel one cancels
        both. A quantity of zero orders nothing and returns None.

        Raises:
            InputError: the prices are not on two sides, or the words do not go
                together.
        """
        self._known(asset)
        made = oco_of(
            asset, quantity, limit_price, stop_price, stop_limit_price, time_in_force
        )
        return None if made is None else Oco(*self._host.desk.place_list(made))

    def order_bracket(
        self,
        asset: Instrument,
        quantity: Numeric,
        limit_price: Numeric | None = None,
        stop_price: Numeric | None = None,
        *,
        take_profit_price: Numeric,
        stop_loss_price: Numeric,
        stop_loss_limit_price: Numeric | None = None,
        time_in_force: str = "gtc",
        exit_time_in_force: str = "gtc",
    ) -> Bracket | None:
        """Order an entry, as `order` does, and its exits; return the three ids.

        The exits close what the entry opened, one cancels the other, and neither works
        before the entry is filled. Where the entry ends without that, they end too. To
        cancel one of them cancels all that is left. A quantity of zero orders nothing
        and returns None.

        Raises:
            InputError: as `order_oco`.
        """
        self._known(asset)
        entry = terms_of(asset, quantity, limit_price, stop_price, time_in_force)
        if entry is None:
            return None
        exits = oco_of(
            asset,
            -to_decimal(quantity),
            take_profit_price,
            stop_loss_price,
            stop_loss_limit_price,
            exit_time_in_force,
            words=("take_profit_price", "stop_loss_price"),
        )
        made = bracket_of(entry, exits)
        return Bracket(*self._host.desk.place_list(made))

    def order_value(self, asset: Instrument, value: Numeric, **how: Any) -> str | None:  # noqa: ANN401
        """Order as many units as ``value`` buys at the last price."""
        units = units_for_value(
            asset,
            to_decimal(value),
            self._last(asset),
            self._host.portfolio.amount(asset.symbol),
            self._host.commission,
        )
        return self.order(asset, units, **how)

    def order_target(
        self,
        asset: Instrument,
        target: Numeric,
        **how: Any,  # noqa: ANN401
    ) -> str | None:
        """Order what brings the position to ``target`` units."""
        host = self._host
        if type(asset) is not Instrument or asset.symbol not in host.instruments:
            self._known(asset)
        held = host.portfolio.amount(asset.symbol)
        if target == held:
            return None
        return self.order(asset, units_between(asset, held, to_decimal(target)), **how)

    def order_target_value(
        self,
        asset: Instrument,
        target: Numeric,
        **how: Any,  # noqa: ANN401
    ) -> str | None:
        """Order what brings the position to the value ``target`` at the last price."""
        units = units_to_target(
            asset,
            to_decimal(target),
            self._last(asset),
            self._host.portfolio.amount(asset.symbol),
            self._host.commission,
        )
        return self.order(asset, units, **how)

    def order_target_percent(
        self,
        asset: Instrument,
        target: Numeric,
        **how: Any,  # noqa: ANN401
    ) -> str | None:
        """Order what brings the position to a fraction (1 is all) of the portfolio.

        Leaves room for the commission of what it opens.
        """
        share = to_decimal(target)
        if share == 0:
            return self.order_target(asset, 0, **how)
        value = Decimal(self._host.portfolio.portfolio_value) * share
        return self.order_target_value(asset, value, **how)

    def cancel_order(self, order: OrderView | str) -> None:
        """Ask to cancel an own order; one that is finished is left as it is."""
        self._host.desk.cancel(order if isinstance(order, str) else order.id)

    def modify_order(
        self,
        order: OrderView | str,
        *,
        quantity: Numeric | None = None,
        limit_price: Numeric | None = None,
        stop_price: Numeric | None = None,
    ) -> None:
        """Ask for new terms for an own open order; what is not given stays."""
        self._host.desk.change(
            order if isinstance(order, str) else order.id,
            quantity,
            limit_price,
            stop_price,
        )

    def get_open_orders(self, asset: Instrument | None = None) -> list[OrderView]:
        """Return the own orders that can still trade, oldest first."""
        orders = list(self._host.desk.open.values())
        return orders if asset is None else [o for o in orders if o.asset == asset]

    def _last(self, asset: Instrument) -> Decimal:
        self._known(asset)
        last = self._host.last(asset.symbol)
        if last is None:
            message = (
                f"there is no price of {asset.symbol} yet; ask data.can_trade first"
            )
            raise DomainError(message)
        return last

    def _known(self, asset: Instrument) -> None:
        if getattr(asset, "symbol", None) not in self._host.instruments:
            message = f"expected an asset from self.symbol(...), got {asset!r}"
            raise DomainError(message)
