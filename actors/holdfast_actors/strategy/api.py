"""The class that users derive from, and the context that they are given.

The same strategy runs in a backtest, on paper and live: it sees its data and its part
of the account, and asks for orders. It never sees a venue, a clock or an engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from holdfast_actors.strategy.data import BarData
from holdfast_actors.strategy.news import BrokerMessage
from holdfast_actors.strategy.orders import Desk, OrderView, Transaction, terms_of
from holdfast_actors.strategy.portfolio import Portfolio
from holdfast_actors.strategy.sizing import units_for_value, units_to_target
from holdfast_domain.errors import DomainError, InputError
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.money import Numeric, to_decimal
from holdfast_domain.schedules import MARKET_CLOSE, MARKET_OPEN, Calendars, Schedule


class Context:
    """What a strategy keeps between its calls; any attribute can be set and is saved.

    ``portfolio`` and ``now`` are the engine's and cannot be set.
    """

    def __init__(self, host: Host) -> None:
        object.__setattr__(self, "_host", host)

    @property
    def portfolio(self) -> Portfolio:
        """Cash and positions of this strategy's allotment."""
        return self._host.portfolio  # type: ignore[no-any-return]

    @property
    def now(self) -> datetime:
        """Market time of the current call, UTC."""
        return utc_from_us(self._host.now_us)

    def __setattr__(self, name: str, value: Any) -> None:  # noqa: ANN401 - the user's own
        if name in ("portfolio", "now"):
            message = f"context.{name} is the engine's; choose another name"
            raise AttributeError(message)
        object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the user's own values
        message = f"context.{name} was not set; set it in initialize"
        raise AttributeError(message)


@attrs.define
class Host:
    """What stands behind one strategy: filled in by the actor that runs it."""

    name: str
    instruments: Mapping[str, Instrument]
    portfolio: Portfolio
    desk: Desk
    calendars: Calendars
    last: Callable[[str], Decimal | None]
    commission: Decimal
    now_us: int = 0
    subscribed: list[str] = attrs.field(factory=list)
    schedules: list[Schedule] = attrs.field(factory=list)
    recorded: dict[str, float] = attrs.field(factory=dict)
    max_age_s: float | None = None
    history: int = 1
    """How many bars there are before the strategy looks at slices."""

    initializing: bool = False


