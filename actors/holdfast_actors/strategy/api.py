"""The class that users derive from, and the context that they are given.

The same strategy runs in a backtest, on paper and live: it sees its data and its part
of the account, and asks for orders. It never sees a venue, a clock or an engine.
"""

from __future__ import annotations

from collections.abc import Callable

from holdfast_actors.strategy.data import BarData
from holdfast_actors.strategy.host import Context
from holdfast_actors.strategy.news import BrokerMessage
from holdfast_actors.strategy.ordering import Ordering
from holdfast_actors.strategy.views import OrderView, Transaction
from holdfast_domain.errors import InputError
from holdfast_domain.instruments import Instrument
from holdfast_domain.schedules import MARKET_CLOSE, MARKET_OPEN, Schedule


class Strategy(Ordering):
    """A strategy; `initialize` and `handle_data` are required, the rest is optional."""

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


__all__ = ["Context", "Strategy"]