class Strategy:
    """A strategy; `initialize` and `handle_data` are required, the rest is optional."""

    _host: Host

    # --- what a strategy may define ------------------------------------------

    def initialize(self, context: Context) -> None:
        """Set up: assets, schedules, what to keep. Runs at every start."""
        message = f"{type(self).__name__} does not define initialize(self, context)"
        raise InputError(
            type(self).__name__, "initialize(self, context)", "none", message
        )

    def handle_data(self, context: Context, data: BarData) -> None:
        """Decide, once for each slice of bars."""
        on_data = getattr(self, "on_data", None)
        if on_data is None:
            raise InputError(
                type(self).__name__, "handle_data(self, context, data)", "none"
            )
        on_data(context, data)

    def on_order_fill(
        self, context: Context, order: OrderView, transaction: Transaction
    ) -> None:
        """React to a fill of an own order; called once for each."""

    def on_order_reject(self, context: Context, order: OrderView, reason: str) -> None:
        """React to the refusal of an own order, by us or by the venue."""

    def on_order_cancel(self, context: Context, order: OrderView, reason: str) -> None:
        """React to the end of an own order that was cancelled or has expired."""

    def on_broker_message(self, context: Context, message: BrokerMessage) -> None:
        """React to what a venue says that is no event of an own order."""

    # --- what a strategy may ask for -----------------------------------------

    def symbol(self, name: str) -> Instrument:
        """Return the instrument called ``name``, and subscribe to its data.

        Raises:
            InputError: the data has no such symbol.
        """
        host = self._host
        if name not in host.instruments:
            raise InputError(
                f"{host.name}.symbol",
                f"one of {', '.join(sorted(host.instruments))}",
                repr(name),
                "add its data with --data",
            )
        if name not in host.subscribed:
            host.subscribed.append(name)
        return host.instruments[name]

    def symbols(self, *names: str) -> list[Instrument]:
        """Return several instruments; without names all that the data has."""
        return [self.symbol(name) for name in names or tuple(self._host.instruments)]

    def needs(
        self, *, history: int | None = None, max_age_s: float | None = None
    ) -> None:
        """Declare how much history is needed, and how old a value may be.

        `handle_data` is called from the first slice on at which those subscribed
        instruments that have traded have ``history`` bars of the data's own interval,
        the current one counted; one that is listed later keeps nobody waiting. A read
        of a value that is older than ``max_age_s`` raises. Legal in `initialize` only.

        Raises:
            InputError: outside of `initialize`, or ``history`` is no positive number.
        """
        host, where = self._host, f"{self._host.name}.needs"
        if not host.initializing:
            raise InputError(where, "a call in initialize", "one outside of it")
        bars: object = 1 if history is None else history
        if not isinstance(bars, int) or bars < 1:
            raise InputError(where, "a history of 1 bar or more", repr(history))
        host.history = max(host.history, bars)
        if max_age_s is not None:
            host.max_age_s = max_age_s

    def schedule(
        self,
        call: Callable[..., None] | None = None,
        *,
        at: str,
        offset_minutes: int = 0,
        asset: Instrument | None = None,
        timezone: str = "UTC",
    ) -> None:
        """Call a method of this strategy at market open, close, or by a cron line.

        ``call`` is a method ``(self, context, data)``; without it `on_scheduled_event`
        is called. Legal in `initialize` only.

        Raises:
            InputError: not a method of this strategy, an open or close of an
                instrument that has no calendar, or a wrong cron line.
        """
        host = self._host
        name = "on_scheduled_event" if call is None else getattr(call, "__name__", "")
        where = f"{host.name}.schedule"
        if not callable(getattr(self, name, None)):
            raise InputError(where, "a method of the strategy", repr(call))
        if not host.initializing:
            raise InputError(where, "a call in initialize", "one outside of it")
        instrument = self._with_calendar(where, at, asset)
        if instrument is None:
            self._check_cron(where, at, timezone)
        host.schedules.append(
            Schedule(
                name=name,
                at=at,
                offset_minutes=offset_minutes,
                instrument=instrument,
                timezone=timezone,
            )
        )

    def _with_calendar(
        self, where: str, at: str, asset: Instrument | None
    ) -> str | None:
        if at not in (MARKET_OPEN, MARKET_CLOSE):
            return None
        host = self._host
        symbol = asset.symbol if asset is not None else next(iter(host.subscribed), "")
        if not symbol or host.calendars.calendar_of(symbol) is None:
            raise InputError(
                where,
                f"an instrument with a calendar for {at}",
                symbol or "no instrument",
                "set 'calendar:' (such as XNYS) for it in the instruments file",
            )
        return symbol

    def _check_cron(self, where: str, at: str, timezone: str) -> None:
        try:
            next(iter(self._host.calendars.cron_us(at, timezone, 0, 1)), None)
        except Exception as error:
            raise InputError(
                where, "market_open, market_close or a cron line", f"{at!r} ({error})"
            ) from error

    def record(self, **values: float) -> None:
        """Keep values of this moment for the report."""
        self._host.recorded.update(values)

    # --- orders --------------------------------------------------------------

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
        self._known(asset)
        terms = terms_of(
            asset,
            quantity,
            limit_price,
            stop_price,
            time_in_force,
            reduce_only=reduce_only,
            post_only=post_only,
            trail=trail,
            trail_bps=trail_bps,
            shown=shown,
        )
        return None if terms is None else self._host.desk.place(terms)

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
        return self.order(asset, to_decimal(target) - held, **how)

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
